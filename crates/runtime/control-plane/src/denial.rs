//! Requests that are refused: the peer learns that there is nothing, the provider why.
//!
//! Anybody with an identity can ask, as often as it likes, so what is kept is bounded: the same refusal again only
//! counts up, of one peer the newest ones stay, and altogether those of peers that have few.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_store::{LIST_ROWS_MAX, Loaded, Order, Query, StoreError, Transaction};
use heddle_tenancy::Actor;
use ring::digest::{SHA256, digest};

use crate::{
    ControlPlane,
    identity::Unproven,
    parts::Addressed,
    trace::{DecisionTrace, Denial, Traced, subject},
};

/// How long the trace of a refused request is kept after it last came.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many are kept for a participant context.
const BOUNDS: Bounds = Bounds { of_one_peer: 100, all: 1000 };
/// Most characters of a reason: it may quote what the peer wrote.
const REASON_CHARS_MAX: usize = 400;
/// How often a denial is written anew when others change what it depends on.
const ATTEMPTS_MAX: u32 = 8;

/// Most denials that are kept.
struct Bounds {
    /// Of one counter-party.
    of_one_peer: u64,
    /// Altogether.
    all: u64,
}

/// A request that is refused.
pub(crate) struct Denied<'a> {
    /// What for: `negotiation`, `catalog`, `transfer`.
    pub(crate) request: &'static str,
    /// Who asked, as its token proved.
    pub(crate) counter_party: &'a str,
    /// The dataset or agreement, as the peer named it.
    pub(crate) subject: Option<&'a str>,
    /// In one sentence, what was missing.
    pub(crate) reason: String,
    /// What was looked at; the refusal itself is added.
    pub(crate) trace: DecisionTrace,
}

impl ControlPlane {
    /// Keeps the trace of a refused request.
    pub(crate) async fn deny(&self, addressed: &Addressed, mut denied: Denied<'_>) -> Result<(), StoreError> {
        denied.reason = denied.reason.chars().take(REASON_CHARS_MAX).collect();
        tracing::info!(
            category = heddle_telemetry::logs::category::AUDIT,
            component = "control-plane",
            action = format!("{}.deny", denied.request),
            participant_context_id = %addressed.recipient.context(),
            counter_party_id = denied.counter_party,
            reason = denied.reason,
            "a request was refused"
        );
        let own =
            self.scopes.participant(addressed.recipient.context().clone(), Actor::new("identity service"));
        let mut attempts = 0;
        loop {
            let mut transaction = self.store.begin(&own);
            if !addressed.hold(&mut transaction).await? {
                return Ok(());
            }
            keep(&mut transaction, &denied, &BOUNDS).await?;
            attempts += 1;
            match transaction.commit().await {
                // Somebody else has kept the same, or made room for something.
                Err(StoreError::Stale { .. } | StoreError::Duplicate { .. }) if attempts < ATTEMPTS_MAX => {}
                // It was kept many times at this moment, then; a count that is too low harms nobody.
                Err(StoreError::Stale { .. } | StoreError::Duplicate { .. }) => return Ok(()),
                other => return other,
            }
        }
    }

    /// A peer whose token holds but whose credentials do not suffice leaves a trace; a stranger leaves none.
    pub(crate) async fn deny_unproven(
        &self,
        addressed: &Addressed,
        (request, subject): (&'static str, Option<&str>),
        unproven: &Unproven,
    ) -> Result<(), StoreError> {
        let Unproven::Refused { known: Some(peer), reason, checks } = unproven else { return Ok(()) };
        let mut trace = DecisionTrace::default();
        trace.add_checks(self.environment.now(), checks);
        let (counter_party, reason) = (peer.as_str(), reason.clone());
        self.deny(addressed, Denied { request, counter_party, subject, reason, trace }).await
    }
}

async fn keep(
    transaction: &mut Transaction<'_>,
    denied: &Denied<'_>,
    bounds: &Bounds,
) -> Result<(), StoreError> {
    let at = transaction.now();
    let mut trace = denied.trace.clone();
    trace.add(at, Traced::Refused { reason: denied.reason.clone() });
    let mut denial = Denial {
        id: id_of(denied),
        counter_party: denied.counter_party.to_owned(),
        request: denied.request.to_owned(),
        subject: subject(denied.subject),
        reason: denied.reason.clone(),
        trace,
        times: 1,
        first_at: Some(at),
        at,
        expires_at: at + LIFETIME,
    };
    if let Some(known) = transaction.load::<Denial>(&denial.id).await? {
        denial.times = known.times.saturating_add(1);
        denial.first_at = known.first_at.or(Some(known.at));
        // Inserted anew it is the newest: in the owner's list, and when room is made.
        transaction.delete(&known);
    } else {
        make_room(transaction, denied.counter_party, bounds).await?;
    }
    transaction.insert(&denial);
    Ok(())
}

/// Deletes the oldest of this peer when it has too many, and the oldest of whoever has most when all have: identities
/// are free, and who asks once must not be driven out by who asks all the time.
async fn make_room(
    transaction: &mut Transaction<'_>,
    counter_party: &str,
    bounds: &Bounds,
) -> Result<(), StoreError> {
    let of_peer = Query {
        counter_party: Some(counter_party.to_owned()),
        order: Order::CreatedAscending,
        ..Query::default()
    };
    let count = transaction.count::<Denial>(&of_peer).await?;
    if let Some(more) = count.checked_sub(bounds.of_one_peer) {
        let limit = u32::try_from(more + 1).unwrap_or(u32::MAX).min(LIST_ROWS_MAX);
        let oldest = transaction.list::<Denial>(&Query { limit, ..of_peer }).await?;
        oldest.iter().for_each(|denial| transaction.delete(denial));
        return Ok(());
    }
    let count = transaction.count::<Denial>(&Query::default()).await?;
    let Some(more) = count.checked_sub(bounds.all) else { return Ok(()) };
    // All must be looked at for this, so it makes room for some to come.
    let surplus = usize::try_from(more + 1 + bounds.all / 20).unwrap_or(usize::MAX);
    let all = Query { order: Order::CreatedAscending, ..Query::default() };
    let all = transaction.list::<Denial>(&all).await?;
    let mut of_peers: BTreeMap<&str, VecDeque<&Loaded<Denial>>> = BTreeMap::new();
    for denial in &all {
        of_peers.entry(&denial.counter_party).or_default().push_back(denial);
    }
    for _ in 0..surplus {
        // Of those that have equally many, whose denial is oldest.
        let most = of_peers
            .values_mut()
            .max_by_key(|denials| (denials.len(), Reverse(denials.front().map(|denial| denial.at))));
        let Some(oldest) = most.and_then(|denials| denials.pop_front()) else { break };
        transaction.delete(oldest);
    }
    Ok(())
}

/// The same for the same refusal of the same request.
fn id_of(denied: &Denied<'_>) -> String {
    let mut text = String::new();
    let subject = subject(denied.subject).unwrap_or_default();
    for part in [denied.request, denied.counter_party, &subject, &denied.reason] {
        text += &format!("{}:{part}", part.len());
    }
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
    use heddle_store::{Aggregate, Loaded, SWEPT_KINDS, Store};
    use heddle_store_sqlite::SqliteDatabase;
    use heddle_tenancy::{ParticipantScope, ScopeIssuer};

    use super::*;
    use crate::tests::House;

    const FEW: Bounds = Bounds { of_one_peer: 2, all: 3 };

    struct Provider {
        store: Store,
        own: ParticipantScope,
        clock: FixedClock,
    }

    impl Provider {
        async fn new() -> Self {
            let clock = FixedClock::at(Timestamp::from_seconds(1_800_000_000));
            let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
            let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
            #[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
            let own = ScopeIssuer::new().participant("provider".parse().expect("legal"), Actor::new("test"));
            Self { store: Store::new(Arc::new(database), environment), own, clock }
        }

        /// A second later, a request of this peer about this dataset is refused.
        async fn refuse(&self, counter_party: &str, dataset: &str) {
            self.clock.advance(Duration::from_secs(1));
            let mut transaction = self.store.begin(&self.own);
            let denied = Denied {
                request: "negotiation",
                counter_party,
                subject: Some(dataset),
                reason: "there is no such offer".to_owned(),
                trace: DecisionTrace::default(),
            };
            keep(&mut transaction, &denied, &FEW).await.expect("reads");
            transaction.commit().await.expect("commits");
        }

        /// Counter-party, subject and count of what is kept, newest first.
        async fn kept(&self) -> Vec<(String, String, u32)> {
            let newest = Query { order: Order::CreatedDescending, ..Query::default() };
            let rows = self.store.begin(&self.own).list::<Denial>(&newest).await.expect("lists");
            let rows = rows.into_iter().map(Loaded::into_value);
            rows.map(|row| (row.counter_party, row.subject.unwrap_or_default(), row.times)).collect()
        }
    }

    fn row(counter_party: &str, dataset: &str, times: u32) -> (String, String, u32) {
        (counter_party.to_owned(), dataset.to_owned(), times)
    }

    #[tokio::test]
    async fn the_same_refusal_again_counts_up_and_is_the_newest() {
        let provider = Provider::new().await;
        for dataset in ["a", "b", "a"] {
            provider.refuse("did:web:x", dataset).await;
        }
        assert_eq!(provider.kept().await, [row("did:web:x", "a", 2), row("did:web:x", "b", 1)]);
    }

    #[tokio::test]
    async fn of_one_peer_the_newest_denials_stay() {
        let provider = Provider::new().await;
        for (peer, dataset) in [("x", "a"), ("y", "a"), ("x", "b"), ("x", "c")] {
            provider.refuse(peer, dataset).await;
        }
        assert_eq!(provider.kept().await, [row("x", "c", 1), row("x", "b", 1), row("y", "a", 1)]);
    }

    #[tokio::test]
    async fn who_asks_all_the_time_does_not_drive_out_who_has_asked_once() {
        let provider = Provider::new().await;
        for (peer, dataset) in [("quiet", "a"), ("x", "a"), ("x", "b"), ("y", "a")] {
            provider.refuse(peer, dataset).await;
        }
        assert_eq!(provider.kept().await, [row("y", "a", 1), row("x", "b", 1), row("quiet", "a", 1)]);
        // Where all have as many, the oldest goes.
        provider.refuse("z", "a").await;
        assert_eq!(provider.kept().await, [row("z", "a", 1), row("y", "a", 1), row("x", "b", 1)]);
    }

    #[tokio::test]
    async fn a_reason_is_cut_before_it_makes_a_denial_of_its_own() {
        let house = House::new().await;
        let addressed = house.addressed().await;
        for end in ["x", "y"] {
            let reason = format!("the format '{}{end}' is not offered", "ü".repeat(1000));
            let trace = DecisionTrace::default();
            let denied = Denied { request: "transfer", counter_party: "x", subject: None, reason, trace };
            house.plane.deny(&addressed, denied).await.expect("stored");
        }
        let kept = house.kept::<Denial>().await;
        assert_eq!((kept.len(), kept[0].times), (1, 2));
        assert_eq!(kept[0].reason.chars().count(), REASON_CHARS_MAX);
    }

    #[tokio::test]
    async fn a_refusal_after_a_removal_is_not_kept() {
        let house = House::new().await;
        let deny = async |addressed: &Addressed| {
            let (reason, trace) = ("there is no such offer".to_owned(), DecisionTrace::default());
            let denied = Denied { request: "catalog", counter_party: "x", subject: None, reason, trace };
            house.plane.deny(addressed, denied).await.expect("stored, or not");
            house.kept::<Denial>().await.len()
        };
        let earlier = house.addressed().await;
        house.move_out().await;
        assert_eq!(deny(&earlier).await, 0);
        // A context of the same id is another one.
        house.move_in().await;
        assert_eq!(deny(&earlier).await, 0);
        assert_eq!(deny(&house.addressed().await).await, 1);
    }

    #[tokio::test]
    async fn a_denial_is_swept_a_week_after_it_last_came() {
        assert!(SWEPT_KINDS.contains(&Denial::KIND));
        let provider = Provider::new().await;
        provider.refuse("x", "a").await;
        provider.clock.advance(LIFETIME / 2);
        provider.refuse("x", "a").await;
        provider.clock.advance(LIFETIME / 2);
        assert_eq!(provider.store.sweep(10).await.expect("sweeps"), 0);
        provider.clock.advance(LIFETIME / 2);
        assert_eq!(provider.store.sweep(10).await.expect("sweeps"), 1);
        assert_eq!(provider.kept().await, []);
    }
}
