//! The bus over real databases: between replicas without polling, and consumers that remember how far they are.

mod consumers;
mod polls;
mod replicas;
mod support;
