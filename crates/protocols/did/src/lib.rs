//! heddle-did: not written yet.
