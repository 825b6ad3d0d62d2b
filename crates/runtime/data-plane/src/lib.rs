//! heddle-data-plane: not written yet.
