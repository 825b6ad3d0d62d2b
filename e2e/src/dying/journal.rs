//! What a server has committed, a line for each commit, readable after its death.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use heddle_store::{Batch, Write};
use heddle_tenancy::Access;
use serde::{Deserialize, Serialize};

use super::Side;

/// An aggregate that a commit writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The state that the commit brings it to, if it has states.
    #[serde(default)]
    pub state: Option<String>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number; the first commit of a life is 1.
    pub commit: u64,
    /// Whose rows it writes.
    pub owner: String,
    /// The aggregates that it writes.
    pub aggregates: Vec<Aggregate>,
    /// The kinds of the jobs that it enqueues.
    pub jobs: Vec<String>,
    /// The types of the events that it emits.
    pub events: Vec<String>,
    /// On which side of it the server has died; such a line is a journal's last.
    #[serde(default)]
    pub killed: Option<Side>,
}

impl Entry {
    /// What a batch is about to do.
    pub fn of(commit: u64, access: &Access, batch: &Batch) -> Self {
        let owner = access.owner().to_string();
        let mut entry = Self {
            commit,
            owner,
            aggregates: Vec::new(),
            jobs: Vec::new(),
            events: Vec::new(),
            killed: None,
        };
        for write in &batch.writes {
            match write {
                Write::Put { kind, id, columns, .. } => entry.aggregates.push(Aggregate {
                    kind: (*kind).to_owned(),
                    id: id.clone(),
                    state: columns.state.as_ref().map(ToString::to_string),
                }),
                Write::Enqueue { job, .. } => entry.jobs.push(job.kind.clone()),
                Write::Emit(event) => entry.events.push(event.kind.clone()),
                _ => {}
            }
        }
        entry
    }

    /// What a commit may be named by: `kind`, `kind/id` and `kind:state` of its aggregates, types of events and
    /// kinds of jobs.
    pub fn labels(&self) -> impl Iterator<Item = String> {
        let of_one = |one: &Aggregate| {
            let state = one.state.as_ref().map(|state| format!("{}:{state}", one.kind));
            [Some(one.kind.clone()), Some(format!("{}/{}", one.kind, one.id)), state]
        };
        let aggregates = self.aggregates.iter().flat_map(of_one).flatten();
        aggregates.chain(self.events.iter().cloned()).chain(self.jobs.iter().cloned())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "commit {} of {}:", self.commit, self.owner)?;
        for Aggregate { kind, id, state } in &self.aggregates {
            write!(f, " {kind} {id}")?;
            if let Some(state) = state {
                write!(f, " in state {state}")?;
            }
            f.write_str(",")?;
        }
        write!(f, " jobs {:?}, events {:?}", self.jobs, self.events)
    }
}

/// A journal that is being written.
pub struct Journal(Mutex<File>);

impl Journal {
    /// Goes on in the file at `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(OpenOptions::new().append(true).create(true).open(path)?)))
    }

    /// Adds a line in one write, so that a killed process leaves no half of one.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

/// Reads a journal.
pub fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}
