//! One test of one property row.

use heddle_store::filter::{KEY_BYTES, Like, Piece, Scalar, Test};

use crate::statement::{Dialect, Statement, Value};

/// Bytes of a text up to which the key alone decides: the key of a longer text is longer than that.
const SURE_BYTES: usize = KEY_BYTES - 4;
/// A text of fewer characters has fewer bytes than that.
const SURE_CHARACTERS: usize = SURE_BYTES / 4;

/// A property row in a statement.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    /// Its alias.
    pub(crate) alias: &'a str,
    /// Stands before columns that an index must not be chosen for: SQLite takes a range for more selective than an id.
    plus: &'static str,
    /// The index has all of it but long texts.
    by_index: bool,
}

impl<'a> Row<'a> {
    /// A row that is found by what is tested.
    pub(crate) fn found(alias: &'a str, dialect: Dialect) -> Self {
        Self { alias, plus: "", by_index: dialect == Dialect::Sqlite }
    }

    /// A row that is found by its document's id.
    pub(crate) fn probed(alias: &'a str, dialect: Dialect) -> Self {
        Self { alias, plus: if dialect == Dialect::Sqlite { "+" } else { "" }, by_index: false }
    }

    fn text(self) -> String {
        format!("{}{}.text", self.plus, self.alias)
    }

    fn number(self) -> String {
        format!("{}{}.number", self.plus, self.alias)
    }

    /// The whole text. Where SQLite goes by an index, it fetches the row for long texts alone.
    fn whole(self) -> String {
        let alias = self.alias;
        if !self.by_index {
            return format!("coalesce({alias}.long, {alias}.text)");
        }
        let same = ["owner", "kind", "id", "path", "item"].map(|key| format!("w.{key} = {alias}.{key}"));
        format!(
            "CASE WHEN length({alias}.text) < {SURE_CHARACTERS} THEN {alias}.text ELSE \
             (SELECT coalesce(w.long, w.text) FROM property w WHERE {}) END",
            same.join(" AND ")
        )
    }
}

/// The positive form of a test, over the columns of a property row. Of a negative one, what must not be there.
pub(crate) fn positive(statement: &mut Statement, row: Row<'_>, test: &Test) -> String {
    match test {
        Test::Equal(one) | Test::NotEqual(one) => equal(statement, row, std::slice::from_ref(one)),
        Test::In(list) | Test::NotIn(list) => equal(statement, row, list),
        Test::Less(bound) => compare(statement, row, "<", bound),
        Test::AtMost(bound) => compare(statement, row, "<=", bound),
        Test::Greater(bound) => compare(statement, row, ">", bound),
        Test::AtLeast(bound) => compare(statement, row, ">=", bound),
        Test::Like(like) | Test::NotLike(like) => pattern(statement, row, like),
        Test::LikeAnyCase(like) => {
            let folded = format!("coalesce({}.folded, lower({}))", row.alias, row.whole());
            fits(statement, &folded, &like.folded())
        }
        Test::Contains(wanted) => {
            let element = equal(statement, row, std::slice::from_ref(wanted));
            let within = statement.text(wanted.text());
            let function = match statement.dialect() {
                Dialect::Sqlite => "instr",
                Dialect::Postgres => "strpos",
            };
            let within = format!("{function}({}, {within}) > 0", row.whole());
            format!("(({0}.item > 0 AND {element}) OR ({0}.item = 0 AND {within}))", row.alias)
        }
        Test::Present | Test::Absent => "1 = 1".to_owned(),
    }
}

fn equal(statement: &mut Statement, row: Row<'_>, list: &[Scalar]) -> String {
    if list.is_empty() {
        return "1 = 0".to_owned();
    }
    let keys: Vec<String> = list.iter().map(|one| statement.text(one.key())).collect();
    let by_key = match keys.as_slice() {
        [key] => format!("{} = {key}", row.text()),
        keys => format!("{} IN ({})", row.text(), keys.join(", ")),
    };
    if list.iter().all(|one| one.text().len() <= SURE_BYTES) {
        return by_key;
    }
    let texts: Vec<String> = list.iter().map(|one| statement.text(one.text())).collect();
    format!("{by_key} AND {} IN ({})", row.whole(), texts.join(", "))
}

fn compare(statement: &mut Statement, row: Row<'_>, operator: &str, bound: &Scalar) -> String {
    if let Some(number) = bound.number() {
        let place = statement.place(Value::Number(number));
        return format!("{} {operator} {place}", row.number());
    }
    let key = statement.text(bound.key());
    if bound.text().len() <= SURE_BYTES {
        return format!("{} {operator} {key} AND {} IS NULL", row.text(), row.number());
    }
    let loose = if operator.starts_with('<') { "<=" } else { ">=" };
    let text = statement.text(bound.text());
    format!("{} {loose} {key} AND {} {operator} {text} AND {} IS NULL", row.text(), row.whole(), row.number())
}

fn pattern(statement: &mut Statement, row: Row<'_>, like: &Like) -> String {
    let prefix = like.prefix();
    if prefix.is_empty() {
        return fits(statement, &row.whole(), like);
    }
    // The beginning of a long text decides that much.
    let only_prefix = matches!(like.pieces(), [Piece::Text(_), Piece::Any]) && prefix.len() <= SURE_BYTES;
    let fits = if only_prefix { "1 = 1".to_owned() } else { fits(statement, &row.whole(), like) };
    let from = statement.text(prefix);
    match after(prefix) {
        Some(end) => {
            let end = statement.text(&end);
            format!("{0} >= {from} AND {0} < {end} AND {fits}", row.text())
        }
        None => format!("{} >= {from} AND {fits}", row.text()),
    }
}

/// The smallest text that is greater than all texts that begin with `prefix`.
fn after(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The next character that there is: surrogates are none.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// `GLOB` on SQLite, whose `LIKE` takes capital and small letters for the same.
fn fits(statement: &mut Statement, text: &str, like: &Like) -> String {
    let dialect = statement.dialect();
    let pattern: String = like.pieces().iter().map(|piece| written(dialect, piece)).collect();
    let place = statement.text(&pattern);
    match dialect {
        Dialect::Sqlite => format!("{text} GLOB {place}"),
        Dialect::Postgres => format!("{text} LIKE {place}"),
    }
}

fn written(dialect: Dialect, piece: &Piece) -> String {
    match (dialect, piece) {
        (Dialect::Sqlite, Piece::Any) => "*".to_owned(),
        (Dialect::Sqlite, Piece::One) => "?".to_owned(),
        (Dialect::Postgres, Piece::Any) => "%".to_owned(),
        (Dialect::Postgres, Piece::One) => "_".to_owned(),
        (Dialect::Sqlite, Piece::Text(text)) => {
            let special = |c: char| matches!(c, '*' | '?' | '[');
            text.chars().map(|c| if special(c) { format!("[{c}]") } else { c.to_string() }).collect()
        }
        (Dialect::Postgres, Piece::Text(text)) => {
            let special = |c: char| matches!(c, '%' | '_' | '\\');
            text.chars().map(|c| if special(c) { format!("\\{c}") } else { c.to_string() }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_prefix_is_greater_than_all_that_begin_with_it() {
        assert_eq!(after("ab").as_deref(), Some("ac"));
        assert_eq!(after("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after("\u{10ffff}"), None);
    }

    #[test]
    fn patterns_mean_the_same_in_both_dialects() {
        let like = Like::parse(r"a*[%\_b_").expect("a pattern");
        let all = |dialect| like.pieces().iter().map(|piece| written(dialect, piece)).collect::<String>();
        assert_eq!(all(Dialect::Sqlite), "a[*][[]*_b?");
        assert_eq!(all(Dialect::Postgres), r"a*[%\_b_");
    }
}
