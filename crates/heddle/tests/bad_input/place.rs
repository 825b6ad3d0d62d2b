//! A folder with everything that a command may touch, and the commands that run there.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::outcome::Outcome;

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// A home and a data directory. Everybody may enter, so that commands can run as somebody else.
pub struct Place {
    folder: TempDir,
    unprivileged: bool,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        set_mode(folder.path(), 0o755);
        let place = Self { folder, unprivileged: false };
        fs::create_dir(place.path("home")).expect("a home");
        place
    }

    /// Where commands run as a user for whom permissions count, as they do not for root.
    pub fn of_an_unprivileged_user() -> Self {
        let place = Self { unprivileged: true, ..Self::new() };
        if is_root() {
            let program = place.path("heddle");
            // Everybody may run the program, wherever it was built.
            fs::copy(env!("CARGO_BIN_EXE_heddle"), &program).expect("copied");
            place.give(&place.path("home"));
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("written");
        path
    }

    /// Writes a file that its owner alone may read.
    pub fn private_file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name, content);
        set_mode(&path, 0o600);
        path
    }

    /// Makes a directory of the user that commands run as.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).expect("made");
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        if self.unprivileged && is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
    }

    /// A command, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let changes_user = self.unprivileged && is_root();
        let program =
            if changes_user { self.path("heddle") } else { PathBuf::from(env!("CARGO_BIN_EXE_heddle")) };
        let mut command = Command::new(program);
        if changes_user {
            command.uid(NOBODY).gid(NOBODY);
        }
        let home = self.path("home");
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("XDG_CONFIG_HOME", home.join("config")).env("HOME", home);
        // Whoever asks for backtraces gets a sentence nevertheless.
        command.env("RUST_BACKTRACE", "1");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("heddle runs");
        Outcome::of(child)
    }

    /// `start-dev` with the data directory of this place.
    pub fn start(&self, more: &[&str]) -> Outcome {
        let data = self.data();
        let arguments = [&["start-dev", "--data-dir", text(&data)], more].concat();
        self.run(&arguments)
    }
}

/// A port that is free at this moment.
pub fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port().to_string()
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode is set");
}

/// Every file and directory below `directory`, with its mode, and a digest of its content.
pub fn contents(directory: &Path) -> BTreeMap<PathBuf, (u32, u64)> {
    let mut all = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = fs::metadata(&path).expect("it is there");
        let mut digest = DefaultHasher::new();
        if metadata.is_dir() {
            open.extend(fs::read_dir(&path).expect("lists").map(|entry| entry.expect("an entry").path()));
        } else {
            fs::read(&path).expect("reads").hash(&mut digest);
        }
        all.insert(path, (metadata.mode(), digest.finish()));
    }
    all
}

fn is_root() -> bool {
    let own = fs::metadata("/proc/self").expect("Linux tells who runs this");
    own.uid() == 0
}
