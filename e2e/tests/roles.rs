//! An installation without its management plane: whoever is on board goes on to share.

use heddle::{
    demo::{self, Options},
    home::Home,
};
use heddle_e2e::{Server, client};

/// The runtime plane alone.
const RUNTIME: &str = r#"roles = ["control-plane", "credential-service", "issuer-service", "data-plane"]"#;
/// A collection of each API of the management plane.
const MANAGEMENT: [&str; 2] = ["/api/tm/v1alpha1/tenants", "/api/pm/v1alpha1/orchestration-definitions"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_without_tenant_manager_provision_manager_and_agents_still_shares() {
    let mut server = Server::start("").await;
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path());
    let place = server.place();
    demo::run(&place, &Options::default(), Some(&home)).await.expect("both come on board");
    let operator = client(server.credentials(), "roles");
    for collection in MANAGEMENT {
        operator.get(collection).await.expect("the management plane is there");
    }

    server.leave().await;
    server.come_back_with(RUNTIME).await;
    for collection in MANAGEMENT {
        let gone = operator.get(collection).await.expect_err("the management plane is not there");
        assert_eq!(gone.status(), Some(404), "{collection}: {gone}");
    }
    let share = Options { only_share: true, ..Options::default() };
    let report = demo::run(&place, &share, Some(&home)).await;
    let report = report.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.ok, report.bytes), (true, 1024 * 1024));
    server.leave().await;
}
