//! Fetches what a judgement asks for: DID documents and status lists, each once.

use heddle_dcp::trust::{self, Gathered};
use heddle_outbound::Request;

use super::{
    Identity,
    asking::{is_away, patiently},
    dcp::EvidenceParts,
};

/// Rounds of asking: documents, then the status lists that signed credentials name; one more for safety.
const ROUNDS_MAX: usize = 3;
/// Largest status list credential that is read, in bytes.
const LIST_BYTES_MAX: usize = 1024 * 1024;
/// How often a host may send us elsewhere for a status list.
const LIST_REDIRECTS_MAX: u8 = 3;

impl Identity {
    /// Gathers until nothing is asked for any more. Failures are evidence too.
    pub(super) async fn gather(&self, parts: &EvidenceParts<'_>, mut gathered: Gathered) -> Gathered {
        for _ in 0..ROUNDS_MAX {
            let needs = trust::required(&parts.evidence(&gathered, self.store.environment().now()));
            if needs.is_empty() {
                break;
            }
            for did in needs.dids {
                let document = self.document(&did).await;
                let document =
                    document.map(|document| (*document).clone()).map_err(|error| error.to_string());
                gathered.documents.insert(did, document);
            }
            for url in needs.status_lists {
                let list = self.status_list(&url).await;
                gathered.status_lists.insert(url, list);
            }
        }
        gathered
    }

    /// A status list in compact form. It is fetched at each use, so that a revocation counts from the next
    /// request on.
    async fn status_list(&self, url: &str) -> Result<String, String> {
        let request = || {
            Request::get(url)
                .accept("application/vc+jwt, */*")
                .redirects_max(LIST_REDIRECTS_MAX)
                .body_bytes_max(LIST_BYTES_MAX)
        };
        let answer = patiently(|| Box::pin(self.outbound.send(request())), is_away).await;
        let answer = answer.map_err(|error| error.to_string())?;
        String::from_utf8(answer.body().to_vec()).map_err(|_| format!("the status list at {url} is not text"))
    }
}
