//! The Dataspace Protocol suite: a participant under the `static` identity service, and what the tests look for.

use std::{fmt::Write, net::TcpListener, path::Path};

use serde_json::{Value, json};

use crate::{Group, junit::Counts, server::Server, suite};

const MANAGEMENT_CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";
/// Our participant context, and its id in the dataspace.
const CONTEXT: &str = "cut";
/// The dataspace profile.
const PROFILE: &str = "tck";
/// What the suite sends in every request, and whom it stands for.
const AUTHORIZATION: &str = "Bearer tck";
const SUITE_PARTICIPANT: &str = "TCK_PARTICIPANT";
/// Datasets of the catalog tests; the third one must not exist.
const DATASETS: [&str; 2] = ["CAT0101", "CAT0102"];

/// Runs the groups and counts.
pub async fn run(groups: &[Group], heddle: &Path) -> anyhow::Result<Counts> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = suite::fetch("dsp", &here.join("dsp/pom.xml")).await?;
    let configuration = format!(
        "development = true\n\n[static_identity.accepts]\n\"{AUTHORIZATION}\" = \"{SUITE_PARTICIPANT}\"\n\n\
         [static_identity.sends]\n{CONTEXT} = \"Bearer heddle\"\n"
    );
    let server = Server::start(heddle, free_port()?, &configuration).await?;
    seed(&server).await?;
    let folder = suite::out("dsp");
    let reports = folder.join("reports");
    if reports.exists() {
        std::fs::remove_dir_all(&reports)?;
    }
    std::fs::write(folder.join("dsp.properties"), properties(server.url(), free_port()?))?;
    let packages: Vec<&str> = groups.iter().map(|group| group.package()).collect();
    suite::run(&library, &folder, &packages, &reports).await?;
    Counts::of(&reports)
}

/// A free port below the range that the system gives out by itself, so that nobody takes it meanwhile.
fn free_port() -> anyhow::Result<u16> {
    let first = 20_000 + u16::try_from(std::process::id() % 5_000)?;
    let free = (first..first + 2_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.ok_or_else(|| anyhow::anyhow!("no port from {first} on is free"))
}

async fn seed(server: &Server) -> anyhow::Result<()> {
    let base = "/api/mgmt/v5beta";
    let typed = |kind: &str, mut body: Value| {
        body["@context"] = json!([MANAGEMENT_CONTEXT]);
        body["@type"] = json!(kind);
        body
    };
    let profile = json!({
        "name": PROFILE,
        "identity": "static",
        "protocol": {
            "version": "2025-1", "path": format!("/{PROFILE}"), "binding": "HTTPS",
            "namespace": "https://w3id.org/dspace/2025/1/",
        },
        "trustedIssuers": [],
    });
    server.post(&format!("{base}/dataspaceprofiles"), &typed("DataspaceProfile", profile)).await?;
    let participant = json!({"@id": CONTEXT, "identity": CONTEXT, "state": "ACTIVATED", "properties": {}});
    server.post(&format!("{base}/participants"), &typed("ParticipantContext", participant)).await?;
    let own = format!("{base}/participants/{CONTEXT}");
    let profiles = typed("AssociateDataspaceProfile", json!({"profiles": [PROFILE]}));
    server.put(&format!("{own}/profiles"), &profiles).await?;
    let plane = json!({
        "dataplaneId": "tck-plane", "endpoint": "http://127.0.0.1:9/dataflows", "transferTypes": ["HttpData-PULL"],
    });
    server.put(&format!("{own}/dataplanes"), &plane).await?;
    for dataset in DATASETS {
        let asset = json!({"@id": dataset, "properties": {"name": dataset}});
        server.post(&format!("{own}/assets"), &typed("Asset", asset)).await?;
    }
    let policy = json!({"@id": "P123", "policy": {"@type": "Set", "permission": [{"action": "use"}]}});
    server.post(&format!("{own}/policydefinitions"), &typed("PolicyDefinition", policy)).await?;
    let definition =
        json!({"@id": "CD123", "accessPolicyId": "P123", "contractPolicyId": "P123", "assetsSelector": []});
    server.post(&format!("{own}/contractdefinitions"), &typed("ContractDefinition", definition)).await
}

fn properties(url: &str, port: u16) -> String {
    let root = format!("{url}/api/dsp/{CONTEXT}");
    let settings = [
        ("launcher", "org.eclipse.dataspacetck.dsp.system.DspSystemLauncher".to_owned()),
        ("ansi", "false".to_owned()),
        ("host", "127.0.0.1".to_owned()),
        ("port", port.to_string()),
        ("callback.address", format!("http://127.0.0.1:{port}")),
        ("dsp.local.connector", "false".to_owned()),
        ("dsp.connector.agent.id", CONTEXT.to_owned()),
        ("dsp.connector.http.url", format!("{root}/{PROFILE}")),
        ("dsp.connector.http.base.url", root),
        ("dsp.connector.http.headers.authorization", AUTHORIZATION.to_owned()),
        ("dsp.connector.negotiation.initiate.url", format!("http://127.0.0.1:{port}/unused")),
        ("dsp.connector.transfer.initiate.url", format!("http://127.0.0.1:{port}/unused")),
        ("dsp.default.wait", "10".to_owned()),
    ];
    let mut text = String::new();
    for (key, value) in settings {
        writeln!(text, "dataspacetck.{key}={value}").expect("a String takes everything");
    }
    for (index, dataset) in ["CAT0101", "CAT0102", "CAT0103"].into_iter().enumerate() {
        writeln!(text, "CAT_01_0{}_DATASETID={dataset}", index + 1).expect("a String takes everything");
    }
    text
}
