//! The shipped agents against a double of the services that they call.

mod double;
mod every;
mod onboarding;
mod requests;
