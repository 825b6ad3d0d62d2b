//! What can be asked of stored documents beyond their promoted columns: conditions on *property rows*.
//!
//! An aggregate that can be filtered gives its properties ([`crate::Aggregate::properties`]); every commit that
//! stores it stores them beside it, as rows with an index. A [`Filter`] is a tree of tests on paths. The surfaces'
//! languages are read into it ([`condition`], [`predicate`]), and [`Filter::matches`] says in memory what the
//! databases say of their rows.
//!
//! # What a test means
//!
//! * A path leads to no value, to one, or (through lists) to several. A test holds when one of the values passes;
//!   a negative one ([`Test::NotEqual`], [`Test::NotIn`], [`Test::NotLike`]) when there are values and none of them
//!   passes the positive one. **A path without a value passes no test** but [`Test::Absent`].
//! * Equality compares texts; the text of a number is its shortest decimal, so 10, 10.0 and `"10"` are equal.
//! * `<`, `<=`, `>`, `>=` compare numbers with numbers, and texts with texts byte by byte; never one with the other.
//!   Numbers compare as 64-bit floats.
//! * Texts with more than [`KEY_BYTES`] bytes are compared whole, but sorted by their first ones.

mod condition;
mod like;
pub mod predicate;
mod property;
mod scalar;

pub use condition::{Condition, FilterError, OPERATORS, condition};
pub use like::{Like, Piece};
pub use property::{PATH_BYTES_MAX, PROPERTIES_MAX, Properties, Property, path_of};
pub use scalar::{KEY_BYTES, Scalar, fold};

/// Most tests of one filter.
pub const TESTS_MAX: usize = 64;
/// Most values of one list (`in`, `not in`).
pub const LIST_VALUES_MAX: usize = 256;
/// How deep conditions may be nested.
pub const DEPTH_MAX: usize = 16;
/// Most rows that a filter without an indexed condition looks at; a participant with more is told to narrow it.
pub const SCAN_ROWS_MAX: u32 = 200_000;

/// A tree of tests. The default holds for everything.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All must hold; of none at all, it holds.
    All(Vec<Filter>),
    /// One must hold; of none at all, it does not.
    Any(Vec<Filter>),
    /// What a path leads to passes a test.
    Path(String, Test),
}

impl Default for Filter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// A test of the values at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One is equal.
    Equal(Scalar),
    /// There are some, and none is equal.
    NotEqual(Scalar),
    /// One is equal to one of these.
    In(Vec<Scalar>),
    /// There are some, and none is equal to one of these.
    NotIn(Vec<Scalar>),
    /// One is smaller.
    Less(Scalar),
    /// One is smaller or equal.
    AtMost(Scalar),
    /// One is greater.
    Greater(Scalar),
    /// One is greater or equal.
    AtLeast(Scalar),
    /// The text of one fits the pattern.
    Like(Like),
    /// There are some, and the text of none fits the pattern.
    NotLike(Like),
    /// The text of one fits the pattern, upper and lower case letters being the same.
    LikeAnyCase(Like),
    /// One element of a list is equal, or a value that stands in no list has this text within its own.
    Contains(Scalar),
    /// There are some.
    Present,
    /// There are none.
    Absent,
}

impl Filter {
    /// One test.
    #[must_use]
    pub fn path(path: impl Into<String>, test: Test) -> Self {
        Self::Path(path.into(), test)
    }

    /// Whether it holds for everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(all) if all.iter().all(Self::is_everything))
    }

    /// How many tests it has.
    #[must_use]
    pub fn tests(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::tests).sum(),
            Self::Path(..) => 1,
        }
    }

    /// Whether it holds for what has these properties.
    #[must_use]
    pub fn matches(&self, properties: &[Property]) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(properties)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(properties)),
            Self::Path(path, test) => {
                test.passes(properties.iter().filter(|property| property.path == *path))
            }
        }
    }
}

impl Test {
    fn passes<'p>(&self, mut values: impl Iterator<Item = &'p Property> + Clone) -> bool {
        let some = values.clone().next().is_some();
        match self {
            Self::Present => some,
            Self::Absent => !some,
            Self::NotEqual(_) | Self::NotIn(_) | Self::NotLike(_) => {
                some && !values.any(|one| self.positive(one))
            }
            _ => values.any(|one| self.positive(one)),
        }
    }

    /// Whether one value passes; of a negative test, whether it passes the positive one.
    fn positive(&self, one: &Property) -> bool {
        let value = &one.value;
        match self {
            Self::Equal(wanted) | Self::NotEqual(wanted) => value.text() == wanted.text(),
            Self::In(wanted) | Self::NotIn(wanted) => {
                wanted.iter().any(|wanted| value.text() == wanted.text())
            }
            Self::Less(bound) => value.compare(bound).is_some_and(std::cmp::Ordering::is_lt),
            Self::AtMost(bound) => value.compare(bound).is_some_and(std::cmp::Ordering::is_le),
            Self::Greater(bound) => value.compare(bound).is_some_and(std::cmp::Ordering::is_gt),
            Self::AtLeast(bound) => value.compare(bound).is_some_and(std::cmp::Ordering::is_ge),
            Self::Like(like) | Self::NotLike(like) => like.fits(value.text()),
            Self::LikeAnyCase(like) => like.folded().fits(&fold(value.text())),
            Self::Contains(wanted) if one.item > 0 => value.text() == wanted.text(),
            Self::Contains(wanted) => value.text().contains(wanted.text()),
            Self::Present | Self::Absent => true,
        }
    }

    /// Whether an index finds the values that pass.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        match self {
            Self::Equal(_)
            | Self::In(_)
            | Self::Less(_)
            | Self::AtMost(_)
            | Self::Greater(_)
            | Self::AtLeast(_) => true,
            Self::Like(like) => !like.prefix().is_empty(),
            _ => false,
        }
    }
}
