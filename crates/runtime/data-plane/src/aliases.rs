//! The names of this plane's secrets in a participant's vault.
//!
//! Ids come from outside and may be longer than an alias: their digest stands for them, so that every id has an
//! alias and no two share one.

use heddle_ids::{AssetId, DataFlowId};

use crate::digest::sha256_hex;

/// The Authorization value that the HTTP origin of a dataset wants.
pub(crate) fn origin_authorization(dataset: &AssetId) -> String {
    format!("data-plane/source/{}/authorization", sha256_hex(dataset.as_str().as_bytes()))
}

/// Our client secret for the callbacks to a control plane.
pub(crate) fn client_secret(control_plane: &str) -> String {
    format!("data-plane/control-plane/{}/client-secret", sha256_hex(control_plane.as_bytes()))
}

/// One data address of a flow, by the handle that the stored flow has instead of it.
pub(crate) fn flow_address(flow: &DataFlowId, handle: &str) -> String {
    format!("data-plane/flow/{}/address/{handle}", sha256_hex(flow.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use heddle_vault::ALIAS_BYTES_MAX;

    use super::*;

    #[test]
    fn every_id_has_an_alias_of_its_own() {
        let longest = AssetId::parse("x".repeat(1024)).expect("legal");
        assert!(origin_authorization(&longest).len() <= ALIAS_BYTES_MAX);
        let flow = |text: &str| DataFlowId::parse(text).expect("legal");
        assert_ne!(flow_address(&flow("a"), "b/c"), flow_address(&flow("a/b"), "c"));
        assert_ne!(client_secret("a"), client_secret("b"));
    }
}
