//! What the command line remembers between calls, in the user's configuration directory: which servers it has
//! started and where their credentials lie, and who was on board after the last story.
//!
//! Files are created with mode 0600 inside a directory of mode 0700. Deliberately absent: secrets of servers
//! themselves; only the path of the file that holds them is kept here.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::error::Category;

/// The credentials of an operator, as `start-dev` writes them down.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The server.
    pub url: String,
    /// The operator's client id at the built-in token service.
    #[serde(rename = "clientId")]
    pub client_id: String,
    /// Its secret.
    #[serde(rename = "clientSecret")]
    pub client_secret: String,
}

/// What was not found, or could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// No server is known by this URL.
    #[error(
        "no credentials are known for {url}; start a server with 'heddle start-dev', or name the file with --credentials"
    )]
    UnknownServer {
        /// The URL.
        url: String,
    },
    /// No server was started yet.
    #[error("no server is known; start one with 'heddle start-dev', or name it with --server")]
    NoServer,
    /// Others may read the file of a secret.
    #[error(
        "the credentials file {} can be accessed by others (mode {mode:04o}); run: chmod 600 '{}'",
        path.display(), path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file of a secret does not hold one.
    #[error(
        "{} is not a credentials file: {reason}; name the one that the server has written (operator.json)",
        path.display()
    )]
    NotCredentials {
        /// The file.
        path: PathBuf,
        /// What is wrong, without its content.
        reason: String,
    },
    /// The file of a secret is another server's.
    #[error(
        "the credentials in {} are those of {theirs}, not of {url}; name the right file with --credentials",
        path.display()
    )]
    OtherServer {
        /// The file.
        path: PathBuf,
        /// Whose they are.
        theirs: String,
        /// Whose were asked for.
        url: String,
    },
    /// The file of a secret cannot be read.
    #[error(
        "the credentials file {} cannot be read: {source}; name the server's operator.json with --credentials",
        path.display()
    )]
    Credentials {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be used.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The user's configuration directory for Heddle.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

#[derive(Default, Serialize, Deserialize)]
struct Servers {
    newest: Option<String>,
    credentials: BTreeMap<String, PathBuf>,
}

impl Home {
    /// `$XDG_CONFIG_HOME/heddle`, else `$HOME/.config/heddle`, else a directory below the current one.
    #[must_use]
    pub fn of_user() -> Self {
        let directory = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".config")))
            .unwrap_or_else(|| PathBuf::from(".config"));
        Self(directory.join("heddle"))
    }

    /// At a given place, for tests.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// Remembers a started server and where its credentials lie.
    pub fn remember(&self, url: &str, credentials: &Path) -> Result<(), HomeError> {
        let mut servers: Servers = self.read("servers.json")?.unwrap_or_default();
        servers.credentials.insert(url.to_owned(), credentials.to_owned());
        servers.newest = Some(url.to_owned());
        self.write("servers.json", &servers)
    }

    /// The URL of the server that was started last.
    pub fn newest(&self) -> Result<String, HomeError> {
        let servers: Servers = self.read("servers.json")?.unwrap_or_default();
        servers.newest.ok_or(HomeError::NoServer)
    }

    /// The credentials for `url`, from `file` if one is named. Like the master key, they are used only when nobody
    /// else may read them.
    pub fn credentials(&self, url: &str, file: Option<&Path>) -> Result<Credentials, HomeError> {
        let url = url.trim_end_matches('/');
        if let Some(path) = file {
            return read_credentials(path, url);
        }
        let servers: Servers = self.read("servers.json")?.unwrap_or_default();
        let unknown = || HomeError::UnknownServer { url: url.to_owned() };
        read_credentials(servers.credentials.get(url).ok_or_else(unknown)?, url)
    }

    /// Reads a remembered value.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, HomeError> {
        read_file(&self.0.join(name))
    }

    /// Remembers a value.
    pub fn write(&self, name: &str, value: &impl Serialize) -> Result<(), HomeError> {
        let path = self.0.join(name);
        let text = serde_json::to_vec_pretty(value).expect("a remembered value serialises");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .and_then(|()| write_private(&path, &text))
            .map_err(|source| HomeError::File { path, source })
    }
}

/// Replaces `path` by a file of mode 0600 that holds `content`; whoever reads sees the old or the new one.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

fn read_credentials(path: &Path, url: &str) -> Result<Credentials, HomeError> {
    let unreadable = |source| HomeError::Credentials { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(HomeError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(unreadable)?;
    let credentials: Credentials = serde_json::from_slice(&text).map_err(|error| {
        HomeError::NotCredentials { path: path.to_owned(), reason: where_it_is_wrong(&error) }
    })?;
    if credentials.url.trim_end_matches('/') == url {
        return Ok(credentials);
    }
    Err(HomeError::OtherServer { path: path.to_owned(), theirs: credentials.url, url: url.to_owned() })
}

/// The parser itself quotes what it has found, and that may be a secret.
fn where_it_is_wrong(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "something else than is expected",
        Category::Eof => "the end comes too early",
        Category::Io => "it cannot be read",
        Category::Syntax => "no JSON",
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}

fn read_file<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, HomeError> {
    let unusable = |source| HomeError::File { path: path.to_owned(), source };
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|e| unusable(io::Error::other(e))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_remembered_server_is_found_again_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("heddle"));
        assert!(matches!(home.newest(), Err(HomeError::NoServer)));
        let file = folder.path().join("credentials.json");
        let credentials = Credentials {
            url: "http://127.0.0.1:7979".to_owned(),
            client_id: "operator".to_owned(),
            client_secret: "s".to_owned(),
        };
        write_private(&file, &serde_json::to_vec(&credentials).expect("json")).expect("writes");
        home.remember("http://127.0.0.1:7979", &file).expect("remembers");
        assert_eq!(home.newest().expect("known"), "http://127.0.0.1:7979");
        assert_eq!(home.credentials("http://127.0.0.1:7979/", None).expect("known").client_id, "operator");
        assert!(home.credentials("http://127.0.0.1:1", None).is_err());
        for path in [file, folder.path().join("heddle/servers.json")] {
            assert_eq!(fs::metadata(path).expect("there").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_error_about_a_file_of_secrets_quotes_none_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("credentials.json");
        for (content, what) in [
            (r#""s3cret""#, "something else"),
            (r#"{"url": s3cret"#, "no JSON"),
            (r#"{"url": "s3cret"#, "end"),
        ] {
            write_private(&file, content.as_bytes()).expect("writes");
            let error =
                read_credentials(&file, "http://a.example").err().expect("no credentials").to_string();
            assert!(!error.contains("s3cret"), "{error}");
            assert!(error.contains(what) && error.contains("line 1, column "), "{error}");
        }
    }
}
