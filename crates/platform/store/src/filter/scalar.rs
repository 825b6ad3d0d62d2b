//! One value, as it is compared and as it is stored.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Bytes of a text that its index holds.
pub const KEY_BYTES: usize = 256;
/// Integers up to here are exact as 64-bit floats.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A text, a number (which has a text too) or a truth value (which is its text).
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    text: String,
    number: Option<f64>,
}

impl Scalar {
    /// A text. The character 0, which PostgreSQL has not, becomes the replacement character.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { text: text.replace('\0', "\u{fffd}"), number: None }
    }

    /// A JSON number.
    #[must_use]
    pub fn from_number(number: &Number) -> Self {
        let size = number.as_f64().unwrap_or_default();
        let text = match number.is_f64() && size.fract() == 0.0 && size.abs() <= EXACT_MAX {
            // 10.0 is 10, and -0.0 is 0.
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
            true => (size as i64).to_string(),
            false => number.to_string(),
        };
        // What is -0.0 sorts as 0.
        Self { text, number: Some(size + 0.0) }
    }

    /// The value, unless it is null, a list or an object.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::from_text(text)),
            Value::Number(number) => Some(Self::from_number(number)),
            Value::Bool(flag) => Some(Self { text: flag.to_string(), number: None }),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The text, or that of the number.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.number
    }

    /// The beginning of the text that the index holds: whole characters, at most [`KEY_BYTES`] bytes.
    #[must_use]
    pub fn key(&self) -> &str {
        key(&self.text)
    }

    /// The whole text, if it does not fit into the index.
    #[must_use]
    pub fn whole(&self) -> Option<&str> {
        (self.text.len() > KEY_BYTES).then_some(&self.text)
    }

    /// The text with small letters, if it is another than small ASCII letters make.
    #[must_use]
    pub fn folded(&self) -> Option<String> {
        let folded = fold(&self.text);
        (folded != self.text.to_ascii_lowercase()).then_some(folded)
    }

    /// How it compares with another value of the same sort; a number and a text do not compare.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.number, other.number) {
            (Some(own), Some(other)) => own.partial_cmp(&other),
            (None, None) => Some(self.text.cmp(&other.text)),
            _ => None,
        }
    }
}

/// The beginning of a text: whole characters, at most [`KEY_BYTES`] bytes.
pub(crate) fn key(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEY_BYTES)]
}

/// The text with small letters, character by character and the same in every language.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        Scalar::of(value).expect("a scalar").text().to_owned()
    }

    #[test]
    fn a_number_has_one_text() {
        assert_eq!([text(&json!(10)), text(&json!(10.0)), text(&json!("10"))], ["10", "10", "10"]);
        assert_eq!([text(&json!(-0.0)), text(&json!(0.5)), text(&json!(1e300))], ["0", "0.5", "1e+300"]);
        assert_eq!(text(&json!(9_007_199_254_740_993_u64)), "9007199254740993");
    }

    #[test]
    fn numbers_and_texts_compare_with_their_own_sort_alone() {
        let of = |value: Value| Scalar::of(&value).expect("a scalar");
        assert_eq!(of(json!(9)).compare(&of(json!(10))), Some(Ordering::Less));
        assert_eq!(of(json!("9")).compare(&of(json!("10"))), Some(Ordering::Greater));
        assert_eq!(of(json!(9)).compare(&of(json!("10"))), None);
    }

    #[test]
    fn a_long_text_has_a_key_of_whole_characters() {
        let long = Scalar::from_text(&format!("{}ü", "a".repeat(KEY_BYTES - 1)));
        assert_eq!(long.key().len(), KEY_BYTES - 1);
        assert!(long.whole().is_some());
        assert_eq!(Scalar::from_text("short").whole(), None);
    }
}
