//! Arguments that the binary does not know: exit code 2, as `heddle --help` says.

use crate::place::Place;

#[test]
fn unknown_words_are_answered_with_what_was_meant() {
    let place = Place::new();
    for (arguments, told) in [
        (&["stauts"][..], "'status'"),
        (&["demo", "--fiel", "x"], "'--file'"),
        (&["demo", "--server", "http://127.0.0.1:1", "--only", "shear"], "'share'"),
        (&["start-dev", "--port", "http"], "'http'"),
        (&["demo", "--only", "share"], "--server"),
        (&["start-dev", "--ephemeral", "--data-dir", "x"], "cannot be used with"),
        (&["serve"], "--config"),
    ] {
        let outcome = place.run(arguments);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        outcome.looks_like_words();
        assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.contains(told), "{outcome:?}");
        assert_eq!(outcome.stdout, "");
    }
    let help = place.run(&["--help"]).stdout;
    assert!(help.contains("2 the arguments are wrong"), "{help}");
}
