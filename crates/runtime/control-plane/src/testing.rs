//! A control plane without surfaces and workers, for tests of moments that no client can bring about.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_auth::{Authenticator, SelfIssuedError, SelfIssuedTokens};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_did::web::Scheme;
use heddle_ids::ParticipantId;
use heddle_outbound::{DidResolver, Outbound, OutboundConfig};
use heddle_store::{Aggregate, Loaded, Query, Store};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, DevelopmentMode, ParticipantScope, ScopeIssuer, StaticPeers};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use heddle_web::Shutdown;
use serde_json::{Value, json};

use crate::{
    ControlPlane, Parts, Patience,
    model::{
        Agreement, Asset, ContractDefinition, DataPlane, DataspaceProfile, ParticipantContext,
        PolicyDefinition,
    },
    parts::Addressed,
    removal,
};

/// The one participant context, and the dataspace that it takes part in.
pub(crate) const PROVIDER: &str = "provider";
const SPACE: &str = "space";
/// What the peer `did:web:consumer` sends as `Authorization`.
pub(crate) const CONSUMER: &str = "as consumer";
/// The agreement that [`House::offer`] makes with it.
pub(crate) const AGREEMENT: &str = "urn:uuid:agreement";

pub(crate) struct House {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) own: ParticipantScope,
    clock: FixedClock,
}

struct NoTokens;

#[async_trait]
impl SelfIssuedTokens for NoTokens {
    async fn token(
        &self,
        _scope: &ParticipantScope,
        _audience: &ParticipantId,
        _bearer_scope: &[String],
        _access_token: Option<&str>,
    ) -> Result<String, SelfIssuedError> {
        Err(SelfIssuedError::Unavailable { reason: "a test without DCP".to_owned() })
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests play the composition root in development")]
fn composition() -> (Arc<ScopeIssuer>, StaticPeers) {
    let consumer = ParticipantId::parse("did:web:consumer").expect("legal");
    let accepts = BTreeMap::from([(CONSUMER.to_owned(), consumer)]);
    let peers = StaticPeers::new(&DevelopmentMode::new(), accepts, BTreeMap::new());
    (Arc::new(ScopeIssuer::new()), peers)
}

/// A stored value from its JSON.
pub(crate) fn read<A: Aggregate>(value: Value) -> A {
    serde_json::from_value(value).expect("the stored form")
}

impl House {
    /// With a dataspace profile of the static identity service, and the participant in it.
    pub(crate) async fn new() -> Self {
        let clock = FixedClock::at(Timestamp::from_seconds(1_800_000_000));
        let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        let (scopes, static_peers) = composition();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let outbound = Outbound::new(OutboundConfig::default(), environment.clone()).expect("a client");
        let (_, shutdown) = Shutdown::pair();
        let authenticator = Authenticator::new(scopes.clone(), Vec::new(), environment.clone());
        let plane = ControlPlane::new(Parts {
            store: store.clone(),
            environment,
            scopes: scopes.clone(),
            authenticator: Arc::new(authenticator),
            vault,
            resolver: DidResolver::new(outbound.clone(), Scheme::Http),
            outbound,
            tokens: Arc::new(NoTokens),
            static_peers: Some(static_peers),
            public_url: "http://heddle.example".to_owned(),
            shutdown,
            patience: Patience::default(),
        });
        let mut transaction = store.begin(&operator);
        let profile: DataspaceProfile = read(json!({"name": SPACE, "identity": "static", "createdAt": 0,
            "protocol": {"version": "2025-1", "binding": "HTTPS", "namespace": "n"}}));
        transaction.insert(&profile);
        transaction.publish(profile.published());
        transaction.commit().await.expect("commits");
        let own = scopes.participant(PROVIDER.parse().expect("legal"), Actor::new("test"));
        let house = Self { plane, own, clock };
        house.move_in().await;
        house
    }

    /// A second later, the participant context is made.
    pub(crate) async fn move_in(&self) {
        self.clock.advance(Duration::from_secs(1));
        let mut transaction = self.plane.store.begin(&self.own);
        let context: ParticipantContext = read(json!({"id": PROVIDER, "identity": "did:web:provider",
            "state": "ACTIVATED", "profiles": [SPACE], "createdAt": transaction.now()}));
        transaction.insert(&context);
        transaction.publish(context.published());
        transaction.commit().await.expect("commits");
    }

    /// The participant context is removed. No job runs here, so what it kept is still there.
    pub(crate) async fn move_out(&self) {
        let mut transaction = self.plane.store.begin(&self.own);
        let context = transaction.load::<ParticipantContext>(PROVIDER).await.expect("reads");
        removal::begin(&mut transaction, &context.expect("it is there"));
        transaction.commit().await.expect("commits");
    }

    /// The asset `data` on offer to everybody, an agreement about it, and a data plane.
    pub(crate) async fn offer(&self) {
        let mut transaction = self.plane.store.begin(&self.own);
        transaction.insert(&read::<Asset>(json!({"id": "data", "properties": {}, "createdAt": 0})));
        let policy = json!({"@type": "Set", "permission": [{"action": "use"}]});
        let policy = json!({"id": "open", "policy": policy, "createdAt": 0});
        transaction.insert(&read::<PolicyDefinition>(policy));
        let definition = json!({"id": "d", "accessPolicy": "open", "contractPolicy": "open", "createdAt": 0});
        transaction.insert(&read::<ContractDefinition>(definition));
        let plane =
            json!({"id": "dp", "endpoint": "http://x", "transferTypes": ["Http-PULL"], "createdAt": 0});
        transaction.insert(&read::<DataPlane>(plane));
        let agreement = json!({"id": "a", "sharedId": AGREEMENT, "negotiation": "n", "profile": SPACE,
            "role": "PROVIDER", "counterParty": "did:web:consumer", "asset": "data", "claims": {},
            "provider": "did:web:provider", "consumer": "did:web:consumer", "signedAt": 0,
            "policy": {"@type": "Agreement", "permission": [{"action": "use"}]}});
        transaction.insert(&read::<Agreement>(agreement));
        transaction.commit().await.expect("commits");
    }

    /// Whom a request addresses that comes now.
    pub(crate) async fn addressed(&self) -> Addressed {
        let context = self.own.participant();
        let addressed = self.plane.addressed(context, &SPACE.parse().expect("legal")).await.expect("reads");
        addressed.expect("the participant is there")
    }

    /// What is kept of a kind.
    pub(crate) async fn kept<A: Aggregate>(&self) -> Vec<A> {
        let rows = self.plane.store.begin(&self.own).list::<A>(&Query::default()).await.expect("lists");
        rows.into_iter().map(Loaded::into_value).collect()
    }
}
