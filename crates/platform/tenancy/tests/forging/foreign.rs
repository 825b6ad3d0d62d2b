//! A scope of somebody else's making, and rows without a scope.

use heddle_ids::ParticipantContextId;
use heddle_tenancy::{Access, Actor, Owner, Scope};

struct Everything(ParticipantContextId);

impl Scope for Everything {
    fn access(&self) -> Access {
        Access::new(Owner::Participant(self.0.clone()), None, Actor::new("mallory"))
    }
}

fn main() {}
