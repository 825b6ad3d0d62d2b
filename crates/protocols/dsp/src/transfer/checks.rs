//! Whether the contents of a message fit the transfer.

use super::{Flow, Message, Refused, State, TransferProcess};
use crate::process::Role;

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A push without the consumer's address.
    #[error("the format '{format}' pushes data, so the request must have a 'dataAddress'")]
    AddressMissing {
        /// The format.
        format: String,
    },
    /// A pull with an address.
    #[error("the format '{format}' pulls data, so the request must not have a 'dataAddress'")]
    AddressUnexpected {
        /// The format.
        format: String,
    },
    /// A start of ours without the address that only we can give.
    #[error("a start by the owner of the data address must carry it")]
    OwnAddressMissing,
    /// A start of ours with an address although it is the peer's to give.
    #[error("a start must not carry a 'dataAddress' that is the peer's to give")]
    PeersAddress,
}

/// Checks what the table of arrows cannot say. A start of the peer is taken with or without an address (DSP
/// 2025-1 §"Transfer Start Message" requires one for pull, but peers leave it out); a start of ours must be
/// right.
pub(super) fn contents(process: &TransferProcess, by: Role, message: &Message) -> Result<(), Refused> {
    let format = || process.format.clone();
    let result = match (message, process.flow) {
        (Message::Request(None), Flow::Push) => Err(Mismatch::AddressMissing { format: format() }),
        (Message::Request(Some(_)), Flow::Pull) => Err(Mismatch::AddressUnexpected { format: format() }),
        (Message::Start(address), flow) if by == process.role => {
            let owner = flow.address_owner() == by;
            // The provider of a push starts with the address that the request brought: it has none to give.
            match (owner, address) {
                (true, None) => Err(Mismatch::OwnAddressMissing),
                (false, Some(_)) => Err(Mismatch::PeersAddress),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    };
    result.map_err(|mismatch| Refused::Unfit { kind: message.kind(), mismatch })
}

impl TransferProcess {
    /// Whether a start that we send now has to carry the data address.
    #[must_use]
    pub fn start_carries_address(&self) -> bool {
        self.role == self.flow.address_owner() && !self.state.is_some_and(State::is_terminal)
    }
}
