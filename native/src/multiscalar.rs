//! Sums of many products, in variable time.
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};

/// From here on bucket sums are faster than interleaved windows, whose tables leave the first-level
/// cache; measured, see `bench/proofs.py`.
const BUCKETS_FROM: usize = 100;
/// The library changes to bucket sums only here.
const LIBRARY_BUCKETS_FROM: usize = 190;

/// `sum scalars_i points_i`; both lists are consumed as scratch space.
pub fn sum_of_products(
    mut scalars: Vec<Scalar>,
    mut points: Vec<RistrettoPoint>,
) -> RistrettoPoint {
    if (BUCKETS_FROM..LIBRARY_BUCKETS_FROM).contains(&scalars.len()) {
        // A zero scalar never reaches a bucket, so padding costs next to nothing.
        scalars.resize(LIBRARY_BUCKETS_FROM, Scalar::ZERO);
        points.resize(LIBRARY_BUCKETS_FROM, RistrettoPoint::identity());
    }
    RistrettoPoint::vartime_multiscalar_mul(&scalars, &points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_bytes::Bytes;

    #[test]
    fn equals_the_plain_sum_on_both_sides_of_each_threshold() {
        let mut bytes = Bytes::new(1);
        for count in [0, 1, 2, 99, 100, 101, 189, 190, 191] {
            let scalars: Vec<Scalar> = (0..count).map(|_| bytes.scalar()).collect();
            let points: Vec<RistrettoPoint> = (0..count).map(|_| bytes.point()).collect();
            let plain = scalars.iter().zip(&points).map(|(s, p)| s * p).sum();
            assert_eq!(sum_of_products(scalars, points), plain, "{count} products");
        }
    }
}
