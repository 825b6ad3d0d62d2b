//! What the operating system grants this process.

use super::Finding;
use crate::config::{Configuration, DatabaseSettings};

/// Descriptors besides connections: files, pipes, timers.
const OTHERS: u64 = 128;

/// Whether a server may open as many connections as it is configured for.
pub fn descriptors(configuration: &Configuration) -> Finding {
    let text = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    of(configuration, granted(&text))
}

/// The soft limit: it is the one that counts.
fn granted(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

fn of(configuration: &Configuration, granted: Option<u64>) -> Finding {
    let tried = "read the limit of open files (ulimit -n)";
    let listeners = 1 + configuration.http.listeners.len();
    let incoming = configuration.http.limits.connections_max.saturating_mul(listeners);
    let database = match &configuration.database {
        DatabaseSettings::Sqlite => 64,
        DatabaseSettings::Postgres { connections_max, .. } => u64::from(*connections_max) + 1,
    };
    let needed = u64::try_from(incoming).unwrap_or(u64::MAX).saturating_add(database).saturating_add(OTHERS);
    let Some(granted) = granted else {
        return Finding::ok("open_files", tried, "the system does not say")
            .warning(format!("allow at least {needed}"));
    };
    let happened = format!("{granted} are allowed; {needed} are used if every connection is taken");
    let finding = Finding::ok("open_files", tried, happened);
    if granted < OTHERS + database + 64 {
        finding.failure(format!("raise the limit to {needed} (LimitNOFILE of systemd, or ulimit -n)"))
    } else if granted < needed {
        finding.warning(format!(
            "raise the limit to {needed} (LimitNOFILE of systemd, or ulimit -n), or lower 'http.connections_max'"
        ))
    } else {
        finding
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{config, doctor::Verdict};

    #[test]
    fn fewer_descriptors_than_connections_are_told() {
        let configuration = config::parse("", Path::new("heddle.toml"), Path::new(".")).expect("legal");
        assert_eq!(of(&configuration, Some(100)).verdict, Verdict::Failure);
        assert_eq!(of(&configuration, Some(1024)).verdict, Verdict::Warning);
        assert_eq!(of(&configuration, Some(65_536)).verdict, Verdict::Ok);
        let text = "Limit  Soft\nMax open files            1024                 524288               files\n";
        assert_eq!(granted(text), Some(1024));
    }
}
