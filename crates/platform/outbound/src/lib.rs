//! heddle-outbound: not written yet.
