//! A look at whether the master key fits, without a vault and without changing anything.

use crate::{
    MasterKeyError, MasterKeySource,
    keyring::{Keyring, MasterKey},
    master_key,
};
use heddle_store::Aggregate;

/// Kind and id of the installation's document that says which master keys open the vault.
pub const KEYRING: (&str, &str) = (Keyring::KIND, Keyring::ID);

/// Whether the master key opens the vault. `keyring` is the document that [`KEYRING`] names; without one, there is no
/// vault yet, and a key that would be made at the first start is not made.
///
/// # Errors
/// When the key is missing, exposed, or not the one that the data was encrypted with.
pub fn opens(source: &MasterKeySource, keyring: Option<&str>) -> Result<(), MasterKeyError> {
    let path = match source {
        MasterKeySource::Ephemeral => return Ok(()),
        MasterKeySource::Generated(path) | MasterKeySource::Provided(path) => path,
    };
    let key = match (source, master_key::read(path)?) {
        (_, Some(key)) => key,
        (MasterKeySource::Provided(_), None) => return Err(MasterKeyError::Absent { path: path.clone() }),
        (_, None) if keyring.is_some() => return Err(MasterKeyError::Lost { path: path.clone() }),
        (_, None) => return Ok(()),
    };
    let Some(document) = keyring else { return Ok(()) };
    let ring: Option<Keyring> = serde_json::from_str(document).ok();
    match ring.and_then(|ring| MasterKey::new(&key).open(&ring)) {
        Some(_) => Ok(()),
        None => Err(MasterKeyError::Wrong { place: source.place() }),
    }
}
