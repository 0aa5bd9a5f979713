//! The weighted sum of the equations of several statements: scalars, base by base, then one
//! product.
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

use super::verify::Statement;
use crate::generators::{BITS, party, value_generator};
use crate::multiscalar::sum_of_products;

pub struct Sum {
    blinding_base: Scalar,
    /// Scalars of the value bases, by token id.
    value_bases: Vec<(u64, Scalar)>,
    /// Scalars of the generators: `g` then `h` of party 0, 1, 2, ...
    generators: Vec<Scalar>,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

impl Sum {
    pub fn of(statements: &[Statement]) -> Sum {
        let parties = statements.iter().map(|s| s.parties).max().unwrap_or(0);
        let mut sum = Sum {
            blinding_base: Scalar::ZERO,
            value_bases: Vec::new(),
            generators: vec![Scalar::ZERO; 2 * BITS * parties],
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
        self.blinding_base -= alpha * proof.e_blinding + beta * proof.t_x_blinding;
        let value = alpha * statement.w * (proof.t_x - proof.inner_a * proof.inner_b)
            + beta * (delta(statement) - proof.t_x);
        match self
            .value_bases
            .iter_mut()
            .find(|(token_id, _)| *token_id == statement.token_id)
        {
            Some((_, scalar)) => *scalar += value,
            None => self.value_bases.push((statement.token_id, value)),
        }
    }

    /// Generator `G_i` has the factor `-z - a s_i`, `H_i` has
    /// `z + y^-i (z^(2 + i div 64) 2^(i mod 64) - b / s_i)`, both times the weight. `s_i` is the
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
        let mut left = vec![alpha * statement.proof.inner_a * inverse_product];
        let mut right = vec![alpha * statement.proof.inner_b * product];
        let mut y_power = y_inverse;
        for (u, inverse) in statement.u.iter().zip(inverses).rev() {
            double_up(&mut left, u * u);
            double_up(&mut right, inverse * inverse * y_power);
            y_power *= y_power;
        }

        let shift = alpha * statement.z;
        let step = y_inverse + y_inverse;
        let mut bit = shift * statement.z;
        for (index, scalars) in self
            .generators
            .chunks_exact_mut(2 * BITS)
            .take(statement.parties)
            .enumerate()
        {
            let mut bits = bit;
            let (g, h) = scalars.split_at_mut(BITS);
            for i in 0..BITS {
                g[i] -= shift + left[BITS * index + i];
                h[i] += shift + bits - right[BITS * index + i];
                bits *= step;
            }
            // `bits` is now this party's first factor times (2/y)^64: take the 2^64 out again.
            bit = bits * inverse_of_two_to_64() * statement.z;
        }
    }

    /// Multiply out.
    pub fn value(mut self) -> RistrettoPoint {
        for (token_id, scalar) in std::mem::take(&mut self.value_bases) {
            self.push(scalar, value_generator(token_id));
        }
        self.push(self.blinding_base, RISTRETTO_BASEPOINT_POINT);
        for index in 0..self.generators.len() / (2 * BITS) {
            self.points.extend_from_slice(&party(index).g);
            self.points.extend_from_slice(&party(index).h);
        }
        self.scalars.append(&mut self.generators);
        sum_of_products(self.scalars, self.points)
    }
}

/// Append the vector times `factor` to itself.
fn double_up(vector: &mut Vec<Scalar>, factor: Scalar) {
    for index in 0..vector.len() {
        vector.push(vector[index] * factor);
    }
}

fn inverse_of_two_to_64() -> Scalar {
    static INVERSE: std::sync::OnceLock<Scalar> = std::sync::OnceLock::new();
    *INVERSE.get_or_init(|| Scalar::from(1u128 << 64).invert())
}

/// `(z - z^2) sum y^i - z^3 (2^64 - 1) sum z^j`.
fn delta(statement: &Statement) -> Scalar {
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
    (z - z * z) * y_sum - z * z * z * Scalar::from(u64::MAX) * z_sum
}
