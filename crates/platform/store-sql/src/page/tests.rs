use futures::FutureExt;
use heddle_store::filter::{Condition, condition};
use serde_json::{Value as Json, json};

use super::*;

/// A database in which every count is `size`.
struct Fake {
    size: i64,
    statements: Vec<String>,
}

#[async_trait]
impl Runner for Fake {
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.statements.push(statement.sql);
        Ok(Vec::new())
    }

    async fn number(&mut self, statement: Statement) -> Result<i64, StoreError> {
        self.statements.push(statement.sql);
        Ok(self.size)
    }
}

fn ask(size: i64, conditions: &[(&str, &str, Json)]) -> (Result<Vec<Row>, StoreError>, Vec<String>) {
    let read = |(path, operator, operand): &(&str, &str, Json)| {
        condition(&Condition { path, operator, operand }).expect("a condition")
    };
    let query = Query { filter: Filter::All(conditions.iter().map(read).collect()), ..Query::default() };
    let whose = Whose { owner: "p:a".to_owned(), peer: None, kind: "thing" };
    let mut fake = Fake { size, statements: Vec::new() };
    let answer = rows(&mut fake, Dialect::Postgres, &whose, &query).now_or_never().expect("it never waits");
    let mut other = Fake { size, statements: Vec::new() };
    let counted =
        count(&mut other, Dialect::Postgres, &whose, &query).now_or_never().expect("it never waits");
    assert_eq!(answer.is_ok(), counted.is_ok(), "what cannot be listed cannot be counted");
    (answer, fake.statements)
}

#[test]
fn what_no_index_answers_is_refused_for_too_many_rows() {
    let many = i64::from(SCAN_ROWS_MAX) + 1;
    for (operator, operand) in [
        ("!=", json!("x")),
        ("not in", json!(["x"])),
        ("contains", json!("x")),
        ("like", json!("%x")),
        ("ilike", json!("x%")),
    ] {
        let (answer, _) = ask(many, &[("a", operator, operand.clone())]);
        assert!(matches!(answer, Err(StoreError::TooBroad { .. })), "{operator}: {answer:?}");
        assert!(ask(many - 1, &[("a", operator, operand.clone())]).0.is_ok(), "{operator}");
        assert!(
            ask(many, &[("a", operator, operand), ("b", "=", json!(1))]).0.is_ok(),
            "{operator} beside ="
        );
    }
}

#[test]
fn few_rows_are_fetched_and_many_are_probed() {
    let conditions = [("a", "<", json!(5)), ("b", "contains", json!("x"))];
    let (_, narrow) = ask(10, &conditions);
    assert!(narrow.last().is_some_and(|sql| sql.contains("SELECT DISTINCT u.id")), "{narrow:?}");
    let (_, broad) = ask(NARROW_MAX + 1, &conditions);
    assert!(broad.last().is_some_and(|sql| sql.contains("FROM heddle.aggregate d WHERE")), "{broad:?}");
    let (_, equal) = ask(NARROW_MAX + 1, &[("a", "=", json!(5))]);
    assert_eq!(equal.len(), 1, "one value needs no count: {equal:?}");
}

#[test]
fn few_values_are_read_side_by_side_and_what_is_probed_is_written_once() {
    let values: Vec<u32> = (0..16).collect();
    let streams = |sql: &[String]| sql.last().map_or(0, |sql| sql.matches("SELECT DISTINCT v").count());
    let (_, alone) = ask(NARROW_MAX + 1, &[("a", "in", json!(values))]);
    assert_eq!((alone.len(), streams(&alone)), (1, 16), "{alone:?}");
    let (_, more) = ask(NARROW_MAX + 1, &[("a", "in", json!((0..17).collect::<Vec<u32>>()))]);
    assert_eq!(streams(&more), 0, "{more:?}");
    let many: Vec<u32> = (0..256).collect();
    let (_, beside) = ask(NARROW_MAX + 1, &[("a", "in", json!(values)), ("b", "not in", json!(many))]);
    assert_eq!(streams(&beside), 0, "{beside:?}");
    let (_, one) = ask(10, &[("a", "=", json!(1)), ("b", "not in", json!(many))]);
    assert_eq!((one.len(), streams(&one)), (1, 1), "{one:?}");
}
