//! An installation with two servers of each role behind one public URL.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use heddle::home::Credentials;

use super::{Arbiter, Backend, Place, Proxy, free_port};

/// A role, or roles that live in one process, and which requests are theirs.
struct Part {
    name: &'static str,
    roles: &'static str,
    takes: &'static [&'static str],
}

/// Every runtime role in processes of its own; the management plane, which may be down, in others.
const PARTS: [Part; 5] = [
    Part {
        name: "control-plane",
        roles: r#""control-plane""#,
        takes: &["path_beg /api/mgmt/", "path_beg /api/dsp/", "path_beg /api/signaling/"],
    },
    Part {
        name: "credential-service",
        roles: r#""credential-service""#,
        takes: &[
            "path_beg /api/identity/",
            "path_beg /api/credentials/",
            "path_beg /api/sts/",
            "path_end /did.json",
        ],
    },
    Part {
        name: "issuer-service",
        roles: r#""issuer-service""#,
        takes: &["path_beg /api/admin/", "path_beg /api/issuance/", "path_beg /statuslist/"],
    },
    Part {
        name: "data-plane",
        roles: r#""data-plane""#,
        takes: &["path_beg /api/dataplane/", "path_beg /public/"],
    },
    Part {
        name: "management",
        roles: r#""tenant-manager", "provision-manager", "agents""#,
        takes: &["path_beg /api/tm/", "path_beg /api/pm/"],
    },
];
/// Servers of each part.
const OF_EACH: usize = 2;

/// The servers and what is in front of them.
pub struct Replicas {
    /// The servers, started.
    pub places: Vec<Place>,
    /// The operator's credentials.
    pub credentials: Credentials,
    /// In front of them.
    pub proxy: Proxy,
}

impl Replicas {
    /// Starts servers of `binary` on the database that `database` configures, with everything else below `root`.
    pub async fn start(binary: &str, root: &Path, database: &str, arbiter: &Arbiter) -> Self {
        let public = free_port();
        master_key(&root.join("master.key"));
        let (mut places, mut backends, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for Part { name, roles, takes } in PARTS {
            let mut ports = Vec::new();
            for number in 1..=OF_EACH {
                let port = free_port();
                let settings = format!(
                    "public_url = \"http://127.0.0.1:{public}\"\nlisten = \"127.0.0.1:{port}\"\nroles = [{roles}]\n\
                     blob_dir = \"../blobs\"\nmaster_key_file = \"../master.key\"\n{database}connections_max = 6\n"
                );
                let called = format!("{name}-{number}");
                places.push(Place::new(binary, root, &called, &settings, arbiter.path()));
                ports.push(port);
            }
            all.extend(ports.iter().copied());
            backends.push(Backend { name, takes, ports });
        }
        // Tokens, health and the version: whoever is next.
        backends.push(Backend { name: "anybody", takes: &[], ports: all });
        // The first one makes the operator's client.
        let (first, others) = places.split_first_mut().expect("there are some");
        first.start().await;
        futures::future::join_all(others.iter_mut().map(Place::start)).await;
        let credentials = first.credentials();
        let proxy = Proxy::start(root, public, &backends).await;
        Self { places, credentials, proxy }
    }
}

/// The key that all replicas share.
fn master_key(path: &Path) {
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a file");
    file.write_all(&[7; 32]).expect("it can be written");
}
