//! The mint itself, and the key to development mode.

use heddle_tenancy::{DevelopmentMode, ScopeIssuer};

fn forge() {
    let _ = ScopeIssuer(());
    let _ = DevelopmentMode(());
    let _ = ScopeIssuer::default();
    let _ = DevelopmentMode::default();
}

fn main() {}
