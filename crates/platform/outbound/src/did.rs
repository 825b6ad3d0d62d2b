//! x
/// x
#[derive(Debug)] pub struct DidResolver; 
/// x
#[derive(Debug)] pub struct ResolveError;
