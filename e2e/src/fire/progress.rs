//! How far a story has come, measured so that what is repeated after a death does not count again.

use std::collections::HashSet;

use crate::dying::Entry;

/// A commit's place in a story.
///
/// `steps` is how many different things had been committed when it began, `behind` how many commits had begun since
/// the last of them. A story that is disturbed has more commits than another, and about as many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Point {
    /// Different things that were committed before.
    pub steps: u64,
    /// Commits that began since the last of those.
    pub behind: u64,
}

/// Counts a story's commits.
#[derive(Debug, Default)]
pub struct Progress {
    seen: HashSet<String>,
    next: Point,
}

impl Progress {
    /// A commit begins: its place.
    pub fn begin(&mut self) -> Point {
        let point = self.next;
        self.next.behind += 1;
        point
    }

    /// It has succeeded. What was committed before, by another life of the server perhaps, is no step.
    pub fn succeed(&mut self, entry: &Entry) {
        let tells = !(entry.aggregates.is_empty() && entry.jobs.is_empty() && entry.events.is_empty());
        if tells && self.seen.insert(content(entry)) {
            self.next = Point { steps: self.next.steps + 1, behind: 0 };
        }
    }
}

/// What a commit does, without its number, and without ids: what is made again after a death often has another.
fn content(entry: &Entry) -> String {
    let kinds = entry.aggregates.iter().map(|one| (&one.kind, &one.state));
    format!("{} {:?} {:?} {:?}", entry.owner, kinds.collect::<Vec<_>>(), entry.jobs, entry.events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(commit: u64, events: &[&str]) -> Entry {
        Entry {
            commit,
            owner: "i".to_owned(),
            aggregates: Vec::new(),
            jobs: Vec::new(),
            events: events.iter().map(|&event| event.to_owned()).collect(),
            killed: None,
        }
    }

    #[test]
    fn what_is_repeated_is_no_step() {
        let mut progress = Progress::default();
        let mut commit = |number, events: &[&str]| {
            let point = progress.begin();
            progress.succeed(&entry(number, events));
            (point.steps, point.behind)
        };
        assert_eq!(commit(1, &["a"]), (0, 0));
        assert_eq!(commit(2, &["b"]), (1, 0));
        assert_eq!(commit(1, &["b"]), (2, 0), "it is a step only once");
        assert_eq!(commit(2, &[]), (2, 1), "what says nothing is none");
        assert_eq!(commit(3, &["c"]), (2, 2));
        assert_eq!(commit(4, &["c"]), (3, 0));
    }
}
