//! The bits of a status list and their compressed form.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use super::StatusKind;
use crate::CredentialError;

/// The largest list that is read unless the caller says otherwise, in bytes once unpacked: 16 Mi entries.
pub const LIST_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The smallest list that may be published, in entries, so that an entry hides among others (Bitstring Status
/// List 1.0 §6.1). Smaller lists are read, since deployed issuers publish them.
const ENTRIES_MIN: u64 = 131_072;

/// The bits of a status list. Index 0 is the left-most bit: the highest of the first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list of at least `length` entries, all clear; at least the 131,072 that the specification demands,
    /// and rounded up to whole bytes.
    ///
    /// # Errors
    /// [`CredentialError::StatusList`] when it would have more than [`LIST_BYTES_MAX`] bytes.
    pub fn new(length: u64) -> Result<Self, CredentialError> {
        let bytes = usize::try_from(length.max(ENTRIES_MIN).div_ceil(8)).unwrap_or(usize::MAX);
        if bytes > LIST_BYTES_MAX {
            return Err(CredentialError::StatusList("it would have more than 16,777,216 entries"));
        }
        Ok(Self { bytes: vec![0; bytes] })
    }

    /// How many entries it has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.bytes.len() as u64 * 8
    }

    /// Whether the bit at `index` is set.
    ///
    /// # Errors
    /// [`CredentialError::IndexOutOfRange`].
    pub fn get(&self, index: u64) -> Result<bool, CredentialError> {
        let (byte, mask) = self.place(index)?;
        Ok(self.bytes[byte] & mask != 0)
    }

    /// Sets the bit at `index`.
    ///
    /// # Errors
    /// [`CredentialError::IndexOutOfRange`].
    pub fn set(&mut self, index: u64) -> Result<(), CredentialError> {
        let (byte, mask) = self.place(index)?;
        self.bytes[byte] |= mask;
        Ok(())
    }

    /// Clears the bit at `index`: a suspension ends.
    ///
    /// # Errors
    /// [`CredentialError::IndexOutOfRange`].
    pub fn clear(&mut self, index: u64) -> Result<(), CredentialError> {
        let (byte, mask) = self.place(index)?;
        self.bytes[byte] &= !mask;
        Ok(())
    }

    fn place(&self, index: u64) -> Result<(usize, u8), CredentialError> {
        let outside = || CredentialError::IndexOutOfRange { index, length: self.length() };
        let byte = usize::try_from(index / 8).map_err(|_| outside())?;
        if byte >= self.bytes.len() {
            return Err(outside());
        }
        Ok((byte, 0b1000_0000 >> (index % 8)))
    }

    /// The `encodedList`: gzip and base64url; for a bitstring with the multibase prefix `u`.
    #[must_use]
    pub fn encode(&self, kind: StatusKind) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let written = encoder.write_all(&self.bytes).and_then(|()| encoder.finish());
        let compressed = written.expect("writing to memory does not fail");
        let text = URL_SAFE_NO_PAD.encode(compressed);
        match kind {
            StatusKind::StatusList2021 => text,
            StatusKind::Bitstring => format!("u{text}"),
        }
    }

    /// Reads an `encodedList` of either kind, of at most `bytes_max` bytes once unpacked. The prefix `u`
    /// may be there or not (gzip never begins with it), and the standard alphabet and padding are tolerated,
    /// because deployed issuers differ.
    ///
    /// # Errors
    /// [`CredentialError::StatusList`] when it cannot be decoded, is empty, or is larger than `bytes_max`.
    pub fn decode(text: &str, bytes_max: usize) -> Result<Self, CredentialError> {
        let text = text.strip_prefix('u').unwrap_or(text).trim_end_matches('=');
        // Compression may add a little to what cannot be compressed; base64 adds a third.
        if text.len() > bytes_max.saturating_mul(2).saturating_add(1024) {
            return Err(CredentialError::StatusList("it is too large"));
        }
        let text: String = text
            .chars()
            .map(|c| {
                if c == '+' {
                    '-'
                } else if c == '/' {
                    '_'
                } else {
                    c
                }
            })
            .collect();
        let compressed = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CredentialError::StatusList("it is not base64url without padding"))?;
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        GzDecoder::new(compressed.as_slice())
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|_| CredentialError::StatusList("it is not compressed with gzip"))?;
        match bytes.len() {
            0 => Err(CredentialError::StatusList("it is empty")),
            length if length > bytes_max => Err(CredentialError::StatusList("it is too large")),
            _ => Ok(Self { bytes }),
        }
    }
}
