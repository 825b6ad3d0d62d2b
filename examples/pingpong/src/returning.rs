//! The job: sends a hit to the other side. It may run twice, whenever a worker dies between the answer and the commit
//! that says so; the key of the hit makes the second time harmless.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use heddle_outbound::{Authorization, Outbound, OutboundError, Request, RetryClass};
use heddle_store::{JobContext, JobHandler, NewJob, Outcome, Store, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};
use serde::{Deserialize, Serialize};

use crate::{
    api,
    game::{Game, GameId, Hit},
    passes::Passes,
};

/// The job's kind.
pub const KIND: &str = "pingpong.return";

/// The job's payload.
#[derive(Debug, Serialize, Deserialize)]
struct Return {
    game: GameId,
    hit: Hit,
}

/// The job that sends `hit` to `opponent`. Its order key is the game, so that the hits of a game go out one by one and
/// in their order; its host lets the worker keep one slow opponent from taking every place.
#[must_use]
pub fn job(game: &GameId, hit: Hit, opponent: &str) -> NewJob {
    let payload = Return { game: game.clone(), hit };
    NewJob::new(KIND, format!("pingpong-game/{game}"), &payload).calling(opponent)
}

/// Runs [`KIND`].
pub struct Returning {
    /// Where games are kept.
    pub store: Store,
    /// The way out.
    pub outbound: Outbound,
    /// What the other side lets us in with.
    pub passes: Arc<Passes>,
    /// The base URL of the other side.
    pub opponent: String,
}

impl fmt::Debug for Returning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returning").field("opponent", &self.opponent).finish_non_exhaustive()
    }
}

#[async_trait]
impl JobHandler for Returning {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "only a participant context plays".to_owned() });
        };
        let Return { game, hit } = context.job.payload()?;
        let pass = match self.passes.pass(scope).await {
            Ok(pass) => pass,
            Err(error) => return Ok(Outcome::Retry { error: format!("{error:#}"), after: None }),
        };
        let url = api::hits_url(&self.opponent, scope.participant(), &game);
        // No transaction is open while the other side is waited for.
        let request = Request::post(url)
            .json_of(&hit)
            .authorization(Authorization::bearer(&pass))
            .idempotency_key(hit.key(&game));
        if let Err(error) = self.outbound.send(request).await {
            return Ok(what_next(&error));
        }
        if hit.back().is_some() { Ok(Outcome::Done) } else { self.end(scope, &game, context).await }
    }
}

impl Returning {
    /// The other side has the last hit. What follows from an answer is written in the commit that ends the job.
    async fn end(
        &self,
        scope: &ParticipantScope,
        id: &GameId,
        context: &JobContext,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = self.store.begin(scope);
        let Some(loaded) = transaction.load::<Game>(id.as_str()).await? else { return Ok(Outcome::Done) };
        let game = loaded.value().clone().over();
        transaction.save(&loaded, &game);
        transaction.emit(game.over_told());
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}

/// The client says what kind of failure it is; the job decides what to do about it.
fn what_next(error: &OutboundError) -> Outcome {
    let text = error.to_string();
    match error.class() {
        RetryClass::Retry { after } => Outcome::Retry { error: text, after },
        // The other side may be starting.
        RetryClass::RetryBriefly => Outcome::Retry { error: text, after: None },
        // The same hit would be refused again: a person has to look.
        RetryClass::Final => Outcome::Bury { error: text },
    }
}
