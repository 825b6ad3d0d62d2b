//! A dataspace on a server whose clock, commits and identity provider are the test's, and everybody who might ask there.

use std::{collections::BTreeMap, time::Duration};

use heddle::{
    config,
    demo::founding::{CREDENTIAL, scope_value},
    server::{self, Running},
};
use heddle_e2e::{Key, Party, Scene, client};
use heddle_web::testing::{Route, routes};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{clock::MovableClock, commits::Journal, idp::Idp, places::Places};

/// Longer than any token lives.
const LONG: Duration = Duration::from_secs(3600);
/// What is offered.
pub const ASSET: &str = "cloth";

/// A server of the test's own.
pub struct House {
    folder: TempDir,
    pub running: Running,
    pub idp: Idp,
    pub clock: MovableClock,
    pub journal: Journal,
}

impl House {
    /// With this database, which is part of a configuration.
    pub async fn open(database: &str) -> Self {
        let clock = MovableClock::default();
        let environment = clock.environment();
        let idp = Idp::start(environment.clone()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let settings = format!("development = true\nlisten = \"127.0.0.1:0\"\n{database}{}", idp.trusted());
        let path = folder.path().join("heddle.toml");
        let configuration = config::parse(&settings, &path, folder.path()).expect("the settings are right");
        let journal = Journal::default();
        let database = server::open(&configuration, &environment).await.expect("a database");
        let data_dir = configuration.data_dir.clone();
        let running = server::start_on(configuration, &data_dir, journal.of(database), environment).await;
        Self { folder, running: running.expect("the server starts"), idp, clock, journal }
    }

    /// Every route, as the router itself has them, and whether anything else is answered.
    pub fn routes(&self) -> Vec<Route> {
        let routes = routes(self.running.router()).expect("the router's routes can be read");
        assert!(routes.has_fallback, "DID documents are the fallback");
        routes.routes.into_iter().collect()
    }

    /// Stops the server.
    pub async fn close(self) {
        self.running.stop().await;
        drop(self.folder);
    }
}

/// Who and what there is.
pub struct World {
    pub house: House,
    pub scene: Scene,
    /// Has something; its context is the one that others try to get at.
    pub provider: Party,
    /// Negotiated for it, and is at the end of a transfer.
    pub consumer: Party,
    /// Another member, with the same credential.
    pub fellow: Party,
    /// In the dataspace, without a credential.
    pub outsider: Party,
    /// A member of another dataspace on the same server.
    pub foreigner: Party,
    /// What opens the consumer's flow; another flow's; one that has ended.
    pub keys: [Key; 3],
    /// The ids of what exists, by what a path calls them.
    pub places: Places,
    /// Self-issued tokens of whoever may, which were good an hour ago: from the consumer, and from the provider.
    pub expired: BTreeMap<String, String>,
}

/// The scopes that a member grants.
pub fn membership() -> String {
    scope_value(CREDENTIAL)
}

impl World {
    /// Founded, on board, negotiated and flowing.
    pub async fn found() -> Self {
        let house = House::open("").await;
        let credentials = house.running.credentials().expect("the first start makes them").clone();
        let scene = Scene::found(&credentials, "isolation").await;
        let [provider, consumer, fellow] =
            [scene.onboard("provider").await, scene.onboard("consumer").await, scene.onboard("fellow").await];
        let outsider = scene.onboard_without_credential("outsider").await;
        let elsewhere = Scene::found(&credentials, "elsewhere").await;
        let foreigner = elsewhere.onboard("foreigner").await;
        provider.publish(ASSET).await;
        let agreement = consumer.agree(&provider, ASSET).await;
        let mut keys = Vec::new();
        let mut transfers = Vec::new();
        for step in ["first", "another", "ended"] {
            let transfer = consumer.transfer(&provider, step, &agreement).await;
            keys.push(consumer.key(&transfer).await);
            transfers.push(transfer);
        }
        consumer.steer("terminate", &transfers[2]).await;
        let there = provider.counterpart(&transfers[2]).await;
        provider.hears("transfer.process.terminated", &there).await;
        // It leaves the provider a denial, which has an id.
        outsider.catalog(&provider).await;
        let mut expired = BTreeMap::new();
        for (from, to) in [(&consumer, &provider.organisation.did), (&provider, &consumer.organisation.did)] {
            expired.insert(to.clone(), from.token(to, &membership()).await);
        }
        let issuer = scene.dataspace.issuer.clone();
        expired.insert(issuer.clone(), consumer.token(&issuer, "").await);
        house.clock.pass(LONG);
        // Everybody's own tokens have expired too.
        let operator = client(&credentials, "isolation-later");
        let mut scene = scene;
        scene.operator = operator.clone();
        let [provider, consumer, fellow, outsider, foreigner] = [
            Party::acting(provider.organisation, &operator).await,
            Party::acting(consumer.organisation, &operator).await,
            Party::acting(fellow.organisation, &operator).await,
            Party::acting(outsider.organisation, &operator).await,
            Party::acting(foreigner.organisation, &operator).await,
        ];
        let places =
            Places::find((&scene, &operator), (&provider, &consumer), (&transfers[0], &keys[0])).await;
        let keys = keys.try_into().expect("three");
        Self { house, scene, provider, consumer, fellow, outsider, foreigner, keys, places, expired }
    }

    /// How much of everything the provider has.
    pub async fn counted(&self) -> Value {
        let mut counted = json!({});
        for collection in [
            "assets",
            "policydefinitions",
            "contractdefinitions",
            "contractnegotiations",
            "transferprocesses",
        ] {
            counted[collection] = json!(self.provider.all(collection).await);
        }
        counted["wallet"] = json!(self.consumer.wallet().await);
        counted
    }
}
