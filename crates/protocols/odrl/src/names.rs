//! The spellings of one name: bare term, prefixed name, full IRI.
//!
//! The compact form of DSP 2025-1 uses bare terms, older peers prefix them with `odrl:` or write the IRI out.

/// Namespace of ODRL terms.
pub const ODRL: &str = "http://www.w3.org/ns/odrl/2/";
/// Namespace of the connector's own terms.
pub const EDC: &str = "https://w3id.org/edc/v0.0.1/ns/";

/// An ODRL term (action, operator, type) as its bare term; any other name as it is.
#[must_use]
pub fn odrl_term(name: &str) -> &str {
    name.strip_prefix("odrl:").or_else(|| name.strip_prefix(ODRL)).unwrap_or(name)
}

/// A left operand as the name that expressions are bound to: `inForceDate` and `edc:` names become IRIs, every other
/// name stays as it is written (an unknown bare term has no base to be resolved against).
#[must_use]
pub fn left_operand(name: &str) -> String {
    match name {
        "inForceDate" => format!("{EDC}inForceDate"),
        _ => match (name.strip_prefix("edc:"), name.strip_prefix("odrl:")) {
            (Some(local), _) => format!("{EDC}{local}"),
            (_, Some(local)) => format!("{ODRL}{local}"),
            _ => name.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odrl_names_become_terms_and_others_stay() {
        assert_eq!(odrl_term("odrl:use"), "use");
        assert_eq!(odrl_term("http://www.w3.org/ns/odrl/2/use"), "use");
        assert_eq!(odrl_term("https://example.org/use"), "https://example.org/use");
    }

    #[test]
    fn left_operands_expand_only_known_prefixes() {
        let iri = "https://w3id.org/edc/v0.0.1/ns/inForceDate";
        assert_eq!(left_operand("inForceDate"), iri);
        assert_eq!(left_operand("edc:inForceDate"), iri);
        assert_eq!(left_operand(iri), iri);
        assert_eq!(left_operand("MembershipCredential"), "MembershipCredential");
    }
}
