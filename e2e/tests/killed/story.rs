//! The story as `heddle demo` plays it, over the death of its server.

use std::os::unix::process::ExitStatusExt;

use heddle_e2e::{
    Census, client,
    dying::{Doom, House, Life},
    play,
};

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
