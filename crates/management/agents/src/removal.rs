//! Removals that a service begins when it is asked, and ends later.

use std::time::Duration;

use heddle_agent::{ActivityContext, ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;

/// When the second run asks whether everything is away; the wait doubles up to [`AGAIN_LONGEST`].
const AGAIN_FIRST: Duration = Duration::from_millis(250);
/// Longest wait between runs.
const AGAIN_LONGEST: Duration = Duration::from_secs(60);
/// Runs after which a removal that does not end counts as failed, so that somebody looks: two hours.
const RUNS_MAX: u32 = 130;

/// Asks for the removal of what is at `url`. It is done when nothing is there any more; until then the activity goes
/// on after a while, so that nobody comes on board under the same name before.
pub(crate) async fn gone(
    client: &AdminClient,
    context: &ActivityContext,
    url: String,
) -> Result<(), ActivityResult> {
    match client.send(Request::new(Method::DELETE, url.as_str())).await {
        Ok(_) if context.attempt() >= RUNS_MAX => Err(ActivityResult::Fatal(format!(
            "the removal of {url} has begun and does not end; read in the log of that service what fails, mend it, and \
             dispose of the participant again"
        ))),
        Ok(_) => Err(ActivityResult::Schedule(again(context.attempt()))),
        Err(error) if error.status() == Some(404) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The wait after this run.
fn again(attempt: u32) -> Duration {
    AGAIN_FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(AGAIN_LONGEST)
}
