//! heddle-control-plane: not written yet.
