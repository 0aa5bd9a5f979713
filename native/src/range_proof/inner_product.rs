//! The inner product argument: two long vectors are folded in half, round by round, until one
//! number of each is left.
//!
//! The vectors are already blinded when they come here; the protocol without this argument would
//! send them openly. So variable time is right.
//!
//! Folding the generators along is what costs: two products for each pair, in every round. Instead
//! the generators stay, with a scalar each that says how much of them is in the folded one, and are
//! folded for real only after every third round.
use curve25519_dalek::ristretto::{RistrettoPoint, VartimeRistrettoPrecomputation};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimePrecomputedMultiscalarMul;

use super::transcript::RangeTranscript;
use crate::generators::{BITS, party};
use crate::multiscalar::sum_of_products;

/// Rounds after which the generators are folded for real.
const ROUNDS_PER_FOLD: u32 = 3;
/// So few generators of a kind are not folded any more: their tables of multiples (10 KiB each) fit
/// the second-level cache.
const TABLES_UP_TO: usize = 64;

pub struct Argument {
    pub rounds: Vec<([u8; 32], [u8; 32])>,
    pub a: Scalar,
    pub b: Scalar,
}

pub fn of(left: &[Scalar], right: &[Scalar]) -> Scalar {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// Argue that the inner product of `a` and `b` is what the `product_base` part of the commitment
/// says, where `H_i` stands with the factor `y^-i`.
pub fn create(
    transcript: &mut RangeTranscript,
    product_base: RistrettoPoint,
    mut a: Vec<Scalar>,
    mut b: Vec<Scalar>,
    y: &Scalar,
) -> Argument {
    let mut basis = Basis::new(a.len(), y);
    let mut rounds = Vec::new();
    while a.len() > 1 {
        let half = a.len() / 2;
        let (a_low, a_high) = a.split_at(half);
        let (b_low, b_high) = b.split_at(half);
        let left = basis.product(a_low, b_high, &of(a_low, b_high), &product_base, true);
        let right = basis.product(a_high, b_low, &of(a_high, b_low), &product_base, false);
        let (left, right) = (left.compress().to_bytes(), right.compress().to_bytes());
        rounds.push((left, right));
        let u = transcript.round(&left, &right);
        let inverse = u.invert();
        (a, b) = (
            fold(a_low, a_high, &u, &inverse),
            fold(b_low, b_high, &inverse, &u),
        );
        basis.fold(half, &u, &inverse);
    }
    Argument {
        rounds,
        a: a[0],
        b: b[0],
    }
}

fn fold(low: &[Scalar], high: &[Scalar], low_factor: &Scalar, high_factor: &Scalar) -> Vec<Scalar> {
    low.iter()
        .zip(high)
        .map(|(low, high)| low * low_factor + high * high_factor)
        .collect()
}

/// The generators at some size. Folded generator `p` is the sum of `factor_i base_i` over all
/// `i` with `i mod folded_size = p`.
struct Basis {
    g: Vec<RistrettoPoint>,
    h: Vec<RistrettoPoint>,
    g_factors: Vec<Scalar>,
    h_factors: Vec<Scalar>,
    /// Tables of all `g`, then all `h`, when there are few.
    tables: Option<VartimeRistrettoPrecomputation>,
    folded_size: usize,
}

impl Basis {
    fn new(size: usize, y: &Scalar) -> Basis {
        let parties = size / BITS;
        let y_inverse = y.invert();
        let powers = std::iter::successors(Some(Scalar::ONE), |power| Some(power * y_inverse));
        Basis::of(
            (0..parties).flat_map(|index| party(index).g).collect(),
            (0..parties).flat_map(|index| party(index).h).collect(),
            powers.take(size).collect(),
        )
    }

    fn of(g: Vec<RistrettoPoint>, h: Vec<RistrettoPoint>, h_factors: Vec<Scalar>) -> Basis {
        let size = g.len();
        let tables =
            (size <= TABLES_UP_TO).then(|| VartimeRistrettoPrecomputation::new(g.iter().chain(&h)));
        Basis {
            g,
            h,
            g_factors: vec![Scalar::ONE; size],
            h_factors,
            tables,
            folded_size: size,
        }
    }

    /// `sum g_scalars_p G_p + sum h_scalars_p H_p + extra * extra_base`, the `G_p` from the upper
    /// half of the folded generators and the `H_p` from the lower, or the other way round.
    fn product(
        &self,
        g_scalars: &[Scalar],
        h_scalars: &[Scalar],
        extra: &Scalar,
        extra_base: &RistrettoPoint,
        upper_g: bool,
    ) -> RistrettoPoint {
        let g = self.spread(g_scalars, &self.g_factors, upper_g);
        let h = self.spread(h_scalars, &self.h_factors, !upper_g);
        if let Some(tables) = &self.tables {
            let scalars = g.iter().chain(&h);
            return tables.vartime_mixed_multiscalar_mul(scalars, [extra], [extra_base]);
        }
        let terms = g.iter().zip(&self.g).chain(h.iter().zip(&self.h));
        let (mut scalars, mut points): (Vec<Scalar>, Vec<RistrettoPoint>) = terms
            .filter(|(scalar, _)| **scalar != Scalar::ZERO)
            .map(|(scalar, point)| (*scalar, *point))
            .unzip();
        scalars.push(*extra);
        points.push(*extra_base);
        sum_of_products(scalars, points)
    }

    /// Scalars of half of the folded generators, as scalars of the generators themselves.
    fn spread(&self, scalars: &[Scalar], factors: &[Scalar], upper: bool) -> Vec<Scalar> {
        let half = self.folded_size / 2;
        factors
            .iter()
            .enumerate()
            .map(|(index, factor)| {
                let position = index % self.folded_size;
                if (position >= half) == upper {
                    scalars[position % half] * factor
                } else {
                    Scalar::ZERO
                }
            })
            .collect()
    }

    fn fold(&mut self, half: usize, u: &Scalar, inverse: &Scalar) {
        for (index, (g, h)) in self
            .g_factors
            .iter_mut()
            .zip(&mut self.h_factors)
            .enumerate()
        {
            let upper = index % self.folded_size >= half;
            *g *= if upper { u } else { inverse };
            *h *= if upper { inverse } else { u };
        }
        self.folded_size = half;
        if self.tables.is_none() && self.g.len() >> ROUNDS_PER_FOLD == half {
            self.fold_for_real();
        }
    }

    fn fold_for_real(&mut self) {
        let size = self.folded_size;
        let gather = |points: &[RistrettoPoint], factors: &[Scalar]| -> Vec<RistrettoPoint> {
            (0..size)
                .map(|position| {
                    sum_of_products(
                        factors
                            .iter()
                            .skip(position)
                            .step_by(size)
                            .copied()
                            .collect(),
                        points
                            .iter()
                            .skip(position)
                            .step_by(size)
                            .copied()
                            .collect(),
                    )
                })
                .collect()
        };
        *self = Basis::of(
            gather(&self.g, &self.g_factors),
            gather(&self.h, &self.h_factors),
            vec![Scalar::ONE; size],
        );
    }
}
