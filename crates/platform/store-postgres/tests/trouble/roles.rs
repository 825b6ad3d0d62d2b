//! Logins and roles that would not hold participants apart.

use heddle_store::Database;
use heddle_store_postgres::testing::TestPostgres;

use crate::support::{blocking, connect_with, options, refused};

#[tokio::test]
async fn a_superuser_may_log_in_and_is_refused_as_soon_as_the_roles_protect_nobody() {
    let (server, url) = blocking(|| {
        let server = std::sync::Arc::new(TestPostgres::start());
        let url = server.url();
        (server, url)
    })
    .await;
    let superuser = TestPostgres::as_superuser(&url);
    let run = async |sql: &str| {
        let (server, url, sql) = (server.clone(), url.clone(), sql.to_owned());
        blocking(move || server.administer(&url, &sql)).await
    };
    for login in [&url, &superuser] {
        connect_with(login, &options()).await.expect("the switch of roles holds for both").close().await;
    }
    for (harm, cure, told) in [
        ("ALTER ROLE heddle_app SUPERUSER", "ALTER ROLE heddle_app NOSUPERUSER", "neither superusers"),
        ("ALTER ROLE heddle_app BYPASSRLS", "ALTER ROLE heddle_app NOBYPASSRLS", "bypass row-level security"),
        ("ALTER ROLE heddle_auditor BYPASSRLS", "ALTER ROLE heddle_auditor NOBYPASSRLS", "heddle_auditor"),
        (
            "ALTER TABLE heddle.job DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE heddle.job ENABLE ROW LEVEL SECURITY",
            "not in force for job",
        ),
        (
            "ALTER TABLE heddle.aggregate DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE heddle.aggregate ENABLE ROW LEVEL SECURITY",
            "not in force for aggregate",
        ),
    ] {
        run(harm).await;
        for login in [&url, &superuser] {
            let reason = refused(connect_with(login, &options()).await);
            assert!(reason.contains(told), "{harm}: {reason}");
        }
        run(cure).await;
        connect_with(&superuser, &options()).await.expect("it may again").close().await;
    }
    blocking(move || drop(server)).await;
}
