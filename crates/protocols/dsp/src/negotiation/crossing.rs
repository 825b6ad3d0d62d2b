//! How to read a message of the peer while a message of ours has not been answered.
//!
//! Two facts decide. A correct peer sends only what is legal in *its* state, which is ours, or ours after the
//! message in flight. And a peer with a termination under way takes nothing but a termination, so one that
//! terminates can never be surprised by its own finalisation.
//!
//! Only one pair is ambiguous: from OFFERED, the provider's new offer crosses the consumer's acceptance or
//! counter-offer, and neither names the offer that it answers. The provider then asks the consumer to wait. The
//! consumer takes the new offer: an acceptance it withdraws, and a counter-offer it takes for answered (most new
//! offers are such answers). Either way both stand at the new offer.

use super::{Kind, Negotiation, Refused, State, legal_kinds, next};

/// What an inbound message says about ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing: none of ours is in flight, or the inbound message ends the negotiation and ours with it.
    Plain,
    /// The peer can only have sent it after taking ours: apply ours first.
    Acknowledges,
    /// It makes ours pointless: ours will not be sent again.
    Withdraws,
    /// Both parties have ended the negotiation at once, and we knew already.
    BothTerminate,
}

/// Reads an inbound message of `kind`.
pub(super) fn read(negotiation: &Negotiation, kind: Kind) -> Result<Reading, Refused> {
    let by = negotiation.role.other();
    let direct = next(negotiation.state, by, kind).is_some();
    let illegal = || {
        let expected = legal_kinds(negotiation.state, by);
        Refused::Illegal { from: negotiation.state, by, kind, expected }
    };
    let Some(own) = negotiation.in_flight.as_ref().map(|flight| flight.message.kind()) else {
        return if direct { Ok(Reading::Plain) } else { Err(illegal()) };
    };
    match (own, kind) {
        (Kind::Terminate, Kind::Terminate) if negotiation.is_terminal() => Ok(Reading::BothTerminate),
        (_, _) if negotiation.is_terminal() => Err(illegal()),
        (Kind::Terminate, Kind::Terminate) => Ok(Reading::Plain),
        (_, Kind::Terminate) if direct => Ok(Reading::Plain),
        (Kind::Terminate, _) => Err(Refused::Busy { kind, in_flight: own }),
        (Kind::Offer, Kind::Accept | Kind::Request) if negotiation.state == Some(State::Offered) => {
            Err(Refused::Busy { kind, in_flight: own })
        }
        _ => {
            let after_ours = next(negotiation.state, negotiation.role, own);
            if after_ours.is_some_and(|state| next(Some(state), by, kind).is_some()) {
                Ok(Reading::Acknowledges)
            } else if direct {
                Ok(Reading::Withdraws)
            } else {
                Err(illegal())
            }
        }
    }
}
