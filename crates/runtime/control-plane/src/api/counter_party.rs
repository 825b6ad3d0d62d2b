//! What requests about a counter-party have in common: its address, and the dataspace profile.

use heddle_ids::ProfileName;
use heddle_tenancy::ParticipantScope;
use heddle_web::Rejection;

use crate::{ControlPlane, parts::Addressed};

/// The dataspace profile that a request names by `profile`, by `protocol`, or by both in the same way.
pub(super) fn profile_of(
    profile: Option<&ProfileName>,
    protocol: Option<&ProfileName>,
) -> Result<ProfileName, Rejection> {
    match (profile, protocol) {
        (Some(profile), Some(protocol)) if profile != protocol => {
            Err(Rejection::invalid("/protocol", "'protocol' and 'profile' name different dataspace profiles"))
        }
        (Some(name), _) | (None, Some(name)) => Ok(name.clone()),
        (None, None) => Err(Rejection::invalid("/profile", "required property 'profile' not found")),
    }
}

/// Whether an address looks like one. Whether it may be called is decided where it is called.
pub(super) fn check_address(address: &str) -> Result<(), Rejection> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control()) => {
            Ok(())
        }
        _ => Err(Rejection::invalid(
            "/counterPartyAddress",
            "expected an absolute URL with the scheme https or http",
        )),
    }
}

/// Ourselves in a dataspace profile, if we take part in it.
pub(super) async fn addressed(
    plane: &ControlPlane,
    scope: &ParticipantScope,
    profile: &ProfileName,
) -> Result<Addressed, Rejection> {
    let context = scope.participant();
    let unknown =
        || Rejection::invalid("/profile", format!("No profile '{profile}' for participant '{context}'"));
    plane.addressed(context, profile).await?.ok_or_else(unknown)
}
