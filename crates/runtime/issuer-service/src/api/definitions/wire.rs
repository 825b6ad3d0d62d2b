//! Credential definitions as clients write and read them.

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_credentials::{DataModel, Format};
use heddle_ids::{AttestationId, CredentialDefinitionId, ParticipantContextId};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{CredentialDefinition, Mapping, Rule};

/// Most attestations, mappings, rules and contexts of a definition, each.
const ENTRIES_MAX: usize = 100;
/// Longest text, in bytes.
const TEXT_BYTES_MAX: usize = 1024;
/// Longest schema, in bytes.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// Longest validity, in seconds: a hundred years.
const VALIDITY_SECONDS_MAX: u64 = 100 * 365 * 24 * 3600;

/// The body of a creation or an update.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct DefinitionBody {
    id: CredentialDefinitionId,
    credential_type: String,
    attestations: Vec<AttestationId>,
    #[serde(default)]
    json_schema: Option<String>,
    #[serde(default)]
    json_schema_url: Option<String>,
    format: String,
    validity: Seconds,
    #[serde(default)]
    mappings: Vec<Mapping>,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    additional_context: Vec<String>,
}

/// A number of seconds, or its text, as deployed clients write it.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a number of seconds")]
enum Seconds {
    Number(u64),
    Text(String),
}

impl DefinitionBody {
    pub(super) fn checked(self, now: Timestamp) -> Result<CredentialDefinition, Rejection> {
        let text = |pointer: &str, text: &str| match text.len() {
            1..=TEXT_BYTES_MAX => Ok(()),
            _ => Err(Rejection::invalid(pointer, format!("expected a text of 1 to {TEXT_BYTES_MAX} bytes"))),
        };
        text("/credentialType", &self.credential_type)?;
        self.check_lists()?;
        self.check_schema()?;
        let (format, validity) = (self.format()?, self.validity()?);
        Ok(CredentialDefinition {
            id: self.id,
            credential_type: self.credential_type,
            attestations: self.attestations,
            json_schema: self.json_schema,
            json_schema_url: self.json_schema_url,
            format,
            validity,
            mappings: self.mappings,
            rules: self.rules,
            additional_context: self.additional_context,
            created_at: now,
            modified_at: now,
        })
    }

    fn check_lists(&self) -> Result<(), Rejection> {
        if self.attestations.is_empty() {
            return Err(Rejection::invalid(
                "/attestations",
                "expected at least one: nothing is issued without",
            ));
        }
        for (pointer, length) in [
            ("/attestations", self.attestations.len()),
            ("/mappings", self.mappings.len()),
            ("/rules", self.rules.len()),
            ("/additionalContext", self.additional_context.len()),
        ] {
            if length > ENTRIES_MAX {
                return Err(Rejection::invalid(pointer, format!("expected at most {ENTRIES_MAX} entries")));
            }
        }
        let at = |list: &str, index: usize, member: &str| format!("/{list}/{index}/{member}");
        for (index, mapping) in self.mappings.iter().enumerate() {
            mapping
                .check()
                .map_err(|(member, why)| Rejection::invalid(at("mappings", index, member), why))?;
        }
        for (index, rule) in self.rules.iter().enumerate() {
            rule.check().map_err(|(member, why)| Rejection::invalid(at("rules", index, member), why))?;
        }
        let context = |text: &String| (1..=TEXT_BYTES_MAX).contains(&text.len());
        match self.additional_context.iter().position(|text| !context(text)) {
            Some(index) => Err(Rejection::invalid(
                format!("/additionalContext/{index}"),
                "expected the address of a JSON-LD context",
            )),
            None => Ok(()),
        }
    }

    fn check_schema(&self) -> Result<(), Rejection> {
        if let Some(url) = &self.json_schema_url {
            let legal =
                url.len() <= TEXT_BYTES_MAX && (url.starts_with("https://") || url.starts_with("http://"));
            return if legal { Ok(()) } else { Err(Rejection::invalid("/jsonSchemaUrl", "expected a URL")) };
        }
        let Some(text) = &self.json_schema else {
            return Err(Rejection::invalid("/jsonSchema", "expected 'jsonSchema' or 'jsonSchemaUrl'"));
        };
        let schema = serde_json::from_str::<Value>(text).ok().filter(|_| text.len() <= SCHEMA_BYTES_MAX);
        if schema.is_some_and(|schema| schema.is_object()) {
            return Ok(());
        }
        let message = format!("expected the text of a JSON object, of at most {SCHEMA_BYTES_MAX} bytes");
        Err(Rejection::invalid("/jsonSchema", message))
    }

    fn format(&self) -> Result<Format, Rejection> {
        let refused = |message: String| Rejection::invalid("/format", message);
        let format = Format::parse(&self.format).map_err(|error| refused(error.to_string()))?;
        match format.data_model() {
            DataModel::V1 => Ok(format),
            DataModel::V2 => Err(refused(format!(
                "credentials are issued in the format {} alone",
                Format::Vc11Sl2021Jwt.alias()
            ))),
        }
    }

    fn validity(&self) -> Result<Duration, Rejection> {
        let seconds = match &self.validity {
            Seconds::Number(seconds) => Some(*seconds),
            Seconds::Text(text) => text.parse().ok(),
        };
        let legal = seconds.filter(|seconds| (1..=VALIDITY_SECONDS_MAX).contains(seconds));
        legal.map(Duration::from_secs).ok_or_else(|| {
            Rejection::invalid(
                "/validity",
                format!("expected a number of seconds from 1 to {VALIDITY_SECONDS_MAX}"),
            )
        })
    }
}

/// A credential definition as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionResource<'a> {
    id: &'a CredentialDefinitionId,
    participant_context_id: &'a ParticipantContextId,
    credential_type: &'a str,
    attestations: &'a [AttestationId],
    json_schema: Option<&'a str>,
    json_schema_url: Option<&'a str>,
    format: &'static str,
    validity: u64,
    mappings: &'a [Mapping],
    rules: &'a [Rule],
    additional_context: &'a [String],
    created_at: i64,
    updated_at: i64,
}

pub(super) fn resource(context: &ParticipantContextId, definition: &CredentialDefinition) -> Value {
    let shown = DefinitionResource {
        id: &definition.id,
        participant_context_id: context,
        credential_type: &definition.credential_type,
        attestations: &definition.attestations,
        json_schema: definition.json_schema.as_deref(),
        json_schema_url: definition.json_schema_url.as_deref(),
        format: definition.format.enumeration_name(),
        validity: definition.validity.as_secs(),
        mappings: &definition.mappings,
        rules: &definition.rules,
        additional_context: &definition.additional_context,
        created_at: definition.created_at.as_millis(),
        updated_at: definition.modified_at.as_millis(),
    };
    serde_json::to_value(shown).expect("a definition serialises")
}
