//! The story that shows the main job, over the public APIs of real servers: onboarding by orchestration, issuance,
//! catalogue, negotiation, transfer, bytes. On both databases, and between two installations.

use heddle::{
    demo::{self, Options, Place, Report},
    home::Home,
};
use heddle_e2e::{Server, postgres};

/// The messages that cross the wire, in order.
fn messages(report: &Report) -> Vec<&str> {
    let lines = report.steps.iter().flat_map(|step| &step.messages);
    lines.map(|line| line.trim_start_matches(['→', '←', ' '])).collect()
}

/// What the traces of negotiation and transfer tell, nothing of which the story knows by itself.
const WIRE: [&str; 7] = [
    "ContractRequestMessage",
    "ContractAgreementMessage",
    "ContractAgreementVerificationMessage",
    "ContractNegotiationEventMessage",
    "TransferRequestMessage",
    "TransferStartMessage",
    "TransferCompletionMessage",
];

async fn play(place: &Place) -> Report {
    let report = demo::run(place, &Options::default(), None).await;
    report.unwrap_or_else(|failure| panic!("{}: {}", failure.step, failure.reason))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_shared_on_sqlite() {
    let server = Server::start("").await;
    let report = play(&server.place()).await;
    assert!(report.ok);
    assert_eq!((report.bytes, report.sha256.len()), (1024 * 1024, 64));
    assert_eq!(messages(&report), WIRE);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_shared_on_postgresql() {
    let server = Server::start(&postgres().await).await;
    let report = play(&server.place()).await;
    assert_eq!(messages(&report), WIRE);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_shared_between_two_installations() {
    let (provider, consumer) = (Server::start("").await, Server::start("").await);
    let place = Place { consumer: Some(consumer.credentials().clone()), ..provider.place() };
    let report = play(&place).await;
    assert_eq!(messages(&report), WIRE);
    provider.stop().await;
    consumer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_may_be_told_twice_and_shared_alone_afterwards() {
    let server = Server::start("").await;
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path());
    let (place, options) = (server.place(), Options::default());
    for _ in 0..2 {
        demo::run(&place, &options, Some(&home)).await.expect("the story is told");
    }
    let share = Options { only_share: true, ..Options::default() };
    let report = demo::run(&place, &share, Some(&home)).await.expect("the file is shared");
    assert_eq!(messages(&report), WIRE);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_shares_before_being_on_board() {
    let server = Server::start("").await;
    let folder = tempfile::tempdir().expect("a folder");
    let share = Options { only_share: true, ..Options::default() };
    let failure = demo::run(&server.place(), &share, Some(&Home::at(folder.path()))).await;
    let failure = failure.expect_err("nobody is on board");
    assert!(failure.reason.contains("nobody is on board"), "{}", failure.reason);
    server.stop().await;
}
