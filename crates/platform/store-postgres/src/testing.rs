//! A PostgreSQL server of one's own, for tests.
//!
//! The server runs as long as the process that started it: it hangs on a pipe, so that it ends even when the test is
//! killed. Durability is switched off; nothing else is.

use std::{
    fs,
    io::{self, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError, atomic::{AtomicU32, Ordering}},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Below the range from which the system takes ports of its own accord.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const START_WAIT: Duration = Duration::from_secs(60);
const INSTALL: &str = "PostgreSQL 15 or later is not installed: `apt-get install postgresql` (Debian, Ubuntu), or put \
     its initdb and postgres on the PATH; these tests are not skipped without it";

/// Runs the server until the pipe on its standard input ends.
const KEEPER: &str = r#"
"$@" & server=$!
while read -r _; do :; done
kill -INT "$server" 2>/dev/null
wait "$server"
"#;

/// A server on the loopback interface with the login role `heddle`, which may create roles and is no superuser.
#[derive(Debug)]
pub struct TestPostgres {
    directory: TempDir,
    binaries: PathBuf,
    port: u16,
    keeper: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl TestPostgres {
    /// Starts a server in a temporary directory. Blocks for about two seconds.
    ///
    /// # Panics
    /// When PostgreSQL is not installed (the text says what to install) or does not start (the text has its log).
    #[must_use]
    pub fn start() -> Self {
        let binaries = binaries();
        let directory = tempfile::Builder::new().prefix("heddle-postgres-").tempdir().expect("a directory");
        // The server's user, which may be another one, must be able to pass.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("permissions");
        let data = directory.path().join("data");
        let mut initdb = unprivileged(&binaries.join("initdb"));
        initdb.args(["--auth=trust", "--username=admin", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        let output = initdb.arg(&data).output().expect("initdb starts");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        let server = Self {
            directory,
            binaries,
            port: free_port(),
            keeper: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        server.launch();
        server.psql("postgres", "CREATE ROLE heddle LOGIN CREATEROLE NOSUPERUSER");
        server
    }

    /// The server that all tests of this process share.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<TestPostgres> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// A new, empty database, as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        let name = format!("heddle_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name} OWNER heddle"));
        format!("postgresql://heddle@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs SQL as the superuser `admin` and gives back what it prints, without headings.
    #[must_use]
    pub fn administer(&self, url: &str, sql: &str) -> String {
        let database = url.rsplit('/').next().unwrap_or_default();
        self.psql(database, sql)
    }

    /// Stops the server; connections break.
    pub fn stop(&self) {
        let Some(mut keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        drop(keeper.stdin.take());
        keeper.wait().expect("the server's keeper ends");
    }

    /// Starts a stopped server again, with its data and on its port.
    pub fn restart(&self) {
        self.stop();
        self.launch();
    }

    fn launch(&self) {
        let log = fs::File::create(self.directory.path().join("log")).expect("a log");
        let mut keeper = unprivileged(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(self.binaries.join("postgres"));
        keeper.arg("-D").arg(self.directory.path().join("data"));
        keeper.arg("-k").arg(self.directory.path());
        let port = format!("port={}", self.port);
        let settings = [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=300",
            "shared_buffers=64MB",
            "autovacuum_naptime=1min",
        ];
        for setting in settings {
            keeper.args(["-c", setting]);
        }
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().expect("a log")).stderr(log);
        let keeper = keeper.spawn().expect("the server's keeper starts");
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        self.wait_until_ready();
    }

    /// The server offers no event for this from outside but its answer.
    fn wait_until_ready(&self) {
        let begun = Instant::now();
        loop {
            let mut ready = Command::new(self.binaries.join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-t", "5"]);
            if ready.status().is_ok_and(|status| status.success()) {
                return;
            }
            let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
            let died = keeper.as_mut().is_some_and(|keeper| matches!(keeper.try_wait(), Ok(Some(_))));
            if died || begun.elapsed() > START_WAIT {
                let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
                panic!("the PostgreSQL server did not start: {log}");
            }
        }
    }

    fn psql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "admin"]);
        psql.args(["-p", &self.port.to_string(), "-d", database, "-f", "-"]);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut psql = psql.spawn().expect("psql starts");
        let mut input = psql.stdin.take().expect("it is piped");
        input.write_all(sql.as_bytes()).expect("psql reads");
        drop(input);
        let output = psql.wait_with_output().expect("psql ends");
        assert!(output.status.success(), "psql failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where initdb, postgres and psql are.
fn binaries() -> PathBuf {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        candidates.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    candidates.extend(versions.into_iter().rev());
    candidates.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    candidates.into_iter().find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists()).expect(INSTALL)
}

/// A command that does not run as root, which PostgreSQL refuses.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let user = if has_user("postgres") { "postgres" } else { "nobody" };
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--"]).arg(program);
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")))
}

fn has_user(name: &str) -> bool {
    fs::read_to_string("/etc/passwd").is_ok_and(|users| users.lines().any(|line| line.starts_with(&format!("{name}:"))))
}

fn free_port() -> u16 {
    // Processes that start at the same moment begin at different places.
    let start = u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start)).unwrap_or(0);
    let free = |port: &u16| -> io::Result<TcpListener> { TcpListener::bind(("127.0.0.1", *port)) };
    let ports = (PORTS.start + start..PORTS.end).chain(PORTS.start..PORTS.start + start);
    ports.into_iter().find(|port| free(port).is_ok()).expect("a free port")
}
