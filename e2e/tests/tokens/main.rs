//! What a token opens: its own flow, as long as that flows, and nothing else.

mod bytes;
mod ends;
mod own;
mod wrong;

use heddle_e2e::{Fetched, Key, Party, Scene, Server};

/// A dataspace with a provider and a consumer.
struct Market {
    server: Server,
    scene: Scene,
    provider: Party,
    consumer: Party,
}

impl Market {
    async fn open(run: &str) -> Self {
        let server = Server::start("").await;
        let scene = Scene::found(&server.credentials(), run).await;
        let (provider, consumer) =
            (Party::on_board(&scene, "weaver").await, Party::on_board(&scene, "tailor").await);
        Self { server, scene, provider, consumer }
    }

    /// A transfer of an asset that was agreed on: its id, and what opens it.
    async fn flow(&self, step: &str, agreement: &str) -> (String, Key) {
        let transfer = self.consumer.transfer(&self.provider, step, agreement).await;
        let key = self.consumer.key(&transfer).await;
        (transfer, key)
    }
}

/// Whether a request for data was turned away as it should be: for want of leave, and with words.
#[track_caller]
fn assert_refused(fetched: &Fetched, what: &str) {
    let Fetched::Refused(status, body) = fetched else { panic!("{what}: there are bytes") };
    assert!(matches!(status, 401 | 403 | 404), "{what}: {status} {body}");
    assert!(body.contains("The token does not open this flow."), "{what}: {status} {body}");
}
