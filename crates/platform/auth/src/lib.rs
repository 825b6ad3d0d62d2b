//! OAuth2 for the Administration APIs: who calls, what for, and a token service of our own.
//!
//! * [`Authenticator`] is the resource server: a bearer token becomes a [`Principal`], and a principal, the
//!   context that the path names and a [`RequiredScope`] become a scope of `heddle_tenancy`, or a refusal. Both
//!   are decided from token and path alone, before anything is looked up but whether those whom the token names
//!   have ended, so that no answer depends on what exists.
//! * [`TokenService`] gives tokens to clients (RFC 6749 §4.4), under a key that lies in the vault.
//! * [`SelfIssuedTokens`] is the port through which others get tokens of a participant for its peers.
//!
//! # How to guard an endpoint
//!
//! ```no_run
//! # use heddle_auth::{Area, Authenticator, RequiredScope};
//! # use heddle_ids::ParticipantContextId;
//! const ASSETS_READ: RequiredScope = RequiredScope::read("management-api", "assets");
//! const CONFIG_WRITE: RequiredScope = RequiredScope::admin("management-api").within(Area::Configuration);
//!
//! # async fn example(auth: &Authenticator, header: Option<&str>, context: &ParticipantContextId)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let principal = auth.authenticate(heddle_auth::bearer(header)?).await?;
//! let scope = auth.participant(&principal, context, &ASSETS_READ)?;
//! # let _ = scope;
//! # Ok(())
//! # }
//! ```
//!
//! Deliberately absent: users and passwords (an identity provider has them), authorization of peers (they prove
//! themselves by DCP), refresh tokens, and HTTP outside of [`endpoints`].

pub mod endpoints;

mod authenticator;
mod authorisation;
mod client;
mod error;
mod principal;
mod scope;
mod self_issued;
mod token;
mod verification;

pub use authenticator::{Authenticator, bearer};
pub use client::{CLIENTS_PER_CONTEXT_MAX, ClientCredentials, ClientError, ClientRecord, NewClient};
pub use error::{Forbidden, Unauthenticated};
pub use principal::{Principal, Role};
pub use scope::{Action, ApiScope, Area, InvalidScope, RequiredScope, SCOPES_MAX, ScopeSet};
pub use self_issued::{SelfIssuedError, SelfIssuedTokens};
pub use token::{
    ANNOUNCED_FOR, AccessToken, ClientAuthentication, InvalidNetwork, KeyState, Network, OldKey, ShownKey,
    TOKEN_LIFETIME, TokenPolicy, TokenRefusal, TokenRequest, TokenService, TokenServiceError, TokenSettings,
};
pub use verification::{
    AudienceRule, ClaimNames, IssuerLimits, JwksUrl, KeySource, KeysUnavailable, Owners, StaticKeys,
    TrustedIssuer,
};
