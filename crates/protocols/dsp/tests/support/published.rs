//! The published schemas and examples, where they are at hand.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

/// The published schemas and examples of DSP 2025-1, where they lie beside the checkout.
pub struct Published {
    root: PathBuf,
    schemas: BTreeMap<String, Value>,
}

impl Published {
    /// None, with a line that says so, where they are absent.
    pub fn find() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/spec/dsp");
        if !root.is_dir() {
            #[expect(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("skipped: the published schemas are not at hand");
            }
            return None;
        }
        let mut schemas = BTreeMap::new();
        for folder in ["common", "catalog", "negotiation", "transfer"] {
            for entry in fs::read_dir(root.join(folder)).expect("folder") {
                let path = entry.expect("entry").path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    // Some of the published references lack the '/' that a JSON pointer begins with.
                    let text =
                        fs::read_to_string(&path).expect("text").replace("#definitions/", "#/definitions/");
                    let schema: Value = serde_json::from_str(&text).expect("JSON");
                    let id = schema["$id"].as_str().expect("every schema has an id").to_owned();
                    schemas.insert(id, schema);
                }
            }
        }
        Some(Self { root, schemas })
    }

    /// An example, such as `negotiation/example/contract-offer-message.json`.
    pub fn example(&self, path: &str) -> Value {
        let text = fs::read_to_string(self.root.join(path)).expect("example");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Every example of a folder.
    pub fn examples(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(folder).join("example")).expect("folder");
        let mut names: Vec<String> = entries
            .map(|entry| format!("{folder}/example/{}", entry.expect("entry").file_name().to_string_lossy()))
            .collect();
        names.sort();
        names
    }

    /// The validator of a schema, such as `negotiation/contract-offer-message-schema.json`.
    pub fn validator(&self, path: &str) -> Validator {
        let id = format!("https://w3id.org/dspace/2025/1/{path}");
        let schema = self.schemas.get(&id).unwrap_or_else(|| panic!("no schema {id}"));
        let retriever = Stored(self.schemas.clone());
        jsonschema::options().with_retriever(retriever).build(schema).expect("a valid schema")
    }

    /// Fails unless `value` is valid.
    pub fn assert_valid(&self, schema: &str, value: &Value) {
        let validator = self.validator(schema);
        let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{schema}: {errors:?}\n{value:#}");
    }
}

struct Stored(BTreeMap<String, Value>);

impl Retrieve for Stored {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| format!("no schema {uri}").into())
    }
}
