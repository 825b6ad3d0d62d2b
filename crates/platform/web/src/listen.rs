//! Binding an address.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

/// An address that cannot be listened on. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else has the port.
    #[error("port {} of {} is in use; stop whoever has it, or choose another port (0 takes a free one)", .0.port(), .0.ip())]
    InUse(SocketAddr),
    /// The port needs rights that this user has not.
    #[error("port {} of {} needs rights that this user has not; choose a port from 1024 on", .0.port(), .0.ip())]
    Forbidden(SocketAddr),
    /// The address is not one of this machine.
    #[error("{} is not an address of this machine; choose 127.0.0.1, 0.0.0.0 or one that it has", .0.ip())]
    NotHere(SocketAddr),
    /// Anything else.
    #[error("{address} cannot be listened on: {reason}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        reason: io::Error,
    },
}

/// Listens on an address; connections wait in its queue until [`crate::serve`] takes them.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|reason| match reason.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(address),
        io::ErrorKind::PermissionDenied => BindError::Forbidden(address),
        io::ErrorKind::AddrNotAvailable => BindError::NotHere(address),
        _ => BindError::Other { address, reason },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("free");
        let address = first.local_addr().expect("bound");
        let error = bind(address).await.expect_err("taken").to_string();
        assert!(error.contains(&address.port().to_string()) && error.contains("in use"), "{error}");
    }
}
