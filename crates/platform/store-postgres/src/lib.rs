//! heddle-store-postgres: not written yet.
