//! The files that a configuration names: whether they are there, and whether only the right user may read them.

use std::{fs::File, io::ErrorKind, os::unix::fs::MetadataExt, path::Path};

use super::{
    Mistake, Origin, Shown,
    settings::{FileUse, Secrecy},
};

/// Permission bits that nobody but the owner of a secret may have.
const OTHERS: u32 = 0o077;

/// What is wrong with them.
pub(super) fn mistakes(shown: &[Shown], file: Option<&Path>, base: &Path) -> Vec<Mistake> {
    let mut list: Vec<Mistake> = shown.iter().filter_map(of_named).collect();
    list.extend(shown.iter().filter_map(|shown| of_own(shown, file?)));
    list.extend(shown.iter().filter_map(|shown| of_directory(shown, base)));
    list
}

/// A file that a setting names.
fn of_named(shown: &Shown) -> Option<Mistake> {
    let (path, used_as) = (shown.path.as_ref()?, shown.setting.file?);
    let what = wrong(path, used_as)?;
    Some(at(&shown.origin, format!("'{}' names {}, which {what}", shown.key, path.display())))
}

/// A password in the configuration file itself, where everybody may read it.
fn of_own(shown: &Shown, file: &Path) -> Option<Mistake> {
    let secret = shown.hidden && shown.setting.secrecy == Secrecy::Password;
    if !secret || !matches!(shown.origin, Origin::Line(_)) {
        return None;
    }
    let mode = file.metadata().ok()?.mode() & 0o7777;
    (mode & OTHERS != 0).then(|| {
        let what = format!(
            "'{}' holds a password, and others may read this file (mode {mode:04o}); run: chmod 600 '{}', or put the \
             value into a file of its own",
            shown.key,
            file.display()
        );
        at(&shown.origin, what)
    })
}

/// Something else in the place of a directory.
fn of_directory(shown: &Shown, base: &Path) -> Option<Mistake> {
    if !matches!(shown.setting.key, "data_dir" | "blob_dir") {
        return None;
    }
    let text = shown.value.as_ref()?.trim_matches('"');
    let path = base.join(text);
    let there = path.metadata().ok()?;
    (!there.is_dir()).then(|| {
        at(
            &shown.origin,
            format!("'{}' names {}, which is not a directory; name another one", shown.key, path.display()),
        )
    })
}

fn wrong(path: &Path, used_as: FileUse) -> Option<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Some("does not exist; make it, or name another file".to_owned());
        }
        Err(error) => return Some(format!("cannot be read: {error}; give this user access to it")),
    };
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Some(format!("cannot be looked at: {error}")),
    };
    if metadata.is_dir() {
        return Some("is a directory; name a file".to_owned());
    }
    let mode = metadata.mode() & 0o7777;
    if used_as == FileUse::Secret && mode & OTHERS != 0 {
        let run = format!("chmod 600 '{}'", path.display());
        return Some(format!("holds a secret and can be accessed by others (mode {mode:04o}); run: {run}"));
    }
    (metadata.is_file() && metadata.len() == 0).then(|| "is empty".to_owned())
}

fn at(origin: &Origin, what: String) -> Mistake {
    match origin {
        Origin::Line(line) => Mistake { line: Some(*line), outside: None, what },
        Origin::Default => Mistake { line: None, outside: None, what },
        outside => Mistake { line: None, outside: Some(outside.clone()), what },
    }
}
