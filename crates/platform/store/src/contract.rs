//! The contract that every implementation of the port keeps.
