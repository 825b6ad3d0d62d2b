//! A PostgreSQL server of one's own, for tests.
//!
//! The server runs as long as the process that started it: it hangs on a pipe, so that it ends even when the test is
//! killed. Durability is switched off, unless it is asked for; nothing else is.

mod release;

pub use release::{connect_as_release, newest_schema};

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Below the range from which the system takes ports of its own accord.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const START_WAIT: Duration = Duration::from_secs(60);
const INSTALL: &str = "PostgreSQL 15 or later is not installed: `apt-get install postgresql` (Debian, Ubuntu), or put \
     its initdb and postgres on the PATH; these tests are not skipped without it";

/// How many ports are tried: other processes' tests start servers as well.
const PORT_ATTEMPTS_MAX: u32 = 20;

/// Runs the server until it ends by itself or the pipe on standard input ends; if nothing was said before that,
/// whoever started it has died, and nobody else will tidy up.
const KEEPER: &str = r#"
directory=$1; shift
exec 3<&0
"$@" & server=$!
(
    said=nothing
    while read -r line; do said=$line; done
    [ "$said" = stop ] || touch "$directory/orphaned"
    kill -INT "$server"
) <&3 2>/dev/null & reader=$!
wait "$server"
kill "$reader" 2>/dev/null
[ ! -e "$directory/orphaned" ] || rm -rf "$directory"
"#;

/// A server on the loopback interface with the login role `heddle`, which may create roles and is no superuser.
#[derive(Debug)]
pub struct TestPostgres {
    directory: PathBuf,
    binaries: PathBuf,
    port: u16,
    durable: bool,
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
        Self::start_with(false)
    }

    /// As [`TestPostgres::start`], with the durability that a server has unless somebody switches it off.
    #[must_use]
    pub fn start_durable() -> Self {
        Self::start_with(true)
    }

    fn start_with(durable: bool) -> Self {
        let binaries = binaries();
        let directory = directory();
        let data = directory.join("data");
        let mut initdb = unprivileged(&binaries.join("initdb"));
        initdb.args(["--auth=trust", "--username=admin", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        let output = initdb.arg(&data).output().expect("initdb starts");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        let (keeper, databases) = (Mutex::new(None), AtomicU32::new(0));
        let mut server = Self { directory, binaries, port: free_port(), durable, keeper, databases };
        let mut attempt = 1;
        while let Err(log) = server.launch() {
            // Somebody else was faster.
            let taken = log.contains("could not bind") && attempt < PORT_ATTEMPTS_MAX;
            assert!(taken, "the PostgreSQL server did not start: {log}");
            attempt += 1;
            server.port = free_port();
        }
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

    /// The same database for the superuser `admin`.
    #[must_use]
    pub fn as_superuser(url: &str) -> String {
        url.replace("//heddle@", "//admin@")
    }

    /// Runs SQL as the superuser `admin` and gives back what it prints, without headings.
    #[must_use]
    pub fn administer(&self, url: &str, sql: &str) -> String {
        let database = url.rsplit('/').next().unwrap_or_default();
        self.psql(database, sql)
    }

    /// Stops the server; connections break.
    pub fn stop(&self) {
        let Some(mut keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let mut input = keeper.stdin.take().expect("it is piped");
        input.write_all(b"stop\n").expect("the keeper reads");
        drop(input);
        keeper.wait().expect("the server's keeper ends");
    }

    /// Starts a stopped server again, with its data and on its port.
    pub fn restart(&self) {
        self.stop();
        let launched = self.launch();
        assert!(launched.is_ok(), "the PostgreSQL server did not start again: {launched:?}");
    }

    /// Starts the server and waits until it answers; on failure its log.
    fn launch(&self) -> Result<(), String> {
        let log = fs::File::create(self.directory.join("log")).expect("a log");
        let mut keeper = unprivileged(Path::new("/bin/sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(&self.directory).arg(self.binaries.join("postgres"));
        keeper.arg("-D").arg(self.directory.join("data"));
        keeper.arg("-k").arg(&self.directory);
        let port = format!("port={}", self.port);
        let settings = [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "max_connections=300",
            "shared_buffers=64MB",
            "autovacuum_naptime=1min",
        ];
        let careless: &[&str] = if self.durable { &[] } else { &["fsync=off", "full_page_writes=off"] };
        for setting in settings.iter().chain(careless) {
            keeper.args(["-c", setting]);
        }
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().expect("a log")).stderr(log);
        let keeper = keeper.spawn().expect("the server's keeper starts");
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        self.wait_until_ready()
    }

    /// The server offers no event for this from outside but its answer. It is asked on its own socket: the port may
    /// be another server's.
    fn wait_until_ready(&self) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let mut ready = Command::new(self.binaries.join("pg_isready"));
            ready.arg("-h").arg(&self.directory).args(["-q", "-p", &self.port.to_string(), "-t", "5"]);
            if ready.status().is_ok_and(|status| status.success()) {
                return Ok(());
            }
            let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
            let died = keeper.as_mut().is_some_and(|keeper| matches!(keeper.try_wait(), Ok(Some(_))));
            if died || begun.elapsed() > START_WAIT {
                return Err(fs::read_to_string(self.directory.join("log")).unwrap_or_default());
            }
        }
    }

    fn psql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "admin", "-h"]);
        psql.arg(&self.directory);
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
        // What cannot be removed is in the system's temporary directory.
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// A new directory that belongs to the user that the server runs as.
fn directory() -> PathBuf {
    let template = std::env::temp_dir().join("heddle-postgres-XXXXXX");
    let output = unprivileged(Path::new("mktemp")).arg("-d").arg(template).output().expect("mktemp starts");
    assert!(output.status.success(), "mktemp failed: {}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
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
    candidates
        .into_iter()
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .expect(INSTALL)
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
    fs::read_to_string("/etc/passwd")
        .is_ok_and(|users| users.lines().any(|line| line.starts_with(&format!("{name}:"))))
}

/// A port that nobody else of this process is given, and that is free at this moment.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    // Processes that start at the same moment begin at different places.
    let begin = std::process::id().wrapping_mul(37);
    let candidates = (0..count).map(|_| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count);
    candidates
        .map(|offset| PORTS.start + u16::try_from(offset).expect("it is below the count of the ports"))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
