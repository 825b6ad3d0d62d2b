//! The data directory and the files of secrets.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::{Access, access, statvfs};

use super::Finding;
use crate::config::Configuration;

/// Permission bits that nobody but the owner may have.
const OTHERS: u32 = 0o077;

/// Whether the data directory can be written, or made, and how much room there is.
pub fn data_directory(configuration: &Configuration) -> Vec<Finding> {
    let mut findings = vec![writable("data_directory", &configuration.data_dir)];
    if let Some(blobs) = &configuration.blob_dir {
        findings.push(writable("blob_directory", blobs));
    }
    findings.push(space(&configuration.data_dir, configuration.telemetry.disk_free_bytes_min));
    findings
}

/// The directory itself, or the next one above it that there is.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."))
}

fn writable(name: &'static str, path: &Path) -> Finding {
    let tried = format!("look whether {} can be written", path.display());
    let there = existing(path);
    let advice = "give this user access to it, or name another one";
    if !there.is_dir() {
        let happened = format!("{} is not a directory", there.display());
        return Finding::ok(name, tried, happened).failure(advice);
    }
    if let Err(error) = access(there, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        let happened = format!("{}: {}", there.display(), std::io::Error::from(error));
        return Finding::ok(name, tried, happened).failure(advice);
    }
    if there != path {
        return Finding::ok(name, tried, "it is not there yet; the first start makes it");
    }
    let mode = there.metadata().map_or(0, |metadata| metadata.mode() & 0o777);
    let finding = Finding::ok(name, tried, format!("it can; mode {mode:04o}"));
    if mode & OTHERS == 0 { finding } else { finding.warning(format!("run: chmod 700 '{}'", path.display())) }
}

fn space(path: &Path, least: u64) -> Finding {
    let tried = format!("ask for the free space of {}", path.display());
    match statvfs(existing(path)) {
        Ok(numbers) => {
            let free = numbers.f_bavail.saturating_mul(numbers.f_frsize);
            let finding = Finding::ok("disk", tried, format!("{} MiB are free", free >> 20));
            if free < least { finding.failure("make room, or move the data directory") } else { finding }
        }
        Err(error) => {
            Finding::ok("disk", tried, std::io::Error::from(error).to_string()).warning("look at the disk")
        }
    }
}

/// Whether only the server's user can read the files that a server makes: keys, credentials, the database.
pub fn private_files(configuration: &Configuration) -> Option<Finding> {
    let names = ["master.key", "operator.json", "heddle.db", "heddle.db-wal"];
    let modes = names.iter().filter_map(|name| {
        let path = configuration.data_dir.join(name);
        let mode = fs::metadata(&path).ok()?.mode() & 0o7777;
        Some((path, mode))
    });
    let (mut seen, mut open) = (0, Vec::new());
    for (path, mode) in modes {
        seen += 1;
        if mode & OTHERS != 0 {
            open.push(format!("{} (mode {mode:04o})", path.display()));
        }
    }
    let tried = "look who may read the files of secrets in the data directory";
    match (seen, open.is_empty()) {
        (0, _) => None,
        (_, true) => {
            Some(Finding::ok("secret_files", tried, format!("the server's user alone: {seen} files")))
        }
        (_, false) => {
            let finding = Finding::ok("secret_files", tried, format!("others as well: {}", open.join(", ")));
            Some(finding.failure("run chmod 600 on them, and think of the secrets as known"))
        }
    }
}
