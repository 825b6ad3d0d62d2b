//! Who counts the commits of a story, and says which of them is a server's last.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    io::{self, BufRead, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use tempfile::TempDir;

use super::{
    Point, Progress,
    judged::{Verdict, Word},
};
use crate::dying::{Entry, Side};

/// A death that is to come: of the server that makes the commit at this place of the story, or the first one behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Where in the story.
    pub at: Point,
    /// On which side of the commit.
    pub side: Side,
}

/// A death that has come.
#[derive(Debug, Clone)]
pub struct Death {
    /// Whose.
    pub server: String,
    /// On which side of the commit.
    pub side: Side,
    /// The commit.
    pub entry: Entry,
    /// Where in the story.
    pub at: Point,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, side, entry, at } = self;
        write!(f, "{server} killed at step {}+{} {side} {entry}", at.steps, at.behind)
    }
}

/// Listens to the servers of a story. It ends with its value; servers that commit then fail to.
pub struct Arbiter {
    folder: TempDir,
    ledger: Arc<Mutex<Ledger>>,
}

#[derive(Default)]
struct Ledger {
    progress: Progress,
    /// In the order of the story.
    fates: VecDeque<Fate>,
    deaths: Vec<Death>,
    commits: Vec<(Point, Entry)>,
    /// The story has begun: what servers do at their first start is not of it.
    begun: bool,
    /// A label of a commit of which it is known that the story ends soon.
    last: &'static str,
}

impl Arbiter {
    /// Listens.
    pub fn start() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(socket(&folder))?;
        let ledger = Arc::<Mutex<Ledger>>::default();
        let heard = ledger.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let heard = heard.clone();
                // It ends with the server.
                thread::spawn(move || attend(stream, &heard));
            }
        });
        Ok(Self { folder, ledger })
    }

    /// Where it listens.
    pub fn path(&self) -> PathBuf {
        socket(&self.folder)
    }

    /// The story begins; these are the deaths that come in it. Should it take fewer steps than were thought, those
    /// that are left come at the commit that is labelled `last`, and at the next ones.
    pub fn begin(&self, mut fates: Vec<Fate>, last: &'static str) {
        fates.sort_by_key(|fate| fate.at);
        *locked(&self.ledger) = Ledger { fates: fates.into(), begun: true, last, ..Ledger::default() };
    }

    /// The story is over: nobody dies any more.
    pub fn end(&self) {
        locked(&self.ledger).fates.clear();
    }

    /// The deaths so far.
    pub fn deaths(&self) -> Vec<Death> {
        locked(&self.ledger).deaths.clone()
    }

    /// The commits so far that were begun, with their places.
    pub fn commits(&self) -> Vec<(Point, Entry)> {
        locked(&self.ledger).commits.clone()
    }
}

fn socket(folder: &TempDir) -> PathBuf {
    Path::new(folder.path()).join("arbiter")
}

fn locked(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to one server until it ends.
fn attend(stream: UnixStream, ledger: &Mutex<Ledger>) {
    let mut own = Own::default();
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
        match serde_json::from_str(&line) {
            Ok(Word::Name(name)) => own.name = name,
            Ok(Word::Begin(entry)) => {
                let mut answer = serde_json::to_vec(&own.begin(entry, ledger)).expect("a verdict is JSON");
                answer.push(b'\n');
                // A server that does not hear it has died; the next line is none.
                lines.get_mut().write_all(&answer).ok();
            }
            Ok(Word::End(number, well)) => own.end(number, well, ledger),
            // Half a line, of a server that was killed while it spoke.
            Err(_) => return,
        }
        line.clear();
    }
}

/// What is known of one server.
#[derive(Default)]
struct Own {
    name: String,
    /// It dies already: another death would be none.
    doomed: bool,
    under_way: HashMap<u64, (Entry, Option<Fate>, Point)>,
}

impl Own {
    fn begin(&mut self, entry: Entry, ledger: &Mutex<Ledger>) -> Verdict {
        let mut ledger = locked(ledger);
        if !ledger.begun {
            return None;
        }
        let at = ledger.progress.begin();
        ledger.commits.push((at, entry.clone()));
        if entry.labels().any(|label| label == ledger.last) {
            ledger.fates.iter_mut().for_each(|fate| fate.at = fate.at.min(at));
        }
        let fate = ledger.fates.pop_front_if(|fate| !self.doomed && fate.at <= at);
        self.doomed |= fate.is_some();
        let side = fate.map(|fate| fate.side);
        if side == Some(Side::Before) {
            self.dies(&mut ledger, Side::Before, &entry, at);
        }
        self.under_way.insert(entry.commit, (entry, fate, at));
        side
    }

    fn end(&mut self, number: u64, well: bool, ledger: &Mutex<Ledger>) {
        let Some((entry, fate, at)) = self.under_way.remove(&number) else { return };
        let mut ledger = locked(ledger);
        if well {
            ledger.progress.succeed(&entry);
        }
        match fate {
            Some(_) if well => self.dies(&mut ledger, Side::After, &entry, at),
            // It lives, and somebody else dies in its place.
            Some(fate) => {
                ledger.fates.push_front(fate);
                self.doomed = false;
            }
            None => {}
        }
    }

    fn dies(&self, ledger: &mut Ledger, side: Side, entry: &Entry, at: Point) {
        ledger.deaths.push(Death { server: self.name.clone(), side, entry: entry.clone(), at });
    }
}
