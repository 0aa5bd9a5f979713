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
