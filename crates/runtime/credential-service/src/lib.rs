//! heddle-credential-service: not written yet.
