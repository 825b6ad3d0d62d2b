//! heddle-store-sqlite: not written yet.
