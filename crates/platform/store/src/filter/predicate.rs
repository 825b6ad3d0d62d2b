//! The predicate language of the management plane's queries, as a correct superset of the Connector Fabric Manager's:
//! comparisons, `IS [NOT] NULL`, `[NOT] IN (…)`, `AND` before `OR`, parentheses, `true`.
//!
//! ```text
//! vpas.type = 'cfm.connector' AND (vpas.state = 'active' OR version > 3)
//! ```

use std::{iter::Peekable, str::CharIndices};

use serde_json::{Number, Value};

use super::{DEPTH_MAX, Filter, FilterError, LIST_VALUES_MAX, Like, PATH_BYTES_MAX, Scalar, TESTS_MAX, Test};

/// Longest predicate, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// Reads a predicate.
///
/// # Errors
/// [`FilterError::Syntax`] with the place, and with what is allowed there.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > BYTES_MAX {
        return Err(FilterError::Syntax(format!("a predicate has at most {BYTES_MAX} bytes")));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len() };
    let filter = parser.any(0)?;
    if parser.peek().is_some() {
        return Err(parser.expected("AND, OR or the end"));
    }
    if filter.tests() > TESTS_MAX {
        return Err(FilterError::Syntax(format!("a predicate has at most {TESTS_MAX} comparisons")));
    }
    Ok(filter)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, a path or a keyword.
    Word(String),
    Value(Value),
    /// An operator or a bracket.
    Sign(&'static str),
}

const SIGNS: [&str; 9] = ["!=", ">=", "<=", "=", ">", "<", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let mut found = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some(&(at, character)) = characters.peek() {
        let wrong = |what: &str| FilterError::Syntax(format!("at character {}: {what}", at + 1));
        let rest = &text[at..];
        let token = if character.is_whitespace() {
            characters.next();
            continue;
        } else if character == '\'' {
            Token::Value(quoted(&mut characters).ok_or_else(|| wrong("a text without its end quote"))?)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            for _ in sign.chars() {
                characters.next();
            }
            Token::Sign(sign)
        } else if character.is_ascii_digit() || character == '-' {
            let word = taken(&mut characters, text, |c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            let number: Number = word.parse().map_err(|_| wrong("a number that cannot be read"))?;
            Token::Value(Value::Number(number))
        } else if character.is_alphabetic() || "_@".contains(character) {
            Token::Word(
                taken(&mut characters, text, |c| c.is_alphanumeric() || "_@-.:/#".contains(c)).to_owned(),
            )
        } else {
            return Err(wrong("this character has no meaning here"));
        };
        found.push((at, token));
    }
    Ok(found)
}

type Characters<'t> = Peekable<CharIndices<'t>>;

fn taken<'t>(characters: &mut Characters<'t>, text: &'t str, belongs: impl Fn(char) -> bool) -> &'t str {
    let begin = characters.peek().map_or(text.len(), |(at, _)| *at);
    while characters.next_if(|(_, character)| belongs(*character)).is_some() {}
    let end = characters.peek().map_or(text.len(), |(at, _)| *at);
    &text[begin..end]
}

/// A text in single quotes; two of them are one.
fn quoted(characters: &mut Characters<'_>) -> Option<Value> {
    characters.next();
    let mut content = String::new();
    loop {
        match characters.next()?.1 {
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_some() => content.push('\''),
            '\'' => return Some(Value::String(content)),
            other => content.push(other),
        }
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn expected(&self, what: &str) -> FilterError {
        let at = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        FilterError::Syntax(format!("at character {}: expected {what}", at + 1))
    }

    /// Takes a keyword, in capital or in small letters.
    fn keyword(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.next += usize::from(there);
        there
    }

    fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(there);
        there
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.one(depth)?];
        while self.keyword("AND") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if self.sign("(") {
            if depth == DEPTH_MAX {
                return Err(FilterError::Syntax(format!("parentheses are nested at most {DEPTH_MAX} deep")));
            }
            let inner = self.any(depth + 1)?;
            return if self.sign(")") { Ok(inner) } else { Err(self.expected("')'")) };
        }
        let alone = !matches!(self.tokens.get(self.next + 1), Some((_, Token::Sign(sign))) if *sign != ")");
        if alone && self.keyword("true") {
            return Ok(Filter::default());
        }
        let Some(Token::Word(path)) = self.peek().cloned() else {
            return Err(self.expected("a path, '(' or true"));
        };
        if path.len() > PATH_BYTES_MAX {
            return Err(FilterError::Path);
        }
        self.next += 1;
        Ok(Filter::Path(path, self.test()?))
    }

    fn test(&mut self) -> Result<Test, FilterError> {
        if self.keyword("IS") {
            let not = self.keyword("NOT");
            return match self.keyword("NULL") {
                true if not => Ok(Test::Present),
                true => Ok(Test::Absent),
                false => Err(self.expected("NULL")),
            };
        }
        let not = self.keyword("NOT");
        if self.keyword("IN") {
            let list = self.list()?;
            return Ok(if not { Test::NotIn(list) } else { Test::In(list) });
        }
        if self.keyword("LIKE") {
            let like = Like::parse(self.value()?.text())?;
            return Ok(if not { Test::NotLike(like) } else { Test::Like(like) });
        }
        if !not {
            for (word, test) in [
                ("CONTAINS", (|value| Test::Contains(value)) as fn(Scalar) -> Test),
                ("STARTS_WITH", |value| Test::Like(Like::starting(value.text()))),
                ("ENDS_WITH", |value| Test::Like(Like::ending(value.text()))),
            ] {
                if self.keyword(word) {
                    return self.value().map(test);
                }
            }
            for (sign, test) in [
                ("=", Test::Equal as fn(Scalar) -> Test),
                ("!=", Test::NotEqual),
                (">=", Test::AtLeast),
                ("<=", Test::AtMost),
                (">", Test::Greater),
                ("<", Test::Less),
            ] {
                if self.sign(sign) {
                    return self.value().map(test);
                }
            }
        }
        Err(self.expected(
            "=, !=, >, >=, <, <=, [NOT] IN, [NOT] LIKE, CONTAINS, STARTS_WITH, ENDS_WITH or IS [NOT] NULL",
        ))
    }

    fn value(&mut self) -> Result<Scalar, FilterError> {
        let value = match self.peek() {
            Some(Token::Value(value)) => Scalar::of(value),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Scalar::of(&Value::Bool(true)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Scalar::of(&Value::Bool(false)),
            _ => None,
        };
        let value = value.ok_or_else(|| self.expected("a text in single quotes, a number, true or false"))?;
        self.take();
        Ok(value)
    }

    fn list(&mut self) -> Result<Vec<Scalar>, FilterError> {
        if !self.sign("(") {
            return Err(self.expected("'('"));
        }
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        if values.len() > LIST_VALUES_MAX {
            return Err(FilterError::Syntax(format!("a list has at most {LIST_VALUES_MAX} values")));
        }
        if self.sign(")") { Ok(values) } else { Err(self.expected("',' or ')'")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::filter::Properties;

    fn holds(predicate: &str) -> bool {
        let document = json!({"id": "p1", "version": 3, "ok": true, "tags": ["a", "b"], "name": "it's"});
        let vpas =
            json!([{"type": "cfm.connector", "state": "active"}, {"type": "cfm.issuer", "state": "pending"}]);
        let properties = Properties::default().with("", &document).with("vpas", &vpas).into_rows();
        parse(predicate).unwrap_or_else(|error| panic!("{predicate}: {error}")).matches(&properties)
    }

    #[test]
    fn predicates_hold_and_fail() {
        for predicate in [
            "true",
            "id = 'p1'",
            "vpas.type = 'cfm.connector' AND vpas.state = 'pending'",
            "version >= 3 and version < 4",
            "(version = 1 OR version = 3) AND id != 'x'",
            "version = 9 AND id = 'x' OR id = 'p1'",
            "id IN ('a', 'p1')",
            "id NOT IN ('a')",
            "id LIKE 'p%'",
            "id not like 'q%'",
            "tags CONTAINS 'b'",
            "name = 'it''s'",
            "name ENDS_WITH '''s' AND name STARTS_WITH 'it'",
            "ok = true",
            "gone IS NULL AND id IS NOT NULL",
            "((id = 'p1'))",
        ] {
            assert!(holds(predicate), "{predicate}");
        }
        for predicate in
            ["id = 'x'", "(version = 1 OR version = 3) AND id = 'x'", "gone != 'x'", "id IS NULL"]
        {
            assert!(!holds(predicate), "{predicate}");
        }
    }

    #[test]
    fn wrong_predicates_say_where_and_what() {
        for (predicate, said) in [
            ("", "at character 1: expected a path, '(' or true"),
            ("id = ", "at character 6: expected a text in single quotes"),
            ("id = 'x", "at character 6: a text without its end quote"),
            ("id ~ 1", "at character 4: this character has no meaning here"),
            ("id = 1 id = 2", "at character 8: expected AND, OR or the end"),
            ("(id = 1", "at character 8: expected ')'"),
            ("id NOT = 1", "at character 8: expected =, !=, >"),
            ("id = 1.2.3", "at character 6: a number that cannot be read"),
        ] {
            let error = parse(predicate).expect_err(predicate).to_string();
            assert!(error.starts_with(said), "{predicate}: {error}");
        }
        assert!(parse(&"(".repeat(20)).is_err());
        assert!(parse(&vec!["a = 1"; TESTS_MAX + 1].join(" AND ")).is_err());
    }
}
