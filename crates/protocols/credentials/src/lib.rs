//! heddle-credentials: not written yet.
