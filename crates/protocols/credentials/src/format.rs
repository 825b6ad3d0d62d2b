//! The formats of credentials and their names (DCP 1.0, profiles).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::CredentialError;

/// The data model that a credential follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataModel {
    /// VC Data Model 1.1.
    V1,
    /// VC Data Model 2.0.
    V2,
}

impl DataModel {
    /// The base context, which must come first.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::V1 => "https://www.w3.org/2018/credentials/v1",
            Self::V2 => "https://www.w3.org/ns/credentials/v2",
        }
    }
}

/// Data model, status mechanism and proof of a credential, as the profiles of DCP 1.0 combine them.
///
/// Each data model is read with either kind of status list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// VC 1.1 with StatusList2021, as JWT with the `vc` claim.
    Vc11Sl2021Jwt,
    /// VC 2.0 with Bitstring Status List, as JWT (VC-JOSE-COSE).
    Vc20BsslJwt,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Vc11Sl2021Jwt, Self::Vc20BsslJwt];

    /// The alias of the profile, as messages carry it.
    #[must_use]
    pub const fn alias(self) -> &'static str {
        match self {
            Self::Vc11Sl2021Jwt => "vc11-sl2021/jwt",
            Self::Vc20BsslJwt => "vc20-bssl/jwt",
        }
    }

    /// The name that other implementations use in their own interfaces.
    #[must_use]
    pub const fn enumeration_name(self) -> &'static str {
        match self {
            Self::Vc11Sl2021Jwt => "VC1_0_JWT",
            Self::Vc20BsslJwt => "VC2_0_JOSE",
        }
    }

    /// The data model.
    #[must_use]
    pub const fn data_model(self) -> DataModel {
        match self {
            Self::Vc11Sl2021Jwt => DataModel::V1,
            Self::Vc20BsslJwt => DataModel::V2,
        }
    }

    /// Reads either kind of name.
    ///
    /// # Errors
    /// [`CredentialError::Format`] for every other name.
    pub fn parse(name: &str) -> Result<Self, CredentialError> {
        let named = |format: &Self| format.alias() == name || format.enumeration_name() == name;
        Self::ALL.into_iter().find(named).ok_or(CredentialError::Format)
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.alias().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
