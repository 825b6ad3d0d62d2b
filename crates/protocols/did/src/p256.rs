//! Decompression of points on P-256 (SEC 1 §2.3.4), which `did:key` and Multikey need.
//!
//! Public values only: nothing here runs in constant time, and nothing secret may come here. Plain
//! double-and-add arithmetic: under a millisecond for the one square root that a key needs.

use std::cmp::Ordering;

/// A number below 2²⁵⁶: four words, the lowest first.
type Number = [u64; 4];

const P: Number = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];
const B: Number =
    [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];
/// (p + 1) / 4: since p ≡ 3 (mod 4), raising to it gives a square root of every square.
const ROOT: Number = [0, 0x0000_0000_4000_0000, 0x4000_0000_0000_0000, 0x3fff_ffff_c000_0000];

/// The coordinates (x, y), big-endian, of a point compressed to 33 bytes; `None` when it is not on the curve.
pub(crate) fn decompress(compressed: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let (&tag, x_bytes) = compressed.split_first()?;
    let x_bytes: [u8; 32] = x_bytes.try_into().ok()?;
    let x = from_bytes(&x_bytes);
    if !matches!(tag, 2 | 3) || compare(&x, &P) != Ordering::Less {
        return None;
    }
    // y² = x³ − 3x + b
    let cube = multiply(&multiply(&x, &x), &x);
    let triple = add(&add(&x, &x), &x);
    let square = add(&subtract(&cube, &triple), &B);
    let mut y = power(&square, &ROOT);
    if multiply(&y, &y) != square {
        return None;
    }
    if y[0] & 1 != u64::from(tag & 1) {
        y = subtract(&P, &y);
    }
    Some((x_bytes, to_bytes(&y)))
}

fn from_bytes(bytes: &[u8; 32]) -> Number {
    let mut number = [0; 4];
    for (index, byte) in bytes.iter().rev().enumerate() {
        number[index / 8] |= u64::from(*byte) << (8 * (index % 8));
    }
    number
}

fn to_bytes(number: &Number) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().rev().enumerate() {
        *byte = (number[index / 8] >> (8 * (index % 8)) & 0xff) as u8;
    }
    bytes
}

fn compare(a: &Number, b: &Number) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

/// a − b modulo 2²⁵⁶, and whether it wrapped.
fn wrapping_subtract(a: &Number, b: &Number) -> (Number, bool) {
    let mut borrow = false;
    let mut difference = [0; 4];
    for index in 0..4 {
        let (first, under) = a[index].overflowing_sub(b[index]);
        let (second, under_again) = first.overflowing_sub(u64::from(borrow));
        difference[index] = second;
        borrow = under || under_again;
    }
    (difference, borrow)
}

/// a + b modulo 2²⁵⁶, and whether it wrapped.
fn wrapping_add(a: &Number, b: &Number) -> (Number, bool) {
    let mut carry = false;
    let mut sum = [0; 4];
    for index in 0..4 {
        let (first, over) = a[index].overflowing_add(b[index]);
        let (second, over_again) = first.overflowing_add(u64::from(carry));
        sum[index] = second;
        carry = over || over_again;
    }
    (sum, carry)
}

/// a + b modulo p, for a, b < p.
fn add(a: &Number, b: &Number) -> Number {
    let (sum, carry) = wrapping_add(a, b);
    if carry || compare(&sum, &P) != Ordering::Less { wrapping_subtract(&sum, &P).0 } else { sum }
}

/// a − b modulo p, for a ≤ p and b < p.
fn subtract(a: &Number, b: &Number) -> Number {
    let (difference, borrow) = wrapping_subtract(a, b);
    if borrow { wrapping_add(&difference, &P).0 } else { difference }
}

/// The bits of a number, the highest first.
fn bits(number: &Number) -> impl Iterator<Item = bool> {
    (0..256).rev().map(|bit| number[bit / 64] >> (bit % 64) & 1 == 1)
}

/// a · b modulo p.
fn multiply(a: &Number, b: &Number) -> Number {
    bits(b).fold([0; 4], |product, bit| {
        let doubled = add(&product, &product);
        if bit { add(&doubled, a) } else { doubled }
    })
}

/// a to the power of `exponent`, modulo p.
fn power(a: &Number, exponent: &Number) -> Number {
    bits(exponent).fold([1, 0, 0, 0], |result, bit| {
        let squared = multiply(&result, &result);
        if bit { multiply(&squared, a) } else { squared }
    })
}
