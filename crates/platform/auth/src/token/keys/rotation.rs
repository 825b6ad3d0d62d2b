//! Replacing the signing key: in good order, or at once.

use heddle_store::{Aggregate, StoreError, Transaction};

use super::{
    SigningKeys, load_in, make,
    row::{ANNOUNCED_FOR, TokenKey, TokenKeys},
    shown::{self, ShownKey},
    tending,
};
use crate::TokenServiceError;

/// What becomes of the key that a rotation replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKey {
    /// It signs until its successor is known everywhere, and tokens that it signed live to their end.
    Retired,
    /// It is in wrong hands: its tokens are refused, here at once and in other replicas within a minute.
    Revoked,
}

impl SigningKeys {
    /// Begins a rotation, or ends the current key at once. A rotation that is under way already is left to go on.
    pub(crate) async fn rotate(&self, old: OldKey) -> Result<Vec<ShownKey>, TokenServiceError> {
        let mut transaction = self.store.begin(&self.operator);
        let now = transaction.now();
        let Some(row) = load_in(&mut transaction).await? else {
            return Err(
                StoreError::Stale { kind: TokenKeys::KIND.to_owned(), id: TokenKeys::ID.to_owned() }.into()
            );
        };
        let mut next = row.value().clone();
        if old == OldKey::Retired && next.is_rotating(now) {
            return Ok(shown::shown(&next, now));
        }
        let mut ended = next.take_ended(now);
        ended.extend(self.succeed(&mut transaction, &mut next, old).await?);
        tending::schedule(&mut transaction, &mut next, self.every);
        transaction.save(&row, &next);
        transaction.commit().await?;
        self.learn(&next, now);
        self.destroy(&ended).await?;
        Ok(shown::shown(&next, now))
    }

    /// Ends a key at once; whether there was one of this name.
    pub(crate) async fn revoke(&self, kid: &str) -> Result<bool, TokenServiceError> {
        let mut transaction = self.store.begin(&self.operator);
        let now = transaction.now();
        let Some(row) = load_in(&mut transaction).await? else { return Ok(false) };
        let mut next = row.value().clone();
        let Some(key) = next.keys.iter().find(|key| key.kid == kid) else { return Ok(false) };
        let is_needed = !key.signs_at(now) || next.current(now).is_some_and(|current| current.kid == kid);
        let mut ended = Vec::new();
        if is_needed {
            ended.extend(self.succeed(&mut transaction, &mut next, OldKey::Revoked).await?);
        } else {
            ended.extend(next.keys.extract_if(.., |key| key.kid == kid));
            transaction.audit("token-key.revoke", kid);
        }
        tending::schedule(&mut transaction, &mut next, self.every);
        transaction.save(&row, &next);
        transaction.commit().await?;
        self.learn(&next, now);
        self.destroy(&ended).await?;
        Ok(true)
    }

    /// Adds a key; gives those that are revoked.
    pub(super) async fn succeed(
        &self,
        transaction: &mut Transaction<'_>,
        row: &mut TokenKeys,
        old: OldKey,
    ) -> Result<Vec<TokenKey>, TokenServiceError> {
        let now = transaction.now();
        let mut key = make(&self.store, self.vault.as_ref(), transaction).await?;
        let mut revoked = Vec::new();
        match old {
            OldKey::Retired => {
                let from = now + ANNOUNCED_FOR;
                key.signs_from = Some(from);
                if let Some(current) = row.keys.last_mut() {
                    current.retired_at = Some(from);
                }
            }
            // One that is announced may be in the same wrong hands.
            OldKey::Revoked => {
                let current = row.current(now).map(|key| key.kid.clone());
                revoked = row
                    .keys
                    .extract_if(.., |key| !key.signs_at(now) || Some(&key.kid) == current.as_ref())
                    .collect();
            }
        }
        row.keys.push(key);
        transaction.audit(
            if old == OldKey::Revoked { "token-key.revoke" } else { "token-key.rotate" },
            TokenKeys::ID,
        );
        Ok(revoked)
    }
}
