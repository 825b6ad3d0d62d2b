//! Base58 with Bitcoin's alphabet, as multibase `z` uses it. Quadratic, so only for short texts.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Longest text that is decoded, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// Decodes a text; `None` for illegal characters and for texts of more than 256 bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    // Little-endian digits in base 256.
    let mut bytes: Vec<u8> = Vec::new();
    for character in text.bytes() {
        let mut carry = ALPHABET.iter().position(|known| *known == character)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push((carry & 0xff) as u8);
        }
    }
    let zeros = text.bytes().take_while(|character| *character == ALPHABET[0]).count();
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    Some(bytes)
}
