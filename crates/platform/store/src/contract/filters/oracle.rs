//! What filters should find, worked out from JSON values, without rows and without indexes.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::{
    Query, Sort,
    contract::seed::Record,
    filter::{Condition, Filter, condition},
};

/// Random numbers that a seed decides.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit as u64).expect("it is small")
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

const PATHS: [&str; 4] = ["a", "b", "c.d", "list"];

/// A condition as the oracle reads it.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    One(String, &'static str, Value),
    All(Vec<Asked>),
    Any(Vec<Asked>),
}

/// A query with what the oracle needs of it.
#[derive(Debug)]
pub(super) struct AskedQuery {
    asked: Asked,
    pub(super) query: Query,
}

/// Records and what is true of them.
pub(super) struct Oracle {
    pub(super) records: Vec<Record>,
}

impl Oracle {
    pub(super) fn random(dice: &mut Dice, seed: u64) -> Self {
        let records = (0..60).map(|number| {
            let mut body = serde_json::Map::new();
            for path in ["a", "b"] {
                if dice.below(5) > 0 {
                    body.insert(path.to_owned(), scalar(dice));
                }
            }
            if dice.below(3) > 0 {
                body.insert("c".to_owned(), json!({"d": scalar(dice)}));
            }
            if dice.below(3) > 0 {
                let count = dice.below(4);
                body.insert("list".to_owned(), (0..count).map(|_| scalar(dice)).collect());
            }
            Record::new(&format!("{:03}-{seed}", (number * 37) % 60), Value::Object(body))
        });
        Self { records: records.collect() }
    }

    pub(super) fn query(&self, dice: &mut Dice) -> AskedQuery {
        let asked = asked(dice, 2);
        let sort = (dice.below(2) == 0)
            .then(|| Sort { path: dice.pick(&PATHS).to_owned(), descending: dice.below(2) == 0 });
        let mut query = Query { filter: filter(&asked), sort, ..Query::default() };
        if dice.below(3) == 0 {
            query.offset = u32::try_from(dice.below(20)).expect("it is small");
            query.limit = 1 + u32::try_from(dice.below(20)).expect("it is small");
        }
        AskedQuery { asked, query }
    }

    pub(super) fn answer(&self, query: &AskedQuery) -> Vec<String> {
        let mut found: Vec<&Record> =
            self.records.iter().filter(|record| holds(&record.body, &query.asked)).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(sort) = &query.query.sort {
            found.sort_by(|a, b| order(sort, (&first(a, &sort.path), &a.id), (&first(b, &sort.path), &b.id)));
        }
        let ids = found.into_iter().map(|record| record.id.clone());
        ids.skip(query.query.offset as usize).take(query.query.limit as usize).collect()
    }
}

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => json!(dice.below(12)),
        1 => json!(f64::from(u32::try_from(dice.below(40)).expect("it is small")) / 4.0 - 5.0),
        2 => json!(dice.below(2) == 0),
        _ => dice.pick(&[
            json!("a"),
            json!("ab"),
            json!("B"),
            json!("10"),
            json!("ä"),
            json!("Äb"),
            json!("z%_"),
            json!(""),
        ]),
    }
}

fn asked(dice: &mut Dice, depth: usize) -> Asked {
    match dice.below(if depth == 0 { 3 } else { 6 }) {
        4 => Asked::All((0..=dice.below(3)).map(|_| asked(dice, depth - 1)).collect()),
        5 => Asked::Any((0..=dice.below(3)).map(|_| asked(dice, depth - 1)).collect()),
        _ => {
            let operator =
                dice.pick(&["=", "!=", "in", "not in", "like", "ilike", "contains", "<", "<=", ">", ">="]);
            let operand = match operator {
                "in" | "not in" => (0..dice.below(4)).map(|_| scalar(dice)).collect(),
                "like" | "ilike" => dice.pick(&[
                    json!("a%"),
                    json!("%b"),
                    json!("_"),
                    json!("%"),
                    json!("1%"),
                    json!("Ä%"),
                    json!("ä"),
                    json!("z\\%\\_"),
                    json!("A"),
                    json!("t_ue"),
                ]),
                _ => scalar(dice),
            };
            Asked::One(dice.pick(&PATHS).to_owned(), operator, operand)
        }
    }
}

fn filter(asked: &Asked) -> Filter {
    match asked {
        Asked::All(parts) => Filter::All(parts.iter().map(filter).collect()),
        Asked::Any(parts) => Filter::Any(parts.iter().map(filter).collect()),
        Asked::One(path, operator, operand) => {
            condition(&Condition { path, operator, operand }).expect("a condition")
        }
    }
}

/// The values at a path, and whether they stand in a list.
fn at(body: &Value, path: &str) -> (Vec<Value>, bool) {
    let value = path.split('.').try_fold(body, |value, name| value.get(name));
    match value {
        Some(Value::Array(items)) => (items.clone(), true),
        Some(Value::Null) | None => (Vec::new(), false),
        Some(value) => (vec![value.clone()], false),
    }
}

fn first(record: &Record, path: &str) -> Option<Value> {
    at(&record.body, path).0.into_iter().next()
}

fn holds(body: &Value, asked: &Asked) -> bool {
    match asked {
        Asked::All(parts) => parts.iter().all(|part| holds(body, part)),
        Asked::Any(parts) => parts.iter().any(|part| holds(body, part)),
        Asked::One(path, operator, operand) => {
            let (values, in_list) = at(body, path);
            let any = |passes: &dyn Fn(&Value) -> bool| values.iter().any(passes);
            let is = |one: &Value| any(&|value| text(value) == text(one));
            let is_one = || operand.as_array().expect("a list").iter().any(is);
            match *operator {
                "=" => is(operand),
                "!=" => !values.is_empty() && !is(operand),
                "in" => is_one(),
                "not in" => !values.is_empty() && !is_one(),
                "like" => any(&|value| like(&text(value), &text(operand))),
                "ilike" => any(&|value| like(&text(value).to_lowercase(), &text(operand).to_lowercase())),
                "contains" if in_list => is(operand),
                "contains" => any(&|value| text(value).contains(&text(operand))),
                other => any(&|value| {
                    compare(value, operand).is_some_and(|ordering| match other {
                        "<" => ordering.is_lt(),
                        "<=" => ordering.is_le(),
                        ">" => ordering.is_gt(),
                        _ => ordering.is_ge(),
                    })
                }),
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let number = number.as_f64().expect("a number");
            format!("{number}")
        }
        other => other.to_string(),
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.partial_cmp(&b),
        (None, None) => Some(text(a).cmp(&text(b))),
        _ => None,
    }
}

/// By the definition: a wildcard is nothing, or a character and itself again.
fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            like(text, rest.as_str())
                || text.chars().next().is_some_and(|c| like(&text[c.len_utf8()..], pattern))
        }
        Some('_') => text.chars().next().is_some_and(|c| like(&text[c.len_utf8()..], rest.as_str())),
        Some(wanted) => {
            let wanted = if wanted == '\\' { rest.next().unwrap_or('\\') } else { wanted };
            text.strip_prefix(wanted).is_some_and(|text| like(text, rest.as_str()))
        }
    }
}

fn order(sort: &Sort, (a, a_id): (&Option<Value>, &str), (b, b_id): (&Option<Value>, &str)) -> Ordering {
    let rank = |value: &Value| u8::from(!value.is_number());
    match (a, b) {
        (None, None) => a_id.cmp(b_id),
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => {
            let same = compare(a, b).unwrap_or(Ordering::Equal);
            let ordering = same.then(a_id.cmp(b_id));
            rank(a).cmp(&rank(b)).then(if sort.descending { ordering.reverse() } else { ordering })
        }
    }
}
