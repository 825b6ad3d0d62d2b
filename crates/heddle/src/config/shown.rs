//! What each setting is, and where that comes from, without secrets.

use std::path::{Path, PathBuf};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    settings::{self, Secrecy, Setting},
    source::{Document, Origin, quoted},
};

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// One setting as it is.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its path, with the number of each list's table.
    pub key: String,
    /// Its value as TOML, without secrets. `None`: it is not set, and has no default.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
    /// What is known of it.
    pub setting: &'static Setting,
    /// The file that it names, if that is what it does.
    pub path: Option<PathBuf>,
    /// Whether something of the value is hidden.
    pub hidden: bool,
}

/// Every setting of the table.
pub(super) fn of(document: &Document<'_>, base: &Path) -> Vec<Shown> {
    let mut list = Vec::new();
    for setting in settings::all() {
        let Some((tables, below)) = setting.key.split_once("[].") else {
            list.push(shown(base, (setting, setting.key.to_owned()), find(document, setting.key)));
            continue;
        };
        let Some((value, origin)) = find(document, tables) else { continue };
        for (index, table) in value.get_ref().as_array().into_iter().flatten().enumerate() {
            let found = table.get_ref().as_table().and_then(|table| inside(table, below));
            let origin = |at: &Spanned<DeValue<'_>>| match &origin {
                Origin::Line(_) => Origin::Line(document.line(at.span().start)),
                outside => outside.clone(),
            };
            let found = found.map(|value| (value, origin(value)));
            list.push(shown(base, (setting, format!("{tables}[{index}].{below}")), found));
        }
    }
    // The tables of a list one after the other.
    list.sort_by_key(|shown| {
        let place = settings::all()
            .position(|setting| setting.key == shown.key.split('[').next().unwrap_or_default());
        let table =
            shown.key.split_once('[').and_then(|(_, rest)| rest.split(']').next()?.parse::<usize>().ok());
        (place, table)
    });
    list
}

fn shown(
    base: &Path,
    (setting, key): (&'static Setting, String),
    found: Option<(&Spanned<DeValue<'_>>, Origin)>,
) -> Shown {
    let Some((value, origin)) = found else {
        let value = setting.default.map(str::to_owned);
        return Shown { key, value, origin: Origin::Default, setting, path: None, hidden: false };
    };
    let value = value.get_ref();
    let path = value.as_str().filter(|_| setting.file.is_some()).map(|path| base.join(path));
    let whole = render(value);
    let value = match setting.secrecy {
        Secrecy::Open => whole.clone(),
        Secrecy::Password => {
            value.as_str().map_or_else(|| quoted(HIDDEN), |url| quoted(&without_password(url)))
        }
        Secrecy::Hidden => hide(value),
    };
    let hidden = value != whole;
    Shown { key, value: Some(value), origin, setting, path, hidden }
}

fn find<'a>(document: &Document<'a>, key: &str) -> Option<(&'a Spanned<DeValue<'a>>, Origin)> {
    if let Some((value, origin)) = document.overrides.get(key) {
        return Some((*value, (*origin).clone()));
    }
    let value = inside(document.table, key)?;
    Some((value, Origin::Line(document.line(value.span().start))))
}

/// What is at a path such as `a.b` of a table.
fn inside<'a>(table: &'a DeTable<'a>, path: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    match path.split_once('.') {
        None => table.get(path),
        Some((first, rest)) => inside(table.get(first)?.get_ref().as_table()?, rest),
    }
}

fn render(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(is) => is.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(list) => {
            let values: Vec<String> = list.iter().map(|value| render(value.get_ref())).collect();
            format!("[{}]", values.join(", "))
        }
        DeValue::Table(table) => rendered(table, render),
    }
}

fn rendered(table: &DeTable<'_>, value_of: impl Fn(&DeValue<'_>) -> String) -> String {
    let pair = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &toml::de::DeString<'_> = key.get_ref();
        format!("{} = {}", quoted(key), value_of(value.get_ref()))
    };
    let pairs: Vec<String> = table.iter().map(pair).collect();
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// Keys of such a table may be secrets, and so may its values: only their number is told.
fn hide(value: &DeValue<'_>) -> String {
    let entries = value.as_table().map_or(1, DeTable::len);
    let hidden = |number| format!("\"{HIDDEN} {number}\" = \"{HIDDEN}\"");
    if entries == 0 {
        return "{}".to_owned();
    }
    format!("{{ {} }}", (1..=entries).map(hidden).collect::<Vec<_>>().join(", "))
}

/// A URL, or a list of words such as `host=… password=…`, without its password.
fn without_password(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return HIDDEN.to_owned() };
    let told = parsed.query_pairs().any(|(name, _)| name.contains("password"));
    if parsed.password().is_none() && !told {
        return url.to_owned();
    }
    if told {
        parsed.set_query(None);
    }
    if parsed.password().is_some() && parsed.set_password(Some("***")).is_err() {
        return HIDDEN.to_owned();
    }
    parsed.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        assert_eq!(without_password("postgres://u:s3cret@h:1/d"), "postgres://u:***@h:1/d");
        assert_eq!(without_password("postgres://u@h:1/d"), "postgres://u@h:1/d");
        assert_eq!(without_password("postgres://u@h/d?password=s3cret"), "postgres://u@h/d");
        assert_eq!(without_password("host=h password=s3cret"), HIDDEN);
    }
}
