//! A dataspace on a server, and organisations that come on board there.

use std::time::Duration;

use heddle::{
    demo::{
        Client,
        founding::{self, Dataspace},
        onboarding::{self, Bodies, Organisation},
        report::Teller,
    },
    home::Credentials,
};
use heddle_clock::Environment;
use heddle_outbound::{Outbound, OutboundConfig};

/// A client of a server; `run` makes its idempotency keys its own.
pub fn client(credentials: &Credentials, run: &str) -> Client {
    let environment = Environment::system();
    Client::new(outbound(&environment), environment, credentials.clone(), run)
}

/// The HTTP client below it.
pub(crate) fn outbound(environment: &Environment) -> Outbound {
    let config = OutboundConfig {
        allow_http: true,
        allow_private_addresses: true,
        request_timeout: Duration::from_secs(30),
        idle_timeout: Duration::from_secs(60),
        body_bytes_max: 16 * 1024 * 1024,
        ..OutboundConfig::default()
    };
    Outbound::new(config, environment.clone()).expect("the settings are right")
}

/// A founded dataspace, seen by the operator of its server, who plays the governance body too.
pub struct Scene {
    /// The operator.
    pub operator: Client,
    /// The dataspace.
    pub dataspace: Dataspace,
    pub(crate) run: String,
}

impl Scene {
    /// Founds a dataspace; `run` is a part of every name, so several stand side by side on one server.
    pub async fn found(credentials: &Credentials, run: &str) -> Self {
        let operator = client(credentials, run);
        let dataspace = founding::found(&operator, run).await.expect("the issuer is made");
        founding::join(&operator, &dataspace).await.expect("the server knows the dataspace");
        Self { operator, dataspace, run: run.to_owned() }
    }

    /// Brings an organisation on board, with its credential.
    pub async fn onboard(&self, name: &str) -> Organisation {
        let bodies =
            Bodies { operator: &self.operator, governance: &self.operator, dataspace: &self.dataspace };
        let organisation = onboarding::onboard(&mut Teller::new(false), &bodies, &self.run, name).await;
        organisation.unwrap_or_else(|failure| panic!("{failure}"))
    }
}
