//! The story as `heddle demo` plays it, over the death of its server.

use std::{fs, os::unix::process::ExitStatusExt};

use heddle::{
    demo::{self, Failure, Options, Parties, Place, Report},
    home::{Credentials, Home},
};
use heddle_e2e::{
    client,
    dying::{Doom, House, Life},
};

use crate::census::Census;

/// Plays the whole story on a server that dies as foretold.
pub async fn survives(what: &str, house: &House, doom: &Doom) {
    let mut life = house.start(Some(doom)).await;
    let credentials = house.credentials();
    let story = play(&credentials);
    tokio::pin!(story);
    let two_lives = async {
        dies(what, &mut life).await;
        house.start(None).await
    };
    let second = tokio::select! {
        ended = &mut story => {
            let ended = ended.map(|(report, _)| report);
            panic!("no commit was '{}' before the story ended: {ended:?}\n{}", doom.moment, house.told())
        }
        second = two_lives => second,
    };
    let (report, parties) = story.await.unwrap_or_else(|failure| panic!("{failure}\n{}", house.told()));
    assert!(report.ok && report.bytes == 1024 * 1024 && report.sha256.len() == 64, "{report:?}");
    let census = Census::take(&client(&credentials, "census"), &parties).await;
    tell(&format!("  {census}"));
    census.assert_nothing_is_there_twice();
    second.kill().await;
}

/// Plays the whole story on one server.
pub async fn play(credentials: &Credentials) -> Result<(Report, Parties), Failure> {
    let place = Place { provider: credentials.clone(), consumer: None };
    let folder = tempfile::tempdir().expect("a folder");
    let report = demo::run(&place, &Options::default(), Some(&Home::at(folder.path()))).await?;
    let mut remembered = fs::read_dir(&folder).expect("the story remembers who came on board");
    let file = remembered.next().expect("one file").expect("one file").path();
    let parties = fs::read(file).expect("it can be read");
    Ok((report, serde_json::from_slice(&parties).expect("it is JSON")))
}

/// Waits for the death, which only SIGKILL may bring, and tells what was being committed.
pub async fn dies(what: &str, life: &mut Life) {
    let status = life.end().await;
    assert_eq!(status.signal(), Some(9), "the server ended by itself: {status}");
    let journal = life.journal();
    let last = journal.iter().rev().find(|entry| entry.killed.is_some()).expect("the last line tells it");
    let side = last.killed.expect("it was looked for");
    tell(&format!("{what}: killed {side} {last}"));
}

#[expect(clippy::print_stdout, reason = "the test tells where each server has died")]
pub fn tell(line: &str) {
    println!("{line}");
}
