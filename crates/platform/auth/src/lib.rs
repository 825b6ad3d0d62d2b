//! heddle-auth: not written yet.
