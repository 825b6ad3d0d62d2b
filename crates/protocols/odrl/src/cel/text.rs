//! The limits that are checked before the parser sees a text.

use super::{CompileError, Expression};

/// Refuses texts that are too long, whose brackets or prefix operators nest too deep, or which chain too much
/// (`a.b.c…`, `1+1+…`): the parser recurses for each link of a chain.
///
/// String literals count as well: that errs on the safe side, and to tell them apart reliably is the parser's work.
pub(super) fn check(text: &str) -> Result<(), CompileError> {
    let max = Expression::TEXT_BYTES_MAX;
    if text.len() > max {
        return Err(CompileError::TooLong { actual: text.len(), max });
    }
    let links = text.bytes().filter(|byte| b".+-*/%<>=!?([{".contains(byte)).count();
    if links > Expression::LINKS_MAX {
        return Err(CompileError::TooManyLinks { max: Expression::LINKS_MAX });
    }
    let max = Expression::DEPTH_MAX;
    let (mut brackets, mut prefixes) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        prefixes = match byte {
            b'!' | b'-' => prefixes + 1,
            byte if byte.is_ascii_whitespace() => prefixes,
            _ => 0,
        };
        if brackets > max || prefixes > max {
            return Err(CompileError::TooDeep { max });
        }
    }
    Ok(())
}
