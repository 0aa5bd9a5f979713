//! Verification of many proofs in one multiscalar product. Everything is public: variable time.
//!
//! A proof is right when two sums of points vanish (the polynomial's opening and the inner
//! product). Each sum of each proof gets a random weight of 128 bits, and all are added up: the
//! generators, the blinding base and the value bases then appear once instead of once per proof.
//! If the whole is not zero, halves are looked at until every bad proof is named.
use blake2::{Blake2b512, Digest};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;

use super::sum::Sum;
use super::transcript::{LABEL, RangeTranscript};
use super::wire::Proof;
use crate::generators::{BITS, Base, PARTIES_MAX};
use crate::known_points::{KnownPoints, decode};

/// What all proofs of a batch have in common.
pub struct Setting<'a> {
    pub label: &'a [u8],
    /// Of a value: 8, 16, 32 or 64.
    pub bits: usize,
    pub blinding_base: RistrettoPoint,
    /// Where commitments are looked up.
    pub known: Option<&'a KnownPoints>,
}

impl<'a> Setting<'a> {
    /// The setting of the network's transactions.
    pub fn of_transactions(known: Option<&'a KnownPoints>) -> Setting<'a> {
        Setting {
            label: LABEL,
            bits: BITS,
            blinding_base: RISTRETTO_BASEPOINT_POINT,
            known,
        }
    }
}

/// A proof and what it is said to prove: that the commitments to multiples of the value base hide
/// values of so many bits. There is at least one commitment.
pub struct Claim<'a> {
    pub proof: &'a [u8],
    pub commitments: &'a [[u8; 32]],
    pub value_base: Base,
}

/// What became of a claim. The numbers are part of the native contract.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Verdict {
    Verified,
    FormatError,
    VerificationError,
    InvalidGeneratorsLength,
}

impl Verdict {
    pub fn code(self) -> u8 {
        match self {
            Verdict::Verified => 0,
            Verdict::FormatError => 1,
            Verdict::VerificationError => 2,
            Verdict::InvalidGeneratorsLength => 3,
        }
    }
}

/// A claim that passed everything but the equations.
pub struct Statement {
    pub proof: Proof,
    pub value_base: Base,
    /// Commitments after padding with copies of the last.
    pub parties: usize,
    /// A, S, T_1, T_2.
    pub points: [RistrettoPoint; 4],
    pub rounds: Vec<(RistrettoPoint, RistrettoPoint)>,
    /// Before padding.
    pub commitments: Vec<RistrettoPoint>,
    pub x: Scalar,
    pub y: Scalar,
    pub z: Scalar,
    pub w: Scalar,
    /// The challenge of each round.
    pub u: Vec<Scalar>,
    /// Inverses of `u`, then of `y`.
    pub inverses: Vec<Scalar>,
    pub inner_product_weight: Scalar,
    pub polynomial_weight: Scalar,
}

/// Judge each claim.
pub fn verify_batch(setting: &Setting<'_>, claims: &[Claim<'_>]) -> Vec<Verdict> {
    let seed = weight_seed(claims);
    let mut verdicts = vec![Verdict::Verified; claims.len()];
    let mut places = Vec::with_capacity(claims.len());
    let mut statements = Vec::with_capacity(claims.len());
    for (place, claim) in claims.iter().enumerate() {
        match state(setting, claim, weights(&seed, place)) {
            Ok(statement) => {
                places.push(place);
                statements.push(statement);
            }
            Err(verdict) => verdicts[place] = verdict,
        }
    }
    invert_challenges(&mut statements);
    let mut bad = Vec::new();
    if !statements.is_empty() {
        let all = Sum::of(setting, &statements).value();
        find_bad(setting, &statements, 0, all, &mut bad);
    }
    for index in bad {
        verdicts[places[index]] = Verdict::VerificationError;
    }
    verdicts
}

/// Name the statements behind a sum that is not zero; `first` is the number of the first of them.
fn find_bad(
    setting: &Setting<'_>,
    statements: &[Statement],
    first: usize,
    sum: RistrettoPoint,
    bad: &mut Vec<usize>,
) {
    if sum.is_identity() {
        return;
    }
    if statements.len() == 1 {
        bad.push(first);
        return;
    }
    let (left, right) = statements.split_at(statements.len() / 2);
    let left_sum = Sum::of(setting, left).value();
    find_bad(setting, left, first, left_sum, bad);
    find_bad(setting, right, first + left.len(), sum - left_sum, bad);
}

/// The seed of the weights: a hash of all that is claimed, so that nobody can choose a proof after
/// knowing its weight, and the same batch gets the same weights everywhere.
fn weight_seed(claims: &[Claim<'_>]) -> [u8; 64] {
    let mut hash = Blake2b512::new().chain_update(b"mcnode_range_proof_batch");
    for claim in claims {
        hash.update(claim.value_base.encoded);
        hash.update((claim.commitments.len() as u64).to_le_bytes());
        hash.update(claim.commitments.as_flattened());
        hash.update((claim.proof.len() as u64).to_le_bytes());
        hash.update(claim.proof);
    }
    hash.finalize().into()
}

/// Two weights for each claim, from Blake2b as a generator in counter mode.
fn weights(seed: &[u8; 64], place: usize) -> (Scalar, Scalar) {
    let digest: [u8; 64] = Blake2b512::new()
        .chain_update(b"mcnode_range_proof_weights")
        .chain_update(seed)
        .chain_update((place as u64).to_le_bytes())
        .finalize()
        .into();
    let weight = |bytes: &[u8]| {
        let mut low = [0; 16];
        low.copy_from_slice(bytes);
        Scalar::from(u128::from_le_bytes(low))
    };
    (weight(&digest[..16]), weight(&digest[16..32]))
}

fn state(
    setting: &Setting<'_>,
    claim: &Claim<'_>,
    weights: (Scalar, Scalar),
) -> Result<Statement, Verdict> {
    let proof = Proof::parse(claim.proof).ok_or(Verdict::FormatError)?;
    let parties = claim.commitments.len().next_power_of_two();
    if parties > PARTIES_MAX {
        return Err(Verdict::InvalidGeneratorsLength);
    }
    if has_identity(&proof) || setting.bits * parties != 1 << proof.rounds.len() {
        return Err(Verdict::VerificationError);
    }
    replay(setting, proof, claim, parties, weights).ok_or(Verdict::VerificationError)
}

fn has_identity(proof: &Proof) -> bool {
    let fixed = [&proof.a, &proof.s, &proof.t_1, &proof.t_2];
    let rounds = proof.rounds.iter().flat_map(|(left, right)| [left, right]);
    fixed
        .into_iter()
        .chain(rounds)
        .any(|encoded| *encoded == [0; 32])
}

/// `None` when a point cannot be decoded.
fn replay(
    setting: &Setting<'_>,
    proof: Proof,
    claim: &Claim<'_>,
    parties: usize,
    (inner_product_weight, polynomial_weight): (Scalar, Scalar),
) -> Option<Statement> {
    let mut transcript = RangeTranscript::new(setting.label, setting.bits, parties);
    let last = claim.commitments.len() - 1;
    for party in 0..parties {
        transcript.value_commitment(&claim.commitments[party.min(last)]);
    }
    let (y, z) = transcript.bits(&proof.a, &proof.s);
    let x = transcript.polynomial(&proof.t_1, &proof.t_2);
    let w = transcript.opening(parties, &proof.t_x, &proof.t_x_blinding, &proof.e_blinding);
    let u = proof
        .rounds
        .iter()
        .map(|(left, right)| transcript.round(left, right))
        .collect();
    Some(Statement {
        value_base: claim.value_base,
        parties,
        points: [
            decode(None, &proof.a)?,
            decode(None, &proof.s)?,
            decode(None, &proof.t_1)?,
            decode(None, &proof.t_2)?,
        ],
        rounds: proof
            .rounds
            .iter()
            .map(|(left, right)| Some((decode(None, left)?, decode(None, right)?)))
            .collect::<Option<_>>()?,
        commitments: claim
            .commitments
            .iter()
            .map(|encoded| decode(setting.known, encoded))
            .collect::<Option<_>>()?,
        proof,
        x,
        y,
        z,
        w,
        u,
        inverses: Vec::new(),
        inner_product_weight,
        polynomial_weight,
    })
}

/// One inversion for all challenges of all statements.
fn invert_challenges(statements: &mut [Statement]) {
    let mut all = Vec::new();
    for statement in statements.iter() {
        all.extend_from_slice(&statement.u);
        all.push(statement.y);
    }
    Scalar::invert_batch_alloc(&mut all);
    let mut rest = all.as_slice();
    for statement in statements {
        let (mine, others) = rest.split_at(statement.u.len() + 1);
        statement.inverses = mine.to_vec();
        rest = others;
    }
}
