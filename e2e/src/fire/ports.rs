//! Ports that a server can have again after it was killed.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the range from which the system takes ports for outgoing connections: while the server is away, nobody may
/// be given its port by accident.
const PORTS: std::ops::Range<u16> = 10_000..20_000;

/// A port of the loopback interface that nobody else of this process is given, and that is free at this moment.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    // Processes that start at the same moment begin at different places.
    let begin = std::process::id().wrapping_mul(53);
    let offsets = (0..count).map(|_| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count);
    offsets
        .map(|offset| PORTS.start + u16::try_from(offset).expect("it is below the count of the ports"))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
