//! The decision about a request: whom, what, and whether attestations and rules say yes (DCP 1.0 §6.4).

use heddle_clock::Environment;
use heddle_dcp::{
    issuance::issuer::{Event, State},
    token::SelfIssuedToken,
    wire::CredentialRequestMessage,
};
use heddle_ids::IssuerPid;
use heddle_store::{Loaded, Query, StoreError, Transaction};
use serde_json::Map;

use super::{Approved, IssuanceProcess};
use crate::{
    definition::{CredentialDefinition, Unfulfilled},
    holder::Holder,
};

/// Most processes of one holder.
const PROCESSES_PER_HOLDER_MAX: u64 = 10_000;

/// Why a request does not even become a process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Inadmissible {
    /// Nobody has registered the sender.
    #[error("the sender is not a holder of this issuer")]
    UnknownHolder,
    /// Something is asked for that the issuer does not have.
    #[error("the issuer offers no credential '{id}'")]
    UnknownDefinition {
        /// Its place in the message.
        index: usize,
        /// What was asked for.
        id: String,
    },
    /// The holder has had its share.
    #[error("the holder has {PROCESSES_PER_HOLDER_MAX} issuance processes already")]
    TooMany,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Decides. The process is approved, or errored with the reason; nothing of it is stored yet.
pub(crate) async fn admit(
    transaction: &mut Transaction<'_>,
    sender: &SelfIssuedToken,
    message: &CredentialRequestMessage,
    (environment, exclusive): (&Environment, bool),
) -> Result<IssuanceProcess, Inadmissible> {
    let did = sender.participant();
    let holder = transaction.load_by_key::<Holder>(did.as_str()).await?.ok_or(Inadmissible::UnknownHolder)?;
    let own = Query { counter_party: Some(did.to_string()), ..Query::default() };
    if transaction.count::<IssuanceProcess>(&own).await? >= PROCESSES_PER_HOLDER_MAX {
        return Err(Inadmissible::TooMany);
    }
    let definitions = definitions(transaction, message).await?;
    let (now, (ms, random)) = (environment.now(), environment.id_parts());
    let mut process = IssuanceProcess {
        id: IssuerPid::from_parts(ms, random),
        holder_id: holder.id.clone(),
        holder_did: did.clone(),
        holder_pid: message.holder_pid.clone(),
        state: State::Submitted,
        definitions: definitions.iter().map(|definition| definition.id.clone()).collect(),
        approved: Vec::new(),
        claims: Map::new(),
        access_token: None,
        credentials: Vec::new(),
        reason: None,
        exclusive: false,
        created_at: now,
        modified_at: now,
    };
    match decide(transaction, &definitions, &holder, &mut process).await? {
        Ok(()) => {
            process.access_token = sender.access_token().map(str::to_owned);
            process.exclusive = exclusive;
            Ok(process.after(Event::Approve, now).expect("a submitted process can be approved"))
        }
        Err(unfulfilled) => {
            process.approved.clear();
            let failed = process.after(Event::Fail, now).expect("a submitted process can fail");
            Ok(failed.because(&unfulfilled.to_string()))
        }
    }
}

async fn definitions(
    transaction: &mut Transaction<'_>,
    message: &CredentialRequestMessage,
) -> Result<Vec<CredentialDefinition>, Inadmissible> {
    let mut found = Vec::new();
    for (index, wanted) in message.credentials.iter().enumerate() {
        let definition = transaction.load::<CredentialDefinition>(&wanted.id).await?.map(Loaded::into_value);
        let unknown = || Inadmissible::UnknownDefinition { index, id: wanted.id.clone() };
        found.push(definition.ok_or_else(unknown)?);
    }
    Ok(found)
}

/// All of the definitions, or none: a delivery covers its whole request.
async fn decide(
    transaction: &mut Transaction<'_>,
    definitions: &[CredentialDefinition],
    holder: &Holder,
    process: &mut IssuanceProcess,
) -> Result<Result<(), Unfulfilled>, StoreError> {
    for definition in definitions {
        let fulfilled = match definition.fulfil(transaction, holder).await? {
            Ok(fulfilled) => fulfilled,
            Err(unfulfilled) => return Ok(Err(unfulfilled)),
        };
        process.claims.extend(fulfilled.claims);
        process.approved.push(Approved {
            definition: definition.id.clone(),
            credential_type: definition.credential_type.clone(),
            format: definition.format,
            validity: definition.validity,
            additional_context: definition.additional_context.clone(),
            subject: fulfilled.subject,
        });
    }
    Ok(Ok(()))
}
