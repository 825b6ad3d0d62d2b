//! One file, `heddle.toml`: what each setting means, its default, and what is wrong with a file.
//!
//! All mistakes are reported at once, an unknown key with the key that was probably meant. Secrets are named
//! by the file that holds them. Flags win over variables of the environment, and these over the file ([`Sources`]);
//! what there is to set stands in one table ([`settings`]). Deliberately absent: reloading.

mod auth;
mod files;
mod http;
pub mod new_file;
mod outbound;
mod reader;
mod sections;
pub mod settings;
mod shown;
mod source;
mod telemetry;

use std::path::{Path, PathBuf};

pub use auth::{Auth, IssuerSettings};
pub use http::{Group, Http, ListenerSettings};
pub use outbound::OutboundSettings;
pub use reader::{Mistake, Mistakes};
pub use sections::{Agents, Configuration, DatabaseSettings, LogSettings, Peers, Role, StaticIdentity};
pub use shown::Shown;
use source::Document;
pub use source::{Origin, Sources, UnknownSetting};
pub use telemetry::Telemetry;
use toml::de::DeTable;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error(
        "the configuration file {} cannot be read: {source}; name another one with --config",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{} is not valid TOML: line {line}, column {column}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1, in characters.
        column: usize,
        /// What the parser said, without the text of the line: a secret may stand there.
        reason: String,
    },
    /// The file says something that cannot be.
    #[error(transparent)]
    Mistaken(#[from] Mistakes),
}

/// A configuration, and what each setting is and where that comes from.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub configuration: Configuration,
    /// Every setting of the table, in its order; those of tables in a list for each of these tables.
    pub shown: Vec<Shown>,
}

/// Reads a configuration file, and the variables of the environment; paths in it are relative to its folder.
pub fn load(path: &Path) -> Result<Configuration, ConfigurationError> {
    Ok(read(&Sources::of(Some(path)).with_environment())?.configuration)
}

/// Reads a configuration from its sources.
pub fn read(sources: &Sources) -> Result<Loaded, ConfigurationError> {
    let (text, file, base) = text_of(sources)?;
    let (loaded, list) = read_text(&text, &file, (&base, sources))?;
    legal(loaded, list, &file)
}

/// As [`read`], and looks at the files that the configuration names as well.
pub fn check(sources: &Sources) -> Result<Loaded, ConfigurationError> {
    let (text, file, base) = text_of(sources)?;
    let (loaded, mut list) = read_text(&text, &file, (&base, sources))?;
    list.extend(files::mistakes(&loaded.shown, sources.file.as_deref(), &base));
    list.sort_by_key(|mistake| (mistake.outside.is_some(), mistake.line));
    legal(loaded, list, &file)
}

/// Parses the text of a configuration file, and looks nowhere else.
pub fn parse(text: &str, file: &Path, base: &Path) -> Result<Configuration, ConfigurationError> {
    let (loaded, list) = read_text(text, file, (base, &Sources::default()))?;
    Ok(legal(loaded, list, file)?.configuration)
}

/// The text of the file, how it is called, and what paths are relative to.
fn text_of(sources: &Sources) -> Result<(String, PathBuf, PathBuf), ConfigurationError> {
    let Some(path) = &sources.file else {
        return Ok((String::new(), PathBuf::from("the configuration"), PathBuf::from(".")));
    };
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigurationError::Unreadable { path: path.to_owned(), source })?;
    Ok((text, path.clone(), path.parent().unwrap_or(Path::new(".")).to_owned()))
}

fn read_text(
    text: &str,
    file: &Path,
    (base, sources): (&Path, &Sources),
) -> Result<(Loaded, Vec<Mistake>), ConfigurationError> {
    let table = DeTable::parse(text).map_err(|error| malformed(text, file, &error))?;
    let parsed = sources.parse();
    let document = Document::new(table.get_ref(), text, &parsed);
    let (configuration, list) = sections::read(&document, base);
    Ok((Loaded { configuration, shown: shown::of(&document, base) }, list))
}

fn legal(loaded: Loaded, list: Vec<Mistake>, file: &Path) -> Result<Loaded, ConfigurationError> {
    if list.is_empty() { Ok(loaded) } else { Err(Mistakes { file: file.display().to_string(), list }.into()) }
}

fn malformed(text: &str, file: &Path, error: &toml::de::Error) -> ConfigurationError {
    let offset = error.span().map_or(0, |span| span.start).min(text.len());
    let before = String::from_utf8_lossy(&text.as_bytes()[..offset]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
    let reason = error.message().lines().collect::<Vec<_>>().join("; ");
    ConfigurationError::Malformed { path: file.to_owned(), line, column, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Configuration, ConfigurationError> {
        parse(text, Path::new("heddle.toml"), Path::new("/etc/heddle"))
    }

    #[test]
    fn an_empty_file_is_the_embedded_defaults() {
        let configuration = parse_text("").expect("legal");
        assert_eq!(configuration.listen, "127.0.0.1:7979".parse().expect("legal"));
        assert!(matches!(configuration.database, DatabaseSettings::Sqlite));
        assert_eq!(configuration.roles, Role::ALL);
        assert!(!configuration.development);
        let patience = heddle_control_plane::Patience::default();
        assert_eq!(configuration.peers.attempts, patience.attempts);
        assert_eq!(configuration.peers.restarts, patience.restarts);
    }

    #[test]
    fn patience_with_peers_has_bounds() {
        let configuration = parse_text("[peers]\nattempts = 3\nrestart_seconds = 0\n").expect("legal");
        assert_eq!(configuration.peers, Peers { attempts: 3, restarts: std::time::Duration::ZERO });
        let error =
            parse_text("[peers]\nattempts = 0\nrestart_seconds = 9000\n").expect_err("two").to_string();
        assert!(error.contains("line 2: 'peers.attempts' must be from 1 to 15"), "{error}");
        assert!(error.contains("line 3: 'peers.restart_seconds' must be from 0 to 300"), "{error}");
    }

    #[test]
    fn all_mistakes_come_at_once_with_lines_and_a_suggestion() {
        let text = "lisen = \"127.0.0.1:1\"\nroles = [\"control-plain\"]\ndevelopment = \"yes\"\n\n[database]\nkind = \"oracle\"\n";
        let error = parse_text(text).expect_err("four mistakes").to_string();
        for expected in [
            "4 mistakes",
            "line 1: 'lisen' is not a setting; did you mean 'listen'?",
            "line 2: 'control-plain' is not a role",
            "line 3: 'development' must be true or false, not string",
            "line 6: 'database.kind' must be sqlite or postgres",
        ] {
            assert!(error.contains(expected), "{expected}\n{error}");
        }
    }

    #[test]
    fn static_identity_needs_development_mode() {
        let text = "[static_identity.accepts]\n\"Bearer x\" = \"peer\"\n";
        let error = parse_text(text).expect_err("not in production").to_string();
        assert!(error.contains("static_identity") && error.contains("development"), "{error}");
        assert!(parse_text(&format!("development = true\n{text}")).is_ok());
    }

    #[test]
    fn postgres_needs_an_address_and_paths_are_relative_to_the_file() {
        assert!(parse_text("[database]\nkind = \"postgres\"\n").is_err());
        let text = "data_dir = \"data\"\n[database]\nkind = \"postgres\"\nurl_file = \"secret/url\"\n";
        let configuration = parse_text(text).expect("legal");
        assert_eq!(configuration.data_dir, Path::new("/etc/heddle/data"));
        let DatabaseSettings::Postgres { url_file, .. } = configuration.database else { panic!("postgres") };
        assert_eq!(url_file.as_deref(), Some(Path::new("/etc/heddle/secret/url")));
    }

    #[test]
    fn a_malformed_file_is_told_with_its_place_in_one_line() {
        let error = parse_text("roles = []\nblob_dir = secret\n").expect_err("malformed").to_string();
        assert!(error.contains("not valid TOML: line 2, column 12: "), "{error}");
        assert!(
            !error.contains("secret") && !error.contains('\n'),
            "one line without what stands there: {error}"
        );
    }
}
