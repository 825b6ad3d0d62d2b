//! heddle-provision-manager: not written yet.
