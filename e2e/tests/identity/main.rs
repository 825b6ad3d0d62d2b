//! Whose tokens open the Administration APIs: those of our own token service and of providers that are not ours.

mod keycloak;
mod own_keys;
mod rotation;
