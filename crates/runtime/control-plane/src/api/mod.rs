//! The Management API.
