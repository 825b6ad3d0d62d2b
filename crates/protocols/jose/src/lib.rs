//! heddle-jose: not written yet.
