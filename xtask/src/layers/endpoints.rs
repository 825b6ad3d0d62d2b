//! In layer 3, HTTP is spoken in the modules `api` and `endpoints` alone.

use crate::{Tree, Violation, source::File};

const LAYER_3: [&str; 3] = ["crates/runtime/", "crates/management/", "crates/portal/"];

/// No `axum::` outside `api` and `endpoints` in layer 3, so that decisions can be read, and tested, without HTTP.
pub fn check(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust().filter(|file| LAYER_3.iter().any(|part| file.path.starts_with(part))) {
        if speaks_http(file) {
            continue;
        }
        for (line, _) in file.product_lines().into_iter().filter(|(_, line)| line.contains("axum::")) {
            let what = "axum outside a module `api` or `endpoints`";
            let remedy = "move what speaks HTTP there and pass plain values";
            violations.push(Violation::new(&file.path, line, what, remedy));
        }
    }
    violations
}

fn speaks_http(file: &File) -> bool {
    let is_home = |name: &str| matches!(name, "api" | "endpoints");
    is_home(file.stem()) || file.path.split('/').any(is_home)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn axum_belongs_to_api_and_endpoints() {
        let text = "//! Routes of axum::Router.\nuse axum::Router;\n";
        let found = complaints("crates/runtime/control-plane/src/negotiation.rs", text);
        assert!(
            found[0].starts_with("crates/runtime/control-plane/src/negotiation.rs:2: axum outside"),
            "{found:?}"
        );
        assert_eq!(found.len(), 1, "a comment is no use");
        for path in ["src/api/assets.rs", "src/api.rs", "src/endpoints/negotiation.rs", "tests/http.rs"] {
            let path = format!("crates/runtime/control-plane/{path}");
            assert_eq!(complaints(&path, text), Vec::<String>::new(), "{path}");
        }
        assert_eq!(complaints("crates/platform/web/src/lib.rs", text), Vec::<String>::new());
        assert!(!complaints("crates/portal/src/apiary.rs", text).is_empty());
        let tested = "#[cfg(test)]\nmod tests {\n    use axum::Router;\n}\n";
        assert_eq!(complaints("crates/management/tenant-manager/src/lib.rs", tested), Vec::<String>::new());
    }
}
