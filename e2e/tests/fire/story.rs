//! The story, over all the deaths in it.

use std::collections::BTreeMap;

use futures::future::select_all;
use heddle::home::Credentials;
use heddle_e2e::{
    Census, client,
    fire::{Arbiter, Place},
    play,
};

use crate::fates;

/// Plays the whole story on servers that die as the arbiter says and come back each time.
pub async fn survives(what: &str, arbiter: &Arbiter, places: Vec<Place>, credentials: &Credentials) {
    let fates = fates::choose(what).await;
    let wanted = fates.len();
    arbiter.begin(fates, fates::DOWNLOADED);
    let kept = select_all(places.into_iter().map(|place| Box::pin(place.keep())));
    let story = async {
        let played = play(credentials).await;
        arbiter.end();
        for death in arbiter.deaths() {
            tell(&format!("{what}: {death}"));
        }
        let (report, parties) = played.unwrap_or_else(|failure| panic!("{what}: {failure}"));
        assert!(report.ok && report.bytes == 1024 * 1024 && report.sha256.len() == 64, "{report:?}");
        let census = Census::take(&client(credentials, "census"), &parties).await;
        tell(&format!("{what}: {} ms, {census}", report.elapsed_ms));
        census.assert_nothing_is_there_twice();
    };
    tokio::select! {
        () = story => {}
        _ = kept => unreachable!("a server is kept for ever"),
    }
    let mut of_each: BTreeMap<String, usize> = BTreeMap::new();
    for death in arbiter.deaths() {
        *of_each.entry(death.server).or_default() += 1;
    }
    tell(&format!("{what}: deaths {of_each:?}"));
    assert_eq!(of_each.values().sum::<usize>(), wanted, "a server has died at each of the chosen commits");
}

#[expect(clippy::print_stdout, reason = "the test tells where each server has died")]
pub fn tell(line: &str) {
    println!("{line}");
}
