//! The whole matrix of both issuance machines, as a golden text: a changed arrow shows as a changed cell.

use heddle_dcp::issuance::{Illegal, holder, issuer};

fn row(name: &str, cells: impl Iterator<Item = Result<&'static str, Illegal>>) -> String {
    let cells: Vec<String> = cells.map(|cell| format!("{:<11}", cell.unwrap_or("-"))).collect();
    format!("{name:<11}| {}", cells.join("")).trim_end().to_owned()
}

#[test]
fn holder_matrix() {
    let mut lines = vec![row("STATE", holder::Event::ALL.iter().map(|event| Ok(event.name())))];
    for state in holder::State::ALL {
        let cells =
            holder::Event::ALL.iter().map(|event| holder::next(state, *event).map(holder::State::name));
        lines.push(row(state.name(), cells));
    }
    let golden = "\
STATE      | send       accepted   delivered  refused    failed
CREATED    | REQUESTING -          -          -          ERROR
REQUESTING | REQUESTING REQUESTED  ISSUED     REJECTED   ERROR
REQUESTED  | -          -          ISSUED     REJECTED   ERROR
ISSUED     | -          ISSUED     ISSUED     -          -
REJECTED   | -          REJECTED   -          REJECTED   -
ERROR      | -          -          -          -          -";
    assert_eq!(lines.join("\n"), golden);
}

#[test]
fn issuer_matrix() {
    let mut lines = vec![row("STATE", issuer::Event::ALL.iter().map(|event| Ok(event.name())))];
    for state in issuer::State::ALL {
        let cells =
            issuer::Event::ALL.iter().map(|event| issuer::next(state, *event).map(issuer::State::name));
        lines.push(row(state.name(), cells));
    }
    let golden = "\
STATE      | approve    delivered  fail
SUBMITTED  | APPROVED   -          ERRORED
APPROVED   | -          DELIVERED  ERRORED
DELIVERED  | -          DELIVERED  -
ERRORED    | -          -          -";
    assert_eq!(lines.join("\n"), golden);
}

#[test]
fn no_arrow_stands_twice() {
    for (index, (from, on, _)) in holder::ARROWS.iter().enumerate() {
        assert!(!holder::ARROWS[..index].iter().any(|(f, o, _)| (f, o) == (from, on)), "{from:?} {on:?}");
    }
    for (index, (from, on, _)) in issuer::ARROWS.iter().enumerate() {
        assert!(!issuer::ARROWS[..index].iter().any(|(f, o, _)| (f, o) == (from, on)), "{from:?} {on:?}");
    }
}

#[test]
fn a_refusal_names_machine_state_and_event() {
    let refusal = holder::next(holder::State::Error, holder::Event::Send).expect_err("final");
    assert_eq!(refusal.to_string(), "the credential request is ERROR: 'send' is not possible now");
}
