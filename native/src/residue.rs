//! Long sums of products of scalars, reduced at the very end. Variable time: public data only.
//!
//! A `Scalar` is reduced after each operation, which takes two Montgomery multiplications for a
//! product and a conditional subtraction for a sum. Here a product takes one, as one of its factors
//! carries Montgomery's constant along, and sums are wide integers.
use std::sync::LazyLock;

use curve25519_dalek::scalar::Scalar;

/// The group order, 2^252 and a bit.
const ORDER: [u64; 4] = [
    0x5812_631a_5cf5_d3ed,
    0x14de_f9de_a2f7_9cd6,
    0,
    0x1000_0000_0000_0000,
];
/// `-1 / ORDER` modulo 2^64.
const INVERSE: u64 = negated_inverse(ORDER[0]);

const fn negated_inverse(odd: u64) -> u64 {
    // Each step doubles the number of right bits; an odd number is its own inverse modulo 8.
    let mut inverse = odd;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg()
}

/// A scalar that is reduced only so far that it is below 2^254.
#[derive(Clone, Copy)]
pub struct Residue([u64; 4]);

/// A scalar to multiply by, times 2^256.
#[derive(Clone, Copy)]
pub struct Factor([u64; 4]);

/// A sum of at most 2^64 residues.
#[derive(Clone, Copy, Default)]
pub struct LongSum([u64; 5]);

impl Residue {
    pub fn of(scalar: &Scalar) -> Residue {
        Residue(words(scalar))
    }

    /// Montgomery's product. With factors below 2^254 it is below 2^252 plus the order, so it needs
    /// no last subtraction.
    #[inline]
    pub fn times(&self, factor: &Factor) -> Residue {
        let mut t = [0u64; 5];
        for word in self.0 {
            let mut carry = 0;
            for (limb, other) in t.iter_mut().zip(factor.0) {
                (*limb, carry) = multiply_add(word, other, *limb, carry);
            }
            t[4] = carry;
            let quotient = t[0].wrapping_mul(INVERSE);
            let (_, mut carry) = multiply_add(quotient, ORDER[0], t[0], 0);
            for (index, limb) in ORDER.into_iter().enumerate().skip(1) {
                (t[index - 1], carry) = multiply_add(quotient, limb, t[index], carry);
            }
            // Nothing is carried out: what is left is below 2^255.
            t[3] = t[4] + carry;
        }
        Residue([t[0], t[1], t[2], t[3]])
    }
}

impl Factor {
    pub fn of(scalar: &Scalar) -> Factor {
        static TWO_TO_256: LazyLock<Scalar> = LazyLock::new(|| {
            let two_to_64 = Scalar::from(1u128 << 64);
            two_to_64 * two_to_64 * two_to_64 * two_to_64
        });
        Factor(words(&(scalar * *TWO_TO_256)))
    }
}

impl LongSum {
    #[inline]
    pub fn add(&mut self, residue: &Residue) {
        self.add_words(&residue.0);
    }

    #[inline]
    pub fn subtract(&mut self, residue: &Residue) {
        // Four times the order is above every residue.
        let mut words = FOUR_ORDERS;
        let mut borrow = 0u64;
        for (word, other) in words.iter_mut().zip(residue.0) {
            let (less, first) = word.overflowing_sub(other);
            let (less, second) = less.overflowing_sub(borrow);
            *word = less;
            borrow = u64::from(first | second);
        }
        self.add_words(&words);
    }

    #[inline]
    fn add_words(&mut self, words: &[u64; 4]) {
        let mut carry = 0u64;
        for (mine, other) in self.0.iter_mut().zip(words) {
            let sum = u128::from(*mine) + u128::from(*other) + u128::from(carry);
            *mine = sum as u64;
            carry = (sum >> 64) as u64;
        }
        self.0[4] += carry;
    }

    pub fn reduced(&self) -> Scalar {
        let mut bytes = [0; 64];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        Scalar::from_bytes_mod_order_wide(&bytes)
    }
}

/// Above 2^254.
const FOUR_ORDERS: [u64; 4] = [
    ORDER[0] << 2,
    ORDER[1] << 2 | ORDER[0] >> 62,
    ORDER[1] >> 62,
    ORDER[3] << 2,
];

/// `a b + c + carry` as low and high word; it never overflows.
#[inline]
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(carry);
    (sum as u64, (sum >> 64) as u64)
}

fn words(scalar: &Scalar) -> [u64; 4] {
    let bytes = scalar.as_bytes();
    std::array::from_fn(|index| {
        u64::from_le_bytes(bytes[8 * index..8 * index + 8].try_into().expect("8 bytes"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_bytes::Bytes;

    fn edges() -> Vec<Scalar> {
        let mut bytes = Bytes::new(4);
        let mut scalars: Vec<Scalar> = (0..40).map(|_| bytes.scalar()).collect();
        scalars.extend([Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2u8)]);
        scalars
    }

    fn reduced(residue: &Residue) -> Scalar {
        let mut sum = LongSum::default();
        sum.add(residue);
        sum.reduced()
    }

    #[test]
    fn products_equal_the_library_s() {
        for a in edges() {
            for b in edges() {
                let product = Residue::of(&a).times(&Factor::of(&b));
                assert_eq!(reduced(&product), a * b);
                // Factors need not be reduced.
                assert_eq!(reduced(&product.times(&Factor::of(&a))), a * b * a);
            }
        }
    }

    #[test]
    fn the_largest_residue_stays_one() {
        let largest = Residue([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 2]);
        let product = largest.times(&Factor(largest.0));
        assert!(product.0[3] < 1 << 62);
        let mut difference = LongSum::default();
        difference.subtract(&largest);
        difference.add(&largest);
        assert_eq!(difference.reduced(), Scalar::ZERO);
    }

    #[test]
    fn sums_equal_the_library_s() {
        let (mut sum, mut plain) = (LongSum::default(), Scalar::ZERO);
        for (place, scalar) in edges().iter().cycle().take(5000).enumerate() {
            if place % 3 == 0 {
                sum.subtract(&Residue::of(scalar));
                plain -= scalar;
            } else {
                sum.add(&Residue::of(scalar));
                plain += scalar;
            }
        }
        assert_eq!(sum.reduced(), plain);
    }
}
