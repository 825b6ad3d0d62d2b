//! heddle-web: not written yet.
