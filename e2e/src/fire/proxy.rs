//! HAProxy in front of replicas: round robin, without stickiness.

use std::{fmt::Write as _, fs, path::Path, process::Stdio};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

const INSTALL: &str = "HAProxy is not installed: `apt-get install haproxy` (Debian, Ubuntu); this test is not skipped without it";

/// Servers that answer for some paths.
pub struct Backend {
    /// Its name.
    pub name: &'static str,
    /// Conditions on requests, in HAProxy's words; any of them is enough. Without any, it takes what nobody else does.
    pub takes: &'static [&'static str],
    /// The ports of its servers.
    pub ports: Vec<u16>,
}

/// A running proxy. It ends with its value.
pub struct Proxy {
    _child: Child,
}

impl Proxy {
    /// Listens on `port` and sends each request to the next server of the first backend that takes it.
    pub async fn start(folder: &Path, port: u16, backends: &[Backend]) -> Self {
        let file = folder.join("haproxy.cfg");
        fs::write(&file, configuration(port, backends)).expect("the folder can be written");
        let log = fs::File::create(folder.join("haproxy.log")).expect("a log");
        let mut command = Command::new(find());
        // In the foreground, in one process, quiet.
        command.arg("-db").arg("-f").arg(&file).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a log")).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().expect(INSTALL);
        // It says nowhere that it listens.
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = child.try_wait().expect("a child can be asked");
            let said = fs::read_to_string(folder.join("haproxy.log")).unwrap_or_default();
            assert!(ended.is_none(), "HAProxy ended: {said}");
            tokio::task::yield_now().await;
        }
        Self { _child: child }
    }
}

/// Debian puts it where only administrators look.
fn find() -> &'static str {
    let beside = "/usr/sbin/haproxy";
    if Path::new(beside).exists() { beside } else { "haproxy" }
}

fn configuration(port: u16, backends: &[Backend]) -> String {
    let mut text = format!(
        "global\n  maxconn 2000\n\
         defaults\n  mode http\n  timeout connect 2s\n  timeout client 2m\n  timeout server 2m\n  \
         retries 2\n  option redispatch 1\n  balance roundrobin\n  \
         option httpchk GET /health/readiness\n  default-server check inter 300ms fall 1 rise 1\n\
         frontend public\n  bind 127.0.0.1:{port}\n"
    );
    let mut line = |what: &str, how: &str| writeln!(text, "  {what} {how}").expect("a text takes all");
    for Backend { name, takes, .. } in backends {
        takes.iter().for_each(|condition| line("use_backend", &format!("{name} if {{ {condition} }}")));
        if takes.is_empty() {
            line("default_backend", name);
        }
    }
    for Backend { name, ports, .. } in backends {
        writeln!(text, "backend {name}").expect("a text takes all");
        for port in ports {
            writeln!(text, "  server {port} 127.0.0.1:{port}").expect("a text takes all");
        }
    }
    text
}
