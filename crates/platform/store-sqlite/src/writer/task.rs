//! A piece of work on its way through the writer.

use heddle_store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Moved;
use crate::error::of_group;

/// What the writer thread sees of a piece of work.
pub(super) trait Work: Send {
    /// Writes; `None` when it failed and what it wrote must be undone.
    fn apply(&mut self, connection: &Connection) -> Option<Moved>;

    /// Answers whoever waits, after the group's outcome is known.
    fn answer(self: Box<Self>, group: Result<(), &rusqlite::Error>);
}

/// A piece of work with its result and the place where its answer goes.
pub(super) struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Task<T, F> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { work: Some(work), result: None, reply }
    }
}

impl<T, F> Work for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<(T, Moved), StoreError> + Send,
{
    fn apply(&mut self, connection: &Connection) -> Option<Moved> {
        let work = self.work.take()?;
        match work(connection) {
            Ok((value, moved)) => {
                self.result = Some(Ok(value));
                Some(moved)
            }
            Err(error) => {
                self.result = Some(Err(error));
                None
            }
        }
    }

    fn answer(self: Box<Self>, group: Result<(), &rusqlite::Error>) {
        let answer = match (group, self.result) {
            // Its own reason is the more telling one.
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(of_group(error)),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Unavailable { reason: "the write was not done".to_owned() }),
        };
        // Whoever asked may have gone away.
        drop(self.reply.send(answer));
    }
}
