//! Fetches a published suite and runs it by JUnit's console.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::process::Command;

/// Longest run of a suite.
const RUN_MAX: Duration = Duration::from_secs(600);
/// Longest time for fetching it.
const FETCH_MAX: Duration = Duration::from_secs(600);

/// The folder for what a run leaves behind.
pub fn out(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/conformance").join(name)
}

/// Fetches the modules that `pom` names, once; later runs need no network.
pub async fn fetch(name: &str, pom: &Path) -> anyhow::Result<PathBuf> {
    let library = out(name).join("lib");
    let complete = library.join(".complete");
    if complete.exists() {
        return Ok(library);
    }
    tokio::fs::create_dir_all(&library).await?;
    let directory = format!("-DoutputDirectory={}", std::path::absolute(&library)?.display());
    let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
    let mut command = Command::new("mvn");
    command.args(["-q", "-B", "-f"]).arg(pom).args([goal, &directory]).kill_on_drop(true);
    let status = tokio::time::timeout(FETCH_MAX, command.status()).await.context("Maven took too long")?;
    let status = status.context("Maven does not start; install it, or run './dev setup'")?;
    if !status.success() {
        bail!("Maven could not fetch the suite ({status})");
    }
    tokio::fs::write(complete, b"").await?;
    Ok(library)
}

/// Runs the tests of some packages with a configuration. The reports lie in `reports` afterwards; whether all passed
/// is theirs to say, a suite that could not run is an error.
pub async fn run(
    library: &Path,
    configuration: &Path,
    packages: &[&str],
    reports: &Path,
) -> anyhow::Result<()> {
    let mut class_path = OsString::from(library.join("*"));
    class_path.push(":");
    class_path.push(configuration);
    let mut command = Command::new("java");
    command.arg("-cp").arg(class_path).arg("org.junit.platform.console.ConsoleLauncher").arg("execute");
    command
        .arg("--config-resource=dsp.properties")
        .arg("--include-classname=.*Test")
        .arg("--fail-if-no-tests");
    command.args(["--details=tree", "--disable-ansi-colors", "--disable-banner"]);
    command.arg(format!("--reports-dir={}", reports.display()));
    for package in packages {
        command.arg(format!("--select-package={package}"));
    }
    command.kill_on_drop(true);
    let status = tokio::time::timeout(RUN_MAX, command.status()).await.context("the suite took too long")?;
    let status = status.context("Java does not start; install it, or run './dev setup'")?;
    match status.code() {
        Some(0 | 1) => Ok(()),
        _ => bail!("the suite ended with {status}"),
    }
}
