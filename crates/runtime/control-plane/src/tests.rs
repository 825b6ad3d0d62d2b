//! A control plane without surfaces and workers, for tests of moments that no client can bring about.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_auth::{Authenticator, SelfIssuedError, SelfIssuedTokens};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_did::web::Scheme;
use heddle_dsp::wire::{self, Wire};
use heddle_ids::ParticipantId;
use heddle_outbound::{DidResolver, Outbound, OutboundConfig};
use heddle_store::{Aggregate, Loaded, Query, Store, Worker, WorkerLimits};
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
    negotiation::InboundRequest,
    parts::Addressed,
    removal,
    transfer::InboundTransfer,
};

/// The one participant context, and the dataspace that it takes part in.
pub(crate) const PROVIDER: &str = "provider";
const SPACE: &str = "space";
/// What the peer `did:web:consumer` sends as `Authorization`.
pub(crate) const CONSUMER: &str = "as consumer";
const DSP: &str = "https://w3id.org/dspace/2025/1/context.jsonld";
/// The agreement that [`House::offer`] makes with it.
const AGREEMENT: &str = "urn:uuid:agreement";

/// A peer under DCP whose DID resolves without anybody being asked.
pub(crate) const KEY: &str = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169";

pub(crate) struct House {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) own: ParticipantScope,
    clock: FixedClock,
}

/// Issues tokens for one audience, [`KEY`], and for everybody else none.
struct Tokens;

#[async_trait]
impl SelfIssuedTokens for Tokens {
    async fn token(
        &self,
        _scope: &ParticipantScope,
        audience: &ParticipantId,
        _bearer_scope: &[String],
        _access_token: Option<&str>,
    ) -> Result<String, SelfIssuedError> {
        match audience.as_str() {
            KEY => Ok("token".to_owned()),
            _ => Err(SelfIssuedError::Unavailable { reason: "a test without DCP".to_owned() }),
        }
    }

    async fn shortcomings(&self, _scope: &ParticipantScope, _bearer_scope: &[String]) -> Vec<String> {
        vec!["a credential has expired".to_owned()]
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests play the composition root in development")]
fn composition() -> (Arc<ScopeIssuer>, StaticPeers) {
    let consumer = ParticipantId::parse("did:web:consumer").expect("legal");
    let accepts = BTreeMap::from([(CONSUMER.to_owned(), consumer)]);
    let peers = StaticPeers::new(&DevelopmentMode::new(), accepts, BTreeMap::new());
    (Arc::new(ScopeIssuer::new()), peers)
}

fn parse<W: Wire>(message: &Value) -> W {
    wire::parse(message.to_string().as_bytes()).expect("a valid message")
}

/// A stored value from its JSON.
pub(crate) fn read<A: Aggregate>(value: Value) -> A {
    serde_json::from_value(value).expect("the stored form")
}

impl House {
    /// With a dataspace profile of the static identity service, and the participant in it.
    pub(crate) async fn new() -> Self {
        Self::beside("http://127.0.0.1:9").await
    }

    /// As [`House::new`]; calls to this origin are let through.
    pub(crate) async fn beside(origin: &str) -> Self {
        let clock = FixedClock::at(Timestamp::from_seconds(1_800_000_000));
        let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        let (scopes, static_peers) = composition();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let config = OutboundConfig { own_origins: vec![origin.to_owned()], ..OutboundConfig::default() };
        let outbound = Outbound::new(config, environment.clone()).expect("a client");
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
            tokens: Arc::new(Tokens),
            static_peers: Some(static_peers),
            public_url: "http://heddle.example".to_owned(),
            shutdown,
            patience: Patience { attempts: 1, restarts: Duration::ZERO, ..Patience::default() },
        });
        let own = scopes.participant(PROVIDER.parse().expect("legal"), Actor::new("test"));
        let house = Self { plane, own, clock };
        house.prove_by("static").await;
        house.move_in().await;
        house
    }

    /// The identity service of the dataspace from now on. No token of DCP is ever issued here.
    pub(crate) async fn prove_by(&self, identity: &str) {
        let operator = self.plane.scopes.operator(Actor::new("test"));
        let mut transaction = self.plane.store.begin(&operator);
        let profile: DataspaceProfile = read(json!({"name": SPACE, "identity": identity, "createdAt": 0,
            "protocol": {"version": "2025-1", "binding": "HTTPS", "namespace": "n"}}));
        transaction.publish(profile.published());
        transaction.commit().await.expect("commits");
    }

    /// Runs jobs until the one process of its kind is over.
    pub(crate) async fn work<A: Aggregate>(&self, is_over: impl Fn(&A) -> bool) -> A {
        let (store, scopes) = (self.plane.store.clone(), self.plane.scopes.clone());
        let mut events = store.signals().events();
        let worker = self.plane.jobs(Worker::new(store, scopes, WorkerLimits::default())).start();
        let over = async {
            loop {
                events.mark_unchanged();
                if let Some(over) = self.kept::<A>().await.into_iter().find(&is_over) {
                    return over;
                }
                events.changed().await.expect("the store is there");
            }
        };
        let over = tokio::time::timeout(Duration::from_secs(20), over).await.expect("it comes to its end");
        worker.drain(Duration::from_secs(10)).await;
        over
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

    /// The request of the consumer for the asset, as it came.
    pub(crate) async fn request(&self) -> InboundRequest {
        let dataset = self.plane.show_dataset(&self.addressed().await, Some(CONSUMER), "data").await;
        let dataset = serde_json::to_value(dataset.expect("on offer")).expect("serialises");
        let mut offer = dataset["hasPolicy"][0].clone();
        offer["@type"] = json!("Offer");
        offer["target"] = json!("data");
        InboundRequest {
            message: parse(&json!({"@context": [DSP], "@type": "ContractRequestMessage",
                "consumerPid": "urn:uuid:1", "offer": offer, "callbackAddress": "https://x.example"})),
        }
    }

    /// The consumer's request for the data of the agreement, as it came.
    pub(crate) fn transfer_request() -> InboundTransfer {
        InboundTransfer {
            message: parse(&json!({"@context": [DSP], "@type": "TransferRequestMessage",
                "consumerPid": "urn:uuid:1", "agreementId": AGREEMENT, "format": "Http-PULL",
                "callbackAddress": "https://x.example"})),
        }
    }

    /// What is kept of a kind.
    pub(crate) async fn kept<A: Aggregate>(&self) -> Vec<A> {
        let rows = self.plane.store.begin(&self.own).list::<A>(&Query::default()).await.expect("lists");
        rows.into_iter().map(Loaded::into_value).collect()
    }
}
