//! Who may do what with whose: pure functions of a principal and a requirement.
//!
//! Scopes say *which actions*, the role says *whose and what for*, and both must agree.
//!
//! * Without a role, a principal acts for its own participant context; `prefix:admin` lifts that, for the API of
//!   this prefix alone.
//! * `admin`: everybody's. Dialect (a) has no `…:admin` scopes, so for this role and the next `prefix:write`
//!   stands for the administrative scope.
//! * `provisioner`: everybody's, in the areas of the life cycle alone.
//! * `participant`: its own context, and nothing administrative whatever the scopes say.
//! * A token that is restricted to a tenant administers nothing beyond it.
//! * A token of an issuer that speaks for some owners alone administers nothing ([`Principal::is_confined`]).

use heddle_ids::{ParticipantContextId, TenantId};

use crate::{Action, Area, Forbidden, Principal, RequiredScope, Role};

/// APIs of the management plane: their scopes are about the installation and its tenants, not about contexts.
const MANAGEMENT_PLANE: [&str; 2] = ["tenant-manager-api", "provision-manager-api"];

/// In which capacity somebody reaches a participant context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is the principal's own.
    Own,
    /// It is somebody's, and the principal administers it.
    Administered,
}

/// The areas that a provisioner works in.
const fn is_provisioning(area: Area) -> bool {
    match area {
        Area::Configuration
        | Area::CredentialRequests
        | Area::DataPlanes
        | Area::DcpScopes
        | Area::Participants
        | Area::Profiles => true,
        Area::Contents | Area::Installation => false,
    }
}

/// Whether the scopes of the token allow the action, no matter for whom.
fn check_scopes(principal: &Principal, required: &RequiredScope) -> Result<(), Forbidden> {
    let scopes = principal.scopes();
    let administers = matches!(principal.role(), Some(Role::Admin | Role::Provisioner));
    let coarse = || {
        administers && required.action == Action::Admin && scopes.grants(required.prefix, None, Action::Write)
    };
    if scopes.satisfies(required) || coarse() { Ok(()) } else { Err(Forbidden::Scope(*required)) }
}

/// Whether the principal acts beyond its own context, for what the endpoint deals with.
fn administers(principal: &Principal, required: &RequiredScope) -> bool {
    principal.tenant().is_none()
        && !principal.is_confined()
        && match principal.role() {
            None => principal.scopes().grants(required.prefix, None, Action::Admin),
            Some(Role::Admin) => true,
            Some(Role::Provisioner) => is_provisioning(required.area),
            Some(Role::Participant) => false,
        }
}

/// Leave to act on one participant context.
pub(crate) fn participant(
    principal: &Principal,
    context: &ParticipantContextId,
    required: &RequiredScope,
) -> Result<Reach, Forbidden> {
    check_scopes(principal, required)?;
    let own = principal.participant() == Some(context);
    let administers = administers(principal, required);
    match principal.role() {
        Some(Role::Provisioner) if !is_provisioning(required.area) => Err(Forbidden::Role(*required)),
        _ if own && required.action == Action::Admin && !administers => Err(Forbidden::Role(*required)),
        _ if own => Ok(Reach::Own),
        _ if administers => Ok(Reach::Administered),
        _ => Err(Forbidden::Owner),
    }
}

/// Leave to act on the installation.
pub(crate) fn operator(principal: &Principal, required: &RequiredScope) -> Result<(), Forbidden> {
    check_scopes(principal, required)?;
    let allowed = if MANAGEMENT_PLANE.contains(&required.prefix) {
        principal.tenant().is_none()
            && !principal.is_confined()
            && matches!(principal.role(), None | Some(Role::Admin))
    } else {
        administers(principal, required)
    };
    if allowed { Ok(()) } else { Err(Forbidden::Role(*required)) }
}

/// Leave to act on one tenant's management data.
pub(crate) fn tenant(
    principal: &Principal,
    tenant: &TenantId,
    required: &RequiredScope,
) -> Result<(), Forbidden> {
    check_scopes(principal, required)?;
    match (principal.tenant(), principal.role()) {
        (Some(own), _) if own != tenant => Err(Forbidden::Owner),
        (None, _) if principal.is_confined() => Err(Forbidden::Owner),
        (_, Some(Role::Provisioner)) | (None, Some(Role::Participant)) => Err(Forbidden::Role(*required)),
        _ => Ok(()),
    }
}
