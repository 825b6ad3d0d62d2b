//! A new configuration file: every setting with its meaning, limits and default, as a comment.

use std::fmt::Write as _;

use super::settings::{self, Kind, Setting};

/// Which kind of installation the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Everything in one process, with an embedded database.
    Embedded,
    /// Several processes on PostgreSQL.
    Production,
}

/// What a production installation sets, as TOML.
const PRODUCTION: &[(&str, &str)] = &[
    ("listen", r#""0.0.0.0:7979""#),
    ("public_url", r#""https://data.invalid""#),
    ("data_dir", r#""/var/lib/heddle""#),
    ("master_key_file", r#""/etc/heddle/master.key""#),
    ("database.kind", r#""postgres""#),
    ("database.url_file", r#""/etc/heddle/database-url""#),
];

/// Longest line of a comment, in characters.
const WIDTH: usize = 100;

/// The text of a new file.
#[must_use]
pub fn text(variant: Variant, public_url: Option<&str>) -> String {
    let mut text = heading(variant);
    let mut section = "";
    for setting in settings::all() {
        let (table, name) = split(setting.key);
        if table != section {
            section = table;
            head(&mut text, table);
        }
        describe(&mut text, setting);
        let set = match (setting.key, public_url) {
            ("public_url", Some(url)) => Some(super::source::quoted(url)),
            (key, _) if variant == Variant::Production => {
                let given = PRODUCTION.iter().find(|(set, _)| *set == key);
                given.map(|(_, value)| (*value).to_owned())
            }
            _ => None,
        };
        let written = match set {
            Some(value) => format!("{name} = {value}"),
            None if setting.kind == Kind::Tables => format!("# (see [[{}]] below)", setting.key),
            None => format!("#{name} = {}", setting.default.unwrap_or(setting.example)),
        };
        writeln!(text, "{written}\n").expect("a String takes everything");
    }
    text
}

fn heading(variant: Variant) -> String {
    let about = match variant {
        Variant::Embedded => "",
        Variant::Production => {
            "#\n# For production on PostgreSQL. Before the first start:\n\
             #   1. write the real public URL into 'public_url' (it is fixed at the first start);\n\
             #   2. put the database's URL into the file that 'database.url_file' names, mode 0600;\n\
             #   3. make a master key, 32 random bytes: head -c 32 /dev/urandom > FILE; mode 0600; back it up;\n\
             #   4. run 'heddle config check' and 'heddle doctor' with this file.\n"
        }
    };
    format!(
        "# Configuration of Heddle. What begins with '#' without a space behind it is a setting that is not set; remove the\n\
         # '#' to set it. Every setting is here, with its default, or with an example where there is none.\n\
         # Flags win over variables of the environment, and these over this file. Paths are relative to its folder.\n{about}\n"
    )
}

/// The tables of a list are comments: an empty one would be one more.
fn head(text: &mut String, table: &str) {
    let of_list = table.contains("[]");
    let line = match table.strip_suffix("[]") {
        Some(list) => format!("#[[{list}]]"),
        None if of_list => format!("#[{}]", table.replace("[]", "")),
        None => format!("[{table}]"),
    };
    writeln!(text, "{line}\n").expect("a String takes everything");
}

fn describe(text: &mut String, setting: &Setting) {
    let mut line = String::from("#");
    let mut put = |line: &str| writeln!(text, "{line}").expect("a String takes everything");
    for word in setting.meaning.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            put(&line);
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    put(&line);
    let default = match setting.default {
        Some(default) => format!("default {default}"),
        None => format!("not set by default; such as {}", setting.example),
    };
    put(&format!("# {}; {default}.", setting.limits()));
    if let Some(variable) = setting.variable() {
        put(&format!("# Variable {variable}."));
    }
}

/// The table and the name in it.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Configuration, parse};

    fn read(text: &str) -> Configuration {
        parse(text, Path::new("heddle.toml"), Path::new("/etc/heddle"))
            .unwrap_or_else(|e| panic!("{e}\n{text}"))
    }

    /// The lines of a new file, with those settings set that `which` names.
    fn set(text: &str, which: impl Fn(&Setting) -> bool) -> String {
        let mut table = String::new();
        let line = |line: &str| {
            let bare = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && !rest.is_empty());
            let Some(bare) = bare else {
                if line.starts_with('[') {
                    table = line.trim_matches(['[', ']']).to_owned();
                }
                return line.to_owned();
            };
            if bare.starts_with('[') {
                let path = bare.trim_matches(['[', ']']);
                table = settings::all()
                    .map(|setting| split(setting.key).0)
                    .find(|table| table.replace("[]", "") == path && table.contains("[]"))
                    .expect("a table of a list")
                    .to_owned();
                let any = settings::all().any(|setting| setting.key.starts_with(&table) && which(setting));
                return if any { bare.to_owned() } else { line.to_owned() };
            }
            let name = bare.split(' ').next().expect("a name");
            let key = if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
            let setting = settings::at(&key).unwrap_or_else(|| panic!("{key} is a setting"));
            if which(setting) { bare.to_owned() } else { line.to_owned() }
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_new_file_changes_nothing_and_says_the_defaults() {
        let text = text(Variant::Embedded, None);
        let defaults = parse("", Path::new("heddle.toml"), Path::new("/etc/heddle")).expect("legal");
        assert_eq!(read(&text), defaults);
        let all = set(&text, |setting| {
            setting.default.is_some()
                && !setting.key.contains("[]")
                && !setting.key.starts_with("static_identity")
        });
        let mut said = read(&all);
        // Which port was chosen by somebody is no value.
        said.port_was_given = false;
        assert_eq!(said, defaults, "{all}");
    }

    #[test]
    fn every_setting_is_in_a_new_file_and_the_reader_knows_it() {
        let text = text(Variant::Embedded, None);
        let all = set(&text, |_| true);
        // Only then may identities that prove nothing be named.
        let all = all.replace("\ndevelopment = false", "\ndevelopment = true");
        let configuration = read(&all);
        assert_eq!(configuration.auth.issuers.len(), 1);
        assert_eq!(configuration.http.listeners.len(), 1);
        for setting in settings::all().filter(|setting| setting.kind != Kind::Tables) {
            let (_, name) = split(setting.key);
            assert!(all.lines().any(|line| line.starts_with(&format!("{name} = "))), "{}", setting.key);
        }
    }

    #[test]
    fn the_tables_of_a_list_say_the_defaults_of_what_is_left_out() {
        let text = "[[auth.issuers]]\nissuer = \"https://a.example\"\n";
        let left_out = read(text);
        let mut said = String::from(text);
        for setting in settings::all().filter(|setting| setting.key.starts_with("auth.issuers[].")) {
            if let Some(default) = setting.default {
                let name = setting.key.trim_start_matches("auth.issuers[].");
                writeln!(said, "{name} = {default}").expect("a String takes everything");
            }
        }
        assert_eq!(read(&said).auth, left_out.auth, "{said}");
    }

    #[test]
    fn the_file_for_production_needs_its_public_url_and_nothing_else() {
        let error =
            parse(&text(Variant::Production, None), Path::new("heddle.toml"), Path::new("/etc/heddle"));
        let error = error.expect_err("a placeholder").to_string();
        assert!(error.contains("has 1 mistake") && error.contains("still the placeholder"), "{error}");
        let configuration = read(&text(Variant::Production, Some("https://data.example.org")));
        assert_eq!(configuration.public_url.as_deref(), Some("https://data.example.org"));
        assert!(matches!(configuration.database, crate::config::DatabaseSettings::Postgres { .. }));
        assert!(!configuration.development);
    }

    #[test]
    fn defaults_are_within_the_limits_and_numbers_have_units() {
        for setting in settings::all() {
            let Kind::Integer(least, most) = setting.kind else { continue };
            let in_limits = |number: u64| (least..=most).contains(&number);
            assert!(setting.default_number().is_none_or(in_limits), "{}", setting.key);
            assert!(!setting.unit.is_empty(), "{} counts something", setting.key);
        }
    }
}
