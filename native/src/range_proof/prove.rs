//! Making a proof. All parties are in one hand, so the dealer's messages are plain sums.
//! [docs/protocol/crypto.md#15]
use curve25519_dalek::constants::{RISTRETTO_BASEPOINT_POINT, RISTRETTO_BASEPOINT_TABLE};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, MultiscalarMul};
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, Zeroizing};

use super::inner_product;
use super::transcript::{LABEL, RangeTranscript};
use super::wire::Proof;
use crate::commitment::commit;
use crate::generators::{BITS, party, value_generator};

/// Two blindings and two masks a bit, then two blindings of the polynomial.
pub const DRAWS_PER_PARTY: usize = 2 + 2 * BITS + 2;

/// What one party keeps to itself.
struct Secrets {
    value: u64,
    blinding: Scalar,
    a_blinding: Scalar,
    s_blinding: Scalar,
    s_left: Vec<Scalar>,
    s_right: Vec<Scalar>,
    t_1_blinding: Scalar,
    t_2_blinding: Scalar,
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.value.zeroize();
        self.blinding.zeroize();
        self.a_blinding.zeroize();
        self.s_blinding.zeroize();
        self.s_left.zeroize();
        self.s_right.zeroize();
        self.t_1_blinding.zeroize();
        self.t_2_blinding.zeroize();
    }
}

impl Secrets {
    fn bit(&self, i: usize) -> u8 {
        ((self.value >> i) & 1) as u8
    }
}

/// `left + x left_1` and `right + x right_1`, the two vectors whose product is proved.
struct Polynomials {
    left: Zeroizing<Vec<Scalar>>,
    left_1: Zeroizing<Vec<Scalar>>,
    right: Zeroizing<Vec<Scalar>>,
    right_1: Zeroizing<Vec<Scalar>>,
}

/// Prove that each value is below 2^64. The number of values is a power of two up to 64; `draws`
/// holds `DRAWS_PER_PARTY` for each, in the order in which the protocol draws.
pub fn prove(values: &[u64], blindings: &[Scalar], token_id: u64, draws: &[[u8; 64]]) -> Vec<u8> {
    let secrets = draw_secrets(values, blindings, draws);
    let parties = secrets.len();
    let value_base = value_generator(token_id).point;

    let mut transcript = RangeTranscript::new(LABEL, BITS, parties);
    for party in &secrets {
        let commitment = commit(party.value, &party.blinding, token_id).compress();
        transcript.value_commitment(commitment.as_bytes());
    }
    let a = commit_bits(&secrets).compress().to_bytes();
    let s = commit_masks(&secrets).compress().to_bytes();
    let (y, z) = transcript.bits(&a, &s);

    let polynomials = polynomials(&secrets, &y, &z);
    let products = polynomials.products();
    let [t_0, t_1, t_2] = &*products;
    let t_1_blinding = Zeroizing::new(secrets.iter().map(|p| p.t_1_blinding).sum::<Scalar>());
    let t_2_blinding = Zeroizing::new(secrets.iter().map(|p| p.t_2_blinding).sum::<Scalar>());
    let open = |t: &Scalar, blinding: &Scalar| {
        (t * value_base + blinding * RISTRETTO_BASEPOINT_TABLE)
            .compress()
            .to_bytes()
    };
    let t_1_commitment = open(t_1, &t_1_blinding);
    let t_2_commitment = open(t_2, &t_2_blinding);
    let x = transcript.polynomial(&t_1_commitment, &t_2_commitment);

    let t_x = t_0 + x * (t_1 + x * t_2);
    let mut t_x_blinding = x * (*t_1_blinding + x * *t_2_blinding);
    let mut e_blinding = Scalar::ZERO;
    let mut power = z * z;
    for party in &secrets {
        t_x_blinding += power * party.blinding;
        e_blinding += party.a_blinding + x * party.s_blinding;
        power *= z;
    }
    let w = transcript.opening(parties, &t_x, &t_x_blinding, &e_blinding);
    let (left, right) = polynomials.at(&x);
    let argument = inner_product::create(&mut transcript, w * value_base, left, right, &y);
    Proof {
        a,
        s,
        t_1: t_1_commitment,
        t_2: t_2_commitment,
        t_x,
        t_x_blinding,
        e_blinding,
        rounds: argument.rounds,
        inner_a: argument.a,
        inner_b: argument.b,
    }
    .to_bytes()
}

/// The order of the draws is part of what makes a proof reproducible: blindings and masks party by
/// party, then the blindings of the polynomial party by party.
fn draw_secrets(values: &[u64], blindings: &[Scalar], draws: &[[u8; 64]]) -> Vec<Secrets> {
    let mut draws = draws.iter().map(Scalar::from_bytes_mod_order_wide);
    let mut draw = || draws.next().expect("the caller counted the draws");
    let mut secrets: Vec<Secrets> = values
        .iter()
        .zip(blindings)
        .map(|(value, blinding)| Secrets {
            value: *value,
            blinding: *blinding,
            a_blinding: draw(),
            s_blinding: draw(),
            s_left: (0..BITS).map(|_| draw()).collect(),
            s_right: (0..BITS).map(|_| draw()).collect(),
            t_1_blinding: Scalar::ZERO,
            t_2_blinding: Scalar::ZERO,
        })
        .collect();
    for party in &mut secrets {
        party.t_1_blinding = draw();
        party.t_2_blinding = draw();
    }
    secrets
}

/// A: bit i of a party adds `G_i` when set and `-H_i` when not.
fn commit_bits(secrets: &[Secrets]) -> RistrettoPoint {
    let mut sum = RistrettoPoint::identity();
    for (index, secret) in secrets.iter().enumerate() {
        let bases = party(index);
        for i in 0..BITS {
            let set = Choice::from(secret.bit(i));
            sum += RistrettoPoint::conditional_select(&-bases.h[i], &bases.g[i], set);
        }
        sum += &secret.a_blinding * RISTRETTO_BASEPOINT_TABLE;
    }
    sum
}

/// S, in constant time.
fn commit_masks(secrets: &[Secrets]) -> RistrettoPoint {
    let blinding = Zeroizing::new(secrets.iter().map(|p| p.s_blinding).sum::<Scalar>());
    // Full capacity at once, so that growing leaves no unwiped copy behind.
    let mut scalars = Zeroizing::new(Vec::with_capacity(1 + 2 * BITS * secrets.len()));
    scalars.push(*blinding);
    let mut points = vec![RISTRETTO_BASEPOINT_POINT];
    for (index, secret) in secrets.iter().enumerate() {
        scalars.extend_from_slice(&secret.s_left);
        scalars.extend_from_slice(&secret.s_right);
        points.extend_from_slice(&party(index).g);
        points.extend_from_slice(&party(index).h);
    }
    RistrettoPoint::multiscalar_mul(scalars.iter(), &points)
}

fn polynomials(secrets: &[Secrets], y: &Scalar, z: &Scalar) -> Polynomials {
    let size = BITS * secrets.len();
    let vector = || Zeroizing::new(Vec::with_capacity(size));
    let mut made = Polynomials {
        left: vector(),
        left_1: vector(),
        right: vector(),
        right_1: vector(),
    };
    let mut y_power = Scalar::ONE;
    let mut z_power = z * z;
    for secret in secrets {
        let mut bit_factor = z_power;
        for i in 0..BITS {
            let bit = Scalar::from(secret.bit(i));
            made.left.push(bit - z);
            made.left_1.push(secret.s_left[i]);
            made.right
                .push(y_power * (bit - Scalar::ONE + z) + bit_factor);
            made.right_1.push(y_power * secret.s_right[i]);
            y_power *= y;
            bit_factor += bit_factor;
        }
        z_power *= z;
    }
    made
}

impl Polynomials {
    /// Coefficients of the product of the two, lowest first.
    fn products(&self) -> Zeroizing<[Scalar; 3]> {
        Zeroizing::new([
            inner_product::of(&self.left, &self.right),
            inner_product::of(&self.left, &self.right_1)
                + inner_product::of(&self.left_1, &self.right),
            inner_product::of(&self.left_1, &self.right_1),
        ])
    }

    fn at(&self, x: &Scalar) -> (Vec<Scalar>, Vec<Scalar>) {
        let evaluate = |constant: &[Scalar], slope: &[Scalar]| {
            constant
                .iter()
                .zip(slope)
                .map(|(constant, slope)| constant + x * slope)
                .collect()
        };
        (
            evaluate(&self.left, &self.left_1),
            evaluate(&self.right, &self.right_1),
        )
    }
}
