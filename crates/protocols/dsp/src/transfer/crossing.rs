//! How to read a message of the peer while a message of ours has not been answered.
//!
//! As in negotiations, a correct peer sends only what is legal in our state, or in ours after the message in
//! flight. But in STARTED and SUSPENDED both parties may speak, so their messages cross:
//!
//! | ours in flight | peer sends | what counts |
//! | --- | --- | --- |
//! | anything | termination | theirs; it is legal in every state, and ends ours |
//! | termination | anything else | ours; the peer waits for it |
//! | completion | completion | both, once |
//! | completion | suspension, start | ours; the peer waits for it |
//! | suspension | suspension | both; ours remains until it is answered, so as not to count later |
//! | suspension | completion | theirs |
//! | suspension | start | ours was taken; but if theirs is legal without ours, ours remains |
//! | start | suspension | ours, except from REQUESTED; the peer waits for it |
//! | start that resumes | start | both: if the address is ours, our start still has to bring it |

use super::{Kind, Refused, State, TransferProcess, refused::UnderWay};

/// What an inbound message says about ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing: none of ours is in flight, or ours ends with it, or ours remains under way.
    Plain,
    /// The peer can only have sent it after taking ours: apply ours first.
    Acknowledges,
    /// It does what ours would have done. Ours stays under way until it is answered.
    Overtakes,
    /// Both parties have ended the transfer at once, and we knew already.
    BothTerminate,
}

/// Reads an inbound message of `kind`.
pub(super) fn read(process: &TransferProcess, kind: Kind) -> Result<Reading, Refused> {
    let by = process.role.other();
    let direct = process.next(by, kind).is_some();
    let illegal = || Refused::Illegal { from: process.state, by, kind, expected: process.legal_kinds(by) };
    let Some(own) = process.in_flight.as_ref().map(|flight| flight.message.kind()) else {
        return if direct { Ok(Reading::Plain) } else { Err(illegal()) };
    };
    let busy = || Err(Refused::Busy { kind, under_way: UnderWay::Message(own) });
    let running = matches!(process.state, Some(State::Started | State::Suspended));
    match (own, kind) {
        (Kind::Terminate, Kind::Terminate) if process.is_terminal() => Ok(Reading::BothTerminate),
        (_, _) if process.is_terminal() => Err(illegal()),
        (_, Kind::Terminate) if direct => Ok(Reading::Plain),
        (Kind::Terminate, _) => busy(),
        (Kind::Complete, Kind::Complete) => Ok(Reading::Plain),
        (Kind::Complete, _) => busy(),
        (Kind::Start, Kind::Suspend) if running => busy(),
        // Ours stays under way: what the peer sent is not an answer to it.
        (Kind::Suspend, Kind::Suspend) if direct => Ok(Reading::Overtakes),
        (Kind::Suspend, Kind::Start) if direct => Ok(Reading::Plain),
        (Kind::Start, Kind::Start) if direct && process.role == process.flow.address_owner() => {
            Ok(Reading::Plain)
        }
        _ if legal_after_ours(process, own, kind) => Ok(Reading::Acknowledges),
        _ if direct => Ok(Reading::Plain),
        _ => Err(illegal()),
    }
}

fn legal_after_ours(process: &TransferProcess, own: Kind, kind: Kind) -> bool {
    let Some(to) = process.next(process.role, own) else { return false };
    let owner = process.flow.address_owner();
    let after = TransferProcess {
        address_due: process.state == Some(State::Suspended) && own == Kind::Start && process.role != owner,
        state: Some(to),
        ..process.clone()
    };
    after.next(process.role.other(), kind).is_some()
}
