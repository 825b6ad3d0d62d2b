//! Patterns: `%` is any text, `_` any one character, and a backslash takes the meaning from what follows it.

use super::{
    condition::FilterError,
    scalar::{fold, key},
};

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1024;
/// Most `%` of one pattern: each may have to be tried at every character.
const ANY_MAX: usize = 8;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like(Vec<Piece>);

/// A part of a pattern. No two texts follow one another, and no two [`Piece::Any`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Text(String),
    /// Any one character.
    One,
    /// Any text, also none.
    Any,
}

impl Like {
    /// Reads a pattern as SQL writes it.
    ///
    /// # Errors
    /// When it is too long or has too many `%`.
    pub fn parse(pattern: &str) -> Result<Self, FilterError> {
        let mut like = Self(Vec::new());
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            match character {
                '%' => like.any(),
                '_' => like.0.push(Piece::One),
                '\\' => like.text(characters.next().unwrap_or('\\').encode_utf8(&mut [0; 4])),
                other => like.text(other.encode_utf8(&mut [0; 4])),
            }
        }
        let any = like.0.iter().filter(|piece| **piece == Piece::Any).count();
        if pattern.len() > PATTERN_BYTES_MAX || any > ANY_MAX {
            return Err(FilterError::Pattern { bytes_max: PATTERN_BYTES_MAX, any_max: ANY_MAX });
        }
        Ok(like)
    }

    /// Fits what begins so.
    #[must_use]
    pub fn starting(text: &str) -> Self {
        let mut like = Self(Vec::new());
        like.text(text);
        like.any();
        like
    }

    /// Fits what ends so.
    #[must_use]
    pub fn ending(text: &str) -> Self {
        let mut like = Self(vec![Piece::Any]);
        like.text(text);
        like
    }

    /// Fits what has this text within.
    #[must_use]
    pub fn within(text: &str) -> Self {
        let mut like = Self::ending(text);
        like.any();
        like
    }

    fn text(&mut self, more: &str) {
        let more = more.replace('\0', "\u{fffd}");
        match self.0.last_mut() {
            _ if more.is_empty() => {}
            Some(Piece::Text(text)) => text.push_str(&more),
            _ => self.0.push(Piece::Text(more)),
        }
    }

    fn any(&mut self) {
        if self.0.last() != Some(&Piece::Any) {
            self.0.push(Piece::Any);
        }
    }

    /// Its parts.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// What every text that fits begins with, as far as an index holds it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        match self.0.first() {
            Some(Piece::Text(text)) => key(text),
            _ => "",
        }
    }

    /// The pattern for texts with small letters.
    #[must_use]
    pub fn folded(&self) -> Self {
        let fold_piece = |piece: &Piece| match piece {
            Piece::Text(text) => Piece::Text(fold(text)),
            other => other.clone(),
        };
        Self(self.0.iter().map(fold_piece).collect())
    }

    /// Whether a text fits. Linear in the text for each [`Piece::Any`].
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let pattern: Vec<Unit> = self.0.iter().flat_map(units).collect();
        let (mut t, mut p) = (0, 0);
        let mut restart: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(Unit::Any) => {
                    restart = Some((p, t));
                    p += 1;
                }
                Some(Unit::One) => (t, p) = (t + 1, p + 1),
                Some(Unit::This(c)) if *c == text[t] => (t, p) = (t + 1, p + 1),
                _ => match restart {
                    Some((any, from)) => {
                        restart = Some((any, from + 1));
                        (p, t) = (any + 1, from + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|unit| matches!(unit, Unit::Any))
    }
}

/// A part of a pattern that takes one step.
enum Unit {
    This(char),
    One,
    Any,
}

fn units(piece: &Piece) -> Vec<Unit> {
    match piece {
        Piece::Text(text) => text.chars().map(Unit::This).collect(),
        Piece::One => vec![Unit::One],
        Piece::Any => vec![Unit::Any],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(pattern: &str) -> Like {
        Like::parse(pattern).expect("a pattern")
    }

    #[test]
    fn patterns_fit_what_sql_says() {
        for (pattern, text, fits) in [
            ("wea%_7", "weather-7", true),
            ("wea_7", "weather-7", false),
            ("%", "", true),
            ("_", "ü", true),
            ("_", "", false),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            ("%b%c", "abbc", true),
            ("a%", "A", false),
        ] {
            assert_eq!(like(pattern).fits(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_prefix_is_what_stands_before_the_first_wildcard() {
        assert_eq!(like("wea%").prefix(), "wea");
        assert_eq!(like(r"50\%_").prefix(), "50%");
        assert_eq!(like("%a").prefix(), "");
    }

    #[test]
    fn patterns_that_would_take_long_are_refused() {
        assert!(Like::parse(&"%a".repeat(9)).is_err());
        assert!(Like::parse(&"a".repeat(1025)).is_err());
        assert_eq!(like("a%%%b"), like("a%b"));
    }
}
