//! heddle-bus: not written yet.
