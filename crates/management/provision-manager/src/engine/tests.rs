use std::collections::BTreeMap;

use heddle_agent::{DEPLOY, DISPOSE, Report, ReportedOutcome};
use heddle_clock::{SeededRng, Timestamp};
use heddle_ids::OrchestrationId;
use serde_json::Map;

use super::*;
use crate::OrchestrationManifest;

const NOW: Timestamp = Timestamp::from_seconds(1);

fn definition(kind: &str, graph: &[(&str, &[&str])]) -> OrchestrationDefinition {
    let activities = graph.iter().map(|(id, depends_on)| ActivityTemplate {
        id: (*id).to_owned(),
        activity_type: format!("{id}-type"),
        depends_on: depends_on.iter().map(|&id| id.to_owned()).collect(),
    });
    OrchestrationDefinition {
        key: OrchestrationDefinition::key_of("t", kind),
        template_ref: "t".to_owned(),
        orchestration_type: kind.to_owned(),
        description: None,
        schema: None,
        activities: activities.collect(),
        created_at: NOW,
    }
}

fn types(definition: &OrchestrationDefinition) -> BTreeMap<String, ActivityDefinition> {
    let types = definition.activities.iter().map(|activity| {
        let activity_type = activity.activity_type.clone();
        let definition = ActivityDefinition {
            activity_type: activity_type.clone(),
            description: None,
            input_schema: None,
            output_schema: None,
        };
        (activity_type, definition)
    });
    types.collect()
}

fn started(graph: &[(&str, &[&str])]) -> (Orchestration, Vec<String>) {
    let manifest = OrchestrationManifest {
        id: "o".to_owned(),
        correlation_id: "c".to_owned(),
        orchestration_type: DEPLOY.to_owned(),
        template_ref: None,
        payload: Map::new(),
    };
    let id = OrchestrationId::parse("o").expect("legal");
    let made = instantiate(&definition(DEPLOY, graph), &manifest, (id, "ctx"), NOW);
    let (orchestration, effects) = begin(made, NOW);
    (orchestration, runs(&effects))
}

fn runs(effects: &[Effect]) -> Vec<String> {
    let runs = effects.iter().filter_map(|effect| match effect {
        Effect::Run { activity, .. } => Some(activity.clone()),
        Effect::Ended => None,
    });
    runs.collect()
}

fn report(activity: &str, attempt: u32, outcome: ReportedOutcome) -> Report {
    Report { activity: activity.to_owned(), attempt, outcome, values: Map::new(), outputs: Map::new() }
}

fn complete(orchestration: Orchestration, activity: &str) -> (Orchestration, Vec<String>, bool) {
    let (orchestration, effects) = apply(orchestration, &report(activity, 1, ReportedOutcome::Complete), NOW);
    let ended = effects.contains(&Effect::Ended);
    (orchestration, runs(&effects), ended)
}

#[test]
fn a_diamond_runs_without_barriers() {
    let (o, first) = started(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"]), ("e", &[])]);
    assert_eq!(first, ["a", "e"]);
    let (o, next, _) = complete(o, "a");
    assert_eq!(next, ["b", "c"]);
    let (o, next, _) = complete(o, "b");
    assert!(next.is_empty(), "d waits for c");
    let (o, next, _) = complete(o, "c");
    assert_eq!(next, ["d"]);
    let (o, _, ended) = complete(o, "d");
    assert!(!ended, "e is still running");
    let (o, _, ended) = complete(o, "e");
    assert!(ended);
    assert_eq!(o.state.number(), 2);
    assert_eq!(o.processing_data["participantContextId"], "ctx");
}

#[test]
fn a_report_twice_is_a_report_once() {
    let (o, _) = started(&[("a", &[]), ("b", &["a"])]);
    let (once, _, _) = complete(o, "a");
    let (twice, next, _) = complete(once.clone(), "a");
    assert_eq!(once, twice);
    assert!(next.is_empty());
    let stale = report("b", 7, ReportedOutcome::Complete);
    assert_eq!(apply(once.clone(), &stale, NOW), (once, Vec::new()));
}

#[test]
fn retries_are_bounded_and_scheduling_is_no_failure() {
    let (mut o, _) = started(&[("a", &[])]);
    for attempt in 1..=3 {
        let schedule = ReportedOutcome::Schedule { after_ms: 5 };
        o = apply(o, &report("a", attempt, schedule), NOW).0;
    }
    assert_eq!((o.activities[0].attempt, o.activities[0].failures), (4, 0));
    for attempt in 4..4 + ATTEMPTS_MAX {
        assert_eq!(o.state.number(), 1);
        let retry = ReportedOutcome::Retry { error: "away".to_owned(), after_ms: None };
        o = apply(o, &report("a", attempt, retry), NOW).0;
    }
    assert_eq!(o.state.number(), 3);
    assert_eq!(o.error.as_deref(), Some("a: away"));
}

#[test]
fn a_failure_waits_for_siblings_and_undoes_in_reverse() {
    let (o, _) = started(&[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b"])]);
    let (o, _, _) = complete(o, "a");
    let fatal = ReportedOutcome::Fatal { error: "no".to_owned() };
    let (o, effects) = apply(o, &report("c", 1, fatal), NOW);
    assert!(effects.is_empty(), "b is still running: {effects:?}");
    let (o, next, ended) = complete(o, "b");
    assert!(ended && next.is_empty(), "d is not begun any more");
    let dispose = definition(DISPOSE, &[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]);
    let id = OrchestrationId::parse("o-compensation").expect("legal");
    let undo = compensation(&o, &dispose, id.clone(), NOW).expect("something to undo");
    let order: Vec<(&str, &[String])> = undo
        .activities
        .iter()
        .map(|activity| (activity.id.as_str(), activity.depends_on.as_slice()))
        .collect();
    assert_eq!(order, [("undo-b", &[][..]), ("undo-a", &["undo-b".to_owned()][..])]);
    let (undo, effects) = begin(undo, NOW);
    assert_eq!(runs(&effects), ["undo-b"]);
    assert!(compensation(&undo, &dispose, id, NOW).is_none(), "compensations are not compensated");
}

#[test]
fn graphs_that_cannot_run_are_refused() {
    let check = |graph: &[(&str, &[&str])]| {
        let definition = definition(DISPOSE, graph);
        definition.check(&types(&definition))
    };
    assert!(check(&[("a", &[]), ("b", &["a"])]).is_ok());
    assert!(matches!(check(&[("a", &["b"]), ("b", &["a"])]), Err(InvalidDefinition::Cycle(_))));
    assert!(matches!(check(&[("a", &["x"])]), Err(InvalidDefinition::UnknownDependency { .. })));
    assert!(matches!(check(&[("a", &[]), ("a", &[])]), Err(InvalidDefinition::Twice(_))));
    let unknown = definition(DISPOSE, &[("a", &[])]).check(&BTreeMap::new());
    assert!(matches!(unknown, Err(InvalidDefinition::UnknownTypes(_))));
}

#[test]
fn needed_values_must_be_provided() {
    let definition = definition(DEPLOY, &[("a", &[]), ("b", &["a"])]);
    let mut types = types(&definition);
    let needs = serde_json::json!({"properties": {"x": {"type": "string"}}, "required": ["x"]});
    types.get_mut("b-type").expect("there").input_schema = Some(needs);
    assert!(matches!(definition.check(&types), Err(InvalidDefinition::MissingInput { .. })));
    let gives = |kind: &str| Some(serde_json::json!({"properties": {"x": {"type": kind}}}));
    types.get_mut("a-type").expect("there").output_schema = gives("integer");
    assert!(matches!(definition.check(&types), Err(InvalidDefinition::InputType { .. })));
    types.get_mut("a-type").expect("there").output_schema = gives("string");
    assert_eq!(definition.check(&types), Ok(()));
}

#[test]
fn a_chain_runs_one_after_the_other_and_independent_ones_together() {
    let (o, first) = started(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]);
    assert_eq!(first, ["a"]);
    let (o, next, _) = complete(o, "a");
    assert_eq!(next, ["b"]);
    let (o, next, _) = complete(o, "b");
    assert_eq!(next, ["c"]);
    assert!(complete(o, "c").2);
    assert_eq!(started(&[("a", &[]), ("b", &[]), ("c", &[])]).1, ["a", "b", "c"]);
    let (empty, _) = started(&[]);
    assert_eq!(empty.state, OrchestrationState::Completed);
}

#[test]
fn one_that_waits_ends_when_somebody_says_so() {
    let (o, _) = started(&[("a", &[]), ("b", &["a"])]);
    let (o, effects) = apply(o, &report("a", 1, ReportedOutcome::Wait), NOW);
    assert!(effects.is_empty() && o.activities[0].state == ActivityState::Waiting);
    let (_, next, _) = complete(o, "a");
    assert_eq!(next, ["b"]);
}

#[test]
fn values_and_outputs_are_kept_whatever_the_outcome() {
    let (o, _) = started(&[("a", &[])]);
    let mut first = report("a", 1, ReportedOutcome::Schedule { after_ms: 5 });
    first.values.insert("seen".to_owned(), 1.into());
    first.outputs.insert("out".to_owned(), "x".into());
    let (o, effects) = apply(o, &first, NOW);
    let Some(Effect::Run { attempt: 2, after, .. }) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(after.as_millis(), 5);
    assert_eq!((&o.processing_data["seen"], &o.output_data["out"]), (&1.into(), &"x".into()));
    assert_eq!(o.output_data["participantContextId"], "ctx");
}

#[test]
fn waits_between_failed_runs_grow_unless_the_service_says_how_long() {
    let (mut o, _) = started(&[("a", &[])]);
    let mut waits = Vec::new();
    for attempt in 1..ATTEMPTS_MAX {
        let after_ms = (attempt == 2).then_some(7_000);
        let retry = ReportedOutcome::Retry { error: "away".to_owned(), after_ms };
        let (next, effects) = apply(o, &report("a", attempt, retry), NOW);
        let Some(Effect::Run { after, .. }) = effects.first() else { panic!("{effects:?}") };
        waits.push(u64::try_from(after.as_millis()).expect("small"));
        o = next;
    }
    assert_eq!(waits, [300, 7_000, 1_200, 2_400, 4_800, 9_600, 19_200, 30_000, 30_000]);
}

#[test]
fn after_a_failure_nothing_is_begun_and_after_the_end_nothing_changes() {
    let (o, _) = started(&[("a", &[]), ("b", &[]), ("c", &[])]);
    let fatal = |error: &str| ReportedOutcome::Fatal { error: error.to_owned() };
    let (o, _) = apply(o, &report("a", 1, fatal("first")), NOW);
    let retry = ReportedOutcome::Retry { error: "away".to_owned(), after_ms: None };
    let (o, effects) = apply(o, &report("b", 1, retry), NOW);
    assert!(effects.is_empty(), "it is not tried again: {effects:?}");
    let (o, effects) = apply(o, &report("c", 1, fatal("second")), NOW);
    assert_eq!(effects, [Effect::Ended]);
    assert_eq!(o.error.as_deref(), Some("a: first"), "the first failure is the reason");
    let (waiting, _) = started(&[("a", &[]), ("b", &[])]);
    let (waiting, _) = apply(waiting, &report("a", 1, ReportedOutcome::Wait), NOW);
    let (waiting, effects) = apply(waiting, &report("b", 1, fatal("no")), NOW);
    assert_eq!(effects, [Effect::Ended], "nobody knows how long one that waits would");
    for over in [o, waiting] {
        for late in ["a", "b", "c"] {
            let again = report(late, 1, ReportedOutcome::Complete);
            assert_eq!(apply(over.clone(), &again, NOW), (over.clone(), Vec::new()));
        }
    }
}

#[test]
fn where_nothing_had_completed_the_compensation_completes_at_once() {
    let (o, _) = started(&[("a", &[])]);
    let (o, _) = apply(o, &report("a", 1, ReportedOutcome::Fatal { error: "no".to_owned() }), NOW);
    let dispose = definition(DISPOSE, &[("a", &[])]);
    let id = OrchestrationId::parse("o-compensation").expect("legal");
    let (undo, effects) = begin(compensation(&o, &dispose, id, NOW).expect("a failure"), NOW);
    assert_eq!((undo.state, effects), (OrchestrationState::Completed, vec![Effect::Ended]));
    assert_eq!(undo.compensates, Some(o.id));
}

#[test]
fn definitions_are_bounded() {
    let many: Vec<String> = (0..=ACTIVITIES_MAX).map(|n| format!("n{n}")).collect();
    let many: Vec<(&str, &[&str])> = many.iter().map(|name| (name.as_str(), &[][..])).collect();
    let check = |definition: OrchestrationDefinition| definition.check(&types(&definition));
    assert_eq!(check(definition(DISPOSE, &many)), Err(InvalidDefinition::TooMany));
    assert_eq!(check(definition(DISPOSE, &many[1..])), Ok(()));
    assert!(matches!(check(definition(DISPOSE, &[("", &[])])), Err(InvalidDefinition::Id(_))));
}

/// Random graphs, random order of reports, every report twice: each activity completes once, after those that it depends on.
#[test]
fn random_graphs_come_to_their_end_in_order() {
    for seed in 0..300 {
        let rng = SeededRng::new(seed);
        let names: Vec<String> = (0..2 + rng.below(7)).map(|n| format!("n{n}")).collect();
        let mut graph: Vec<(&str, Vec<&str>)> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let before = names[..index].iter().filter(|_| rng.below(3) == 0).map(String::as_str);
            graph.push((name, before.collect()));
        }
        let shape: Vec<(&str, &[&str])> = graph.iter().map(|(n, d)| (*n, d.as_slice())).collect();
        let (mut o, mut running) = started(&shape);
        while !o.state.is_terminal() {
            let chosen = running.remove(usize::try_from(rng.below(running.len() as u64)).expect("small"));
            let (next, begun, _) = complete(o, &chosen);
            running.extend(begun);
            o = complete(next, &chosen).0;
        }
        assert_eq!(o.completed.len(), names.len(), "seed {seed}");
        for (name, depends_on) in &graph {
            let place = |id: &str| o.completed.iter().position(|done| done == id).expect("completed");
            assert!(depends_on.iter().all(|before| place(before) < place(name)), "seed {seed}");
        }
    }
}

/// Random graphs in which one activity fails: nothing that depends on it begins, those under way end, and the compensation
/// undoes exactly what completed, the last first.
#[test]
fn random_failures_undo_exactly_what_completed() {
    for seed in 0..300 {
        let rng = SeededRng::new(seed);
        let below = |bound: usize| usize::try_from(rng.below(bound as u64)).expect("small");
        let names: Vec<String> = (0..2 + below(7)).map(|n| format!("n{n}")).collect();
        let graph: Vec<(&str, Vec<&str>)> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let before = names[..index].iter().filter(|_| rng.below(3) == 0).map(String::as_str);
                (name.as_str(), before.collect())
            })
            .collect();
        let shape: Vec<(&str, &[&str])> = graph.iter().map(|(n, d)| (*n, d.as_slice())).collect();
        let victim = &names[below(names.len())];
        let (mut o, mut running) = started(&shape);
        while !o.state.is_terminal() {
            let chosen = running.remove(below(running.len()));
            let outcome = if chosen == *victim {
                ReportedOutcome::Fatal { error: "no".to_owned() }
            } else {
                ReportedOutcome::Complete
            };
            let failed_before = o.error.is_some();
            let (next, effects) = apply(o, &report(&chosen, 1, outcome), NOW);
            assert!(!failed_before || runs(&effects).is_empty(), "seed {seed}");
            running.extend(runs(&effects));
            o = next;
        }
        assert!(running.is_empty() && !o.is_busy(), "seed {seed}: nothing is left behind");
        let dispose = definition(DISPOSE, &shape);
        let id = OrchestrationId::parse("u").expect("legal");
        let undo = compensation(&o, &dispose, id, NOW).expect("a failure");
        let (mut undo, effects) = begin(undo, NOW);
        let mut order = Vec::new();
        let mut next = runs(&effects);
        while let Some(one) = next.pop() {
            assert!(next.is_empty(), "seed {seed}: one after the other");
            order.push(one.trim_start_matches("undo-").to_owned());
            let (after, begun, _) = complete(undo, &one);
            (undo, next) = (after, begun);
        }
        order.reverse();
        assert_eq!((order, undo.state), (o.completed, OrchestrationState::Completed), "seed {seed}");
    }
}
