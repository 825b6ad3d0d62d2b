//! What all tests here need.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range from which the system takes ports of its own accord, and beside that of PostgreSQL's tests.
const PORTS: std::ops::Range<u16> = 15_000..19_900;

/// Ports of the loopback interface that are free at this moment; nobody else of this process is given them.
pub fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    // Processes that start at the same moment begin at different places.
    let begin = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(count)).expect("it is below");
    let mut candidates = (0..count).map(|_| {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % count;
        PORTS.start + (begin + offset) % count
    });
    let mut free = || candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    std::array::from_fn(|_| free().expect("a free port"))
}
