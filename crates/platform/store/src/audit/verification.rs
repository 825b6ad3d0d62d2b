//! Walks a chain and says where it breaks.

use std::fmt;

use super::{AuditHead, AuditLog, AuditQuery};
use crate::StoreError;

/// Entries that are read at a time.
const PAGE: u32 = 1000;

/// What a walk along the chain came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The end of what holds together, from the beginning. Of an unbroken chain it is a checkpoint worth keeping.
    pub head: AuditHead,
    /// Entries that wait to be sealed: of them nothing is known yet.
    pub unsealed: u64,
    /// The first break.
    pub broken: Option<AuditBreak>,
}

/// Where a chain breaks. Its text says what that means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditBreak {
    /// The entry does not have the hash that belongs to it and to what was before it.
    Changed {
        /// Its place.
        place: u64,
    },
    /// There is no entry at this place, and there are later ones.
    Missing {
        /// The place.
        place: u64,
    },
    /// The entries end before the place that the database remembers as the last.
    Cut {
        /// The last place that is there.
        last: u64,
        /// The last place that was sealed.
        sealed: u64,
    },
    /// The database remembers another end than the one that the entries have.
    Head {
        /// The end that the entries have.
        found: AuditHead,
        /// The end that the database remembers.
        remembered: AuditHead,
    },
    /// The chain holds together, but is not the one that the checkpoint was taken of.
    Checkpoint {
        /// The checkpoint.
        checkpoint: AuditHead,
        /// The hash that is at its place now, if there is an entry at all.
        found: Option<String>,
    },
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { place } => write!(
                f,
                "entry {place} is not the one that was sealed: it, or the order of the entries there, was changed \
                 afterwards"
            ),
            Self::Missing { place } => {
                write!(f, "entry {place} is missing: it was removed after it was sealed")
            }
            Self::Cut { last, sealed } => write!(
                f,
                "the log ends with entry {last}, and {sealed} were sealed: the entries from {} on were removed",
                last + 1
            ),
            Self::Head { found, remembered } => write!(
                f,
                "the entries end with {found}, and the database remembers {remembered}: one of the two was changed \
                 by hand"
            ),
            Self::Checkpoint { checkpoint, found: Some(found) } => write!(
                f,
                "entry {} has the hash {found}, and the checkpoint says {}: the log was written anew from there or \
                 from before",
                checkpoint.place, checkpoint.hash
            ),
            Self::Checkpoint { checkpoint, found: None } => write!(
                f,
                "the checkpoint tells of entry {}, which is not there: the end of the log was removed, or an older \
                 backup was restored",
                checkpoint.place
            ),
        }
    }
}

/// Walks the whole chain, and holds it against `checkpoints` that were kept elsewhere. Others may seal meanwhile.
///
/// # Errors
/// When the database does not answer; a break is no error.
pub async fn verify(log: &dyn AuditLog, checkpoints: &[AuditHead]) -> Result<AuditReport, StoreError> {
    let mut head = AuditHead::genesis();
    let mut checkpoints: Vec<&AuditHead> = checkpoints.iter().collect();
    checkpoints.sort_by_key(|checkpoint| checkpoint.place);
    let mut checkpoints = checkpoints.into_iter().peekable();
    while let Some(origin) = checkpoints.next_if(|checkpoint| checkpoint.place == 0) {
        if *origin != head {
            return broken(log, head.clone(), differs(origin, Some(&head.hash))).await;
        }
    }
    let mut end = None;
    loop {
        let page = log.audit_entries(AuditQuery { owner: None, after: head.place, limit: PAGE }).await?;
        if page.is_empty() {
            if let Some(remembered) = end {
                return match ending(&head, remembered) {
                    Some(found) => broken(log, head, found).await,
                    None => match checkpoints.next() {
                        Some(checkpoint) => broken(log, head, differs(checkpoint, None)).await,
                        None => report(log, head, None).await,
                    },
                };
            }
            // Only when the end was read before the last look is it one that the entries must reach.
            end = Some(log.audit_state().await?.head);
            continue;
        }
        end = None;
        for entry in page {
            if entry.place != head.place + 1 {
                let place = head.place + 1;
                return broken(log, head, AuditBreak::Missing { place }).await;
            }
            let next = head.after(&entry.record);
            if next.hash != entry.hash {
                return broken(log, head, AuditBreak::Changed { place: entry.place }).await;
            }
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.place == next.place) {
                if checkpoint.hash != next.hash {
                    return broken(log, head, differs(checkpoint, Some(&next.hash))).await;
                }
            }
            head = next;
        }
    }
}

fn differs(checkpoint: &AuditHead, found: Option<&str>) -> AuditBreak {
    AuditBreak::Checkpoint { checkpoint: checkpoint.clone(), found: found.map(str::to_owned) }
}

/// Whether the entries, which end with `head`, end as the database remembers.
fn ending(head: &AuditHead, remembered: AuditHead) -> Option<AuditBreak> {
    if remembered == *head {
        return None;
    }
    if remembered.place > head.place {
        return Some(AuditBreak::Cut { last: head.place, sealed: remembered.place });
    }
    Some(AuditBreak::Head { found: head.clone(), remembered })
}

async fn broken(log: &dyn AuditLog, head: AuditHead, found: AuditBreak) -> Result<AuditReport, StoreError> {
    report(log, head, Some(found)).await
}

async fn report(
    log: &dyn AuditLog,
    head: AuditHead,
    broken: Option<AuditBreak>,
) -> Result<AuditReport, StoreError> {
    Ok(AuditReport { head, unsealed: log.audit_state().await?.unsealed, broken })
}
