//! The story as `heddle demo --server` plays it.

use std::fs;

use heddle::{
    demo::{self, Failure, Options, Parties, Place, Report},
    home::{Credentials, Home},
};

/// Plays the whole story on one installation; gives what it came to, and who took part.
pub async fn play(credentials: &Credentials) -> Result<(Report, Parties), Failure> {
    let place = Place { provider: credentials.clone(), consumer: None };
    let folder = tempfile::tempdir().expect("a folder");
    let report = demo::run(&place, &Options::default(), Some(&Home::at(folder.path()))).await?;
    let mut remembered = fs::read_dir(&folder).expect("the story remembers who came on board");
    let file = remembered.next().expect("one file").expect("one file").path();
    let parties = fs::read(file).expect("it can be read");
    Ok((report, serde_json::from_slice(&parties).expect("it is JSON")))
}
