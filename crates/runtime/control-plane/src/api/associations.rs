//! `…/participants/{context}/profiles`: the dataspace profiles that a participant takes part in.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Router, extract::State, routing::get};
use heddle_ids::ProfileName;
use heddle_web::Rejection;
use serde::Deserialize;

use super::{
    answer::{Outcome, done, ok},
    document::{Described, Document},
    guard::{Own, ProfilesAdmin, ProfilesRead},
    present,
    profiles::shown,
};
use crate::ControlPlane;

/// Most dataspace profiles that one participant takes part in.
const PROFILES_MAX: usize = 100;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new().route("/participants/{context}/profiles", get(list).put(associate))
}

#[derive(Debug, Deserialize)]
struct AssociationDocument {
    profiles: Vec<ProfileName>,
}

impl Described for AssociationDocument {
    const TYPES: &'static [&'static str] = &["AssociateDataspaceProfile"];
}

async fn list(State(plane): State<Arc<ControlPlane>>, own: Own<ProfilesRead>) -> Outcome {
    let context = present::participant(&mut plane.store.begin(&own.scope), &own.scope).await?;
    let mut profiles = Vec::new();
    for name in &context.profiles {
        profiles.extend(plane.profile(name.as_str()).await?);
    }
    Ok(ok(&profiles.iter().map(shown).collect::<Vec<_>>()))
}

async fn associate(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<ProfilesAdmin>,
    Document(document): Document<AssociationDocument>,
) -> Outcome {
    let names: BTreeSet<ProfileName> = document.profiles.into_iter().collect();
    if names.len() > PROFILES_MAX {
        let message = format!("a participant takes part in at most {PROFILES_MAX} dataspace profiles");
        return Err(Rejection::invalid("/profiles", message).into());
    }
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = present::participant(&mut transaction, &own.scope).await?;
    for name in &names {
        if plane.profile(name.as_str()).await?.is_none() {
            let context = own.scope.participant();
            let message = format!(
                "Failed to associate profiles to ParticipantContext '{context}': there is no dataspace profile '{name}'"
            );
            return Err(Rejection::invalid("/profiles", message).into());
        }
    }
    let mut next = loaded.value().clone();
    next.profiles = names.into_iter().collect();
    transaction.save(&loaded, &next);
    transaction.publish(next.published());
    transaction.commit().await?;
    Ok(done())
}
