//! Offer ids that say where the offer came from.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use heddle_ids::{AssetId, ContractDefinitionId, InvalidId, OfferId};

/// What the `@id` of one of our offers says: `definition:asset:discriminator`, each part in base64url.
///
/// The discriminator tells apart offers of one definition for one asset; derive it from the contents of the
/// policy, so that the same offer has the same id on every page and in every answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OfferName {
    /// The contract definition that makes the offer.
    pub definition: ContractDefinitionId,
    /// The asset that is offered.
    pub asset: AssetId,
    /// Which of several.
    pub discriminator: String,
}

/// Why a text is not the id of an offer of ours. The offer is unknown then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOfferName {
    /// There are not three parts.
    #[error("an offer id has three parts, joined by ':'")]
    Parts,
    /// A part cannot be an id.
    #[error("a part of the offer id is not an identifier: {0}")]
    Part(#[from] InvalidId),
}

impl OfferName {
    /// Reads an offer id. A part that is not base64 of text is taken as it is, as in `definition:asset:1`;
    /// base64 with the standard alphabet or with padding is read too.
    ///
    /// A plain part may look like base64 by accident; [`Self::parse_plain`] reads it the other way.
    pub fn parse(id: &OfferId) -> Result<Self, InvalidOfferName> {
        Self::read(id, |part| decoded(part).unwrap_or_else(|| part.to_owned()))
    }

    /// Reads an offer id whose parts are not encoded.
    pub fn parse_plain(id: &OfferId) -> Result<Self, InvalidOfferName> {
        Self::read(id, ToOwned::to_owned)
    }

    fn read(id: &OfferId, part: impl Fn(&str) -> String) -> Result<Self, InvalidOfferName> {
        let parts: Vec<&str> = id.as_str().split(':').collect();
        let [definition, asset, discriminator] = parts[..] else { return Err(InvalidOfferName::Parts) };
        Ok(Self {
            definition: ContractDefinitionId::parse(part(definition))?,
            asset: AssetId::parse(part(asset))?,
            discriminator: part(discriminator),
        })
    }

    /// The offer id; fails when the parts are together longer than an id may be.
    pub fn to_id(&self) -> Result<OfferId, InvalidId> {
        OfferId::parse(self.to_string())
    }
}

impl fmt::Display for OfferName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let (definition, asset) = (encoded(self.definition.as_str()), encoded(self.asset.as_str()));
        write!(f, "{definition}:{asset}:{}", encoded(&self.discriminator))
    }
}

fn decoded(part: &str) -> Option<String> {
    let canonical: String = part
        .trim_end_matches('=')
        .chars()
        .map(|letter| match letter {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(canonical).ok()?).ok()?;
    // Plain text that happens to be base64 mostly decodes to control characters or to nothing legible.
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::*;

    fn name(definition: &str, asset: &str, discriminator: &str) -> OfferName {
        OfferName {
            definition: ContractDefinitionId::parse(definition).expect("legal"),
            asset: AssetId::parse(asset).expect("legal"),
            discriminator: discriminator.to_owned(),
        }
    }

    fn parse(text: &str) -> Result<OfferName, InvalidOfferName> {
        OfferName::parse(&OfferId::parse(text).expect("legal"))
    }

    #[test]
    fn written_in_base64url_and_always_the_same() {
        let id = name("cd", "urn:asset:ö/1", "0").to_id().expect("fits");
        assert_eq!(id.as_str(), "Y2Q:dXJuOmFzc2V0OsO2LzE:MA");
        assert_eq!(OfferName::parse(&id), Ok(name("cd", "urn:asset:ö/1", "0")));
    }

    #[test]
    fn plain_parts_and_other_alphabets_are_read() {
        assert_eq!(parse("CD123:ACN0101:456"), Ok(name("CD123", "ACN0101", "456")));
        assert_eq!(parse("Y2Q=:YTE=:Pz8+"), Ok(name("cd", "a1", "??>")));
    }

    #[test]
    fn other_ids_are_refused() {
        for bad in ["offer1", "a:b", "a:b:c:d", ":a:b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn every_name_survives(definition in "\\PC{1,40}", asset in "\\PC{1,40}", discriminator in "\\PC{0,20}") {
            let written = name(&definition, &asset, &discriminator);
            let id = written.to_id().expect("fits");
            assert_eq!(OfferName::parse(&id), Ok(written));
        }
    }
}
