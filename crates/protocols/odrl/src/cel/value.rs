//! JSON as values of the language, and what a value weighs.

use std::{collections::HashMap, sync::Arc};

use cel::{
    Value as Cel,
    common::{
        types::{CelBytes, CelList, CelMap, CelString},
        value::Val,
    },
    objects::{Key, Map},
};
use serde_json::Value;

use super::{EvaluationError, Expression};

/// Deepest nesting of a context.
const DEPTH_MAX: usize = 64;
/// Bytes of text that weigh one unit.
const BYTES_PER_UNIT: usize = 64;

/// JSON as a value of the language. Whole numbers become `int`, so that arithmetic with literals works.
pub(super) fn from_json(value: &Value) -> Result<Cel, EvaluationError> {
    let mut left = Expression::CONTEXT_UNITS_MAX;
    convert(value, DEPTH_MAX, &mut left)
        .ok_or(EvaluationError::ContextTooLarge { max: Expression::CONTEXT_UNITS_MAX })
}

fn convert(value: &Value, depth: usize, left: &mut u64) -> Option<Cel> {
    let depth = depth.checked_sub(1)?;
    let mut spend = |bytes: usize| {
        *left = left.checked_sub(1 + (bytes / BYTES_PER_UNIT) as u64)?;
        Some(())
    };
    match value {
        Value::Null => spend(0).map(|()| Cel::Null),
        Value::Bool(bool) => spend(0).map(|()| Cel::Bool(*bool)),
        Value::Number(number) => {
            spend(0).map(|()| number.as_i64().map_or_else(|| other_number(number), Cel::Int))
        }
        Value::String(text) => spend(text.len()).map(|()| Cel::from(text.as_str())),
        Value::Array(items) => {
            spend(0)?;
            let items = items.iter().map(|item| convert(item, depth, left)).collect::<Option<Vec<_>>>()?;
            Some(Cel::List(Arc::new(items)))
        }
        Value::Object(members) => {
            spend(members.keys().map(String::len).sum())?;
            let mut map = HashMap::with_capacity(members.len());
            for (name, member) in members {
                map.insert(Key::String(Arc::new(name.clone())), convert(member, depth, left)?);
            }
            Some(Cel::Map(Map { map: Arc::new(map) }))
        }
    }
}

fn other_number(number: &serde_json::Number) -> Cel {
    number.as_u64().map_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN)), Cel::UInt)
}

/// What looking at the whole of a value costs, counted up to `max`.
pub(super) fn weight(value: &dyn Val, max: u64) -> u64 {
    let text = |bytes: usize| 1 + (bytes / BYTES_PER_UNIT) as u64;
    let mut total = 1;
    if let Some(string) = value.downcast_ref::<CelString>() {
        total = text(string.inner().len());
    } else if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        total = text(bytes.inner().len());
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        for item in list.inner() {
            if total >= max {
                break;
            }
            total += weight(item.as_ref(), max - total);
        }
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        for (key, member) in map.inner() {
            if total >= max {
                break;
            }
            total += weight(key.inner(), max - total) + weight(member.as_ref(), max - total);
        }
    }
    total
}
