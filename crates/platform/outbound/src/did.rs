//! DIDs to documents, with a bounded cache (DCP 1.0 §4; DID Core 1.0 §7.1; did:web method).

use std::{fmt, sync::Arc, time::Duration};

use heddle_clock::Timestamp;
use heddle_did::{DOCUMENT_BYTES_MAX, Did, DidDocument, DidError, key, web};
use moka::future::Cache;

use crate::{Outbound, OutboundError, Request, RetryClass};

/// Most DIDs that are remembered.
const CACHE_ENTRIES_MAX: u64 = 10_000;
/// How long a document is used without asking again.
const DOCUMENT_LIFETIME: Duration = Duration::from_secs(300);
/// How long a failure is repeated without asking again.
const FAILURE_LIFETIME: Duration = Duration::from_secs(10);
/// Least time between two requests for one DID, however often [`DidResolver::refresh`] is called.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Why there is no document for a DID.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResolveError {
    /// The DID, its method or the document is not acceptable.
    #[error("the document of {did} cannot be used: {reason}")]
    Unusable {
        /// The DID.
        did: Did,
        /// Why not.
        reason: DidError,
    },
    /// The document could not be fetched.
    #[error("the document of {did} cannot be fetched: {reason}")]
    Unavailable {
        /// The DID.
        did: Did,
        /// Why not.
        reason: OutboundError,
    },
}

impl ResolveError {
    /// Whether resolving again may help.
    #[must_use]
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Unusable { .. } => RetryClass::Final,
            Self::Unavailable { reason, .. } => reason.class(),
        }
    }
}

/// Resolves `did:web` over the network and `did:key` from the DID itself. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct DidResolver {
    outbound: Outbound,
    scheme: web::Scheme,
    cache: Cache<Did, Remembered>,
}

#[derive(Clone)]
struct Remembered {
    fetched_at: Timestamp,
    outcome: Result<Arc<DidDocument>, ResolveError>,
}

impl Remembered {
    fn has_expired(&self, now: Timestamp) -> bool {
        let lifetime = if self.outcome.is_ok() { DOCUMENT_LIFETIME } else { FAILURE_LIFETIME };
        now.since(self.fetched_at) >= lifetime
    }
}

impl DidResolver {
    /// A resolver that asks `did:web` hosts by `scheme`; the installation's own host is asked by the scheme of
    /// its origin.
    #[must_use]
    pub fn new(outbound: Outbound, scheme: web::Scheme) -> Self {
        let cache = Cache::builder().max_capacity(CACHE_ENTRIES_MAX).time_to_live(DOCUMENT_LIFETIME).build();
        Self { outbound, scheme, cache }
    }

    /// The document of `did`, at most five minutes old. A failure is remembered for ten seconds. Several callers
    /// at once share one request.
    pub async fn resolve(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        let now = self.now();
        self.remembered(did, |known| known.has_expired(now)).await
    }

    /// The document of `did`, fetched again: for a key id that the known document lacks, or a signature that it
    /// does not explain (the key may just have been rotated). At most one request a second goes out per DID;
    /// within it the known outcome is returned.
    pub async fn refresh(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        let now = self.now();
        self.remembered(did, |known| now.since(known.fetched_at) >= REFRESH_INTERVAL).await
    }

    async fn remembered(
        &self,
        did: &Did,
        replace_if: impl FnMut(&Remembered) -> bool + Send,
    ) -> Result<Arc<DidDocument>, ResolveError> {
        if did.method() == "key" {
            let unusable = |reason| ResolveError::Unusable { did: did.clone(), reason };
            return key::document_of(did).map(Arc::new).map_err(unusable);
        }
        // The future of a fetch is large; most calls never need it.
        let fetch = Box::pin(async {
            let outcome = self.fetch(did).await.map(Arc::new);
            Remembered { fetched_at: self.now(), outcome }
        });
        self.cache.entry_by_ref(did).or_insert_with_if(fetch, replace_if).await.into_value().outcome
    }

    async fn fetch(&self, did: &Did) -> Result<DidDocument, ResolveError> {
        let unusable = |reason| ResolveError::Unusable { did: did.clone(), reason };
        let own = web::url_of(did, web::Scheme::Http).ok().filter(|url| self.outbound.is_own(url));
        let url = match own {
            Some(url) => url,
            None => web::url_of(did, self.scheme).map_err(unusable)?,
        };
        let request = Request::get(url)
            .accept("application/did+json, application/did+ld+json, application/json")
            .body_bytes_max(DOCUMENT_BYTES_MAX);
        let answer = self
            .outbound
            .send(request)
            .await
            .map_err(|reason| ResolveError::Unavailable { did: did.clone(), reason })?;
        DidDocument::parse_for(did, answer.body()).map_err(unusable)
    }

    fn now(&self) -> Timestamp {
        self.outbound.environment().now()
    }
}

impl fmt::Debug for DidResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DidResolver").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
