//! Data addresses, which open doors: the vault has them, and a stored flow has stubs.
//!
//! The machine sees stubs alone: an address without endpoint whose only property is a handle. What a stub stands for
//! lies sealed in the participant's vault, stored in the commit that the stub belongs to, until the flow ends. So a
//! replayed message gets its old answer, with the same token, and no document, event or directory row holds one.

use heddle_dps::wire::DataAddress;
use heddle_ids::DataFlowId;
use heddle_store::Transaction;
use heddle_tenancy::ParticipantScope;
use heddle_vault::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AccessToken, SignalError};
use crate::{DataPlane, aliases, digest::hex};

/// What a path segment may hold as it is (RFC 3986 §2.3, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The property of a stub.
const HANDLE: &str = "sealed";

/// An address on its way into the vault.
pub(super) struct SealedAddress {
    pub(super) handle: String,
    address: DataAddress,
}

impl SealedAddress {
    /// What the machine, and the stored flow, have instead of the address.
    pub(super) fn stub(&self) -> DataAddress {
        let mut stub =
            DataAddress::new(self.address.endpoint_type.clone(), "").with(HANDLE, self.handle.clone());
        stub.endpoint = None;
        stub
    }
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

impl DataPlane {
    /// The address under which a flow is served here, with its token (HTTP profile of DPS, pull).
    pub(super) fn address(&self, id: &DataFlowId, endpoint_type: &str, token: &AccessToken) -> DataAddress {
        DataAddress::new(endpoint_type, format!("{}/public/{}", self.public_url, segment(id.as_str())))
            .with("authorization", token.expose())
            .with("authType", "bearer")
    }

    /// Seals an address in the transaction's commit.
    pub(super) async fn seal(
        &self,
        transaction: &mut Transaction<'_>,
        id: &DataFlowId,
        address: DataAddress,
    ) -> Result<SealedAddress, SignalError> {
        let sealed = SealedAddress { handle: hex(&self.environment.random::<16>()), address };
        let text = serde_json::to_vec(&sealed.address).expect("an address serialises");
        let alias = aliases::flow_address(id, &sealed.handle);
        self.vault.store_secret_in(transaction, &alias, &Secret::new(text)).await?;
        Ok(sealed)
    }

    /// What a stub stands for; none when it is not kept any more.
    pub(crate) async fn unseal(
        &self,
        scope: &ParticipantScope,
        id: &DataFlowId,
        stub: &DataAddress,
    ) -> Result<Option<DataAddress>, SignalError> {
        let Some(handle) = stub.property(HANDLE) else { return Ok(None) };
        let secret = self.vault.secret(scope, &aliases::flow_address(id, handle)).await?;
        Ok(secret.and_then(|secret| serde_json::from_slice(secret.expose()).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_tells_nothing() {
        let address = DataAddress::new("HttpData", "https://a.example/x?signature=s3cret")
            .with("authorization", "t0ken");
        let stub = SealedAddress { handle: "ab".to_owned(), address }.stub();
        let text = serde_json::to_string(&stub).expect("serialises");
        assert!(!text.contains("s3cret") && !text.contains("t0ken"), "{text}");
        assert_eq!(stub.property(HANDLE), Some("ab"));
    }

    #[test]
    fn ids_are_one_segment() {
        assert_eq!(segment("urn:uuid:1/../ö"), "urn%3Auuid%3A1%2F..%2F%C3%B6");
    }
}
