//! The DID document of a participant context, from its services and keys.

use heddle_did::{DidDocument, Relationship, Service};

use super::{HolderContext, KeyPair, KeyState, Usage};

/// The document. A key stands under the relationships that its usage needs: self-issued tokens under
/// `capabilityInvocation` (DCP 1.0 §4.3.3), presentations under `authentication` (DCP 1.0 §5.4.3), credentials
/// under `assertionMethod`.
pub(crate) fn document_of(context: &HolderContext, keys: &[&KeyPair]) -> DidDocument {
    let mut document = DidDocument::new(context.did.clone());
    for service in &context.services {
        document.service.push(Service {
            id: context.did.url(&service.fragment),
            kind: service.kind.clone(),
            endpoint: service.endpoint.clone(),
        });
    }
    for key in keys.iter().filter(|key| key.state == KeyState::Activated) {
        let relationships: Vec<Relationship> = key.usage.iter().map(|usage| relationship(*usage)).collect();
        document = document.with_key(key.fragment(), key.public_key.clone(), &relationships);
    }
    document
}

const fn relationship(usage: Usage) -> Relationship {
    match usage {
        Usage::Tokens => Relationship::CapabilityInvocation,
        Usage::Presentations => Relationship::Authentication,
        Usage::Credentials => Relationship::AssertionMethod,
    }
}
