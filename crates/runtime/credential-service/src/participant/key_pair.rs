//! Key pairs: the public half and its life. The private half is in the vault, under an alias of ours.

use heddle_clock::Timestamp;
use heddle_ids::KeyPairId;
use heddle_jose::Jwk;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

/// How far a key pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum KeyState {
    /// Made, not in the DID document.
    Created,
    /// In the DID document; it signs.
    Activated,
}

impl KeyState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Activated => "ACTIVATED",
        }
    }

    /// The number that the Identity API shows.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Created => 100,
            Self::Activated => 200,
        }
    }
}

/// What a key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Usage {
    /// Self-issued tokens and access tokens.
    #[serde(rename = "sign_token")]
    Tokens,
    /// Presentations.
    #[serde(rename = "sign_presentation")]
    Presentations,
    /// Credentials, for a participant that is an issuer.
    #[serde(rename = "sign_credentials")]
    Credentials,
}

impl Usage {
    pub(crate) const ALL: [Self; 3] = [Self::Tokens, Self::Presentations, Self::Credentials];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "sign_token",
            Self::Presentations => "sign_presentation",
            Self::Credentials => "sign_credentials",
        }
    }
}

/// The aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) id: KeyPairId,
    /// The id of the verification method: `did#fragment`.
    pub(crate) key_id: String,
    /// Where the private key lies in the vault: made by us, so that no two keys ever share one.
    pub(crate) vault_alias: String,
    /// The alias that the client chose; shown to it and used for nothing else.
    pub(crate) private_key_alias: String,
    /// The public key, with its algorithm.
    pub(crate) public_key: Jwk,
    pub(crate) state: KeyState,
    pub(crate) usage: Vec<Usage>,
    /// Which of several keys for one usage signs.
    pub(crate) default_pair: bool,
    pub(crate) created_at: Timestamp,
}

impl KeyPair {
    /// The fragment of the key id.
    pub(crate) fn fragment(&self) -> &str {
        self.key_id.split_once('#').map_or("", |(_, fragment)| fragment)
    }
}

impl Aggregate for KeyPair {
    const KIND: &'static str = "key-pair";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(self.state.name().into()),
            unique_key: Some(self.key_id.clone()),
            ..Columns::default()
        }
    }
}
