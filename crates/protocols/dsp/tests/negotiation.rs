//! The negotiation machine: its matrix, the agreement of table and functions, and the cases that a table
//! cannot say.

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::collections::BTreeSet;

use heddle_dsp::{
    negotiation::{
        ARROWS, Effect, Event, Kind, Message, Mismatch, Negotiation, Refused, Source, State, abandoned,
        acknowledged, next, observed, receive, send,
    },
    process::{Explanation, Failure, Inbound, Role},
};
use heddle_odrl::Policy;
use support::{NOW, agreement, message_id, negotiation, offer, pid};

fn message(kind: Kind) -> Message {
    match kind {
        Kind::Request => Message::Request(Box::new(offer("use"))),
        Kind::Offer => Message::Offer(Box::new(offer("use"))),
        Kind::Accept => Message::Accept,
        Kind::Agree => Message::Agree(Box::new(agreement(&offer("use")))),
        Kind::Verify => Message::Verify,
        Kind::Finalize => Message::Finalize,
        Kind::Terminate => Message::Terminate(Explanation::new("1", "enough")),
    }
}

/// A message of `by` takes its whole way in the copy of `role`.
fn pass(party: &Negotiation, by: Role, message: Message, id: &str) -> Result<Negotiation, Refused> {
    if by == party.role() {
        let sent = send(party, message, message_id(id), NOW)?;
        Ok(acknowledged(&sent.negotiation, &message_id(id), Some(pid(by.other())), NOW).negotiation)
    } else {
        Ok(receive(party, Inbound::new(message, message_id(id)).from_process(pid(by)), NOW)?.negotiation)
    }
}

/// The copy of `role` of a negotiation in `state`.
fn at(role: Role, state: Option<State>) -> Negotiation {
    use Role::{Consumer, Provider};
    let way: &[(Role, Kind)] = match state {
        None => &[],
        Some(State::Requested) => &[(Consumer, Kind::Request)],
        Some(State::Offered) => &[(Provider, Kind::Offer)],
        Some(State::Accepted) => &[(Provider, Kind::Offer), (Consumer, Kind::Accept)],
        Some(State::Agreed) => &[(Consumer, Kind::Request), (Provider, Kind::Agree)],
        Some(State::Verified) => {
            &[(Consumer, Kind::Request), (Provider, Kind::Agree), (Consumer, Kind::Verify)]
        }
        Some(State::Finalized) => &[
            (Consumer, Kind::Request),
            (Provider, Kind::Agree),
            (Consumer, Kind::Verify),
            (Provider, Kind::Finalize),
        ],
        Some(State::Terminated) => &[(Consumer, Kind::Request), (Provider, Kind::Terminate)],
    };
    let party = way.iter().enumerate().fold(negotiation(role), |party, (n, (by, kind))| {
        pass(&party, *by, message(*kind), &format!("way-{n}")).expect("legal")
    });
    assert_eq!(party.state(), state);
    party
}

fn states() -> impl Iterator<Item = Option<State>> {
    std::iter::once(None).chain(State::ALL.map(Some))
}

#[test]
fn the_matrix_is_the_one_that_was_decided() {
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
(start)    C         P         .         .         .         .         .
REQUESTED  .         P         .         P         .         .         CP
OFFERED    C         P         C         .         .         .         CP
ACCEPTED   .         .         .         P         .         .         CP
AGREED     .         .         .         .         C         .         CP
VERIFIED   .         .         .         .         .         P         CP
FINALIZED  .         .         .         .         .         .         .
TERMINATED .         .         .         .         .         .         .
";
    //         Request   Offer     Accept    Agree     Verify    Finalize  Terminate
    assert_eq!(matrix, expected);
}

#[test]
fn what_the_figure_lacks_is_known() {
    let others: Vec<String> = ARROWS
        .iter()
        .filter(|arrow| arrow.source != Source::Figure)
        .map(|arrow| format!("{:?} {} {}", arrow.from.expect("a state"), arrow.by, arrow.kind))
        .collect();
    assert_eq!(
        others,
        [
            "Offered provider offer",
            "Accepted consumer termination",
            "Agreed provider termination",
            "Verified consumer termination"
        ]
    );
}

#[test]
fn table_and_functions_agree_in_every_case() {
    let mut cases = 0;
    for from in states() {
        for role in Role::ALL {
            for by in Role::ALL {
                for kind in Kind::ALL {
                    let party = at(role, from);
                    match (next(from, by, kind), pass(&party, by, message(kind), "case")) {
                        (Some(to), Ok(moved)) => assert_eq!(moved.state(), Some(to)),
                        (None, Err(Refused::Illegal { from: named, by: whose, kind: what, expected })) => {
                            assert_eq!((named, whose, what), (from, by, kind));
                            assert!(expected.iter().all(|kind| next(from, by, *kind).is_some()));
                        }
                        (table, function) => panic!("{from:?} {role} {by} {kind}: {table:?}, {function:?}"),
                    }
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 8 * 2 * 2 * 7);
}

#[test]
fn every_state_can_be_reached_and_can_end() {
    let mut reached = BTreeSet::from([None]);
    for _ in 0..State::ALL.len() {
        reached.extend(
            ARROWS
                .iter()
                .filter(|arrow| reached.contains(&arrow.from))
                .map(|arrow| Some(arrow.to))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(reached.len(), 1 + State::ALL.len());
    for state in State::ALL {
        let leaves = ARROWS.iter().any(|arrow| arrow.from == Some(state));
        assert_eq!(leaves, !state.is_terminal(), "{state}");
    }
}

#[test]
fn a_repeated_message_is_answered_and_changes_nothing() {
    let provider = at(Role::Provider, Some(State::Agreed));
    let verify = || Inbound::new(Message::Verify, message_id("v"));
    let first = receive(&provider, verify(), NOW).expect("legal");
    assert!(!first.replay);
    let second = receive(&first.negotiation, verify(), NOW).expect("a repeat is no error");
    assert!(second.replay && second.effects.is_empty());
    assert_eq!(second.negotiation, first.negotiation);
    // The same message under another id, or under none, is a new one.
    let anew = Inbound { message_id: None, ..verify() };
    assert!(matches!(receive(&first.negotiation, anew, NOW), Err(Refused::Illegal { .. })));
}

#[test]
fn our_state_moves_when_the_peer_has_answered() {
    let consumer = negotiation(Role::Consumer);
    let sent = send(&consumer, message(Kind::Request), message_id("r"), NOW).expect("legal");
    assert_eq!(sent.negotiation.state(), None);
    assert_eq!(sent.effects.len(), 2);
    assert_eq!(sent.effects[0], Effect::Emit(Event::Initiated));
    assert!(send(&sent.negotiation, message(Kind::Request), message_id("r"), NOW).expect("again").replay);
    let moved = acknowledged(&sent.negotiation, &message_id("r"), Some(pid(Role::Provider)), NOW);
    assert_eq!(moved.effects, [Effect::Emit(Event::Entered(State::Requested))]);
    assert_eq!(moved.negotiation.peer_pid(), Some(&pid(Role::Provider)));
    let late = acknowledged(&moved.negotiation, &message_id("r"), Some(pid(Role::Provider)), NOW);
    assert!(late.replay && late.effects.is_empty() && late.negotiation == moved.negotiation);
}

#[test]
fn an_answer_that_overtakes_the_acknowledgement_acknowledges() {
    let consumer = negotiation(Role::Consumer);
    let sent = send(&consumer, message(Kind::Request), message_id("r"), NOW).expect("legal").negotiation;
    let inbound = Inbound::new(message(Kind::Agree), message_id("a")).from_process(pid(Role::Provider));
    let step = receive(&sent, inbound, NOW).expect("legal after our request");
    assert_eq!(
        step.effects,
        [Effect::Emit(Event::Entered(State::Requested)), Effect::Emit(Event::Entered(State::Agreed))]
    );
    assert_eq!(step.negotiation.in_flight(), None);
    assert_eq!(step.negotiation.peer_pid(), Some(&pid(Role::Provider)));
    assert!(acknowledged(&step.negotiation, &message_id("r"), None, NOW).replay);
    // Without our message under way it is illegal.
    let inbound = Inbound::new(message(Kind::Agree), message_id("a"));
    assert!(matches!(receive(&consumer, inbound, NOW), Err(Refused::Illegal { .. })));
}

#[test]
fn a_new_offer_that_crosses_the_acceptance_wins() {
    let consumer = at(Role::Consumer, Some(State::Offered));
    let consumer = send(&consumer, Message::Accept, message_id("a"), NOW).expect("legal").negotiation;
    let provider = at(Role::Provider, Some(State::Offered));
    let other = Message::Offer(Box::new(offer("read")));
    let provider = send(&provider, other.clone(), message_id("o"), NOW).expect("legal").negotiation;

    let waits = receive(&provider, Inbound::new(Message::Accept, message_id("a")), NOW);
    assert!(matches!(waits, Err(Refused::Busy { kind: Kind::Accept, in_flight: Kind::Offer })), "{waits:?}");
    let taken = receive(&consumer, Inbound::new(other, message_id("o")), NOW).expect("legal").negotiation;
    assert_eq!((taken.state(), taken.in_flight()), (Some(State::Offered), None));
    assert_eq!(taken.last_offer_id().expect("an offer").as_str(), "urn:offer:read");
}

#[test]
fn a_termination_waits_for_the_message_under_way_and_then_goes_out() {
    let provider = at(Role::Provider, Some(State::Requested));
    let agreed = send(&provider, message(Kind::Agree), message_id("a"), NOW).expect("legal").negotiation;
    assert!(matches!(send(&agreed, message(Kind::Offer), message_id("o"), NOW), Err(Refused::Busy { .. })));
    assert_eq!(agreed.may_send(), [Kind::Terminate]);
    let queued = send(&agreed, message(Kind::Terminate), message_id("t"), NOW).expect("kept");
    assert!(queued.effects.is_empty() && queued.negotiation.is_in_flight(&message_id("a")));
    let step = acknowledged(&queued.negotiation, &message_id("a"), None, NOW);
    assert!(step.negotiation.is_in_flight(&message_id("t")) && step.sends());
    assert_eq!(step.negotiation.state(), Some(State::Agreed));
    // The peer's verification has crossed it: it waits, the termination goes first.
    let crossed = receive(&step.negotiation, Inbound::new(Message::Verify, message_id("v")), NOW);
    assert!(matches!(crossed, Err(Refused::Busy { .. })));
    let ended = acknowledged(&step.negotiation, &message_id("t"), None, NOW).negotiation;
    assert_eq!(ended.state(), Some(State::Terminated));
    assert_eq!(ended.termination().expect("why").explanation, Explanation::new("1", "enough"));
}

#[test]
fn what_cannot_be_delivered_ends_the_negotiation() {
    let [refused, unanswered] = [Failure::Refused("400".into()), Failure::Unanswered("timeout".into())];
    let fail = |state, role, kind, failure: &Failure| {
        let sent = send(&at(role, state), message(kind), message_id("m"), NOW).expect("legal").negotiation;
        abandoned(&sent, &message_id("m"), failure, message_id("notice"), NOW)
    };
    let told = fail(Some(State::Agreed), Role::Consumer, Kind::Verify, &refused);
    assert_eq!(told.negotiation.state(), Some(State::Terminated));
    assert!(told.sends() && told.negotiation.is_in_flight(&message_id("notice")));
    let reason = &told.negotiation.termination().expect("why").explanation.reason[0];
    assert_eq!(reason, "the verification could not be delivered: 400");
    // Why is for the owner alone.
    let notice = Explanation::new("message-not-delivered", "the verification could not be delivered");
    assert_eq!(told.negotiation.in_flight().expect("a notice").message, Message::Terminate(notice));
    // The notice is delivered, or the peer's own termination crosses it.
    let over = acknowledged(&told.negotiation, &message_id("notice"), None, NOW).negotiation;
    assert_eq!((over.state(), over.in_flight()), (Some(State::Terminated), None));
    let crossed = Inbound::new(message(Kind::Terminate), message_id("t"));
    assert_eq!(receive(&told.negotiation, crossed, NOW).expect("both").negotiation.in_flight(), None);
    let verify = Inbound::new(Message::Finalize, message_id("f"));
    assert!(matches!(receive(&told.negotiation, verify, NOW), Err(Refused::Illegal { .. })));

    let alone = fail(None, Role::Consumer, Kind::Request, &unanswered);
    assert_eq!((alone.negotiation.state(), alone.sends()), (Some(State::Terminated), false));
    let final_unknown = fail(Some(State::Verified), Role::Provider, Kind::Finalize, &unanswered);
    assert_eq!((final_unknown.negotiation.state(), final_unknown.sends()), (Some(State::Finalized), false));
    let final_refused = fail(Some(State::Verified), Role::Provider, Kind::Finalize, &refused);
    assert_eq!((final_refused.negotiation.state(), final_refused.sends()), (Some(State::Terminated), true));
    let end = fail(Some(State::Agreed), Role::Provider, Kind::Terminate, &unanswered);
    assert_eq!((end.negotiation.state(), end.sends()), (Some(State::Terminated), false));
    assert_eq!(end.negotiation.termination().expect("why").explanation, Explanation::new("1", "enough"));
    let stale = abandoned(&end.negotiation, &message_id("m"), &refused, message_id("n"), NOW);
    assert!(stale.replay && stale.effects.is_empty());
}

#[test]
fn the_state_that_the_peer_tells_settles_what_is_open() {
    let told = |party: &Negotiation, state| observed(party, state, NOW);
    let waiting =
        send(&at(Role::Consumer, Some(State::Agreed)), Message::Verify, message_id("v"), NOW).expect("legal");
    let waiting = waiting.negotiation;
    for (says, becomes) in [(State::Verified, State::Verified), (State::Finalized, State::Finalized)] {
        let step = told(&waiting, says);
        assert_eq!((step.negotiation.state(), step.negotiation.in_flight()), (Some(becomes), None));
    }
    assert!(told(&waiting, State::Agreed).replay);
    assert!(told(&at(Role::Consumer, Some(State::Agreed)), State::Finalized).replay, "we have not verified");
    // A final state of the peer counts for us, even if we are about to end the negotiation.
    let verified = at(Role::Consumer, Some(State::Verified));
    let ending = send(&verified, message(Kind::Terminate), message_id("t"), NOW).expect("legal").negotiation;
    assert_eq!(told(&ending, State::Finalized).negotiation.state(), Some(State::Finalized));
    assert_eq!(told(&verified, State::Terminated).negotiation.state(), Some(State::Terminated));
    assert!(
        told(&at(Role::Provider, Some(State::Verified)), State::Finalized).replay,
        "only the provider finalises"
    );
    assert!(told(&at(Role::Consumer, Some(State::Finalized)), State::Terminated).replay);
}

#[test]
fn an_agreement_must_be_the_one_that_was_offered() {
    let judge = |change: fn(&mut Policy)| {
        let mut policy = agreement(&offer("use"));
        change(&mut policy);
        let inbound = Inbound::new(Message::Agree(Box::new(policy.clone())), message_id("a"));
        let received = receive(&at(Role::Consumer, Some(State::Requested)), inbound, NOW).map(|_| ());
        let message = Message::Agree(Box::new(policy));
        let sent =
            send(&at(Role::Provider, Some(State::Requested)), message, message_id("a"), NOW).map(|_| ());
        assert_eq!(received, sent, "both sides hold the same");
        match received {
            Ok(()) => None,
            Err(Refused::Unfit { kind: Kind::Agree, mismatch }) => Some(mismatch),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(judge(|_| {}), None);
    assert_eq!(judge(|policy| policy.timestamp = Some("2026-01-31T12:00:00".to_owned())), None);
    assert_eq!(judge(|policy| policy.permission[0].action = "read".to_owned()), Some(Mismatch::Terms));
    let doubled = judge(|policy| policy.prohibition = policy.permission.clone());
    assert_eq!(doubled, Some(Mismatch::Terms));
    assert_eq!(judge(|policy| policy.timestamp = None), Some(Mismatch::Timestamp(None)));
    assert!(matches!(
        judge(|policy| policy.timestamp = Some("soon".to_owned())),
        Some(Mismatch::Timestamp(_))
    ));
    let member = |mismatch| match mismatch {
        Some(Mismatch::Member { member, .. }) => member,
        other => panic!("{other:?}"),
    };
    assert_eq!(member(judge(|policy| policy.target = Some("other".to_owned()))), "target");
    assert_eq!(member(judge(|policy| policy.assigner = policy.assignee.clone())), "assigner");
    assert_eq!(member(judge(|policy| policy.assignee = Some("did:web:else.example".to_owned()))), "assignee");
    assert!(matches!(judge(|policy| policy.assigner = None), Some(Mismatch::Invalid(_))));
    assert!(matches!(
        judge(|policy| policy.kind = heddle_odrl::PolicyKind::Offer),
        Some(Mismatch::PolicyKind { .. })
    ));
}

#[test]
fn offers_are_about_the_dataset_and_not_endless() {
    let about = |target: Option<&str>| {
        let mut policy = offer("use");
        policy.target = target.map(ToOwned::to_owned);
        receive(
            &negotiation(Role::Provider),
            Inbound::new(Message::Request(Box::new(policy)), message_id("r")),
            NOW,
        )
    };
    assert!(about(Some(support::DATASET)).is_ok());
    for wrong in [None, Some("urn:asset:2")] {
        assert!(matches!(about(wrong), Err(Refused::Unfit { kind: Kind::Request, .. })));
    }
    let mut provider = at(Role::Provider, Some(State::Offered));
    for n in 1..Negotiation::OFFERS_MAX {
        provider = pass(&provider, Role::Provider, message(Kind::Offer), &format!("o{n}")).expect("legal");
    }
    let one_more = send(&provider, message(Kind::Offer), message_id("o"), NOW);
    assert!(matches!(one_more, Err(Refused::TooManyOffers { .. })));
    let shown = one_more.expect_err("refused").to_string();
    assert_eq!(shown, "the negotiation has reached 64 offers; accept the last one or terminate");
}

#[test]
fn another_process_of_the_peer_is_refused() {
    let consumer = at(Role::Consumer, Some(State::Requested));
    let other = heddle_ids::ProviderPid::parse("urn:pid:other").expect("legal");
    let inbound = Inbound::new(message(Kind::Agree), message_id("a")).from_process(other);
    assert!(matches!(receive(&consumer, inbound, NOW), Err(Refused::OtherProcess { .. })));
    let inbound = Inbound::new(message(Kind::Agree), message_id("a")).from_process(pid(Role::Consumer));
    assert!(matches!(receive(&consumer, inbound, NOW), Err(Refused::OtherProcess { .. })));
}

#[test]
fn a_refusal_says_what_was_legal() {
    let refusal = receive(
        &at(Role::Provider, Some(State::Offered)),
        Inbound::new(Message::Verify, message_id("v")),
        NOW,
    );
    assert_eq!(
        refusal.expect_err("illegal").to_string(),
        "the consumer may not send a verification in state OFFERED; legal there: request, acceptance, termination"
    );
}

#[test]
fn the_stored_form_is_read_back() {
    let sent =
        send(&at(Role::Consumer, Some(State::Agreed)), Message::Verify, message_id("v"), NOW).expect("legal");
    let ended = at(Role::Provider, Some(State::Terminated));
    for party in
        [negotiation(Role::Provider), sent.negotiation, ended, at(Role::Consumer, Some(State::Finalized))]
    {
        let text = serde_json::to_string(&party).expect("JSON");
        assert_eq!(serde_json::from_str::<Negotiation>(&text).expect("its own form"), party);
    }
}
