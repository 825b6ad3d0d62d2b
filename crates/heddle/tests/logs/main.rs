//! What two servers write into their logs while two organisations share a file: one trace through both, the story of
//! a participant by its context, and no secret, at the most talkative level that there is. And what a collector of
//! traces and metrics gets of the same story.
//!
//! Both are processes of their own, so that the logs are those that an operator finds.

mod collector;
mod lines;
mod numbers;
mod offences;
mod scanner;
mod server;
mod story;
mod traces;

use lines::{Line, in_order, story_of};
use scanner::Scanner;
use server::Server;

/// Everything that a story needs to be judged: it is told once, and each test looks at its own side of it.
async fn told() -> &'static story::Told {
    static TOLD: tokio::sync::OnceCell<story::Told> = tokio::sync::OnceCell::const_new();
    TOLD.get_or_init(story::tell).await
}

/// The messages that a share takes, by what they are a part of.
const CATALOG: &[&str] = &["CatalogRequestMessage"];
const NEGOTIATION: &[&str] = &[
    "ContractRequestMessage",
    "ContractAgreementMessage",
    "ContractAgreementVerificationMessage",
    "ContractNegotiationEventMessage",
];
const TRANSFER: &[&str] = &["TransferRequestMessage", "TransferStartMessage", "TransferCompletionMessage"];

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_links_catalog_negotiation_and_transfer_in_the_logs_of_both_sides() {
    let told = told().await;
    let trace = told.report.trace_id.as_str();
    assert_eq!(trace.len(), 32, "the demo tells its trace");
    for (side, log) in [("provider", &told.provider_log), ("consumer", &told.consumer_log)] {
        let of_trace: Vec<&Line> = log.iter().filter(|line| line.is("trace_id", trace)).collect();
        for message in [CATALOG, NEGOTIATION, TRANSFER].concat() {
            assert!(
                of_trace
                    .iter()
                    .any(|line| line.is("category", "message") && line.is("message_type", message)),
                "the trace {trace} does not reach {message} in the log of the {side}"
            );
        }
        for component in ["control-plane", "data-plane"] {
            assert!(of_trace.iter().any(|line| line.is("component", component)), "{side}: {component}");
        }
        // Nothing of the contract is told under another trace: no job and no signal begins anew.
        let contract = contract_of(&of_trace);
        let strays: Vec<&Line> = log
            .iter()
            .filter(|line| line.is("contract_id", contract) && !line.is("trace_id", trace))
            .collect();
        assert!(strays.is_empty(), "{side}: {strays:#?}");
    }
    let downloads = told.provider_log.iter().filter(|line| line.is("component", "data"));
    assert!(downloads.into_iter().any(|line| line.is("trace_id", trace)), "the download of the bytes");
}

fn contract_of<'a>(lines: &[&'a Line]) -> &'a str {
    let agreement = lines.iter().find(|line| line.is("message_type", "TransferRequestMessage"));
    agreement.and_then(|line| line.text("contract_id")).expect("a transfer is under a contract")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_context_of_a_participant_tells_its_story_in_order() {
    let told = told().await;
    let (provider, consumer) = (&told.provider, &told.consumer);
    let story = story_of(&told.provider_log, &provider.context);
    for [steps, about] in [
        // How it came on board.
        [&["orchestration.started", "credential.stored", "participant.profile.active"][..], &[]],
        // How it was asked, by whom, and what it decided.
        [
            &[
                "claims.verified",
                "message.received CatalogRequestMessage",
                "claims.verified",
                "message.received ContractRequestMessage",
                "contract.negotiation.requested",
                "contract.negotiation.agreed",
                "contract.negotiation.verified",
                "contract.negotiation.finalized",
            ],
            &["counter_party_id"],
        ],
        [
            &["message.sent ContractAgreementMessage", "message.sent ContractNegotiationEventMessage"],
            &["counter_party_id", "contract_id"],
        ],
        [
            &["contract.negotiation.agreed", "contract.negotiation.finalized"],
            &["counter_party_id", "contract_id"],
        ],
        // How the data went.
        [
            &[
                "message.received TransferRequestMessage",
                "message.received data flow start",
                "data.flow.started",
                "message.sent TransferStartMessage",
                "transfer.process.completed",
            ],
            &["counter_party_id", "contract_id"],
        ],
        [&["data.flow.started", "GET /public/{flow}", "data.flow.completed"], &[]],
        [&["transfer.process.started", "transfer.process.completed"], &["counter_party_id", "contract_id"]],
        [
            &["message.received TransferCompletionMessage", "transfer.process.completed"],
            &["counter_party_id", "contract_id"],
        ],
    ] {
        for line in in_order(&story, steps) {
            for name in about {
                assert!(line.text(name).is_some(), "{name} is missing in {line:?}");
            }
            if about.contains(&"counter_party_id") {
                assert!(line.is("counter_party_id", &consumer.did), "{line:?}");
            }
        }
    }
    for line in &story {
        let category = line.text("category").expect("every line has a category");
        let expected = match line.text("action").expect("every line has an action") {
            action if action.starts_with("message.") => "message",
            action if action.starts_with("claims.") || action.starts_with("credential.") => "claims",
            action if action.starts_with("contract.") || action.starts_with("transfer.") => "application",
            _ => continue,
        };
        assert_eq!(category, expected, "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_has_the_required_fields() {
    let told = told().await;
    for line in told.provider_log.iter().chain(&told.consumer_log) {
        for name in ["timestamp", "level", "trace_id", "component", "action", "category"] {
            assert!(line.text(name).is_some_and(|value| !value.is_empty()), "{name} is missing in {line:?}");
        }
    }
    let onboarding = told.provider_log.iter().filter(|line| line.is("component", "tenant-manager"));
    assert!(onboarding.into_iter().any(|line| line.text("tenant_id").is_some()), "tenants are named");
    let asked = told.provider_log.iter().find(|line| line.is("message_type", CATALOG[0]));
    let asked = asked.expect("the provider was asked for its catalog");
    assert!(asked.text("tenant_id").is_some(), "the runtime names them too: {asked:?}");
    let written = told.provider_log.iter().filter(|line| line.is("category", "audit"));
    assert!(written.into_iter().any(|line| line.text("actor").is_some()), "the audit log is told of");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_token_or_key_reaches_the_logs() {
    let told = told().await;
    for (side, log) in [("provider", &told.provider_log), ("consumer", &told.consumer_log)] {
        assert!(log.iter().any(|line| line.is("level", "DEBUG")), "the {side} is talkative");
        let found: Vec<String> = log.iter().flat_map(|line| told.scanner.scan(line.raw())).collect();
        assert!(found.is_empty(), "in the log of the {side}:\n{}", found.join("\n"));
    }
}
