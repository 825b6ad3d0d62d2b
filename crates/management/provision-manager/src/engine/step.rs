//! What follows from what.

use std::time::Duration;

use heddle_agent::{DEPLOY, DISPOSE, PARTICIPANT_CONTEXT, Report, ReportedOutcome};
use heddle_clock::Timestamp;
use heddle_ids::OrchestrationId;
use serde_json::{Map, Value};

use super::{ActivityRun, ActivityState, Orchestration, OrchestrationDefinition, OrchestrationState};
use crate::OrchestrationManifest;

/// Failed runs after which an activity counts as failed for good.
pub const ATTEMPTS_MAX: u32 = 10;
/// Wait after the first failed run; it doubles up to [`WAIT_LONGEST`].
const WAIT_FIRST: Duration = Duration::from_millis(300);
/// Longest wait between runs.
const WAIT_LONGEST: Duration = Duration::from_secs(30);

/// What the caller has to do in the commit that stores the orchestration.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Run an activity, after a while.
    Run {
        /// Its id.
        activity: String,
        /// Its type.
        activity_type: String,
        /// Which run it is.
        attempt: u32,
        /// How long to wait.
        after: Duration,
    },
    /// It has come to its end; whoever ordered it is to be told.
    Ended,
}

/// Makes an orchestration of a definition. Nothing runs yet.
#[must_use]
pub fn instantiate(
    definition: &OrchestrationDefinition,
    manifest: &OrchestrationManifest,
    (id, context): (OrchestrationId, &str),
    now: Timestamp,
) -> Orchestration {
    let mut processing_data = manifest.payload.clone();
    // Whoever creates the participant first names it thus; it follows from the orchestration, so that every run of every
    // activity means the same participant.
    processing_data.entry(PARTICIPANT_CONTEXT).or_insert_with(|| Value::String(context.to_owned()));
    let mut output_data = Map::new();
    if definition.orchestration_type == DEPLOY {
        output_data.insert(PARTICIPANT_CONTEXT.to_owned(), processing_data[PARTICIPANT_CONTEXT].clone());
    }
    let activities = definition
        .activities
        .iter()
        .map(|template| ActivityRun::new(&template.id, &template.activity_type, template.depends_on.clone()));
    Orchestration {
        id,
        correlation_id: manifest.correlation_id.clone(),
        template_ref: definition.template_ref.clone(),
        orchestration_type: manifest.orchestration_type.clone(),
        state: OrchestrationState::Initialized,
        state_since: now,
        created_at: now,
        activities: activities.collect(),
        completed: Vec::new(),
        processing_data,
        output_data,
        error: None,
        compensates: None,
    }
}

/// Starts what can start.
#[must_use]
pub fn begin(mut orchestration: Orchestration, now: Timestamp) -> (Orchestration, Vec<Effect>) {
    if orchestration.state != OrchestrationState::Initialized {
        return (orchestration, Vec::new());
    }
    enter(&mut orchestration, OrchestrationState::Running, now);
    let effects = advance(&mut orchestration, now);
    (orchestration, effects)
}

/// Takes an agent's report. One about a run that is over, or about an orchestration that is, changes nothing.
#[must_use]
pub fn apply(
    mut orchestration: Orchestration,
    report: &Report,
    now: Timestamp,
) -> (Orchestration, Vec<Effect>) {
    if orchestration.state.is_terminal() {
        return (orchestration, Vec::new());
    }
    let running = |activity: &&mut ActivityRun| {
        activity.id == report.activity
            && activity.attempt == report.attempt
            && matches!(activity.state, ActivityState::Running | ActivityState::Waiting)
    };
    let failed_already = orchestration.error.is_some();
    let Some(activity) = orchestration.activities.iter_mut().find(running) else {
        return (orchestration, Vec::new());
    };
    let mut effects = Vec::new();
    let mut run_again = |activity: &mut ActivityRun, after| {
        activity.attempt += 1;
        effects.push(Effect::Run {
            activity: activity.id.clone(),
            activity_type: activity.activity_type.clone(),
            attempt: activity.attempt,
            after,
        });
    };
    match &report.outcome {
        ReportedOutcome::Wait => activity.state = ActivityState::Waiting,
        ReportedOutcome::Complete => {
            activity.state = ActivityState::Completed;
            activity.error = None;
            let id = activity.id.clone();
            orchestration.completed.push(id);
        }
        // Once another activity has failed nothing is begun anew.
        ReportedOutcome::Schedule { .. } | ReportedOutcome::Retry { .. } if failed_already => {
            activity.state = ActivityState::Failed;
        }
        ReportedOutcome::Schedule { after_ms } => run_again(activity, Duration::from_millis(*after_ms)),
        ReportedOutcome::Retry { error, after_ms } => {
            activity.failures += 1;
            activity.error = Some(error.clone());
            if activity.failures >= ATTEMPTS_MAX {
                activity.state = ActivityState::Failed;
                orchestration.error = Some(format!("{}: {error}", report.activity));
            } else {
                let doubled = WAIT_FIRST.saturating_mul(1 << (activity.failures - 1).min(16));
                let after = after_ms.map_or(doubled.min(WAIT_LONGEST), Duration::from_millis);
                run_again(activity, after);
            }
        }
        ReportedOutcome::Fatal { error } => {
            activity.state = ActivityState::Failed;
            activity.error = Some(error.clone());
            orchestration.error.get_or_insert_with(|| format!("{}: {error}", report.activity));
        }
    }
    orchestration.processing_data.extend(report.values.clone());
    orchestration.output_data.extend(report.outputs.clone());
    effects.extend(advance(&mut orchestration, now));
    (orchestration, effects)
}

/// Starts what can start, and ends what has come to its end.
fn advance(orchestration: &mut Orchestration, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    if orchestration.error.is_none() {
        let completed = orchestration.completed.clone();
        for activity in &mut orchestration.activities {
            let ready = activity.state == ActivityState::Pending
                && activity.depends_on.iter().all(|id| completed.contains(id));
            if ready {
                activity.state = ActivityState::Running;
                activity.attempt = 1;
                effects.push(Effect::Run {
                    activity: activity.id.clone(),
                    activity_type: activity.activity_type.clone(),
                    attempt: 1,
                    after: Duration::ZERO,
                });
            }
        }
    }
    let all = orchestration.activities.iter().all(|activity| activity.state == ActivityState::Completed);
    let end = match (&orchestration.error, all) {
        (None, true) => Some(OrchestrationState::Completed),
        // Those under way may end by themselves; what they complete is undone too.
        (Some(_), _) if !orchestration.is_busy() => Some(OrchestrationState::Errored),
        _ => None,
    };
    if let Some(end) = end
        && !orchestration.state.is_terminal()
    {
        enter(orchestration, end, now);
        effects.push(Effect::Ended);
    }
    effects
}

fn enter(orchestration: &mut Orchestration, state: OrchestrationState, now: Timestamp) {
    orchestration.state = state;
    orchestration.state_since = now;
}

/// The orchestration that undoes a failed one: for each completed activity the dispose activity of its type, one after the
/// other, the last completed first. Where nothing had completed it has no activities and completes at once, so that whoever
/// ordered learns that nothing is left. None when there is no failure, or when the failed one was itself undoing something.
#[must_use]
pub fn compensation(
    failed: &Orchestration,
    dispose: &OrchestrationDefinition,
    id: OrchestrationId,
    now: Timestamp,
) -> Option<Orchestration> {
    if failed.orchestration_type == DISPOSE || failed.state != OrchestrationState::Errored {
        return None;
    }
    let mut activities: Vec<ActivityRun> = Vec::new();
    for completed in failed.completed.iter().rev() {
        let activity = failed.activities.iter().find(|activity| activity.id == *completed)?;
        let undo = dispose.activities.iter().find(|undo| undo.activity_type == activity.activity_type);
        let Some(undo) = undo else { continue };
        let depends_on = activities.last().map(|before| before.id.clone()).into_iter().collect();
        activities.push(ActivityRun::new(&format!("undo-{completed}"), &undo.activity_type, depends_on));
    }
    Some(Orchestration {
        id,
        orchestration_type: DISPOSE.to_owned(),
        state: OrchestrationState::Initialized,
        state_since: now,
        created_at: now,
        activities,
        completed: Vec::new(),
        output_data: Map::new(),
        error: None,
        compensates: Some(failed.id.clone()),
        ..failed.clone()
    })
}
