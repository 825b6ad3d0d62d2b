//! The terms of the management context (version 2) and the shapes of their values.

/// Namespace of the terms.
pub(super) const EDC: &str = "https://w3id.org/edc/v0.0.1/ns/";
/// Namespace of policy terms.
const ODRL: &str = "http://www.w3.org/ns/odrl/2/";
/// Namespaces of the other terms, with their prefixes.
const DCTERMS: &str = "http://purl.org/dc/terms/";
const DCAT: &str = "http://www.w3.org/ns/dcat#";

/// The shape of a term's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One value: a list of one is unwrapped, a reference becomes its id.
    One,
    /// A list: one value is wrapped (`@container: @set`).
    Set,
    /// Any value, as sent; `@value` is unwrapped.
    Any,
    /// A JSON literal: not looked at (`@type: @json`).
    Json,
    /// An object whose members are in the namespace of the connector, whatever their name (`@vocab`).
    Properties,
}

use Shape::{Any, Json, One, Properties, Set};

/// Terms of the connector's namespace.
const TERMS: &[(&str, Shape)] = &[
    ("accessPolicyId", One),
    ("actions", Set),
    ("additionalScopes", Set),
    ("agreementId", One),
    ("assetId", One),
    ("assetsSelector", Set),
    ("authCodeId", One),
    ("authKey", One),
    ("binding", One),
    ("callbackAddresses", Set),
    ("claims", Json),
    ("constraintSteps", Set),
    ("content", Json),
    ("contractId", One),
    ("contractPolicyId", One),
    ("contractSigningDate", One),
    ("consumerId", One),
    ("correlationId", One),
    ("counterPartyAddress", One),
    ("counterPartyId", One),
    ("createdAt", One),
    ("dataAddress", Properties),
    ("dataDestination", Properties),
    ("dataplaneMetadata", One),
    ("description", One),
    ("documentType", One),
    ("dutySteps", Set),
    ("entries", Json),
    ("errorDetail", One),
    ("errors", Set),
    ("evaluationResult", One),
    ("events", Set),
    ("expression", One),
    ("filterExpression", Set),
    ("filteringReasons", Set),
    ("functionParams", Set),
    ("identity", One),
    ("inForceDate", One),
    ("isFiltered", One),
    ("isValid", One),
    ("jsonLdContextsUrl", Set),
    ("labels", Set),
    ("leftOperand", One),
    ("limit", One),
    ("multiplicityOperator", One),
    ("name", One),
    ("namespace", One),
    ("obligationSteps", Set),
    ("offset", One),
    ("operandLeft", One),
    ("operandRight", Any),
    ("operator", One),
    ("params", Json),
    ("path", One),
    ("permissionSteps", Set),
    ("policy", One),
    ("policyScope", One),
    ("postValidators", Set),
    ("prefixMapping", One),
    ("preValidators", Set),
    ("privateEntries", Json),
    ("privateProperties", Properties),
    ("profile", Any),
    ("profiles", Set),
    ("prohibitionSteps", Set),
    ("properties", Properties),
    ("protocol", One),
    ("providerId", One),
    ("pullStrategy", One),
    ("querySpec", One),
    ("reason", One),
    ("ruleFunctions", Set),
    ("schema", One),
    ("scopes", Set),
    ("sortField", One),
    ("sortOrder", One),
    ("state", One),
    ("supportedTypes", Set),
    ("transactional", One),
    ("transferType", One),
    ("trustedIssuers", Set),
    ("type", One),
    ("uri", One),
    ("url", One),
    ("validatedType", One),
    ("value", One),
    ("version", One),
];

/// Terms of policies (`rightOperand` may be of any shape, and a reference is one).
const POLICY_TERMS: &[(&str, Shape)] = &[
    ("action", One),
    ("and", Set),
    ("andSequence", Set),
    ("assignee", One),
    ("assigner", One),
    ("constraint", Set),
    ("duty", Set),
    ("leftOperand", One),
    ("obligation", Set),
    ("operator", One),
    ("or", Set),
    ("permission", Set),
    ("profile", Any),
    ("prohibition", Set),
    ("rightOperand", Any),
    ("target", One),
    ("xone", Set),
];

/// Names of types of the connector that have JSON literals in a member which elsewhere holds properties.
const JSON_PROPERTIES: [&str; 2] = ["ParticipantContext", "DataplaneMetadata"];

/// The short name of a term, if the name is one of its spellings.
pub(super) fn term(name: &str) -> Option<&'static str> {
    let known = |local: &str, table: &'static [(&'static str, Shape)]| {
        table.iter().find(|(term, _)| *term == local).map(|(term, _)| *term)
    };
    if let Some(local) = local(name, "edc:", EDC) {
        return known(local, TERMS);
    }
    if let Some(local) = local(name, "odrl:", ODRL) {
        return known(local, POLICY_TERMS);
    }
    known(name, TERMS).or_else(|| known(name, POLICY_TERMS))
}

/// The name of a member among properties: of the connector's namespace the local name, of a few terms their short
/// name, else as it is.
pub(super) fn property(name: &str) -> &str {
    if let Some(local) = local(name, "edc:", EDC) {
        return local;
    }
    let references =
        [("conformsTo", "dct:", DCTERMS), ("format", "dct:", DCTERMS), ("endpointURL", "dcat:", DCAT)];
    let found = references.iter().find(|(term, prefix, iri)| local(name, prefix, iri) == Some(*term));
    found.map_or(name, |(term, _, _)| *term)
}

/// Whether the value of a property is an id (`@type: @id`).
pub(super) fn is_reference(property: &str) -> bool {
    matches!(property, "conformsTo" | "format" | "endpointURL")
}

/// The shape of the value of a term in an object of type `kind`.
pub(super) fn shape(term: &str, kind: Option<&str>) -> Shape {
    if term == "properties" && kind.is_some_and(|kind| JSON_PROPERTIES.contains(&kind)) {
        return Json;
    }
    let find =
        |table: &[(&str, Shape)]| table.iter().find(|(name, _)| *name == term).map(|(_, shape)| *shape);
    find(TERMS).or_else(|| find(POLICY_TERMS)).unwrap_or(Any)
}

/// The short name of a type.
pub(super) fn type_name(name: &str) -> &str {
    local(name, "edc:", EDC).or_else(|| local(name, "odrl:", ODRL)).unwrap_or(name)
}

fn local<'n>(name: &'n str, prefix: &str, iri: &str) -> Option<&'n str> {
    let local = name.strip_prefix(prefix).or_else(|| name.strip_prefix(iri))?;
    (!local.is_empty()).then_some(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_term() {
        for name in ["counterPartyId", "edc:counterPartyId", "https://w3id.org/edc/v0.0.1/ns/counterPartyId"]
        {
            assert_eq!(term(name), Some("counterPartyId"));
        }
        assert_eq!(term("odrl:permission"), Some("permission"));
        assert_eq!(term("odrl:counterPartyId"), None);
        assert_eq!(term("edc:permission"), None);
        assert_eq!(term("edc:"), None);
    }

    #[test]
    fn no_term_has_two_rows() {
        for table in [TERMS, POLICY_TERMS] {
            for (index, (name, _)) in table.iter().enumerate() {
                assert!(table[..index].iter().all(|(other, _)| other != name), "{name}");
            }
        }
        for (name, shape) in TERMS {
            let policy = POLICY_TERMS.iter().find(|(term, _)| term == name);
            assert!(policy.is_none_or(|(_, other)| other == shape), "{name} has one shape");
        }
    }
}
