//! heddle-tenant-manager: not written yet.
