//! A server is killed in the middle of the story and started again on the same data directory. The story, which
//! runs outside and only repeats what got no answer, comes to its end; and nothing is there twice.

mod download;
mod story;
mod sweep;

use heddle_e2e::{
    dying::{Doom, House, Side},
    postgres,
};

/// The binary that only tests have.
const SERVER: &str = env!("CARGO_BIN_EXE_dying_server");
/// On which sides of a commit a server dies.
const SIDES: [Side; 2] = [Side::Before, Side::After];

/// Commits of each part of the story, by labels of the journal: those whose answer or job, once lost, is repeated and
/// could make something twice.
const ONBOARDING: [&str; 2] = ["tenant.created", "participant-context:ACTIVATED"];
const ISSUANCE: [&str; 2] = ["issuance.approved", "issued-credential:ISSUED"];
const NEGOTIATION: [&str; 1] = ["agreement"];
const TRANSFER_START: [&str; 1] = ["data-flow:STARTED"];

async fn survives(what: &str, moments: &[&str]) {
    for moment in moments {
        for side in SIDES {
            story::survives(what, &House::new(SERVER, ""), &Doom::new(side, moment)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_the_onboarding() {
    survives("onboarding", &ONBOARDING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_the_issuance() {
    survives("issuance", &ISSUANCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_in_the_negotiation() {
    survives("negotiation", &NEGOTIATION).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_at_the_start_of_the_transfer() {
    survives("transfer start", &TRANSFER_START).await;
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

/// Nothing but the death of its session tells PostgreSQL that a process has died.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_goes_on_when_the_server_dies_over_postgresql() {
    for moment in [ONBOARDING[1], ISSUANCE[0], NEGOTIATION[0], TRANSFER_START[0]] {
        let house = House::new(SERVER, &postgres().await);
        story::survives("on PostgreSQL", &house, &Doom::new(Side::After, moment)).await;
    }
}
