//! The participant context behind a path: most resources are answered with 404 when there is none.

use heddle_store::{Loaded, Transaction};
use heddle_tenancy::ParticipantScope;
use heddle_web::Rejection;

use super::answer::not_found;
use crate::model::ParticipantContext;

/// The participant context that `scope` opens.
pub(super) async fn participant(
    transaction: &mut Transaction<'_>,
    scope: &ParticipantScope,
) -> Result<Loaded<ParticipantContext>, Rejection> {
    let id = scope.participant().as_str();
    transaction.load(id).await?.ok_or_else(|| not_found("ParticipantContext", id))
}

/// The same, for what makes something new: the commit fails with `Stale` if the context is removed meanwhile, so that
/// nothing comes in behind its removal.
pub(super) async fn lasting(
    transaction: &mut Transaction<'_>,
    scope: &ParticipantScope,
) -> Result<(), Rejection> {
    let context = participant(transaction, scope).await?;
    transaction.check(&context);
    Ok(())
}
