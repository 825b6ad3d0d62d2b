//! A game between two servers in one process, and what both answer to repeats and to strangers.

mod support;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use heddle_auth::{TokenService, TokenSettings};
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{Authorization, Outbound, OutboundConfig, OutboundError, Request};
use heddle_pingpong::{
    api,
    game::{GameId, HIT, HitTold, OVER, Stage},
    passes::{Clients, Passes},
    server::{self, AUDIENCE, Running, UMPIRE_FILE},
    settings::Settings,
    umpire::Umpire,
};
use heddle_store::{Database, Store};
use heddle_tenancy::{Actor, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use serde::Deserialize;
use support::free_ports;
use tempfile::TempDir;

/// Two sides, their databases and their folder.
struct Court {
    folder: TempDir,
    sides: [Running; 2],
    databases: [Arc<dyn Database>; 2],
    outbound: Outbound,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
}

impl Court {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, other] = free_ports::<2>();
        let (ping, first) = side(folder.path().join("ping"), one, other).await;
        let (pong, second) = side(folder.path().join("pong"), other, one).await;
        let (sides, databases) = ([ping, pong], [first, second]);
        let own_origins = sides.iter().map(|side| side.url().to_owned()).collect();
        let config = OutboundConfig { own_origins, ..OutboundConfig::default() };
        let outbound = Outbound::new(config, Environment::system()).expect("a client");
        Self { folder, sides, databases, outbound }
    }

    fn umpire(&self, name: &str) -> Umpire {
        umpire(&self.folder.path().join(name))
    }

    /// A token of the umpire of one side.
    async fn token(&self, name: &str) -> String {
        let text = std::fs::read(self.folder.path().join(name).join(UMPIRE_FILE)).expect("it is written");
        let credentials: heddle_pingpong::umpire::Credentials = serde_json::from_slice(&text).expect("JSON");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", credentials.client_secret.as_str()),
        ];
        let request = Request::post(format!("{}/oauth/token", credentials.url)).form(&form);
        let given: Given = self.outbound.send(request).await.expect("given").json().expect("a token");
        given.access_token
    }

    /// What `context` plays with, of the token service of the side `at`.
    async fn pass(&self, at: usize, context: &str) -> String {
        let store = Store::new(self.databases[at].clone(), Environment::system());
        #[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
        let scopes = Arc::new(ScopeIssuer::new());
        let actor = || Actor::new("test");
        let key =
            MasterKeySource::Generated(self.folder.path().join(["ping", "pong"][at]).join("master.key"));
        let vault = EmbeddedVault::open(store.clone(), &scopes.operator(actor()), &key).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("it is the side's own key"));
        let names = TokenSettings { issuer: self.sides[at].url().to_owned(), audience: AUDIENCE.to_owned() };
        let tokens = TokenService::open(store.clone(), vault.clone(), scopes.clone(), names).await;
        let tokens = Arc::new(tokens.expect("its key is in the vault"));
        let passes = Passes::new(Clients { store, vault, tokens });
        passes.pass(&scopes.participant(self::context(context), actor())).await.expect("it is given")
    }

    /// Sends a hit to the first side; says with which status it is refused.
    async fn refused(&self, context: &str, body: &str, token: Option<&str>, key: Option<&str>) -> u16 {
        let url = api::hits_url(self.sides[0].url(), &self::context(context), &game("refused"));
        let mut request = Request::post(url).json(body.as_bytes().to_vec());
        if let Some(token) = token {
            request = request.authorization(Authorization::bearer(token));
        }
        if let Some(key) = key {
            request = request.idempotency_key(key);
        }
        match self.outbound.send(request).await {
            Err(OutboundError::Status { status, .. }) => status.as_u16(),
            other => panic!("expected a refusal: {other:?}"),
        }
    }

    /// With which status the first side refuses to show a game that is not there.
    async fn seen(&self, context: &str, token: &str) -> u16 {
        let url = api::game_url(self.sides[0].url(), &self::context(context), &game("none"));
        let request = Request::get(url).authorization(Authorization::bearer(token));
        let error = self.outbound.send(request).await.expect_err("there is no such game");
        error.status().expect("it is an answer").as_u16()
    }

    async fn close(self) {
        for side in self.sides {
            side.stop().await;
        }
    }
}

async fn side(data_dir: PathBuf, port: u16, opponent: u16) -> (Running, Arc<dyn Database>) {
    let settings = Settings {
        listen: ([127, 0, 0, 1], port).into(),
        url: None,
        opponent: format!("http://127.0.0.1:{opponent}/"),
        data_dir,
        postgres_url: None,
    };
    let environment = Environment::system();
    let database = server::open(&settings, &environment).await.expect("the database opens");
    let running = server::start(&settings, database.clone(), environment).await.expect("the server starts");
    (running, database)
}

fn umpire(data_dir: &Path) -> Umpire {
    Umpire::read(&data_dir.join(UMPIRE_FILE), &Environment::system()).expect("the side has written them")
}

fn context(id: &str) -> ParticipantContextId {
    ParticipantContextId::parse(id).expect("legal")
}

fn game(id: &str) -> GameId {
    id.parse().expect("legal")
}

/// The numbers that one side tells of a game, up to its end.
async fn numbers(umpire: &Umpire, id: &str, of: &str) -> Vec<u64> {
    let mut feed = umpire.follow(&context(id));
    let mut numbers = Vec::new();
    loop {
        let told = feed.next().await.expect("a feed can be followed");
        match told.kind.as_str() {
            HIT if told.subject == of => {
                let hit: HitTold = serde_json::from_str(told.payload.get()).expect("it tells a hit");
                numbers.push(hit.number);
            }
            OVER if told.subject == of => return numbers,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_game_goes_to_its_last_hit_and_a_repeat_changes_nothing() {
    let court = Court::open().await;
    let (ping, pong) = (court.umpire("ping"), court.umpire("pong"));
    // An id may hold what a path may not.
    let ann = "did:web:ann.example/1";
    ping.begin(&context(ann), &game("one"), 7).await.expect("it begins");
    assert_eq!(numbers(&ping, ann, "one").await, [1, 3, 5, 7]);
    assert_eq!(numbers(&pong, ann, "one").await, [2, 4, 6]);
    let before = ping.game(&context(ann), &game("one")).await.expect("it is there");
    assert_eq!((before.counter, before.stage), (7, Stage::Over));
    ping.begin(&context(ann), &game("one"), 7).await.expect("a repeat is answered");
    assert_eq!(ping.game(&context(ann), &game("one")).await.expect("it is there"), before);
    // What another game tells comes behind whatever the repeat could have told.
    ping.begin(&context(ann), &game("two"), 1).await.expect("it begins");
    let mut feed = ping.follow(&context(ann));
    let mut hits = 0;
    while let Ok(told) = feed.next().await
        && told.subject == "one"
    {
        hits += u64::from(told.kind == HIT);
    }
    assert_eq!(hits, 4);
    court.close().await;
}

#[tokio::test]
async fn only_who_may_play_hits_and_only_with_a_key() {
    let court = Court::open().await;
    let (own, other) = (court.token("ping").await, court.token("pong").await);
    let legal = r#"{"number":1,"until":2}"#;
    assert_eq!(court.refused("ann", legal, None, Some("k")).await, 401);
    let forged = format!("{}x", own);
    assert_eq!(court.refused("ann", legal, Some(&forged), Some("k")).await, 401);
    for token in [&own, &other] {
        assert_eq!(court.refused("ann", legal, Some(token), None).await, 400, "without a key");
        let illegal = r#"{"number":3,"until":2}"#;
        assert_eq!(court.refused("ann", illegal, Some(token), Some("k")).await, 400);
        assert_eq!(court.refused("ann", "{}", Some(token), Some("k")).await, 400);
    }
    for side in [0, 1] {
        let token = court.pass(side, "bob").await;
        assert_eq!(court.refused("ann", legal, Some(&token), Some("k")).await, 403, "another's token");
        assert_eq!(court.refused("bob", legal, Some(&token), None).await, 400, "its own, without a key");
        let hidden = court.seen("bob", &token).await;
        assert_eq!((hidden, court.seen("ann", &token).await), (404, 403));
    }
    court.close().await;
}
