//! Verifiable credentials (VC Data Model 1.1 and 2.0), presentations and status lists, secured as JWT.
//!
//! - [`vc11`]: credentials with the `vc` claim: written, and read; [`vc20`]: credentials whose claims are the
//!   credential (VC-JOSE-COSE): read. [`ParsedCredential::parse`] reads either.
//! - [`vp11`]: presentations with the `vp` claim, written and read.
//! - [`VerifiableCredential`]: what a credential says, whatever its format.
//! - [`check`]: what must hold of a credential, one named [`Check`] each, so that decisions can be explained.
//! - [`status`]: StatusList2021 and Bitstring Status List.
//!
//! Reading is lenient about shape (deployed issuers differ) and strict about meaning: a date, status entry or
//! type that cannot be understood refuses the credential.
//!
//! Deliberately absent: fetching (keys and status lists are arguments), trust in issuers, JSON schemas,
//! data-integrity proofs, and encryption.

pub mod check;
pub mod status;
pub mod vc11;
pub mod vc20;
pub mod vp11;

mod draft;
mod error;
mod format;
mod model;
mod parsed;
mod shape;

pub use check::{
    Check, Verdict, check_form, check_issuer_binding, check_signature, check_status, check_subject,
    check_validity,
};
pub use draft::CredentialDraft;
pub use error::CredentialError;
pub use format::{DataModel, Format};
pub use model::{Schema, VerifiableCredential};
pub use parsed::{ParsedCredential, VerifiedCredential};
pub use status::{StatusEntry, StatusKind, StatusList, StatusListCredential, StatusPurpose};
pub use vp11::{ParsedPresentation, PresentationDraft, VerifiedPresentationToken};
