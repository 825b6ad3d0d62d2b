//! heddle-agent: not written yet.
