//! The storage port's filtered lists as SQL, for both databases.
//!
//! Which index a list goes by is decided here and not by a planner: under row-level security PostgreSQL knows little of
//! what it filters, and SQLite keeps no statistics. The statements are written so that each has one sensible plan:
//!
//! * **Narrow**: a condition that an index finds at most a few thousand rows for. They are fetched, the other
//!   conditions probed one row at a time, the rest sorted. How many rows a condition finds is asked first, by a
//!   count that ends at the limit.
//! * **Stream**: the rows of one value or a few, which the index has in the order of their ids; the other conditions
//!   are probed as they come.
//! * **Sorted**: the rows in the order of a property, the conditions probed: numbers, then texts, then those without.
//! * **Scan**: the rows of a kind in their order, the conditions probed. Refused for more than
//!   [`SCAN_ROWS_MAX`](heddle_store::filter::SCAN_ROWS_MAX) rows when no condition has an index.
//!
//! A probe is a scalar subquery with a limit, which neither database turns into a join.
//!
//! Deliberately absent: connections, and everything that only one of the databases needs.

mod page;
mod select;
mod statement;
mod test;

pub use page::{Runner, count, rows};
pub use select::Whose;
pub use statement::{Dialect, Statement, Value};
