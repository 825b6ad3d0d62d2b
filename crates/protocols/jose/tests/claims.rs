//! Registered claims.

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_jose::{Audience, JoseError, NumericDate, TimeClaims, claims};
use proptest::prelude::{any, proptest};
use serde::Deserialize;
use serde_json::{Map, Value, json};

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[test]
fn dates_are_seconds_whole_or_not() {
    let read = |value: Value| claims::time(&object(&json!({ "exp": value })), "exp");
    assert_eq!(read(json!(1_700_000_000)), Ok(Some(Timestamp::from_seconds(1_700_000_000))));
    assert_eq!(read(json!(1.5)), Ok(Some(Timestamp::from_millis(1500))));
    assert_eq!(read(json!(0)), Ok(Some(Timestamp::from_seconds(0))));
    assert_eq!(claims::time(&object(&json!({})), "exp"), Ok(None));
    for hostile in
        [json!(-1), json!(-0.5), json!(1e300), json!(u64::MAX), json!("1"), json!(null), json!([1])]
    {
        assert!(read(hostile.clone()).is_err(), "{hostile}");
    }
    assert_eq!(serde_json::to_value(NumericDate(Timestamp::from_millis(1999))).expect("writes"), json!(1));
}

#[test]
fn an_audience_is_a_text_or_texts() {
    let read = |value: Value| Audience::of(&object(&json!({ "aud": value })));
    let one = read(json!("a")).expect("good").expect("there");
    assert!(one.is_only("a") && one.contains("a") && !one.contains("A") && !one.is_only("b"));
    let two = read(json!(["a", "b"])).expect("good").expect("there");
    assert!(two.contains("b") && !two.is_only("a"));
    assert_eq!(serde_json::to_value(&two).expect("writes"), json!(["a", "b"]));
    assert_eq!(serde_json::to_value(Audience::one("a")).expect("writes"), json!("a"));
    for hostile in [json!([]), json!([1]), json!({}), json!(null), json!(vec!["a"; 33])] {
        assert!(read(hostile.clone()).is_err(), "{hostile}");
    }
    assert_eq!(Audience::of(&object(&json!({}))), Ok(None));
}

#[test]
fn a_token_is_valid_between_its_dates() {
    let at = Timestamp::from_seconds;
    let times = TimeClaims::of(&object(&json!({ "iat": 100, "nbf": 100, "exp": 200 }))).expect("good");
    let none = Duration::ZERO;
    assert!(times.check(at(100), none).is_ok());
    assert!(times.check(at(199), none).is_ok());
    assert_eq!(times.check(at(200), none), Err(JoseError::Time("it has expired")), "exp itself is too late");
    assert!(times.check(at(99), none).is_err());
    assert!(times.check(at(203), Duration::from_secs(5)).is_ok());
    assert!(times.check(at(205), Duration::from_secs(5)).is_err());
    assert!(times.check(at(95), Duration::from_secs(5)).is_ok());
    let future = TimeClaims { issued_at: Some(at(10)), ..TimeClaims::default() };
    assert!(future.check(at(9), none).is_err());
}

#[test]
fn an_error_names_the_claim_and_never_its_value() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Wanted {
        iss: String,
        token: String,
    }
    let missing = claims::read::<Wanted>(object(&json!({ "iss": "a" }))).expect_err("token is missing");
    assert!(missing.to_string().contains("'token'"), "{missing}");
    let wrong = claims::read::<Vec<String>>(object(&json!({ "token": "secret" }))).expect_err("wrong type");
    assert!(!wrong.to_string().contains("secret"), "{wrong}");
    let wrong = claims::read::<Wanted>(object(&json!({ "iss": { "x": "secret" }, "token": "secret" })));
    let wrong = wrong.expect_err("iss is no text").to_string();
    assert!(wrong.contains("'iss'") && !wrong.contains("secret"), "{wrong}");
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in any::<String>()) {
        let _ = heddle_jose::Token::parse(&text);
        let _ = heddle_jose::strict::parse(text.as_bytes());
    }

    #[test]
    fn strict_parsing_agrees_with_plain_parsing(number in any::<f64>(), text in any::<String>(), int in any::<i64>()) {
        let value = json!({ "a": [number, int, null, true, { "b": text }] });
        let written = value.to_string();
        let plain: Value = serde_json::from_str(&written).expect("JSON");
        assert_eq!(heddle_jose::strict::parse(written.as_bytes()), Ok(plain));
    }
}
