//! DIDs, DID URLs, and the mapping of `did:web`.

use heddle_did::{
    Did, DidError, DidUrl,
    web::{Scheme, did_of, url_of},
};

fn url(did: &str, scheme: Scheme) -> Result<String, DidError> {
    url_of(&Did::parse(did)?, scheme)
}

#[test]
fn a_did_web_and_its_location_stand_for_each_other() {
    for (did, host, path) in [
        ("did:web:example.com", "example.com", "/.well-known/did.json"),
        ("did:web:h%3A7083:x", "h:7083", "/x/did.json"),
        ("did:web:localhost%3A8083:holder", "localhost:8083", "/holder/did.json"),
        ("did:web:127.0.0.1%3A8080:a:b:c", "127.0.0.1:8080", "/a/b/c/did.json"),
        ("did:web:a-b.example:user_1:v1.0", "a-b.example", "/user_1/v1.0/did.json"),
        ("did:web:example.com:caf%C3%A9", "example.com", "/caf%C3%A9/did.json"),
        ("did:web:example.com:.well-known:x", "example.com", "/.well-known/x/did.json"),
    ] {
        assert_eq!(url(did, Scheme::Https), Ok(format!("https://{host}{path}")));
        assert_eq!(url(did, Scheme::Http), Ok(format!("http://{host}{path}")));
        assert_eq!(did_of(host, path).expect("a location").as_str(), did);
    }
    assert_eq!(
        did_of("EXAMPLE.com:80", "/x/did.json").expect("a location").as_str(),
        "did:web:example.com%3A80:x"
    );
}

#[test]
fn attacks_on_the_location_are_refused() {
    for did in [
        "did:web:good.com%40evil.com",
        "did:web:user%3Apass%40evil.com",
        "did:web:evil.com%2F",
        "did:web:evil.com%2Fpath:x",
        "did:web:evil.com%23:x",
        "did:web:evil.com%3F:x",
        "did:web:evil.com%00",
        "did:web:evil.com%5C",
        "did:web:%5B%3A%3A1%5D",
        "did:web:h%3A",
        "did:web:h%3A0",
        "did:web:h%3A080",
        "did:web:h%3A-1",
        "did:web:h%3A65536",
        "did:web:h%3A80%3A80",
        "did:web:h%253A80",
        "did:web::x",
        "did:web:h::x",
        "did:web:h:..:x",
        "did:web:h:.:x",
        "did:web:h:%2E%2E:x",
        "did:web:h:%2e.:x",
        "did:web:h:a%2Fb",
        "did:web:h:a%2fb",
        "did:web:h:a%5Cb",
        "did:web:h:a%00b",
        "did:web:h:a%0d%0aHost",
        "did:web:h:%252e%252e:x",
        "did:web:h:.well-known",
        "did:web:.h",
        "did:web:h.",
        "did:web:a..b",
        "did:web:-h",
    ] {
        assert!(matches!(url(did, Scheme::Https), Err(DidError::Location(_))), "{did}");
    }
    assert_eq!(url("did:key:zabc", Scheme::Https), Err(DidError::Method("key".to_owned())));
}

#[test]
fn locations_without_a_did_are_refused() {
    for (host, path) in [
        ("h", ""),
        ("h", "/"),
        ("h", "/did.json"),
        ("h", "/xdid.json"),
        ("h", "/x/did.json/"),
        ("h", "//did.json"),
        ("h", "/a//did.json"),
        ("h", "/../did.json"),
        ("h", "/a/%2e%2e/did.json"),
        ("h", "/a:b/did.json"),
        ("h", "/a%2Fb/did.json"),
        ("h", "/a b/did.json"),
        ("h", "/a?b/did.json"),
        ("h%3A80", "/x/did.json"),
        ("u@h", "/x/did.json"),
        ("[::1]", "/x/did.json"),
        ("", "/x/did.json"),
        ("h:x", "/x/did.json"),
    ] {
        assert!(matches!(did_of(host, path), Err(DidError::Location(_))), "{host} {path}");
    }
}

#[test]
fn only_the_grammar_is_a_did() {
    let did = Did::parse("did:web:a.b%3A80:c").expect("a DID");
    assert_eq!((did.method(), did.method_specific_id()), ("web", "a.b%3A80:c"));
    let long = format!("did:web:{}", "a".repeat(1017));
    for text in [
        "",
        "did",
        "did:",
        "did:web",
        "did:web:",
        "did:web:a:",
        "did::a",
        "DID:web:a",
        "did:Web:a",
        "did:web:a#b",
        "did:web:a/b",
        "did:web:a?b",
        "did:web:a b",
        "did:web:a\n",
        "did:web:a%",
        "did:web:a%4",
        "did:web:a%zz",
        "did:web:ä",
        " did:web:a",
        "https://a",
        &long,
    ] {
        assert!(Did::parse(text).is_err(), "{text}");
    }
}

#[test]
fn dids_are_compared_byte_by_byte() {
    let did = |text| Did::parse(text).expect("a DID");
    assert_ne!(did("did:web:a.b"), did("did:web:aXb"));
    assert_ne!(did("did:web:a.b"), did("did:web:A.b"));
    assert_ne!(did("did:web:a%3A80"), did("did:web:a%3a80"));
}

#[test]
fn a_did_url_names_a_fragment() {
    let url = DidUrl::parse("did:web:a#key-1").expect("a DID URL");
    assert_eq!((url.did.as_str(), url.fragment.as_str()), ("did:web:a", "key-1"));
    assert_eq!(url.to_string(), "did:web:a#key-1");
    for text in [
        "did:web:a",
        "did:web:a#",
        "did:web:a##b",
        "did:web:a/p#b",
        "did:web:a?q#b",
        "#b",
        "b",
        "did:web:a#b c",
    ] {
        assert!(DidUrl::parse(text).is_err(), "{text}");
    }
}
