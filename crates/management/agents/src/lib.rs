//! heddle-agents: not written yet.
