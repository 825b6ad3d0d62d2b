//! Disks without room while a server runs: it says so, loses nothing, and goes on when there is room again.
//!
//! A small disk needs the right to mount one, which root of a machine has and root of some containers has not. A limit
//! to the size of files is everybody's, so that test runs everywhere.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use heddle_outbound::OutboundError;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::{
    api::Api,
    place::{Place, text},
    server::Server,
};

/// Writes that are tried until one is refused: the database has some room that it has taken before.
const WRITES_MAX: usize = 20_000;

/// A file system of a few megabytes, as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounted at `path`; `None` where nobody may mount.
    fn at(path: &Path) -> Option<Self> {
        fs::create_dir(path).expect("made");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs"])
            .arg(path)
            .output();
        mount.is_ok_and(|done| done.status.success()).then(|| Self(path.to_owned()))
    }

    /// Takes all the room that there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut filler = File::create(&path).expect("made");
        for size in [64 * 1024, 1024, 1] {
            while filler.write_all(&vec![7; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It goes with the container otherwise.
        drop(Command::new("umount").arg("-l").arg(&self.0).output());
    }
}

/// Keeps things until the server refuses one; how it did.
async fn until_refused(api: &Api, kept: &mut Vec<String>) -> OutboundError {
    // Some of size, so that it is soon.
    let text = "x".repeat(2000);
    for _ in 0..WRITES_MAX {
        match api.keep(&text).await {
            Ok(id) => kept.push(id),
            Err(error) => return error,
        }
    }
    panic!("there was room for {} of them", kept.len());
}

fn log_of(place: &Place) -> String {
    fs::read_to_string(place.path("server.log")).expect("a log")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_with_advice_loses_nothing_and_is_over_when_there_is_room() {
    let place = Place::new();
    let Some(disk) = SmallDisk::at(&place.data()) else {
        // Where nobody may mount, the test below has a limit in place of a disk.
        return;
    };
    // So little room is unhealthy by default.
    let server = Server::start(&place, &["--set", "telemetry.disk_free_mib_min=0"]);
    let api = Api::of(&server, &place.data()).await;
    let mut kept = vec![api.keep("before").await.expect("there is room")];
    let filler = disk.fill();
    let refused = until_refused(&api, &mut kept).await;
    assert_eq!(refused.status().map(|status| status.as_u16()), Some(507), "{refused}");
    assert!(
        refused.to_string().contains("no room left") && refused.to_string().contains("operator"),
        "{refused}"
    );
    assert!(matches!(refused, OutboundError::Status { retry_after: Some(_), .. }), "{refused:?}");
    assert!(log_of(&place).contains("make room; a server that runs goes on by itself"), "{}", log_of(&place));
    api.has_kept(&kept).await;
    fs::remove_file(filler).expect("removed");
    kept.push(api.keep("after").await.expect("there is room again, and nobody has restarted anything"));
    api.has_kept(&kept).await;
    assert!(server.is_ready(&place));

    // It does not start without room either, and says so.
    server.stop();
    let filler = disk.fill();
    place.start(&[]).says(&[text(&place.data()), "no room left", "make room"]);
    fs::remove_file(filler).expect("removed");
    let server = Server::start(&place, &[]);
    Api::of(&server, &place.data()).await.has_kept(&kept).await;
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_is_told_loses_nothing_and_is_over_when_it_may() {
    let place = Place::new();
    let arguments = ["start-dev", "--port", "0", "--data-dir", "data", "-o", "json"];
    let inner = place.command(&arguments);
    // A process is ended when it writes beyond its limit, unless it wants to be told.
    let script = r#"trap "" XFSZ; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(place.path("")).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let server = Server::run(&place, command);
    let id = i32::try_from(server.id()).ok().and_then(Pid::from_raw).expect("an id");
    let limit = |bytes: Option<u64>| {
        let old = prlimit(Some(id), Resource::Fsize, Rlimit { current: bytes, maximum: None });
        old.expect("the process is ours");
    };
    let api = Api::of(&server, &place.data()).await;
    let mut kept = vec![api.keep("before").await.expect("there is room")];
    let longest = ["heddle.db", "heddle.db-wal"]
        .map(|name| fs::metadata(place.data().join(name)).expect("there").len());
    limit(Some(longest.into_iter().max().expect("two") + 64 * 1024));
    let refused = until_refused(&api, &mut kept).await;
    assert!(matches!(refused.status().map(|status| status.as_u16()), Some(503 | 507)), "{refused}");
    assert!(matches!(refused, OutboundError::Status { retry_after: Some(_), .. }), "{refused:?}");
    api.has_kept(&kept).await;
    limit(None);
    kept.push(api.keep("after").await.expect("it may grow again, and nobody has restarted anything"));
    server.stop();
    let server = Server::start(&place, &[]);
    Api::of(&server, &place.data()).await.has_kept(&kept).await;
    server.stop();
}
