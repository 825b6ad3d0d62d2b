//! A game between two servers in one process, and what both answer to repeats and to strangers.

mod support;

use std::path::{Path, PathBuf};

use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{Authorization, Outbound, OutboundConfig, OutboundError, Request};
use heddle_pingpong::{
    api,
    game::{GameId, HIT, HitTold, OVER, Stage},
    server::{self, Running, UMPIRE_FILE},
    settings::Settings,
    umpire::Umpire,
};
use serde::Deserialize;
use support::free_ports;
use tempfile::TempDir;

/// Two sides and their folder.
struct Court {
    folder: TempDir,
    sides: [Running; 2],
    outbound: Outbound,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
}

impl Court {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let [ping, pong] = free_ports::<2>();
        let sides = [
            side(folder.path().join("ping"), ping, pong).await,
            side(folder.path().join("pong"), pong, ping).await,
        ];
        let own_origins = sides.iter().map(|side| side.url().to_owned()).collect();
        let config = OutboundConfig { own_origins, ..OutboundConfig::default() };
        let outbound = Outbound::new(config, Environment::system()).expect("a client");
        Self { folder, sides, outbound }
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

    async fn close(self) {
        for side in self.sides {
            side.stop().await;
        }
    }
}

async fn side(data_dir: PathBuf, port: u16, opponent: u16) -> Running {
    let settings = Settings {
        listen: ([127, 0, 0, 1], port).into(),
        url: None,
        opponent: format!("http://127.0.0.1:{opponent}/"),
        data_dir,
        postgres_url: None,
    };
    let environment = Environment::system();
    let database = server::open(&settings, &environment).await.expect("the database opens");
    server::start(&settings, database, environment).await.expect("the server starts")
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
    court.close().await;
}
