//! The transfer machine: its matrix, the agreement of table and functions, and the cases that a table cannot
//! say.

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::collections::BTreeSet;

use heddle_dsp::{
    process::{Explanation, Failure, Inbound, Role},
    transfer::{
        ARROWS, DataPlaneStep, Effect, Event, Flow, Kind, Message, Mismatch, Refused, State, TransferProcess,
        UnderWay, abandoned, acknowledged, next, observed, receive, send, withdrawn,
    },
};
use support::{NOW, address, message_id, pid, transfer};

/// A message of `by`, as a correct `by` writes it.
fn message(flow: Flow, by: Role, kind: Kind) -> Message {
    let own = (flow.address_owner() == by).then(|| Box::new(address("token")));
    match kind {
        Kind::Request => Message::Request(own),
        Kind::Start => Message::Start(own),
        Kind::Suspend => Message::Suspend(Explanation::new("1", "night")),
        Kind::Complete => Message::Complete,
        Kind::Terminate => Message::Terminate(Explanation::new("1", "enough")),
    }
}

/// A message of `by` takes its whole way in the copy of `party`.
fn pass(party: &TransferProcess, by: Role, kind: Kind, id: &str) -> Result<TransferProcess, Refused> {
    let message = message(party.flow(), by, kind);
    if by == party.role() {
        let sent = send(party, message, message_id(id), NOW)?;
        Ok(acknowledged(&sent.process, &message_id(id), Some(pid(by.other())), NOW).process)
    } else {
        Ok(receive(party, Inbound::new(message, message_id(id)).from_process(pid(by)), NOW)?.process)
    }
}

fn at(role: Role, flow: Flow, state: Option<State>) -> TransferProcess {
    use Role::{Consumer, Provider};
    let way: &[(Role, Kind)] = match state {
        None => &[],
        Some(State::Requested) => &[(Consumer, Kind::Request)],
        Some(State::Started) => &[(Consumer, Kind::Request), (Provider, Kind::Start)],
        Some(State::Suspended) => {
            &[(Consumer, Kind::Request), (Provider, Kind::Start), (Consumer, Kind::Suspend)]
        }
        Some(State::Completed) => {
            &[(Consumer, Kind::Request), (Provider, Kind::Start), (Provider, Kind::Complete)]
        }
        Some(State::Terminated) => &[(Consumer, Kind::Request), (Provider, Kind::Terminate)],
    };
    let party = way.iter().enumerate().fold(transfer(role, flow), |party, (n, (by, kind))| {
        pass(&party, *by, *kind, &format!("way-{n}")).expect("legal")
    });
    assert_eq!(party.state(), state);
    party
}

fn sent(party: &TransferProcess, kind: Kind, id: &str) -> TransferProcess {
    send(party, message(party.flow(), party.role(), kind), message_id(id), NOW).expect("legal").process
}

fn received(party: &TransferProcess, kind: Kind, id: &str) -> Result<TransferProcess, Refused> {
    let message = message(party.flow(), party.role().other(), kind);
    receive(party, Inbound::new(message, message_id(id)), NOW).map(|step| step.process)
}

fn answered(party: &TransferProcess, id: &str) -> TransferProcess {
    acknowledged(party, &message_id(id), None, NOW).process
}

fn states() -> impl Iterator<Item = Option<State>> {
    std::iter::once(None).chain(State::ALL.map(Some))
}

const FLOWS: [Flow; 2] = [Flow::Pull, Flow::Push];

#[test]
fn the_matrix_is_the_one_of_the_figure() {
    let mut matrix = String::new();
    for from in states() {
        matrix.push_str(&format!("{:<10}", from.map_or("(start)", State::as_str)));
        for kind in Kind::ALL {
            let by = |role, letter| if next(from, role, kind).is_some() { letter } else { "" };
            let cell = format!("{}{}", by(Role::Consumer, "C"), by(Role::Provider, "P"));
            matrix.push_str(&format!(" {:<9}", if cell.is_empty() { "." } else { &cell }));
        }
        matrix = format!("{}\n", matrix.trim_end());
    }
    let expected = "\
(start)    C         .         .         .         .
REQUESTED  .         P         .         .         CP
STARTED    .         .         CP        CP        CP
COMPLETED  .         .         .         .         .
SUSPENDED  .         CP        .         .         CP
TERMINATED .         .         .         .         .
";
    //         Request   Start     Suspend   Complete  Terminate
    assert_eq!(matrix, expected);
}

#[test]
fn table_and_functions_agree_in_every_case() {
    let mut cases = 0;
    for from in states() {
        for role in Role::ALL {
            for by in Role::ALL {
                for kind in Kind::ALL {
                    for flow in FLOWS {
                        match (next(from, by, kind), pass(&at(role, flow, from), by, kind, "case")) {
                            (Some(to), Ok(moved)) => assert_eq!(moved.state(), Some(to)),
                            (
                                None,
                                Err(Refused::Illegal { from: named, by: whose, kind: what, expected }),
                            ) => {
                                assert_eq!((named, whose, what), (from, by, kind));
                                assert!(expected.iter().all(|kind| next(from, by, *kind).is_some()));
                            }
                            (table, function) => {
                                panic!("{from:?} {role} {by} {kind}: {table:?}, {function:?}")
                            }
                        }
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 6 * 2 * 2 * 5 * 2);
}

#[test]
fn every_state_can_be_reached_and_can_end() {
    let mut reached = BTreeSet::from([None]);
    for _ in 0..State::ALL.len() {
        let more: Vec<_> =
            ARROWS.iter().filter(|arrow| reached.contains(&arrow.from)).map(|arrow| Some(arrow.to)).collect();
        reached.extend(more);
    }
    assert_eq!(reached.len(), 1 + State::ALL.len());
    for state in State::ALL {
        assert_eq!(ARROWS.iter().any(|arrow| arrow.from == Some(state)), !state.is_terminal(), "{state}");
    }
}

#[test]
fn a_request_has_an_address_exactly_when_data_is_pushed() {
    let request = |flow, address| {
        let message = Message::Request(address);
        receive(&transfer(Role::Provider, flow), Inbound::new(message, message_id("r")), NOW)
            .map(|step| step.process)
    };
    let some = || Some(Box::new(address("token")));
    assert_eq!(request(Flow::Pull, None).expect("legal").data_address(), None);
    assert_eq!(request(Flow::Push, some()).expect("legal").data_address(), Some(&address("token")));
    for (flow, address) in [(Flow::Pull, some()), (Flow::Push, None)] {
        assert!(matches!(request(flow, address), Err(Refused::Unfit { kind: Kind::Request, .. })));
    }
}

#[test]
fn a_pull_start_without_an_address_is_taken_but_never_sent() {
    let consumer = at(Role::Consumer, Flow::Pull, Some(State::Requested));
    let start = || Message::Start(None);
    let taken = receive(&consumer, Inbound::new(start(), message_id("s")), NOW).expect("tolerated").process;
    assert_eq!((taken.state(), taken.data_address()), (Some(State::Started), None));
    let provider = at(Role::Provider, Flow::Pull, Some(State::Requested));
    assert!(provider.start_carries_address());
    let refused = send(&provider, start(), message_id("s"), NOW).expect_err("we owe the address");
    assert_eq!(refused, Refused::Unfit { kind: Kind::Start, mismatch: Mismatch::OwnAddressMissing });
    let provider = at(Role::Provider, Flow::Push, Some(State::Requested));
    let refused = send(&provider, Message::Start(Some(Box::new(address("x")))), message_id("s"), NOW);
    assert!(matches!(refused, Err(Refused::Unfit { .. })));
}

#[test]
fn a_message_waits_while_the_data_plane_is_busy_but_no_termination_does() {
    let provider = at(Role::Provider, Flow::Pull, Some(State::Started));
    let busy = provider.with_step_begun(DataPlaneStep::Resume, NOW);
    for kind in [Kind::Suspend, Kind::Complete, Kind::Start] {
        let refused = received(&busy, kind, "m").expect_err("busy");
        assert_eq!(refused, Refused::Busy { kind, under_way: UnderWay::DataPlane(DataPlaneStep::Resume) });
    }
    assert_eq!(
        received(&busy, Kind::Suspend, "m").expect_err("busy").to_string(),
        "the suspension has to wait until the data plane's resumption has ended; try again shortly"
    );
    let repeat = Inbound::new(message(Flow::Pull, Role::Consumer, Kind::Request), message_id("way-0"));
    assert!(receive(&busy, repeat, NOW).expect("a repeat is answered").replay);
    assert!(received(&busy.clone().with_step_ended(NOW), Kind::Suspend, "m").is_ok());
    let ended = received(&busy, Kind::Terminate, "t").expect("taken");
    assert_eq!(ended.state(), Some(State::Terminated));
}

#[test]
fn a_transfer_that_the_peer_never_heard_of_ends_by_itself() {
    for flow in FLOWS {
        let fresh = at(Role::Consumer, flow, None);
        let step = withdrawn(&fresh, Explanation::new("c", "no more"), NOW);
        assert_eq!(step.process.state(), Some(State::Terminated));
        assert_eq!(step.process.termination().map(|ending| ending.by), Some(Role::Consumer));
        assert!(step.process.in_flight().is_none());
        assert!(withdrawn(&step.process, Explanation::default(), NOW).replay);
        assert!(withdrawn(&sent(&fresh, Kind::Request, "r"), Explanation::default(), NOW).replay);
    }
}

#[test]
fn the_address_comes_again_after_a_resume_of_the_other_party() {
    for flow in FLOWS {
        let owner = flow.address_owner();
        for role in Role::ALL {
            let suspended = at(role, flow, Some(State::Suspended));
            let resumed = pass(&suspended, owner.other(), Kind::Start, "resume").expect("legal");
            assert!(resumed.is_address_due() && resumed.state() == Some(State::Started));
            let renewed = pass(&resumed, owner, Kind::Start, "address").expect("legal once");
            assert_eq!((renewed.state(), renewed.is_address_due()), (Some(State::Started), false));
            assert!(matches!(pass(&renewed, owner, Kind::Start, "again"), Err(Refused::Illegal { .. })));
            assert!(matches!(
                pass(&resumed, owner.other(), Kind::Start, "again"),
                Err(Refused::Illegal { .. })
            ));
            // A resume of the owner brings the address at once.
            let resumed = pass(&suspended, owner, Kind::Start, "resume").expect("legal");
            assert!(!resumed.is_address_due());
            assert!(matches!(pass(&resumed, owner, Kind::Start, "again"), Err(Refused::Illegal { .. })));
        }
    }
}

#[test]
fn the_message_that_overtakes_the_acknowledgement_acknowledges() {
    let provider = sent(&at(Role::Provider, Flow::Pull, Some(State::Requested)), Kind::Start, "s");
    let message = message(Flow::Pull, Role::Consumer, Kind::Suspend);
    let step =
        receive(&provider, Inbound::new(message, message_id("p")), NOW).expect("legal after our start");
    let entered = |state| Effect::Emit(Event::Entered(state));
    assert_eq!(step.effects, [entered(State::Started), entered(State::Suspended)]);
    assert_eq!(step.process.data_address(), Some(&address("token")));
    assert!(acknowledged(&step.process, &message_id("s"), None, NOW).replay);
}

/// Both send at once, then each takes the other's message, or is asked to wait and tries again. Both must end
/// alike.
#[test]
fn messages_that_cross_end_alike_on_both_sides() {
    let cases = [
        (State::Started, Kind::Suspend, Kind::Suspend, State::Suspended),
        (State::Started, Kind::Suspend, Kind::Complete, State::Completed),
        (State::Started, Kind::Complete, Kind::Complete, State::Completed),
        (State::Started, Kind::Complete, Kind::Terminate, State::Terminated),
        (State::Started, Kind::Suspend, Kind::Terminate, State::Terminated),
        (State::Started, Kind::Terminate, Kind::Terminate, State::Terminated),
        (State::Suspended, Kind::Start, Kind::Start, State::Started),
        (State::Suspended, Kind::Start, Kind::Terminate, State::Terminated),
    ];
    for (from, one, other, end) in cases {
        for flow in FLOWS {
            for first in Role::ALL {
                let a = sent(&at(first, flow, Some(from)), one, "a");
                let b = sent(&at(first.other(), flow, Some(from)), other, "b");
                let (a, b) = cross(a, one, b, other);
                let outcome = [(a.state(), a.in_flight()), (b.state(), b.in_flight())];
                assert_eq!(outcome, [(Some(end), None); 2], "{one} × {other}");
                assert_eq!(a.data_address(), b.data_address(), "{one} × {other}");
            }
        }
    }
}

fn cross(
    mut a: TransferProcess,
    one: Kind,
    mut b: TransferProcess,
    other: Kind,
) -> (TransferProcess, TransferProcess) {
    for _ in 0..3 {
        if a.is_in_flight(&message_id("a")) {
            match received(&b, one, "a") {
                Ok(moved) => {
                    b = moved;
                    // The answer of this one is late: what crosses arrives first.
                    if b.is_in_flight(&message_id("b"))
                        && let Ok(moved) = received(&a, other, "b")
                    {
                        a = moved;
                        b = answered(&b, "b");
                    }
                    a = answered(&a, "a");
                }
                Err(refused) => assert!(matches!(refused, Refused::Busy { .. }), "{refused}"),
            }
        }
        if b.is_in_flight(&message_id("b")) {
            match received(&a, other, "b") {
                Ok(moved) => {
                    a = moved;
                    b = answered(&b, "b");
                }
                Err(refused) => assert!(matches!(refused, Refused::Busy { .. }), "{refused}"),
            }
        }
    }
    (a, b)
}

#[test]
fn what_cannot_be_delivered_ends_the_transfer() {
    let refused = Failure::Refused("400".to_owned());
    let unanswered = Failure::Unanswered("timeout".to_owned());
    let fail = |state, kind, failure: &Failure| {
        let sent = sent(&at(Role::Consumer, Flow::Pull, state), kind, "m");
        let step = abandoned(&sent, &message_id("m"), failure, message_id("notice"), NOW);
        (step.process.state().expect("a state"), step.process.is_in_flight(&message_id("notice")))
    };
    assert_eq!(fail(None, Kind::Request, &unanswered), (State::Terminated, false));
    assert_eq!(fail(Some(State::Started), Kind::Suspend, &refused), (State::Terminated, true));
    assert_eq!(fail(Some(State::Started), Kind::Complete, &refused), (State::Terminated, true));
    assert_eq!(fail(Some(State::Started), Kind::Complete, &unanswered), (State::Completed, false));
    assert_eq!(fail(Some(State::Started), Kind::Terminate, &unanswered), (State::Terminated, false));
}

#[test]
fn the_peer_is_told_that_a_message_could_not_be_delivered_and_the_owner_why() {
    let sent = sent(&at(Role::Consumer, Flow::Pull, Some(State::Started)), Kind::Suspend, "m");
    let why = Failure::Refused("the database at 10.0.0.7 is away".to_owned());
    let ended = abandoned(&sent, &message_id("m"), &why, message_id("notice"), NOW).process;
    let own = &ended.termination().expect("why").explanation.reason;
    assert_eq!(own, &["the suspension could not be delivered: the database at 10.0.0.7 is away"]);
    let Some(Message::Terminate(notice)) = ended.in_flight().map(|own| &own.message) else {
        panic!("a termination tells the peer");
    };
    assert_eq!(notice.reason, ["the suspension could not be delivered"]);
}

#[test]
fn the_state_that_the_peer_tells_settles_what_is_open() {
    let started = at(Role::Consumer, Flow::Pull, Some(State::Started));
    let told = |party: &TransferProcess, state| {
        let step = observed(party, state, NOW);
        (step.process.state().expect("a state"), step.process.in_flight().is_some())
    };
    assert_eq!(told(&sent(&started, Kind::Suspend, "s"), State::Suspended), (State::Started, true));
    let starting = sent(&at(Role::Provider, Flow::Pull, Some(State::Requested)), Kind::Start, "s");
    assert_eq!(told(&starting, State::Started), (State::Started, false));
    assert_eq!(told(&sent(&started, Kind::Suspend, "s"), State::Started), (State::Started, true));
    assert_eq!(told(&sent(&started, Kind::Suspend, "s"), State::Completed), (State::Completed, false));
    assert_eq!(told(&sent(&started, Kind::Terminate, "t"), State::Completed), (State::Completed, false));
    assert_eq!(told(&started, State::Terminated), (State::Terminated, false));
    assert_eq!(
        told(&at(Role::Provider, Flow::Pull, Some(State::Requested)), State::Completed).0,
        State::Requested
    );
    assert!(observed(&at(Role::Provider, Flow::Pull, Some(State::Completed)), State::Terminated, NOW).replay);
}

#[test]
fn a_process_that_is_over_keeps_no_secret() {
    let consumer = at(Role::Consumer, Flow::Pull, Some(State::Started));
    assert!(serde_json::to_string(&consumer).expect("JSON").contains("token"));
    for kind in [Kind::Complete, Kind::Terminate] {
        let over = pass(&consumer, Role::Provider, kind, "end").expect("legal");
        assert!(!serde_json::to_string(&over).expect("JSON").contains("token"));
    }
}

#[test]
fn the_stored_form_is_read_back() {
    let busy =
        at(Role::Provider, Flow::Push, Some(State::Requested)).with_step_begun(DataPlaneStep::Start, NOW);
    let waiting = sent(&at(Role::Provider, Flow::Pull, Some(State::Requested)), Kind::Start, "s");
    let waiting =
        send(&waiting, Message::Terminate(Explanation::default()), message_id("t"), NOW).expect("kept");
    for party in [busy, waiting.process, at(Role::Consumer, Flow::Pull, Some(State::Suspended))] {
        let text = serde_json::to_string(&party).expect("JSON");
        assert_eq!(serde_json::from_str::<TransferProcess>(&text).expect("its own form"), party);
    }
}
