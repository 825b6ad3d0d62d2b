//! The filter of a catalog request. The protocol leaves its language open; ours is the `QuerySpec` of EDC connectors.

use heddle_store::filter::{Filter as Conditions, Property};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{Criterion, EDC_NAMESPACE};

/// Most conditions of one filter.
const CRITERIA_MAX: usize = 64;
/// Members that a filter may have besides its own.
const KEYWORDS: [&str; 3] = ["@context", "@type", "@id"];

/// What a peer wants to see of a catalog. Only what is public can be asked for.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Filter {
    #[serde(default)]
    pub(super) offset: usize,
    #[serde(default)]
    pub(super) limit: Option<usize>,
    /// Only `id`, in which order catalogs are anyway.
    #[serde(default)]
    sort_field: Option<String>,
    #[serde(default)]
    sort_order: Option<String>,
    #[serde(default)]
    filter_expression: Vec<Value>,
    #[serde(skip)]
    conditions: Conditions,
}

/// A filter that we cannot evaluate. DSP 2025-1 §"Catalog Request Message": answer 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the filter is not supported: {0}; supported is one QuerySpec with offset, limit and filterExpression"
)]
pub(crate) struct Unsupported(String);

impl From<Unsupported> for crate::negotiation::ProtocolError {
    fn from(unsupported: Unsupported) -> Self {
        Self::Refused(unsupported.to_string())
    }
}

impl Filter {
    /// Reads the member `filter` of a request; an empty list is no filter.
    pub(crate) fn read(filters: &[Value]) -> Result<Self, Unsupported> {
        let refuse = |why: &str| Unsupported(why.to_owned());
        let members = match filters {
            [] => return Ok(Self::default()),
            [Value::Object(members)] => members,
            _ => return Err(refuse("it is not one object")),
        };
        let mut filter: Self = serde_json::from_value(Value::Object(short(members)))
            .map_err(|error| Unsupported(error.to_string()))?;
        let descending = filter.sort_order.as_deref().is_some_and(|order| !order.eq_ignore_ascii_case("ASC"));
        let field =
            filter.sort_field.as_deref().map(|field| field.strip_prefix(EDC_NAMESPACE).unwrap_or(field));
        if descending || field.is_some_and(|field| field != "id") {
            return Err(refuse("a catalog is sorted by id, ascending"));
        }
        if filter.limit == Some(0) || filter.filter_expression.len() > CRITERIA_MAX {
            return Err(refuse("it asks for nothing, or has too many conditions"));
        }
        let conditions: Result<Vec<_>, _> = filter.filter_expression.drain(..).map(condition).collect();
        filter.conditions = Conditions::All(conditions?);
        Ok(filter)
    }

    /// Whether an asset with these public properties fulfils every condition.
    pub(super) fn takes(&self, public: &[Property]) -> bool {
        self.conditions.matches(public)
    }

    /// Whether it takes everything: then nobody needs to look at properties.
    pub(super) fn is_everything(&self) -> bool {
        self.conditions.is_everything()
    }
}

fn condition(value: Value) -> Result<Conditions, Unsupported> {
    let Value::Object(members) = value else {
        return Err(Unsupported("a condition is not an object".to_owned()));
    };
    let criterion: Criterion = serde_json::from_value(Value::Object(short(&members)))
        .map_err(|error| Unsupported(error.to_string()))?;
    criterion.filter().map_err(|error| Unsupported(error.to_string()))
}

/// The members by their short names, without those of JSON-LD and those that are null.
fn short(members: &Map<String, Value>) -> Map<String, Value> {
    let own = members.iter().filter(|(name, value)| !KEYWORDS.contains(&name.as_str()) && !value.is_null());
    own.map(|(name, value)| {
        let name = name.strip_prefix(EDC_NAMESPACE).or_else(|| name.strip_prefix("edc:")).unwrap_or(name);
        (name.to_owned(), unwrapped(value))
    })
    .collect()
}

/// The content of `{"@value": x}`.
fn unwrapped(value: &Value) -> Value {
    value.get("@value").unwrap_or(value).clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Asset;

    fn asset() -> Asset {
        serde_json::from_value(json!({
            "id": "a", "createdAt": 0, "properties": {"name": "n"}, "privateProperties": {"price": 7},
        }))
        .expect("an asset")
    }

    fn takes(left: &str, operator: &str, right: &Value) -> bool {
        let expression =
            json!({"@type": "Criterion", "operandLeft": left, "operator": operator, "operandRight": right});
        let filter = json!({"@type": "QuerySpec", "edc:offset": 0, "filterExpression": [expression]});
        Filter::read(&[filter]).expect("supported").takes(asset().public_properties().rows())
    }

    #[test]
    fn conditions_see_what_is_public_and_nothing_else() {
        assert!(takes("name", "=", &json!("n")));
        assert!(takes("https://w3id.org/edc/v0.0.1/ns/id", "in", &json!(["a"])));
        assert!(!takes("name", "=", &json!("m")));
        for path in ["price", "privateProperties.price", "'price'"] {
            assert!(!takes(path, "=", &json!(7)), "{path}");
        }
    }

    #[test]
    fn other_languages_are_refused() {
        assert_eq!(Filter::read(&[]), Ok(Filter::default()));
        for filter in [
            json!({"type": "example"}),
            json!("name = n"),
            json!({"limit": 0}),
            json!({"sortOrder": "DESC"}),
            json!({"filterExpression": [{"operandLeft": "a", "operator": "~", "operandRight": 1}]}),
        ] {
            assert!(Filter::read(std::slice::from_ref(&filter)).is_err(), "{filter}");
        }
        assert!(Filter::read(&[json!({}), json!({})]).is_err());
    }
}
