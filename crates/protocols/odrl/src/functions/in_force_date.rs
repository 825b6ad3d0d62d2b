//! The built-in left operand `inForceDate`: the time of the evaluation, against a fixed date or one that is relative
//! to the signing of the agreement (`contractAgreement+30d`).

use std::time::Duration;

use heddle_clock::Timestamp;
use serde_json::Value;

use crate::policy::{AtomicConstraint, Operator};

/// Whether the constraint holds at `now`, and the reason in words.
///
/// `context` must have `agreement.contractSigningDate` (seconds since 1970) for relative dates.
pub(crate) fn in_force_date(
    constraint: &AtomicConstraint,
    context: &Value,
    now: Timestamp,
) -> Result<(bool, String), String> {
    let text = constraint.right_operand.as_value();
    let text = match text {
        // A typed literal, as JSON-LD writes it.
        Value::Object(literal) => literal.get("@value").and_then(Value::as_str),
        other => other.as_str(),
    };
    let text = text.ok_or("the right operand is not a date")?;
    let date = boundary(text, context)?;
    let (holds, relation) = match constraint.operator {
        Operator::Eq => (now == date, "equal to"),
        Operator::Neq => (now != date, "different from"),
        Operator::Gt => (now > date, "after"),
        Operator::Gteq => (now >= date, "not before"),
        Operator::Lt => (now < date, "before"),
        Operator::Lteq | Operator::TermLteq => (now <= date, "not after"),
        other => return Err(format!("'{other}' does not compare dates; use eq, neq, gt, gteq, lt or lteq")),
    };
    Ok((holds, format!("{now} is {}{relation} {date}", if holds { "" } else { "not " })))
}

fn boundary(text: &str, context: &Value) -> Result<Timestamp, String> {
    const RELATIVE: &str = "contractagreement";
    match text.split_at_checked(RELATIVE.len()) {
        Some((word, offset)) if word.eq_ignore_ascii_case(RELATIVE) => {
            let signed = context.pointer("/agreement/contractSigningDate").and_then(Value::as_i64);
            let signed =
                signed.ok_or("the date is relative to an agreement, and there is none in this evaluation")?;
            shifted(Timestamp::from_seconds(signed), offset).ok_or_else(|| {
                format!("'{text}' is not a relative date such as contractAgreement+30d (s, m, h, d)")
            })
        }
        _ => Timestamp::parse_rfc3339(text).map_err(|error| error.to_string()),
    }
}

/// `+30d`, `-1h`: sign, whole number, unit.
fn shifted(start: Timestamp, offset: &str) -> Option<Timestamp> {
    let later = match offset.as_bytes().first()? {
        b'+' => true,
        b'-' => false,
        _ => return None,
    };
    let seconds_per_unit = match offset.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let digits = offset.get(1..offset.len() - 1)?;
    // u64 would also read a second sign.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount = Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(seconds_per_unit)?);
    Some(if later { start + amount } else { start - amount })
}
