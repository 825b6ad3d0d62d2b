//! A dataspace on a server, and the parties that come on board there.

use heddle::{
    demo::{
        Client,
        founding::{self, CREDENTIAL, Dataspace},
        onboarding::{self, Bodies},
        report::Teller,
    },
    home::Credentials,
};
use heddle_clock::Environment;
use serde_json::json;

use crate::{Party, answer::outbound};

/// A client of a server; `run` makes its idempotency keys its own.
pub fn client(credentials: &Credentials, run: &str) -> Client {
    let environment = Environment::system();
    Client::new(outbound(&environment), environment, credentials.clone(), run)
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
    pub async fn onboard(&self, name: &str) -> Party {
        self.onboard_by(&self.operator, name).await
    }

    /// The same by another operator, perhaps of another server.
    pub async fn onboard_by(&self, operator: &Client, name: &str) -> Party {
        let mut teller = Teller::new(false);
        let organisation = onboarding::onboard(&mut teller, &self.bodies(operator), &self.run, name).await;
        Party::acting(organisation.unwrap_or_else(|failure| panic!("{failure}")), operator).await
    }

    pub(crate) fn bodies<'a>(&'a self, operator: &'a Client) -> Bodies<'a> {
        Bodies { operator, governance: &self.operator, dataspace: &self.dataspace }
    }

    /// The governance body approves an application.
    pub async fn approve(&self, name: &str, did: &str) {
        onboarding::approve(&self.bodies(&self.operator), name, did).await.expect("it is attested");
    }

    /// The paths of the issuer's administration.
    pub fn issuer_admin(&self) -> String {
        format!("/api/admin/v1beta/participants/{}", self.dataspace.issuer_context)
    }

    /// The issuer issues another credential too, by a definition of this name, and is trusted for it.
    pub async fn also_issues(&self, definition: &str, credential: &str) {
        let (operator, dataspace) = (&self.operator, &self.dataspace);
        founding::define(operator, dataspace, definition, credential).await.expect("the issuer issues it");
        let profiles = "/api/mgmt/v5beta/dataspaceprofiles";
        let profile = operator.get(&format!("{profiles}/{}", dataspace.profile)).await;
        let mut profile = profile.expect("the profile");
        profile["trustedIssuers"] = json!([founding::trusted_issuer(dataspace, &[CREDENTIAL, credential])]);
        operator.put(profiles, &profile).await.expect("the issuer is trusted for it");
    }
}
