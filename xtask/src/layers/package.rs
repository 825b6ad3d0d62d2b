//! The crates of the workspace, as cargo describes them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use serde::Deserialize;

/// A crate of the workspace.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the workspace, with `/`.
    pub folder: String,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
}

/// A dependency of a crate.
#[derive(Debug)]
pub struct Dependency {
    /// The name of the crate that is depended on.
    pub name: String,
    /// Whether only tests need it.
    pub tests_only: bool,
}

impl Package {
    /// Path of its manifest.
    pub fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// Whether its folder is `folder` or lies in it.
    pub fn is_in(&self, folder: &str) -> bool {
        self.folder.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A crate for tests of rules; a dependency that begins with `dev:` is for tests only.
    #[cfg(test)]
    pub fn of(folder: &str, dependencies: &[&str]) -> Self {
        let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
        let dependencies = dependencies
            .iter()
            .map(|text| Dependency {
                name: text.trim_start_matches("dev:").to_owned(),
                tests_only: text.starts_with("dev:"),
            })
            .collect();
        Self { name, folder: folder.to_owned(), dependencies }
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<MetadataDependency>,
}

#[derive(Deserialize)]
struct MetadataDependency {
    name: String,
    kind: Option<String>,
}

/// Asks cargo for the crates of the workspace in `root`.
pub fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo does not run")?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&output.stdout, root)
}

fn parse(metadata: &[u8], root: &Path) -> anyhow::Result<Vec<Package>> {
    let metadata: Metadata = serde_json::from_slice(metadata).context("cargo metadata")?;
    metadata.packages.into_iter().map(|package| convert(package, root)).collect()
}

fn convert(package: MetadataPackage, root: &Path) -> anyhow::Result<Package> {
    let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
    let folder = folder.strip_prefix(root).context("a crate lies in the workspace")?;
    let dependency = |dependency: MetadataDependency| Dependency {
        name: dependency.name,
        tests_only: dependency.kind.as_deref() == Some("dev"),
    };
    Ok(Package {
        name: package.name,
        folder: folder.to_string_lossy().replace('\\', "/"),
        dependencies: package.dependencies.into_iter().map(dependency).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read() {
        let text = r#"{"packages": [{"name": "heddle-ids", "manifest_path": "/w/crates/base/ids/Cargo.toml",
            "dependencies": [{"name": "serde", "kind": null}, {"name": "insta", "kind": "dev"}]}]}"#;
        let packages = parse(text.as_bytes(), Path::new("/w")).expect("is read");
        assert_eq!(packages[0].manifest(), "crates/base/ids/Cargo.toml");
        let tests_only: Vec<_> =
            packages[0].dependencies.iter().map(|d| (d.name.as_str(), d.tests_only)).collect();
        assert_eq!(tests_only, [("serde", false), ("insta", true)]);
        assert!(packages[0].is_in("crates/base") && !packages[0].is_in("crates/bas"));
        assert!(parse(text.as_bytes(), Path::new("/elsewhere")).is_err());
    }
}
