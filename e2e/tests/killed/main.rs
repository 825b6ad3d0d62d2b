//! A server is killed in the middle of the story and started again on the same data directory. The story, which
//! runs outside and only repeats what got no answer, comes to its end; and nothing is there twice.

mod census;
mod download;
mod story;
mod sweep;

use heddle_e2e::dying::Side;

/// The binary that only tests have.
const SERVER: &str = env!("CARGO_BIN_EXE_dying_server");
/// On which sides of a commit a server dies.
const SIDES: [Side; 2] = [Side::Before, Side::After];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_the_onboarding() {
    for side in SIDES {
        story::survives("onboarding", side, "participant-context:ACTIVATED").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_the_issuance() {
    for side in SIDES {
        story::survives("issuance", side, "issued-credential:ISSUED").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_the_negotiation() {
    for side in SIDES {
        story::survives("negotiation", side, "agreement").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_at_the_start_of_the_transfer() {
    for side in SIDES {
        story::survives("transfer start", side, "data-flow:STARTED").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_while_bytes_flow() {
    for side in SIDES {
        download::survives(side).await;
    }
}

/// A failure names the seed: `SEED=17 cargo test -p heddle-e2e --test killed stretch` repeats it; `DEATHS=200` takes
/// every commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_any_stretch_of_it() {
    sweep::survive_all(sweep::seed()).await;
}
