//! The one table of settings: key, kind and limits, default, unit, secrecy, meaning.
//!
//! The reader takes limits and simple defaults from it, `heddle config init` writes it as a file, `config show` lists
//! it, variables of the environment are named after it, and `docs/guides/configuration.md` holds it as a table.
//!
//! How to add a setting: one line in the file of its section here, and one read of it beside its section. A reader that
//! asks for a key that is not in the table fails its tests, and so does a line that nobody reads.

mod auth;
#[cfg(test)]
mod guide;
mod http;
mod outbound;
mod root;
mod setting;
mod telemetry;

pub use setting::{FileUse, Kind, Secrecy, Setting};

/// The sections, in the order in which they are shown. A name of `""` is what stands above all sections.
const SECTIONS: &[&[Setting]] = &[
    root::TOP,
    root::DATABASE,
    root::LOG,
    telemetry::SETTINGS,
    http::SETTINGS,
    outbound::SETTINGS,
    auth::SETTINGS,
    root::PEERS,
    root::AGENTS,
    root::STATIC_IDENTITY,
];

/// Every setting.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().copied().flatten()
}

/// The setting at a path such as `auth.issuers[2].issuer`.
#[must_use]
pub fn at(path: &str) -> Option<&'static Setting> {
    let general = general(path);
    all().find(|setting| setting.key == general)
}

/// The setting that a variable of the environment is for.
#[must_use]
pub fn of_variable(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.variable().as_deref() == Some(name))
}

/// Whether the path is that of a setting, or of a table of settings.
#[must_use]
pub fn is_declared(path: &str) -> bool {
    let general = general(path);
    all().any(|setting| {
        setting
            .key
            .strip_prefix(general.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with("[]"))
    })
}

/// Without the numbers of lists: `a[2].b` is `a[].b`.
fn general(path: &str) -> String {
    let mut general = String::with_capacity(path.len());
    let mut inside = false;
    for character in path.chars() {
        inside = (inside || character == '[') && character != ']';
        if !inside || character == '[' {
            general.push(character);
        }
    }
    general
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keys_and_variables_are_of_one_setting_each() {
        let keys: BTreeSet<&str> = all().map(|setting| setting.key).collect();
        assert_eq!(keys.len(), all().count());
        let names: Vec<String> = all().filter_map(Setting::variable).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!(of_variable("HEDDLE_DATABASE_URL").expect("known").key, "database.url");
        assert!(of_variable("HEDDLE_URL").is_none(), "'heddle status -o env' prints it");
    }

    #[test]
    fn numbers_of_lists_do_not_count() {
        assert_eq!(at("auth.issuers[12].issuer").expect("known").key, "auth.issuers[].issuer");
        assert!(is_declared("auth.issuers[0]") && is_declared("database") && !is_declared("databas"));
    }
}
