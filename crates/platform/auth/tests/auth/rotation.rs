//! The signing keys are replaced, by age and by hand, and no request fails by it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use heddle_auth::{
    ANNOUNCED_FOR, Authenticator, ClientCredentials, KeyState, NewClient, OldKey, TOKEN_LIFETIME,
    TokenPolicy, Unauthenticated,
};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_jose::{JwkSet, Token};
use heddle_store::{Store, StoreError, Worker, WorkerLimits};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};

use crate::support::{NOW, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn states(world: &World) -> Vec<KeyState> {
    world.service.signing_keys().await.expect("the row").into_iter().map(|key| key.state).collect()
}

fn kid(token: &str) -> String {
    Token::parse(token).expect("a token").header().kid.clone().expect("named")
}

#[tokio::test]
async fn a_new_key_is_known_everywhere_before_it_signs_and_the_old_one_outlives_its_tokens() {
    let world = World::new().await;
    let replica = world.replica().await;
    assert_eq!(replica.service.jwks().await, world.service.jwks().await, "replicas share one key");
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let first = world.token(&client).await.expect("given").token;

    let keys = world.service.rotate_signing_key(OldKey::Retired).await.expect("rotates");
    assert_eq!(keys.len(), 2);
    assert_eq!(states(&world).await, [KeyState::Signing, KeyState::Announced]);
    let again = replica.service.rotate_signing_key(OldKey::Retired).await.expect("one is under way");
    assert_eq!(again, keys, "and is left to go on");
    world.clock.advance(ANNOUNCED_FOR - Duration::from_secs(1));
    let second = world.token(&client).await.expect("given").token;
    assert_eq!(kid(&second), kid(&first));
    assert_eq!(replica.service.jwks().await.keys.len(), 2, "the other replica has published it meanwhile");

    world.clock.advance(Duration::from_secs(1));
    let third = replica.token(&client).await.expect("given").token;
    assert_eq!(kid(&third), keys[1].kid);
    assert_eq!(states(&world).await, [KeyState::Retired, KeyState::Signing]);
    for auth in [&world.auth, &replica.auth] {
        for token in [&first, &second, &third] {
            assert!(auth.authenticate(token).await.is_ok());
        }
    }
    world.clock.advance(TOKEN_LIFETIME - Duration::from_secs(2));
    assert!(world.auth.authenticate(&second).await.is_ok(), "to its last second");
}

#[tokio::test]
async fn a_key_in_wrong_hands_opens_nothing_more() {
    let world = World::new().await;
    let replica = world.replica().await;
    let client = world.client(&world.participant("acme"), NewClient::participant()).await.expect("made");
    let first = world.token(&client).await.expect("given").token;
    world.service.rotate_signing_key(OldKey::Retired).await.expect("rotates");
    world.clock.advance(ANNOUNCED_FOR);
    let second = world.token(&client).await.expect("given").token;
    assert!(replica.auth.authenticate(&second).await.is_ok());

    let keys = world.service.rotate_signing_key(OldKey::Revoked).await.expect("revokes");
    assert_eq!(world.auth.authenticate(&second).await, Err(Unauthenticated::Key), "though it was remembered");
    assert!(world.auth.authenticate(&first).await.is_ok(), "the one before it was not in them");
    let third = world.token(&client).await.expect("given").token;
    assert_eq!(kid(&third), keys.last().expect("a new one").kid);
    assert!(
        replica.auth.authenticate(&third).await.is_ok(),
        "at once, also on a replica that looked a moment ago"
    );
    assert_eq!(replica.auth.authenticate(&second).await, Err(Unauthenticated::Key));
    assert!(replica.token(&client).await.is_ok());
}

#[tokio::test]
async fn keys_are_replaced_by_age_and_destroyed_when_their_last_token_has_expired() {
    let policy = TokenPolicy { rotate_after: 30 * DAY, ..TokenPolicy::default() };
    let world = World::with(policy).await;
    let first = world.service.signing_keys().await.expect("the row")[0].clone();
    let work = async || {
        let worker = Worker::new(world.store.clone(), world.scopes.clone(), WorkerLimits::default());
        let worker = world.service.jobs(worker).await.expect("the job is there").start();
        // Whatever is due is claimed as soon as it runs; then it has nothing more to do.
        let before = world.service.signing_keys().await.expect("the row");
        let changed = async {
            while world.service.signing_keys().await.expect("the row") == before {
                tokio::task::yield_now().await;
            }
        };
        let changed = tokio::time::timeout(Duration::from_secs(60), changed).await;
        worker.drain(Duration::from_secs(60)).await;
        changed.expect("in time");
    };
    // The job waits in the database from the first start, whoever runs when it is due.
    let idle = Worker::new(world.store.clone(), world.scopes.clone(), WorkerLimits::default());
    drop(world.service.jobs(idle).await.expect("the job is there"));
    world.clock.advance(30 * DAY);
    work().await;
    let keys = world.service.signing_keys().await.expect("the row");
    assert_eq!(
        keys.iter().map(|key| key.state).collect::<Vec<_>>(),
        [KeyState::Signing, KeyState::Announced]
    );
    let operator = world.operator();
    assert!(world.vault.public_key(&operator, &first.kid).await.expect("asked").is_some());

    let end = keys[0].ends_at.expect("it has a successor");
    assert_eq!(
        end,
        Timestamp::from_seconds(NOW) + 30 * DAY + ANNOUNCED_FOR + TOKEN_LIFETIME + Duration::from_secs(120)
    );
    world.clock.advance(end.since(world.store.environment().now()));
    work().await;
    assert_eq!(states(&world).await, [KeyState::Signing]);
    while world.vault.public_key(&operator, &first.kid).await.expect("asked").is_some() {
        tokio::task::yield_now().await;
    }

    // Rotated by hand, the next time counts from then; a job that somebody set aside comes back with the next start.
    world.clock.advance(10 * DAY);
    world.service.rotate_signing_key(OldKey::Revoked).await.expect("revokes");
    world.clock.advance(40 * DAY);
    let mut lost = world.store.begin(&operator);
    lost.cancel_jobs("token-keys");
    lost.commit().await.expect("commits");
    work().await;
    assert_eq!(states(&world).await, [KeyState::Signing, KeyState::Announced]);
}

/// Whoever checks our tokens elsewhere, and asks for the keys as seldom as it may.
struct Outside {
    keys: JwkSet,
    asked_at: Timestamp,
}

struct Load {
    replicas: Vec<World>,
    client: ClientCredentials,
    environment: Environment,
    checks: AtomicU64,
}

impl Load {
    /// Gets tokens from every replica and shows each, new and old, to every replica and to somebody outside.
    async fn run(&self, number: usize, end: Timestamp) {
        let mut outside: Option<Outside> = None;
        let mut held: VecDeque<(String, Timestamp)> = VecDeque::new();
        let mut turn = number;
        while self.environment.now() < end {
            let replica = &self.replicas[turn % self.replicas.len()];
            let given =
                replica.token(&self.client).await.unwrap_or_else(|refusal| panic!("no token: {refusal}"));
            let now = self.environment.now();
            if outside.as_ref().is_none_or(|outside| now.since(outside.asked_at) >= Duration::from_secs(60)) {
                // Of the other one, whatever it publishes.
                let keys = self.replicas[(turn + 1) % self.replicas.len()].service.jwks().await;
                outside = Some(Outside { keys, asked_at: now });
            }
            let known = outside.as_ref().expect("asked above").keys.find(Some(&kid(&given.token))).is_some();
            assert!(known, "a token came before its key was published everywhere");
            held.push_back((given.token, given.expires_at));
            while held.len() > 40
                || held.front().is_some_and(|(_, end)| *end <= now + Duration::from_secs(30))
            {
                held.pop_front();
            }
            for (token, _) in held.front().into_iter().chain(held.back()) {
                for auth in self.replicas.iter().map(|replica| &replica.auth) {
                    self.check(auth, token).await;
                }
            }
            turn += 1;
            self.checks.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn check(&self, auth: &Authenticator, token: &str) {
        if let Err(refusal) = auth.authenticate(token).await {
            panic!("at {}: {refusal}", self.environment.now().as_seconds() - NOW);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_keys_are_replaced_on_two_replicas_on_postgresql() {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    let clock = FixedClock::at(Timestamp::from_seconds(NOW));
    let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
    let open = async || {
        let database = PostgresDatabase::connect(&url, &PostgresOptions::default(), &environment).await;
        Store::new(Arc::new(database.expect("it connects")), environment.clone())
    };
    let policy = TokenPolicy { client_requests_per_minute: u32::MAX, ..TokenPolicy::default() };
    let first = World::on(clock.clone(), open().await, policy.clone()).await;
    let second = first.replica_with(open().await, policy).await;
    let client = first.client(&first.participant("acme"), NewClient::participant()).await.expect("made");
    let end = Timestamp::from_seconds(NOW) + Duration::from_secs(2400);
    let load = Load { replicas: vec![first, second], client, environment, checks: AtomicU64::new(0) };
    let load = Arc::new(load);
    let mut running = tokio::task::JoinSet::new();
    for number in 0..3 {
        let load = load.clone();
        running.spawn(async move { load.run(number, end).await });
    }
    let mut rotations = 0;
    while load.environment.now() < end {
        let (seen, now) = (load.checks.load(Ordering::Relaxed), load.environment.now());
        // Both replicas begin rotations at the same moment, twice in a row and again when the first is over.
        if now.since(Timestamp::from_seconds(NOW)).as_secs() % 400 == 100 {
            let [a, b] =
                [0, 1].map(|replica| load.replicas[replica].service.rotate_signing_key(OldKey::Retired));
            for result in <[_; 2]>::from(tokio::join!(a, b)) {
                match result {
                    Ok(keys) => rotations = rotations.max(keys.len()),
                    Err(heddle_auth::TokenServiceError::Store(StoreError::Stale { .. })) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
        while load.checks.load(Ordering::Relaxed) < seen + 5 {
            match running.try_join_next() {
                Some(ended) => ended.expect("no request failed"),
                None => tokio::task::yield_now().await,
            }
        }
        clock.advance(Duration::from_secs(20));
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no request failed");
    }
    assert!(rotations >= 3, "an announced key, one that signs and one that is retired: {rotations}");
    assert!(load.checks.load(Ordering::Relaxed) > 500);
}
