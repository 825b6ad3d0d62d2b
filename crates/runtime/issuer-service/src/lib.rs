//! heddle-issuer-service: not written yet.
