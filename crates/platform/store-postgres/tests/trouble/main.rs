//! What may go wrong around a PostgreSQL database, and what must hold then: other releases, servers that are slow or
//! silent, roles that protect nobody, commits that overtake one another.

mod durability;
mod proxy;
mod release;
mod roles;
mod sequencer;
mod slow;
mod support;
