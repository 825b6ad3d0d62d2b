//! A dataspace in which one has something and another wants it.

use crate::{Key, Party, Scene, Server};

/// A dataspace with a provider and a consumer, on a server of its own.
pub struct Market {
    /// The server.
    pub server: Server,
    /// The dataspace.
    pub scene: Scene,
    /// Who has something.
    pub provider: Party,
    /// Who wants it.
    pub consumer: Party,
}

impl Market {
    /// On a server with these settings.
    pub async fn open(settings: &str, run: &str) -> Self {
        let server = Server::start(settings).await;
        let scene = Scene::found(server.credentials(), run).await;
        let (provider, consumer) = (scene.onboard("provider").await, scene.onboard("consumer").await);
        Self { server, scene, provider, consumer }
    }

    /// A transfer under an agreement: its id, and what opens it.
    pub async fn flow(&self, step: &str, agreement: &str) -> (String, Key) {
        let transfer = self.consumer.transfer(&self.provider, step, agreement).await;
        let key = self.consumer.key(&transfer).await;
        (transfer, key)
    }

    /// Publishes an asset, agrees on it, and lets it flow.
    pub async fn flow_of(&self, asset: &str) -> (String, Key) {
        self.provider.publish(asset).await;
        let agreement = self.consumer.agree(&self.provider, asset).await;
        self.flow(asset, &agreement).await
    }
}
