//! A server that comes back whenever it was killed.

use std::{
    convert::Infallible,
    fs::{self, OpenOptions},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use heddle::home::Credentials;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// A server's configuration and data, and its lives one after the other.
pub struct Place {
    name: String,
    binary: PathBuf,
    folder: PathBuf,
    arbiter: PathBuf,
    child: Option<Child>,
}

impl Place {
    /// A server of `binary` called `name`, in a folder of its own below `root`, with these settings. The arbiter
    /// listens at `arbiter`.
    pub fn new(binary: &str, root: &Path, name: &str, settings: &str, arbiter: PathBuf) -> Self {
        let folder = root.join(name);
        fs::create_dir_all(&folder).expect("the folder can be made");
        let text = format!("development = true\ndata_dir = \"data\"\n{settings}\n[log]\nformat = \"text\"\n");
        fs::write(folder.join("heddle.toml"), text).expect("the folder can be written");
        let (name, binary) = (name.to_owned(), binary.into());
        Self { name, binary, folder, arbiter, child: None }
    }

    /// Starts it; returns when it answers.
    pub async fn start(&mut self) {
        self.spawn();
        self.announced().await;
    }

    /// The operator's credentials, if this server was the first of its installation.
    pub fn credentials(&self) -> Credentials {
        let text = fs::read(self.folder.join("data/operator.json")).expect("the first start writes it");
        serde_json::from_slice(&text).expect("they are JSON")
    }

    /// Starts it again whenever it was killed. Ends when it is dropped, and the server with it.
    ///
    /// # Panics
    /// When the server ends by itself, with what it has said.
    pub async fn keep(mut self) -> Infallible {
        loop {
            let status = match &mut self.child {
                Some(child) => child.wait().await.expect("a child can be waited for"),
                None => panic!("{} was not started", self.name),
            };
            // Whether by the arbiter or not, nothing but SIGKILL ends it.
            assert_eq!(status.signal(), Some(9), "{} ended by itself: {status}\n{}", self.name, self.told());
            self.spawn();
        }
    }

    /// What its lives have logged.
    pub fn told(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn spawn(&mut self) {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.folder.join("heddle.toml"));
        command.arg("--arbiter").arg(&self.arbiter).args(["--name", &self.name]);
        let log = OpenOptions::new().append(true).create(true).open(self.log()).expect("a log");
        command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().expect("the server is built together with its test"));
    }

    async fn announced(&mut self) {
        let output = self.child.as_mut().and_then(|child| child.stdout.take()).expect("it is piped");
        let line = BufReader::new(output).lines().next_line().await.expect("its output is text");
        assert!(line.is_some(), "{} does not start:\n{}", self.name, self.told());
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log.txt")
    }
}
