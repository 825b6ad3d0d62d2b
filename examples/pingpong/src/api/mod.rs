//! The endpoints.
//!
//! | path | what | scope of the token |
//! | --- | --- | --- |
//! | `POST …/participants/{ctx}/games/{game}/hits` | a hit comes here | `pingpong-api:games:write` |
//! | `GET …/participants/{ctx}/games/{game}` | how far a game is | `pingpong-api:games:read` |
//! | `GET …/participants/{ctx}/events` | what happens, as server-sent events without a gap | `pingpong-api:games:read` |

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use heddle_auth::Authenticator;
use heddle_bus::{Audience, follow};
use heddle_ids::ParticipantContextId;
use heddle_store::{EventCursor, Store};
use heddle_web::{
    IdempotentJson, InFlight, Kind, Path, Plain, Query, Refused, Rejection, Reply, Shutdown, Surface, reply,
    sse::{self, Resume, resume_from},
};
use http::{HeaderMap, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    game::{Game, GameId, Hit},
    returning,
};

mod guard;

use guard::{Player, Read, Write};

/// Where the surface is nested.
pub const BASE: &str = "/api/pingpong";

/// Most requests at a time; a feed counts until it is open.
const IN_FLIGHT: usize = 256;
/// A hit is small.
const BODY_BYTES_MAX: usize = 4 * 1024;

/// What the endpoints need.
pub struct Table {
    /// Where games are kept.
    pub store: Store,
    /// Who knows the players.
    pub authenticator: Arc<Authenticator>,
    /// The authority of the other side, which jobs are counted by.
    pub opponent: String,
    /// Ends the feeds.
    pub shutdown: Shutdown,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("opponent", &self.opponent).finish_non_exhaustive()
    }
}

/// An answer, or a refusal in the words of this surface.
type Outcome = Result<Response, Refused<Plain>>;

/// Where hits of a game go, at the server with the base URL `server`.
pub fn hits_url(server: &str, context: &ParticipantContextId, game: &GameId) -> String {
    format!("{}/hits", game_url(server, context, game))
}

/// Where a game is seen.
pub fn game_url(server: &str, context: &ParticipantContextId, game: &GameId) -> String {
    format!("{}/games/{game}", context_url(server, context))
}

/// Where the events of a participant context are followed.
pub fn events_url(server: &str, context: &ParticipantContextId) -> String {
    format!("{}/events", context_url(server, context))
}

/// An id of a context may hold any character.
fn context_url(server: &str, context: &ParticipantContextId) -> String {
    let context = utf8_percent_encode(context.as_str(), NON_ALPHANUMERIC);
    format!("{server}{BASE}/participants/{context}")
}

/// The surface, to be nested at [`BASE`].
pub fn router(table: Arc<Table>) -> Router {
    let environment = table.store.environment().clone();
    let routes = Router::new()
        .route("/participants/{ctx}/games/{game}/hits", post(hit))
        .route("/participants/{ctx}/games/{game}", get(show))
        .route("/participants/{ctx}/events", get(feed))
        .with_state(table);
    Surface::<Plain>::new("pingpong", environment)
        .in_flight(InFlight::new(IN_FLIGHT))
        .body_bytes_max(BODY_BYTES_MAX)
        .finish(routes)
}

/// A hit comes here. The game, the way back (as a job) and the event are one commit, and so is the answer: whoever has
/// got none sends the hit again under the same key, and is given this one.
async fn hit(
    State(table): State<Arc<Table>>,
    player: Player<Write>,
    Path((_, id), ..): Path<(String, GameId), Plain>,
    IdempotentJson(hit, idempotency, ..): IdempotentJson<Hit, Plain>,
) -> Outcome {
    if idempotency.key().is_none() {
        let message = "A hit needs an Idempotency-Key, so that it counts once however often it is delivered.";
        return Err(Rejection::new(Kind::Malformed, message).into());
    }
    if !hit.is_legal() {
        return Err(Rejection::invalid("/number", "expected a number from 1 to 'until'").into());
    }
    let mut transaction = table.store.begin(&player.scope);
    let principal = player.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &principal).await? {
        return Ok(earlier);
    }
    let loaded = transaction.load::<Game>(id.as_str()).await?;
    let game = Game::after(id, hit);
    match &loaded {
        Some(loaded) => transaction.save(loaded, &game),
        None => transaction.insert(&game),
    }
    transaction.emit(game.hit_told());
    match hit.back() {
        Some(back) => transaction.enqueue(returning::job(&game.id, back, &table.opponent)),
        None => transaction.emit(game.over_told()),
    }
    let reply = Reply::json(StatusCode::OK, &game);
    Ok(idempotency.conclude((&table.store, &player.scope), transaction, &principal, reply).await?)
}

async fn show(
    State(table): State<Arc<Table>>,
    player: Player<Read>,
    Path((_, id), ..): Path<(String, GameId), Plain>,
) -> Outcome {
    let game = table.store.begin(&player.scope).load::<Game>(id.as_str()).await?;
    let unknown = || Rejection::new(Kind::NotFound, format!("There is no game '{id}'."));
    Ok(reply(StatusCode::OK, game.ok_or_else(unknown)?.value()))
}

async fn feed(
    State(table): State<Arc<Table>>,
    player: Player<Read>,
    Query(resume, ..): Query<Resume, Plain>,
    headers: HeaderMap,
) -> Outcome {
    let after = match resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place),
        None => table.store.newest_event().await?,
    };
    let lasts = player.principal.expires_at().since(table.store.environment().now());
    let events = follow(table.store.clone(), Audience::Participant(player.scope), after);
    Ok(sse::feed(after, events, (table.shutdown.clone(), lasts)))
}
