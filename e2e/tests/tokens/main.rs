//! What a token opens: its own flow, as long as that flows, and nothing else.

mod bytes;
mod ends;
mod own;
mod wrong;

use heddle_e2e::{Fetched, Market};

/// A dataspace on a server as it comes.
async fn market(run: &str) -> Market {
    Market::open("", run).await
}

/// Whether a request for data was turned away as it should be: for want of leave, and with words.
#[track_caller]
fn assert_refused(fetched: &Fetched, what: &str) {
    let Fetched::Refused(status, body) = fetched else { panic!("{what}: there are bytes") };
    assert!(matches!(status, 401 | 403 | 404), "{what}: {status} {body}");
    assert!(body.contains("The token does not open this flow."), "{what}: {status} {body}");
}
