//! The audit log: sealed in order, once, and any change of what was sealed is found.

use std::collections::BTreeMap;

use heddle_tenancy::Actor;

use super::World;
use crate::{
    Database,
    audit::{AuditBreak, AuditHead, AuditQuery, AuditReport, verify},
};

/// Entries that a damaged log has before it is damaged.
const ENTRIES: u64 = 12;

async fn seal_all(database: &dyn Database, limit: u32) -> Option<AuditHead> {
    let mut last = None;
    while let Some(head) = database.seal_audit(limit).await.expect("it seals") {
        last = Some(head);
    }
    last
}

async fn report(world: &World, checkpoints: &[AuditHead]) -> AuditReport {
    verify(world.database().audit_log(), checkpoints).await.expect("it reads")
}

/// Twelve sealed entries of two owners, and the head after each.
async fn twelve(world: &World) -> Vec<AuditHead> {
    let scopes = [world.participant("alice"), world.participant("bob")];
    let mut heads = Vec::new();
    for n in 0..ENTRIES {
        let scope = &scopes[usize::try_from(n % 2).expect("small")];
        world.commit(scope, |tx| tx.audit("thing.change", format!("thing {n}"))).await.expect("commits");
        heads.extend(seal_all(&**world.database(), 5).await);
    }
    assert_eq!(heads.len(), usize::try_from(ENTRIES).expect("small"));
    heads
}

/// Entries are sealed in their order with what they say; until then they are counted, and read by nobody.
pub async fn entries_are_sealed_in_order_and_read_in_pages(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let operator = world.scopes.operator(Actor::new("operator"));
    let empty = report(world, &[]).await;
    assert_eq!((empty.head, empty.unsealed, empty.broken), (AuditHead::genesis(), 0, None));
    for (scope, subject) in [(&alice, "a"), (&bob, "b"), (&alice, "c")] {
        world.commit(scope, |tx| tx.audit("thing.create", subject)).await.expect("commits");
    }
    let waiting = world.store.audit_state(&operator).await.expect("reads");
    assert_eq!((waiting.head, waiting.unsealed), (AuditHead::genesis(), 3));
    assert!(world.store.audit(&operator, 0, 10).await.expect("reads").is_empty());
    let head = seal_all(&**world.database(), 2).await.expect("there were some");
    assert_eq!(world.database().seal_audit(2).await.expect("seals"), None, "nothing is sealed twice");
    let first = world.store.audit(&operator, 0, 2).await.expect("reads");
    let rest = world.store.audit(&operator, first[1].place, 10).await.expect("reads");
    let all: Vec<_> = first.iter().chain(&rest).map(|e| (e.place, e.record.subject.as_str())).collect();
    assert_eq!(all, [(1, "a"), (2, "b"), (3, "c")]);
    let record = &first[0].record;
    assert_eq!((record.owner.as_str(), record.actor.as_str()), ("p:alice", "test"));
    assert_eq!(
        (record.action.as_str(), record.at, record.reason.as_deref()),
        ("thing.create", world.now(), None)
    );
    let sealed = report(world, &[head.clone(), AuditHead::genesis()]).await;
    assert_eq!((sealed.head, sealed.unsealed, sealed.broken), (head, 0, None));
    let own = world.store.audit_of(&alice, 0, 10).await.expect("reads");
    assert_eq!(
        own.iter().map(|entry| entry.place).collect::<Vec<_>>(),
        [1, 3],
        "a participant reads its own"
    );
    assert!(world.store.audit_of(&world.participant("carol"), 0, 10).await.expect("reads").is_empty());
    assert!(world.store.audit(&operator, u64::MAX, 10).await.expect("any place may be asked for").is_empty());
}

/// Whoever administers a participant is found in that participant's entries with the reason.
pub async fn an_administrators_reason_is_sealed(world: &World) {
    let actor = Actor::administrator("root", "a complaint");
    let scope = world.scopes.participant("alice".parse().expect("legal"), actor);
    world.commit(&scope, |tx| tx.audit("thing.create", "a")).await.expect("commits");
    world.database().seal_audit(10).await.expect("seals");
    let own = world.store.audit_of(&world.participant("alice"), 0, 10).await.expect("reads");
    let told: Vec<_> = own.iter().map(|e| (e.record.action.as_str(), e.record.reason.as_deref())).collect();
    assert_eq!(told, [("thing.create", Some("a complaint")), ("administrate", Some("a complaint"))]);
    assert_eq!(report(world, &[]).await.broken, None);
}

/// Sealers that work while entries are written leave no gap, seal nothing twice, and keep each writer's order.
pub async fn many_sealers_make_one_chain(world: &World) {
    sealers_make_one_chain(world, &[&**world.database(), &**world.database()]).await;
}

/// As [`many_sealers_make_one_chain`], for databases of several processes.
pub async fn sealers_make_one_chain(world: &World, databases: &[&dyn Database]) {
    const WRITERS: u64 = 6;
    const COMMITS: u64 = 30;
    let write = async |writer: u64| {
        let scope = world.participant(&format!("p{}", writer % 3));
        for n in 0..COMMITS {
            let write = |tx: &mut crate::Transaction<'_>| {
                tx.audit("thing.change", format!("{writer} {n}"));
                if n % 7 == 3 {
                    // It fails, and its entry with it.
                    tx.once("taken", world.now());
                    tx.once("taken", world.now());
                }
            };
            assert_eq!(world.commit(&scope, write).await.is_err(), n % 7 == 3);
        }
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    let seal = async |database: &dyn Database| {
        loop {
            // What was written before this look is sealed in this round.
            let last = done.load(std::sync::atomic::Ordering::SeqCst);
            seal_all(database, 7).await;
            if last {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let writing = async {
        futures::future::join_all((0..WRITERS).map(write)).await;
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let sealing = futures::future::join_all(databases.iter().flat_map(|one| [*one; 3]).map(seal));
    futures::join!(writing, sealing);
    let entries = world.database().audit_log();
    let entries =
        entries.audit_entries(AuditQuery { owner: None, after: 0, limit: 1000 }).await.expect("reads");
    let expected = WRITERS * (0..COMMITS).filter(|n| n % 7 != 3).count() as u64;
    let places: Vec<u64> = entries.iter().map(|entry| entry.place).collect();
    assert_eq!(places, (1..=expected).collect::<Vec<u64>>());
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in &entries {
        let (writer, n) = entry.record.subject.split_once(' ').expect("two numbers");
        let n: u64 = n.parse().expect("a number");
        assert!(last.insert(writer, n).is_none_or(|before| before < n), "{}", entry.record.subject);
    }
    let report = report(world, &[]).await;
    assert_eq!((report.head.place, report.unsealed, report.broken), (expected, 0, None));
}

/// What somebody may do to a log of [`twelve`] by SQL, in which `{}` stands before the names of tables; whether a
/// checkpoint is needed to see it; and what is found.
fn damages(heads: &[AuditHead]) -> Vec<(&'static str, bool, AuditBreak)> {
    let sealed = heads.last().expect("twelve").clone();
    let gone = |place: u64, found: Option<String>| AuditBreak::Checkpoint {
        checkpoint: heads[usize::try_from(place - 1).expect("small")].clone(),
        found,
    };
    vec![
        ("UPDATE {}audit SET subject = 'other' WHERE place = 5", false, AuditBreak::Changed { place: 5 }),
        ("UPDATE {}audit SET actor = 'other' WHERE place = 1", false, AuditBreak::Changed { place: 1 }),
        ("UPDATE {}audit SET at = at + 1 WHERE place = 12", false, AuditBreak::Changed { place: 12 }),
        ("UPDATE {}audit SET reason = '' WHERE place = 7", false, AuditBreak::Changed { place: 7 }),
        ("UPDATE {}audit SET owner = 'p:carol' WHERE place = 3", false, AuditBreak::Changed { place: 3 }),
        ("UPDATE {}audit SET hash = NULL WHERE place = 5", false, AuditBreak::Changed { place: 5 }),
        ("DELETE FROM {}audit WHERE place = 5", false, AuditBreak::Missing { place: 5 }),
        ("DELETE FROM {}audit WHERE place = 1", false, AuditBreak::Missing { place: 1 }),
        ("UPDATE {}audit SET place = NULL, hash = NULL WHERE place = 5", false, AuditBreak::Missing { place: 5 }),
        // Two entries change places, or what they say.
        (
            "UPDATE {}audit SET place = -place WHERE place IN (5, 6);
             UPDATE {}audit SET place = 11 + place WHERE place < 0",
            false,
            AuditBreak::Changed { place: 5 },
        ),
        (
            "UPDATE {}audit SET subject = CASE place WHEN 5 THEN 'thing 5' ELSE 'thing 4' END WHERE place IN (5, 6)",
            false,
            AuditBreak::Changed { place: 5 },
        ),
        ("DELETE FROM {}audit WHERE place > 9", false, AuditBreak::Cut { last: 9, sealed: 12 }),
        (
            "UPDATE {}audit_head SET place = 9, hash = (SELECT hash FROM {}audit WHERE place = 9)",
            false,
            AuditBreak::Head { found: sealed, remembered: heads[8].clone() },
        ),
        // The tail is cut off and the head with it: the chain holds together.
        (
            "UPDATE {}audit_head SET place = 9, hash = (SELECT hash FROM {}audit WHERE place = 9);
             DELETE FROM {}audit WHERE place > 9",
            true,
            gone(12, None),
        ),
        (
            "UPDATE {}audit_head SET place = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000';
             DELETE FROM {}audit",
            true,
            gone(6, None),
        ),
    ]
}

/// Does every damage of the list through `tamper`, which runs SQL with a prefix for the names of tables, and undoes it
/// with `insert`: the words by which rows with numbers of their own are inserted into the log.
pub async fn every_damage_is_found(world: &World, insert: &str, tamper: impl AsyncFn(&str)) {
    let heads = twelve(world).await;
    let checkpoints = [heads[11].clone(), heads[5].clone()];
    tamper("CREATE TABLE {}kept_audit AS SELECT * FROM {}audit").await;
    tamper("CREATE TABLE {}kept_head AS SELECT * FROM {}audit_head").await;
    let undo = format!(
        "DELETE FROM {{}}audit; {insert} SELECT * FROM {{}}kept_audit;
         DELETE FROM {{}}audit_head; INSERT INTO {{}}audit_head SELECT * FROM {{}}kept_head"
    );
    for (sql, hidden, expected) in damages(&heads) {
        let good = report(world, &checkpoints).await;
        assert_eq!((&good.head, &good.broken), (&heads[11], &None));
        tamper(sql).await;
        let without = report(world, &[]).await;
        assert_eq!(without.broken.as_ref(), (!hidden).then_some(&expected), "{sql}");
        let with = report(world, &checkpoints).await;
        assert_eq!(with.broken.as_ref(), Some(&expected), "{sql}");
        tamper(&undo).await;
    }
}

/// Whoever writes the whole log anew, hashes included, is found by a checkpoint.
pub async fn a_log_written_anew_is_found_by_a_checkpoint(world: &World, tamper: impl AsyncFn(&str)) {
    let heads = twelve(world).await;
    tamper("UPDATE {}audit SET subject = 'other' WHERE place = 5").await;
    let query = AuditQuery { owner: None, after: 0, limit: 100 };
    let mut head = AuditHead::genesis();
    for entry in world.database().audit_log().audit_entries(query).await.expect("reads") {
        head = head.after(&entry.record);
        tamper(&format!("UPDATE {{}}audit SET hash = '{}' WHERE place = {}", head.hash, head.place)).await;
    }
    tamper(&format!("UPDATE {{}}audit_head SET hash = '{}'", head.hash)).await;
    assert_eq!(report(world, &[]).await.broken, None, "it holds together");
    assert_eq!(report(world, &heads[..4]).await.broken, None, "what was before is as it was");
    let found = report(world, &heads[4..]).await.broken;
    let Some(AuditBreak::Checkpoint { checkpoint, found: Some(_) }) = found else { panic!("{found:?}") };
    assert_eq!(checkpoint, heads[4]);
}
