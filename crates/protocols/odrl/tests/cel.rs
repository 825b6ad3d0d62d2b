//! Expressions: what they can say, and that none can break the evaluator.

use std::fmt::Write as _;

use heddle_clock::Timestamp;
use heddle_odrl::cel::{CompileError, EvaluationError, Expression, Session, This};
use proptest::prelude::{ProptestConfig, proptest};
use serde_json::{Value, json};

fn session(context: &Value) -> Session {
    let now = Timestamp::parse_rfc3339("2026-06-01T00:00:00Z").expect("a time");
    Session::new(context, now).expect("a session")
}

fn context() -> Value {
    json!({"agent": {"id": "did:web:peer", "claims": {"level": 3, "vc": [
        {"@context": ["https://www.w3.org/2018/credentials/v1"], "id": "urn:1", "type": ["VerifiableCredential", "A"],
         "issuer": {"id": "did:web:i"}, "credentialSubject": [{"status": "active", "tags": ["x", "y"], "level": 2}],
         "issuanceDate": "2026-01-01T00:00:00Z", "expirationDate": "2027-01-01T00:00:00Z"},
        {"@context": ["https://www.w3.org/ns/credentials/v2"], "id": "urn:2", "type": "B", "issuer": "did:web:j",
         "credentialSubject": {"status": "left"}, "validFrom": "2026-01-01T00:00:00Z",
         "validUntil": "2026-02-01T00:00:00Z"}
    ]}}})
}

fn this() -> This {
    This { left_operand: "left".to_owned(), operator: "EQ".to_owned(), right_operand: json!(["x", "y"]) }
}

fn evaluate(text: &str) -> Result<bool, EvaluationError> {
    Expression::compile(text).expect(text).evaluate(&session(&context()), &this())
}

#[test]
fn true_expressions() {
    for text in [
        "ctx.agent.claims.vc.exists(c, c.type.exists(t, t == 'A'))",
        "ctx.agent.claims.vc.valid().withType('A').hasClaim('status', 'active')",
        "ctx.agent.claims.vc.hasCredential('B')",
        "ctx.agent.claims.vc.withIssuer('did:web:j').size() == 1",
        "ctx.agent.claims.vc.withIssuer('did:web:i').withType('A').size() == 1",
        "ctx.agent.claims.vc.withContext('https://www.w3.org/ns/credentials/v2')[0].id == 'urn:2'",
        "ctx.agent.claims.vc.valid().size() == 1",
        "ctx.agent.claims.vc.hasClaim('tags', 'y')",
        "ctx.agent.claims.vc.claim('status') == 'active'",
        "ctx.agent.claims.vc.claims('status') == ['active', 'left']",
        "ctx.agent.claims.vc.claim('absent') == null",
        "ctx.agent.claims.vc[0].hasType('A') && !ctx.agent.claims.vc[0].hasType('B')",
        "ctx.agent.claims.vc[1].hasContext('https://www.w3.org/ns/credentials/v2')",
        "ctx.agent.claims.vc[0].valid() && !ctx.agent.claims.vc[1].valid()",
        "ctx.agent.claims.vc[0].claim('level') + 1 == 3",
        "this.operator == 'EQ' && this.leftOperand == 'left' && 'x' in this.rightOperand",
        "now > timestamp('2026-05-31T00:00:00Z') && now - duration('48h') < timestamp('2026-05-31T00:00:00Z')",
        "ctx.agent.id.matches('^did:web:[a-z]+$') && ctx.agent.id.startsWith('did:')",
        "has(ctx.agent.id) && !has(ctx.agreement)",
        "[1, 2, 3].map(x, x * 2).filter(x, x > 2) == [4, 6]",
        "[1, 2, 3].exists_one(x, x == 2) && [1, 2].all(x, x > 0)",
        "{'a': 1}['a'] == 1 ? true : false",
    ] {
        assert_eq!(evaluate(text), Ok(true), "{text}");
    }
}

#[test]
fn false_expressions_and_failures() {
    for text in [
        "ctx.agent.claims.vc.hasCredential('C')",
        "ctx.agent.claims.vc.valid().hasCredential('B')",
        "ctx.agent.claims.vc.hasClaim('status', 'gone')",
        "ctx.agent.claims.vc.hasClaim('absent')",
    ] {
        assert_eq!(evaluate(text), Ok(false), "{text}");
    }
    for text in
        ["ctx.absent == 1", "ctx.agent.id.hasType('A')", "ctx.agent.claims.vc.hasClaim(1)", "1 / 0 == 1"]
    {
        assert!(matches!(evaluate(text), Err(EvaluationError::Failed(_))), "{text}: {:?}", evaluate(text));
    }
    assert_eq!(evaluate("ctx.agent.id"), Err(EvaluationError::NotBoolean("string".to_owned())));
}

#[test]
fn mistakes_are_found_when_compiling() {
    let error = |text: &str| Expression::compile(text).expect_err(text);
    assert!(matches!(error("1 +"), CompileError::Syntax(_)));
    assert!(matches!(error(""), CompileError::Syntax(_)));
    assert_eq!(error("agent.id == 'x'"), CompileError::UnknownVariable("agent".to_owned()));
    assert_eq!(error("ctx.list.exists(c, d == 1)"), CompileError::UnknownVariable("d".to_owned()));
    assert_eq!(error("ctx.list.exist(1)"), CompileError::UnknownFunction("exist".to_owned()));
    assert_eq!(error("'text'"), CompileError::NotBoolean);
    assert!(matches!(error(&format!("'{}' == ''", "x".repeat(5000))), CompileError::TooLong { .. }));
    assert!(matches!(error("@charge(true)"), CompileError::Syntax(_)));
    assert!(matches!(error("Some{a: 1} == 1"), CompileError::UnknownFunction(_)));
}

#[test]
fn nesting_is_bounded() {
    for levels in [60, 500, 2000] {
        refuses_chains(levels);
    }
}

/// Long chains are refused before they can exhaust a thread's stack.
fn refuses_chains(levels: usize) {
    for text in [
        format!("{}true{}", "(".repeat(levels), ")".repeat(levels)),
        "(".repeat(levels),
        "[".repeat(levels),
        format!("{}true", "!".repeat(levels)),
        format!("{}1 == 1", "- ".repeat(levels)),
        format!("1{} == 1", "+1".repeat(levels)),
        format!("ctx{}", ".a".repeat(levels)),
        format!("ctx{}", "[0]".repeat(levels)),
        format!("{}true", "true?true:".repeat(levels)),
        format!("{}true{}", "true?".repeat(levels), ":true".repeat(levels)),
        format!("ctx{}", ".valid()".repeat(levels)),
        format!("true{}", "<true".repeat(levels)),
        format!("1{} == 1", " in 1".repeat(levels)),
        format!("[1]{} == []", ".map(x, x)".repeat(levels)),
        format!("[1]{}", ".all(x, [1]".repeat(levels)),
    ] {
        assert!(Expression::compile(&text).is_err(), "{}", &text[..40]);
    }
}

#[test]
fn work_is_bounded() {
    let list = format!("[{}]", "1,".repeat(60).trim_end_matches(','));
    let mut nested = "true".to_owned();
    for variable in ["a", "b", "c", "d", "e"] {
        nested = format!("{list}.all({variable}, {nested})");
    }
    let mut absorbed = "1 / 0 == 1".to_owned();
    for variable in ["a", "b", "c", "d", "e"] {
        absorbed = format!("{list}.exists({variable}, {absorbed})");
    }
    let grown = |step: &str| {
        let mut text = "['xxxxxxxxxxxxxxxx']".to_owned();
        for _ in 0..8 {
            write!(text, ".map(x, {step})").expect("text");
        }
        format!("{text} == []")
    };
    let filtered = format!("{list}.map(a, {list}.map(b, {list}.map(c, {list}.filter(d, false)))) == []");
    let absorbing = format!("{nested} || true");
    for text in [
        nested,
        absorbed,
        grown("x + x + x + x + x + x + x + x"),
        grown("[x, x, x, x, x, x, x, x]"),
        grown("{'a': x, 'b': x, 'c': x, 'd': x, 'e': x, 'f': x}"),
        filtered,
        absorbing,
    ] {
        let expected = Err(EvaluationError::TooMuchWork { max: Expression::UNITS_MAX });
        assert_eq!(evaluate(&text), expected, "{}", &text[..text.len().min(200)]);
    }
}

#[test]
fn many_expressions_share_one_budget() {
    let list = format!("[{}]", "1,".repeat(60).trim_end_matches(','));
    let text = format!("{list}.all(a, {list}.all(b, a == b))");
    let expression = Expression::compile(&text).expect("an expression");
    let session = session(&context());
    let answers: Vec<_> = (0..1000).map(|_| expression.evaluate(&session, &this())).collect();
    assert_eq!(answers.first(), Some(&Ok(true)));
    assert!(matches!(answers.last(), Some(Err(EvaluationError::TooMuchWork { .. }))));
}

#[test]
fn a_context_is_bounded() {
    let now = Timestamp::from_seconds(0);
    let wide = json!({"list": vec![1; 100_000]});
    assert!(matches!(Session::new(&wide, now), Err(EvaluationError::ContextTooLarge { .. })));
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert!(matches!(Session::new(&deep, now), Err(EvaluationError::ContextTooLarge { .. })));
    assert!(Session::new(&json!({}), Timestamp::from_millis(i64::MAX)).is_err());
}

#[test]
fn hostile_patterns_are_refused() {
    let text = r"ctx.agent.id.matches('(\\w{1000}){1000}')";
    assert!(matches!(evaluate(text), Err(EvaluationError::Failed(_))), "{:?}", evaluate(text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_breaks_the_compiler(text in "[a-z0-9 .,:?!&|'\"\\[\\](){}+*<>=@\\\\-]{0,60}") {
        if let Ok(expression) = Expression::compile(&text) {
            let _ = expression.evaluate(&session(&context()), &this());
        }
    }
}
