//! heddle-vault: not written yet.
