//! Removals that a service begins when it is asked, and ends later.

use std::time::Duration;

use heddle_agent::{ActivityResult, AdminClient};
use heddle_outbound::Request;
use http::Method;

/// When the next run asks again whether everything is away.
const AGAIN: Duration = Duration::from_millis(250);

/// Asks for the removal of what is at `url`. It is done when nothing is there any more; until then the activity goes
/// on after a while, so that nobody comes on board under the same name before.
pub(crate) async fn gone(client: &AdminClient, url: String) -> Result<(), ActivityResult> {
    match client.send(Request::new(Method::DELETE, url)).await {
        Ok(_) => Err(ActivityResult::Schedule(AGAIN)),
        Err(error) if error.status() == Some(404) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
