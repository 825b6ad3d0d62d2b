use std::fmt::Write;

use heddle_clock::Timestamp;
use heddle_ids::MessageId;
use serde_json::json;

use super::{
    ANSWERS_MAX, ARROWS, Admission, Answer, CallbackKind, Event, Fault, Flow, Kind, Progress, Refused, Side,
    State, Step, admit, apply, targets,
};
use crate::{Direction, wire, wire::DataAddress};

const NOW: Timestamp = Timestamp::from_seconds(1_000);
const LATER: Timestamp = Timestamp::from_seconds(2_000);

fn id(text: &str) -> MessageId {
    MessageId::parse(text).expect("an id")
}

fn address(token: &str) -> DataAddress {
    DataAddress::new("https://w3id.org/dspace-sig/profile/http-pull", "https://e")
        .with("authorization", token)
}

fn open(side: Side, direction: Direction) -> Flow {
    let body = json!({
        "messageId": "open", "participantId": "us", "counterPartyId": "them", "dataspaceContext": "ds",
        "processId": "tp-1", "agreementId": "a-1", "datasetId": "asset-1", "profile": format!("http{}", direction.suffix()),
        "claims": {"level": "gold"}, "labels": ["blue"], "metadata": {"region": "north"},
    });
    let message: wire::DataFlowPrepareMessage = wire::parse(body.to_string().as_bytes()).expect("is read");
    Flow::open(&message.0, side, NOW)
}

fn in_state(side: Side, direction: Direction, state: State) -> Flow {
    Flow { state, ..open(side, direction) }
}

/// Every well-formed event of a kind, for a flow of this side and direction.
fn events(flow: &Flow, kind: Kind) -> Vec<Event> {
    let issued = flow.owns_address().then(|| address("issued"));
    let given = (flow.direction() == Direction::Push).then(|| address("given"));
    let done = Progress::Done { issued: issued.clone() };
    match kind {
        Kind::Prepare => {
            [done, Progress::UnderWay].map(|progress| Event::Prepare { given: None, progress }).into()
        }
        Kind::Start => {
            [done, Progress::UnderWay].map(|progress| Event::Start { given: given.clone(), progress }).into()
        }
        Kind::Started => vec![Event::Started { given: None }],
        Kind::Suspend => vec![Event::Suspend { reason: None }],
        Kind::Resume => vec![Event::Resume { given: None, issued }],
        Kind::Completed => vec![Event::Completed],
        Kind::Terminate => vec![Event::Terminate { reason: None }],
        Kind::FinishedPreparing => vec![Event::FinishedPreparing { issued }],
        Kind::FinishedStarting => vec![Event::FinishedStarting { issued }],
        Kind::OwnCompletion => vec![Event::OwnCompletion],
    }
}

fn every_mode() -> impl Iterator<Item = (Side, Direction)> {
    Side::ALL.into_iter().flat_map(|side| Direction::ALL.map(|direction| (side, direction)))
}

fn moved(step: Step) -> (Flow, Answer) {
    match step {
        Step::Moved { flow, answer, .. } => (*flow, answer),
        Step::Again(answer) => panic!("did not move: {answer:?}"),
    }
}

#[test]
fn the_matrix_is_the_golden_one() {
    let mut matrix = String::new();
    for (side, direction) in every_mode() {
        writeln!(matrix, "{side}{}", direction.suffix()).expect("to a string");
        let head: String = Kind::ALL.iter().map(|kind| format!("{:<19}", kind.as_str())).collect();
        writeln!(matrix, "{:<12}{}", "", head.trim_end()).expect("to a string");
        for from in State::ALL {
            let cells: String =
                Kind::ALL.iter().map(|on| format!("{:<19}", cell(from, *on, side, direction))).collect();
            writeln!(matrix, "{:<12}{}", from.as_str(), cells.trim_end()).expect("to a string");
        }
        matrix.push('\n');
    }
    assert_eq!(
        matrix.trim_end(),
        include_str!("../../tests/golden/flow-matrix.txt").trim_end(),
        "\n{matrix}"
    );
}

fn cell(from: State, on: Kind, side: Side, direction: Direction) -> String {
    let names: Vec<_> =
        targets(from, on, side, direction).map(|to| if to == from { "=" } else { to.as_str() }).collect();
    if names.is_empty() { ".".to_owned() } else { names.join("|") }
}

#[test]
fn table_and_function_agree_everywhere() {
    for (side, direction) in every_mode() {
        for (from, kind) in State::ALL.into_iter().flat_map(|from| Kind::ALL.map(|kind| (from, kind))) {
            let flow = in_state(side, direction, from);
            let mut reached: Vec<State> = Vec::new();
            for event in events(&flow, kind) {
                match apply(&flow, event, None, LATER) {
                    Ok(Step::Moved { flow, answer, .. }) => {
                        assert_eq!(flow.state(), answer.state);
                        reached.push(flow.state());
                    }
                    Ok(Step::Again(answer)) => reached.push(answer.state),
                    Err(refused) => assert_eq!(refused.fault(), Fault::Conflict, "{from} {kind}: {refused}"),
                }
            }
            let expected: Vec<_> = targets(from, kind, side, direction).collect();
            assert_eq!(reached, expected, "{side} {direction:?} {from} {kind}");
        }
    }
}

#[test]
fn every_state_can_end_and_an_end_is_final() {
    for (side, direction) in every_mode() {
        for from in State::ALL {
            let ends = targets(from, Kind::Terminate, side, direction).any(|to| to == State::Terminated);
            assert_eq!(ends, from != State::Completed);
        }
    }
    assert!(ARROWS.iter().all(|arrow| !arrow.from.is_terminal() || arrow.from == arrow.to));
    for state in State::ALL.into_iter().filter(|state| *state != State::Initialized) {
        assert!(ARROWS.iter().any(|arrow| arrow.to == state && arrow.from != state), "{state} is reachable");
    }
}

#[test]
fn the_same_message_gets_the_same_answer_even_when_the_flow_went_on() {
    let flow = open(Side::Provider, Direction::Pull);
    let start = || Event::Start { given: None, progress: Progress::Done { issued: Some(address("one")) } };
    let (flow, first) = moved(apply(&flow, start(), Some(&id("m-1")), NOW).expect("starts"));
    assert_eq!(first.data_address, Some(address("one")));
    let (flow, _) =
        moved(apply(&flow, Event::Suspend { reason: None }, Some(&id("m-2")), LATER).expect("suspends"));

    assert_eq!(admit(&flow, Kind::Start, Some(&id("m-1"))), Ok(Admission::Replay(first.clone())));
    assert_eq!(apply(&flow, start(), Some(&id("m-1")), LATER), Ok(Step::Again(first.clone())));
    assert_eq!(first.message_id, Some(id("m-1:answer")));
    let second = apply(&flow, start(), Some(&id("m-3")), LATER).expect_err("the flow exists");
    assert_eq!(second, Refused::Exists { on: Kind::Start, state: State::Suspended });
    let reused = apply(&flow, Event::Completed, Some(&id("m-1")), LATER).expect_err("an id of a start");
    assert_eq!(reused, Refused::MessageIdReused { on: Kind::Completed, first: Kind::Start });
}

#[test]
fn answers_are_bounded_and_the_oldest_goes_first() {
    let mut flow = in_state(Side::Consumer, Direction::Pull, State::Started);
    for round in 0..ANSWERS_MAX {
        let (suspend, resume) = (id(&format!("s-{round}")), id(&format!("r-{round}")));
        flow = moved(apply(&flow, Event::Suspend { reason: None }, Some(&suspend), NOW).expect("suspends")).0;
        let event = Event::Resume { given: Some(address(&round.to_string())), issued: None };
        flow = moved(apply(&flow, event, Some(&resume), NOW).expect("resumes")).0;
    }
    assert_eq!(flow.answers.len(), ANSWERS_MAX);
    assert!(flow.answered(&id("s-0")).is_none());
    assert!(flow.answered(&id(&format!("r-{}", ANSWERS_MAX - 1))).is_some());
}

#[test]
fn addresses_come_where_they_belong_and_nowhere_else() {
    let (given, none) = (Some(address("given")), None::<DataAddress>);
    let refused = |side, direction, state, event: Event| {
        apply(&in_state(side, direction, state), event, None, NOW).expect_err("is refused")
    };
    let under_way = |given| Event::Start { given, progress: Progress::UnderWay };
    let pull_start = refused(Side::Provider, Direction::Pull, State::Initialized, under_way(given.clone()));
    assert_eq!(pull_start, Refused::AddressUnexpected(Kind::Start));
    let push_start = refused(Side::Provider, Direction::Push, State::Initialized, under_way(none.clone()));
    assert_eq!(push_start, Refused::AddressMissing);
    assert_eq!(push_start.fault(), Fault::Request);
    for direction in Direction::ALL {
        let prepare = Event::Prepare { given: given.clone(), progress: Progress::UnderWay };
        let refusal = refused(Side::Consumer, direction, State::Initialized, prepare);
        assert_eq!(refusal, Refused::AddressUnexpected(Kind::Prepare));
    }
    let started = Event::Started { given: given.clone() };
    let refusal = refused(Side::Consumer, Direction::Push, State::Prepared, started);
    assert_eq!(refusal, Refused::AddressUnexpected(Kind::Started));

    let unissued = Event::Resume { given: none.clone(), issued: none };
    let refusal = refused(Side::Provider, Direction::Pull, State::Suspended, unissued);
    assert_eq!((refusal.fault(), refusal), (Fault::Ours, Refused::Issuing(Kind::Resume)));
    let foreign = Event::Resume { given: None, issued: given };
    assert_eq!(
        refused(Side::Provider, Direction::Push, State::Suspended, foreign),
        Refused::Issuing(Kind::Resume)
    );
}

#[test]
fn the_owner_shows_a_new_address_and_the_other_side_takes_it() {
    let owner = in_state(Side::Consumer, Direction::Push, State::Suspended);
    let event = Event::Resume { given: Some(address("ignored")), issued: Some(address("new")) };
    let (owner, answer) = moved(apply(&owner, event, Some(&id("m")), NOW).expect("resumes"));
    assert_eq!(answer.data_address, Some(address("new")));
    assert_eq!(owner.data_address(), Some(&address("new")));

    let other = in_state(Side::Provider, Direction::Push, State::Suspended);
    let event = Event::Resume { given: Some(address("new")), issued: None };
    let (other, answer) = moved(apply(&other, event, Some(&id("m")), NOW).expect("resumes"));
    assert_eq!(answer.data_address, None);
    assert_eq!(other.data_address(), Some(&address("new")));
}

#[test]
fn a_repeat_under_a_new_id_changes_nothing_but_an_address_that_it_brings() {
    let flow = in_state(Side::Consumer, Direction::Pull, State::Started);
    let repeat = Event::Started { given: None };
    assert_eq!(admit(&flow, Kind::Started, Some(&id("n"))), Ok(Admission::Repeat));
    let step = apply(&flow, repeat, Some(&id("n")), LATER).expect("is a repeat");
    assert!(matches!(step, Step::Again(answer) if answer.state == State::Started));
    let (flow, _) =
        moved(apply(&flow, Event::Started { given: Some(address("a")) }, None, LATER).expect("brings one"));
    assert_eq!((flow.data_address(), flow.state_since()), (Some(&address("a")), NOW));
}

#[test]
fn what_was_under_way_calls_back_when_it_is_done() {
    let flow = open(Side::Consumer, Direction::Push);
    let prepare = Event::Prepare { given: None, progress: Progress::UnderWay };
    let (flow, answer) = moved(apply(&flow, prepare, Some(&id("m")), NOW).expect("is under way"));
    assert!(answer.is_under_way() && answer.data_address.is_none());
    let done = Event::FinishedPreparing { issued: Some(address("a")) };
    let Ok(Step::Moved { flow, callback: Some(callback), .. }) = apply(&flow, done, None, LATER) else {
        panic!("calls back");
    };
    assert_eq!((callback.kind, callback.state), (CallbackKind::Prepared, State::Prepared));
    assert_eq!(callback.data_address, Some(address("a")));
    assert!(flow.admits_data(), "a push may begin before the started notification");
    assert_eq!(flow.errored("disk full").to_message(id("c"), flow.id()).error.as_deref(), Some("disk full"));
}

#[test]
fn an_ended_flow_keeps_no_address_and_says_what_is_possible_before() {
    let flow = open(Side::Provider, Direction::Pull);
    let refusal = apply(&flow, Event::Suspend { reason: None }, None, NOW).expect_err("not yet");
    let text = "'suspend' is not possible: the data flow of the provider is INITIALIZED; possible are: start, terminate";
    assert_eq!(refusal.to_string(), text);
    let start = Event::Start { given: None, progress: Progress::Done { issued: Some(address("s3cr3t")) } };
    let (flow, _) = moved(apply(&flow, start, Some(&id("m")), NOW).expect("starts"));
    assert!(!format!("{flow:?}").contains("s3cr3t"));
    let end = Event::Terminate { reason: Some("enough".into()) };
    let (flow, _) = moved(apply(&flow, end, Some(&id("t")), LATER).expect("ends"));
    assert_eq!((flow.reason(), flow.state_since(), flow.admits_data()), (Some("enough"), LATER, false));
    let stored = serde_json::to_string(&flow).expect("serialises");
    assert!(!stored.contains("s3cr3t"));
    assert_eq!(serde_json::from_str::<Flow>(&stored).expect("is read back"), flow);
}

#[test]
fn a_flow_is_stored_and_read_back_whole() {
    let flow = open(Side::Consumer, Direction::Push);
    let prepare = Event::Prepare { given: None, progress: Progress::Done { issued: Some(address("a")) } };
    let (flow, _) = moved(apply(&flow, prepare, Some(&id("m")), NOW).expect("is prepared"));
    let stored = serde_json::to_value(&flow).expect("serialises");
    assert_eq!(
        (&stored["id"], &stored["state"], &stored["side"]),
        (&json!("tp-1"), &json!("PREPARED"), &json!("consumer"))
    );
    assert_eq!(serde_json::from_value::<Flow>(stored).expect("is read back"), flow);
}
