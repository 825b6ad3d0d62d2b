//! A database that holds one commit back until the test lets it go: two things at one moment, in a known order.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use heddle_store::{
    Batch, Database, Receipt, StoreError, Write,
    testing::{Commits, Intercepted},
};
use heddle_tenancy::Access;
use tokio::sync::oneshot;

use crate::support::soon;

/// What a held commit writes.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// A row of this kind.
    Puts(&'static str),
    /// That a row of this kind goes.
    Deletes(&'static str),
}

impl What {
    fn is_in(self, batch: &Batch) -> bool {
        batch.writes.iter().any(|write| match (self, write) {
            (Self::Puts(wanted), Write::Put { kind, .. })
            | (Self::Deletes(wanted), Write::Delete { kind, .. }) => *kind == wanted,
            _ => false,
        })
    }
}

struct Trap {
    what: What,
    reached: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// A commit that will be held back.
pub struct Held {
    reached: Option<oneshot::Receiver<()>>,
    go: oneshot::Sender<()>,
}

impl Held {
    /// Waits until it is there.
    pub async fn reached(&mut self) {
        let reached = self.reached.take().expect("waited for once");
        soon("a commit to hold back", reached).await.expect("the database is there");
    }

    /// Lets it go.
    pub fn go(self) {
        self.go.send(()).expect("it waits");
    }
}

/// What holds commits back.
#[derive(Default)]
pub struct Gate {
    trap: Mutex<Option<Trap>>,
}

impl Gate {
    pub fn before(database: impl Database + 'static) -> Arc<Intercepted<Self>> {
        Arc::new(Intercepted::new(Arc::new(database), Self::default()))
    }

    /// Holds back the next commit that writes this.
    pub fn hold(&self, what: What) -> Held {
        let ((reached, is_reached), (go, goes)) = (oneshot::channel(), oneshot::channel());
        let trap = Trap { what, reached, go: goes };
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(trap);
        Held { reached: Some(is_reached), go }
    }

    fn trap_for(&self, batch: &Batch) -> Option<Trap> {
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        trap.take_if(|trap| trap.what.is_in(batch))
    }
}

#[async_trait]
impl Commits for Gate {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        if let Some(trap) = self.trap_for(&batch) {
            trap.reached.send(()).expect("the test waits");
            trap.go.await.expect("the test lets it go");
        }
        database.commit(access, batch).await
    }
}
