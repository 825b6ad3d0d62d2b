//! One address for the replicas of a side: haproxy, which hands requests out by turns and passes over who is away.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Requests that find nobody are answered 503, and those whose replica dies in the middle 502: the sender knows what to
/// do. A replica counts as away as soon as it refuses a connection.
const DEFAULTS: &str = "
defaults
    mode http
    balance roundrobin
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    retries 3
    option redispatch 1
";

/// A running haproxy.
pub struct Balancer(Child);

impl Balancer {
    /// Listens on the first port of each of `sides` for the replicas on the others.
    pub fn start(folder: &Path, sides: &[(u16, [u16; 2])]) -> Self {
        let mut text = DEFAULTS.to_owned();
        for (port, replicas) in sides {
            writeln!(text, "listen side-{port}\n    bind 127.0.0.1:{port}").expect("a text");
            for replica in replicas {
                let check = "check inter 200ms fall 1 rise 1";
                writeln!(text, "    server replica-{replica} 127.0.0.1:{replica} {check}").expect("a text");
            }
        }
        let file = folder.join("haproxy.cfg");
        fs::write(&file, text).expect("the folder can be written");
        let mut haproxy = Command::new(program());
        haproxy
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(haproxy.spawn().expect("haproxy is installed (`apt-get install haproxy`)"))
    }
}

/// Debian has it where only root looks.
fn program() -> &'static str {
    const DEBIAN: &str = "/usr/sbin/haproxy";
    if Path::new(DEBIAN).exists() { DEBIAN } else { "haproxy" }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
