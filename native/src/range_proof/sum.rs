//! The weighted sum of the equations of several statements: scalars, base by base, then one
//! product.
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

use super::verify::{Setting, Statement};
use crate::generators::{Base, party};
use crate::multiscalar::sum_of_products;
use crate::residue::{Factor, LongSum, Residue};

pub struct Sum<'a> {
    setting: &'a Setting<'a>,
    /// Scalar of the blinding base.
    blinding: Scalar,
    value_bases: Vec<(Base, Scalar)>,
    /// Scalars of the generators, those of `g` negated: `g` then `h` of party 0, 1, 2, ...
    generators: Vec<LongSum>,
    /// What all generators of a party have in common: `-1` of it times `g`, as much times `h`.
    shifts: Vec<Scalar>,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

impl<'a> Sum<'a> {
    pub fn of(setting: &'a Setting<'a>, statements: &[Statement]) -> Self {
        let parties = statements.iter().map(|s| s.parties).max().unwrap_or(0);
        let mut sum = Sum {
            setting,
            blinding: Scalar::ZERO,
            value_bases: Vec::new(),
            generators: vec![LongSum::default(); 2 * setting.bits * parties],
            shifts: vec![Scalar::ZERO; parties],
            scalars: Vec::new(),
            points: Vec::new(),
        };
        for statement in statements {
            sum.add_proof_points(statement);
            sum.add_bases(statement);
            sum.add_generators(statement);
        }
        sum
    }

    fn push(&mut self, scalar: Scalar, point: RistrettoPoint) {
        self.scalars.push(scalar);
        self.points.push(point);
    }

    fn add_proof_points(&mut self, statement: &Statement) {
        let alpha = statement.inner_product_weight;
        let beta = statement.polynomial_weight;
        let [a, s, t_1, t_2] = statement.points;
        self.push(alpha, a);
        self.push(alpha * statement.x, s);
        self.push(beta * statement.x, t_1);
        self.push(beta * statement.x * statement.x, t_2);
        for ((left, right), (u, inverse)) in statement
            .rounds
            .iter()
            .zip(statement.u.iter().zip(&statement.inverses))
        {
            self.push(alpha * u * u, *left);
            self.push(alpha * inverse * inverse, *right);
        }
        let mut power = beta * statement.z * statement.z;
        for commitment in &statement.commitments {
            self.push(power, *commitment);
            power *= statement.z;
        }
        // Padding repeats the last commitment: add its further factors to its scalar.
        for _ in statement.commitments.len()..statement.parties {
            *self.scalars.last_mut().expect("pushed above") += power;
            power *= statement.z;
        }
    }

    fn add_bases(&mut self, statement: &Statement) {
        let alpha = statement.inner_product_weight;
        let beta = statement.polynomial_weight;
        let proof = &statement.proof;
        self.blinding -= alpha * proof.e_blinding + beta * proof.t_x_blinding;
        let value = alpha * statement.w * (proof.t_x - proof.inner_a * proof.inner_b)
            + beta * (delta(self.setting.bits, statement) - proof.t_x);
        match self
            .value_bases
            .iter_mut()
            .find(|(base, _)| base.encoded == statement.value_base.encoded)
        {
            Some((_, scalar)) => *scalar += value,
            None => self.value_bases.push((statement.value_base, value)),
        }
    }

    /// Generator `G_i` has the factor `-z - a s_i`, `H_i` has
    /// `z + y^-i (z^(2 + i div 64) 2^(i mod 64) - b / s_i)`, both times the weight (64 stands for the
    /// number of bits). `s_i` is the
    /// product of `u^±1` of the rounds, plus where the bit of `i` that the round splits on is set:
    /// so both `s_i` and `y^-i / s_i` double up bit by bit, one multiplication an index.
    fn add_generators(&mut self, statement: &Statement) {
        let alpha = statement.inner_product_weight;
        let round_count = statement.u.len();
        let (inverses, y_inverse) = (
            &statement.inverses[..round_count],
            statement.inverses[round_count],
        );
        let product: Scalar = statement.u.iter().product();
        let inverse_product: Scalar = inverses.iter().product();
        let size = 1 << round_count;
        let mut left = Vec::with_capacity(size);
        left.push(Residue::of(
            &(alpha * statement.proof.inner_a * inverse_product),
        ));
        let mut right = Vec::with_capacity(size);
        right.push(Residue::of(&(alpha * statement.proof.inner_b * product)));
        let mut y_power = y_inverse;
        for (u, inverse) in statement.u.iter().zip(inverses).rev() {
            double_up(&mut left, &(u * u));
            double_up(&mut right, &(inverse * inverse * y_power));
            y_power *= y_power;
        }

        let bits = self.setting.bits;
        let shift = alpha * statement.z;
        let step = Factor::of(&(y_inverse + y_inverse));
        let next_party = Factor::of(&(inverse_of_two_to(bits) * statement.z));
        let mut first_bit = Residue::of(&(shift * statement.z));
        for (index, sums) in self
            .generators
            .chunks_exact_mut(2 * bits)
            .take(statement.parties)
            .enumerate()
        {
            self.shifts[index] += shift;
            let mut weighted_bit = first_bit;
            let (g, h) = sums.split_at_mut(bits);
            for i in 0..bits {
                g[i].add(&left[bits * index + i]);
                h[i].add(&weighted_bit);
                h[i].subtract(&right[bits * index + i]);
                weighted_bit = weighted_bit.times(&step);
            }
            // That is now this party's first factor times (2/y)^bits: take the 2^bits out again.
            first_bit = weighted_bit.times(&next_party);
        }
    }

    /// Multiply out.
    pub fn value(mut self) -> RistrettoPoint {
        for (base, scalar) in std::mem::take(&mut self.value_bases) {
            self.push(scalar, base.point);
        }
        self.push(self.blinding, self.setting.blinding_base);
        let bits = self.setting.bits;
        for (index, sums) in self.generators.chunks_exact(2 * bits).enumerate() {
            let shift = self.shifts[index];
            let (g, h) = sums.split_at(bits);
            let g = g.iter().map(|sum| -(sum.reduced() + shift));
            let h = h.iter().map(|sum| sum.reduced() + shift);
            self.scalars.extend(g.chain(h));
            self.points.extend_from_slice(&party(index).g[..bits]);
            self.points.extend_from_slice(&party(index).h[..bits]);
        }
        sum_of_products(self.scalars, self.points)
    }
}

/// Append the vector times `factor` to itself.
fn double_up(vector: &mut Vec<Residue>, factor: &Scalar) {
    let factor = Factor::of(factor);
    for index in 0..vector.len() {
        vector.push(vector[index].times(&factor));
    }
}

fn inverse_of_two_to(exponent: usize) -> Scalar {
    (0..exponent).fold(Scalar::ONE, |power, _| power.div_by_2())
}

/// `(z - z^2) sum y^i - z^3 (2^bits - 1) sum z^j`.
fn delta(bits: usize, statement: &Statement) -> Scalar {
    let z = statement.z;
    let mut y_sum = Scalar::ONE;
    let mut y_power = statement.y;
    for _ in 0..statement.u.len() {
        y_sum *= Scalar::ONE + y_power;
        y_power *= y_power;
    }
    let mut z_sum = Scalar::ZERO;
    for _ in 0..statement.parties {
        z_sum = z_sum * z + Scalar::ONE;
    }
    (z - z * z) * y_sum - z * z * z * Scalar::from(u64::MAX >> (64 - bits)) * z_sum
}
