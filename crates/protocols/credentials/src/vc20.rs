//! Credentials of VC Data Model 2.0 as JWT (VC-JOSE-COSE §3.1.1): the claims are the credential.

use heddle_jose::{TimeClaims, Token, claims};

use crate::{
    CredentialError, DataModel, Format, ParsedCredential, VerifiableCredential, error::member,
    model::Surrounding,
};

/// Reads a credential; its signature is not checked.
///
/// # Errors
/// What the token, a member or a status entry is refused for. Claims with `vc` or `vp` are refused, as
/// VC-JOSE-COSE demands: such a token is of another format.
pub fn parse(text: &str) -> Result<ParsedCredential, CredentialError> {
    read(Token::parse(text)?)
}

pub(crate) fn read(token: Token) -> Result<ParsedCredential, CredentialError> {
    let set = token.claims_unverified();
    if set.contains_key("vc") || set.contains_key("vp") {
        return Err(member("/vc", "absent in a credential of VC 2.0"));
    }
    let times = TimeClaims::of(set)?;
    let surrounding = Surrounding {
        issuer: claims::text(set, "iss")?,
        subject: None,
        id: None,
        not_before: times.not_before,
        expires_at: times.expires_at,
    };
    let credential = VerifiableCredential::read(set, "", DataModel::V2, &surrounding)?;
    Ok(ParsedCredential::new(token, credential, Format::Vc20BsslJwt))
}
