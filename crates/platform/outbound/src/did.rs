//! DIDs to documents, with a bounded cache (DCP 1.0 §4; DID Core 1.0 §7.1; did:web method).

use std::{fmt, sync::Arc, time::Duration};

use heddle_clock::Timestamp;
use heddle_did::{DOCUMENT_BYTES_MAX, Did, DidDocument, DidError, key, web};
use moka::future::Cache;

use crate::{Outbound, OutboundError, Request, RetryClass};

/// Most memory that documents take, in KiB: 10,000 of ordinary size, fewer if somebody sends large ones.
const CACHE_KIB_MAX: u64 = 10_000 * ENTRY_KIB_MIN as u64;
/// What a document of ordinary size takes at most, in KiB.
const ENTRY_KIB_MIN: u32 = 8;
/// How long a document is used without asking again.
const DOCUMENT_LIFETIME: Duration = Duration::from_secs(300);
/// How long a failure is repeated without asking again.
const FAILURE_LIFETIME: Duration = Duration::from_secs(10);
/// Least time between two requests for one DID, however often [`DidResolver::refresh`] is called.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// How often a host may send us elsewhere for a document, as from a bare domain to its `www`.
const REDIRECTS_MAX: u8 = 3;

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
    /// When the outcome came about.
    fetched_at: Timestamp,
    /// When the host was last asked, which may have failed since.
    asked_at: Timestamp,
    kib: u32,
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
        let cache = Cache::builder()
            .max_capacity(CACHE_KIB_MAX)
            .weigher(|_, known: &Remembered| known.kib.max(ENTRY_KIB_MIN))
            .time_to_live(DOCUMENT_LIFETIME)
            .build();
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
    /// within it the known outcome is returned, and also when the host cannot be reached.
    pub async fn refresh(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        let now = self.now();
        self.remembered(did, |known| now.since(known.asked_at) >= REFRESH_INTERVAL).await
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
        let fetch = Box::pin(self.ask(did));
        let entry = self.cache.entry_by_ref(did).or_insert_with_if(fetch, replace_if).await;
        self.count(entry.is_fresh());
        entry.into_value().outcome
    }

    #[expect(clippy::cast_precision_loss, reason = "no cache has that many entries")]
    fn count(&self, asked: bool) {
        const CACHE: (&str, &str) = ("cache", "did-documents");
        let outcome = if asked { "miss" } else { "hit" };
        metrics::counter!("heddle_cache_requests_total", CACHE.0 => CACHE.1, "outcome" => outcome)
            .increment(1);
        if asked {
            metrics::gauge!("heddle_cache_entries", CACHE.0 => CACHE.1).set(self.cache.entry_count() as f64);
        }
    }

    async fn ask(&self, did: &Did) -> Remembered {
        let fetched = self.fetch(did).await;
        let now = self.now();
        if let Err(ResolveError::Unavailable { .. }) = &fetched {
            // A host that is down for a moment does not take a good document away.
            let good =
                self.cache.get(did).await.filter(|known| known.outcome.is_ok() && !known.has_expired(now));
            if let Some(known) = good {
                return Remembered { asked_at: now, ..known };
            }
        }
        let kib = fetched.as_ref().map_or(0, |(_, bytes)| u32::try_from(bytes / 1024).unwrap_or(u32::MAX));
        Remembered {
            fetched_at: now,
            asked_at: now,
            kib,
            outcome: fetched.map(|(document, _)| Arc::new(document)),
        }
    }

    /// The document and its size in bytes.
    async fn fetch(&self, did: &Did) -> Result<(DidDocument, usize), ResolveError> {
        let unusable = |reason| ResolveError::Unusable { did: did.clone(), reason };
        let own = web::url_of(did, web::Scheme::Http).ok().filter(|url| self.outbound.is_own(url));
        let url = match own {
            Some(url) => url,
            None => web::url_of(did, self.scheme).map_err(unusable)?,
        };
        let request = Request::get(url)
            .accept("application/did+json, application/did+ld+json, application/json")
            .redirects_max(REDIRECTS_MAX)
            .body_bytes_max(DOCUMENT_BYTES_MAX);
        let answer = self
            .outbound
            .send(request)
            .await
            .map_err(|reason| ResolveError::Unavailable { did: did.clone(), reason })?;
        let document = DidDocument::parse_for(did, answer.body()).map_err(unusable)?;
        Ok((document, answer.body().len()))
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
