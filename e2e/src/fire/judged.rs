//! The database of a server whose commits somebody else counts, and of which it may die.

use std::{
    io::{self, BufRead, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use heddle::server::Database as Inner;
use heddle_store::{
    Batch, Database, Receipt, StoreError,
    testing::{Commits, Intercepted},
};
use heddle_tenancy::Access;
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use crate::dying::{Entry, Side};

/// What a server tells the arbiter, a line for each.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// Its name; the first line.
    Name(String),
    /// A commit begins. The arbiter answers with a [`Verdict`].
    Begin(Entry),
    /// The commit of this number has ended, well or not.
    End(u64, bool),
}

/// What the arbiter says of a commit: on which side of it the server dies, if it does.
pub(super) type Verdict = Option<Side>;

/// Asks before each commit, and dies when it is told to.
pub struct Judged {
    arbiter: Mutex<BufReader<UnixStream>>,
    commits: AtomicU64,
}

impl Judged {
    /// In front of `inner`; the arbiter listens at `path` and knows this server as `name`.
    pub fn before(inner: Inner, path: &Path, name: &str) -> io::Result<Inner> {
        let arbiter = Mutex::new(BufReader::new(UnixStream::connect(path)?));
        let judged = Self { arbiter, commits: AtomicU64::new(0) };
        judged.tell(&Word::Name(name.to_owned()))?;
        Ok(Arc::new(Intercepted::new(inner, judged)))
    }

    fn tell(&self, word: &Word) -> io::Result<()> {
        let mut arbiter = self.arbiter.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut arbiter, word)
    }

    fn ask(&self, entry: Entry) -> io::Result<Verdict> {
        let mut arbiter = self.arbiter.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut arbiter, &Word::Begin(entry))?;
        let mut line = String::new();
        arbiter.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

fn write(arbiter: &mut BufReader<UnixStream>, word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    arbiter.get_mut().write_all(&line)
}

fn die() -> ! {
    kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
    loop {
        std::thread::park();
    }
}

#[async_trait]
impl Commits for Judged {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        let silent = |error| StoreError::Unusable { reason: format!("the arbiter does not answer: {error}") };
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let verdict = self.ask(Entry::of(number, &access, &batch)).map_err(silent)?;
        if verdict == Some(Side::Before) {
            die();
        }
        let result = database.commit(access, batch).await;
        self.tell(&Word::End(number, result.is_ok())).map_err(silent)?;
        if verdict == Some(Side::After) && result.is_ok() {
            die();
        }
        result
    }
}
