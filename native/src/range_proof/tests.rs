//! Against the released `bulletproofs` crate, which stands on an older curve library and checks
//! one proof at a time.
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek_4 as dalek4;

use super::prove::{DRAWS_PER_PARTY, prove};
use super::transcript::LABEL;
use super::verify::{Claim, Setting, Verdict, verify_batch};
use crate::commitment::commit;
use crate::generators::value_generator;
use crate::test_bytes::Bytes;

struct Case {
    values: Vec<u64>,
    blindings: Vec<Scalar>,
    token_id: u64,
    draws: Vec<[u8; 64]>,
}

impl Case {
    fn new(parties: usize, token_id: u64, seed: u64) -> Case {
        let mut bytes = Bytes::new(seed);
        let mut values: Vec<u64> = (0..parties).map(|_| bytes.u64()).collect();
        values[0] = [0, u64::MAX, 1 << 63, 1][seed as usize % 4];
        Case {
            values,
            blindings: (0..parties).map(|_| bytes.scalar()).collect(),
            token_id,
            draws: (0..parties * DRAWS_PER_PARTY)
                .map(|_| bytes.wide())
                .collect(),
        }
    }

    fn prove(&self) -> Vec<u8> {
        prove(&self.values, &self.blindings, self.token_id, &self.draws)
    }

    fn commitments(&self) -> Vec<[u8; 32]> {
        self.values
            .iter()
            .zip(&self.blindings)
            .map(|(value, blinding)| {
                commit(*value, blinding, self.token_id)
                    .compress()
                    .to_bytes()
            })
            .collect()
    }

    fn claim<'a>(&self, proof: &'a [u8], commitments: &'a [[u8; 32]]) -> Claim<'a> {
        Claim {
            proof,
            commitments,
            value_base: value_generator(self.token_id),
        }
    }

    fn bases_4(&self) -> PedersenGens {
        PedersenGens {
            B: point_4(&value_generator(self.token_id).encoded),
            B_blinding: point_4(RISTRETTO_BASEPOINT_POINT.compress().as_bytes()),
        }
    }
}

fn point_4(encoded: &[u8; 32]) -> dalek4::ristretto::RistrettoPoint {
    dalek4::ristretto::CompressedRistretto(*encoded)
        .decompress()
        .expect("a point")
}

fn scalar_4(scalar: &Scalar) -> dalek4::scalar::Scalar {
    dalek4::scalar::Scalar::from_canonical_bytes(scalar.to_bytes()).expect("canonical")
}

/// Gives the recorded draws to the other library.
struct Replay<'a>(std::slice::Iter<'a, [u8; 64]>);

impl rand_core_06::RngCore for Replay<'_> {
    fn next_u32(&mut self) -> u32 {
        unreachable!("scalars are drawn as 64 bytes")
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("scalars are drawn as 64 bytes")
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(self.0.next().expect("as many draws as scalars"));
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Replay<'_> {}

fn prove_4(case: &Case) -> Vec<u8> {
    let blindings: Vec<_> = case.blindings.iter().map(scalar_4).collect();
    let (proof, _) = RangeProof::prove_multiple_with_rng(
        &BulletproofGens::new(64, case.values.len()),
        &case.bases_4(),
        &mut merlin::Transcript::new(LABEL),
        &case.values,
        &blindings,
        64,
        &mut Replay(case.draws.iter()),
    )
    .expect("a valid statement");
    proof.to_bytes()
}

fn verdict_4(case: &Case, proof: &[u8], commitments: &[[u8; 32]]) -> Verdict {
    let Ok(proof) = RangeProof::from_bytes(proof) else {
        return Verdict::FormatError;
    };
    let commitments: Vec<_> = commitments
        .iter()
        .map(|bytes| dalek4::ristretto::CompressedRistretto(*bytes))
        .collect();
    let outcome = proof.verify_multiple(
        &BulletproofGens::new(64, commitments.len()),
        &case.bases_4(),
        &mut merlin::Transcript::new(LABEL),
        &commitments,
        64,
    );
    match outcome {
        Ok(()) => Verdict::Verified,
        Err(_) => Verdict::VerificationError,
    }
}

fn verdict(claim: Claim<'_>) -> Verdict {
    verify_batch(&Setting::of_transactions(None), &[claim])[0]
}

#[test]
fn proofs_equal_those_of_the_crate() {
    for (parties, token_id) in [(1, 0), (1, 1), (2, 0), (4, 8192), (8, 0), (16, u64::MAX)] {
        let case = Case::new(parties, token_id, parties as u64);
        let proof = case.prove();
        assert_eq!(
            proof,
            prove_4(&case),
            "{parties} values of token {token_id}"
        );
        let commitments = case.commitments();
        assert_eq!(verdict(case.claim(&proof, &commitments)), Verdict::Verified);
    }
}

/// Every 32 bytes of a proof replaced by something else of the same kind, or by nonsense.
#[test]
fn verdicts_equal_those_of_the_crate() {
    let case = Case::new(2, 1, 7);
    let (proof, commitments) = (case.prove(), case.commitments());
    let mut bytes = Bytes::new(8);
    let mut seen = std::collections::HashSet::new();
    for place in 0..proof.len() / 32 {
        for replacement in [
            bytes.scalar().to_bytes(),
            bytes.point().compress().to_bytes(),
            [0; 32],
            [0xff; 32],
        ] {
            let mut changed = proof.clone();
            changed[32 * place..32 * place + 32].copy_from_slice(&replacement);
            let expected = verdict_4(&case, &changed, &commitments);
            let found = verdict(case.claim(&changed, &commitments));
            assert_eq!(found, expected, "element {place} is {replacement:?}");
            seen.insert(expected.code());
        }
    }
    assert_eq!(seen.len(), 2, "both kinds of refusal occur");
    for length in (0..proof.len() + 128).step_by(16) {
        let mut cut = proof.clone();
        cut.resize(length, 0);
        let expected = verdict_4(&case, &cut, &commitments);
        assert_eq!(
            verdict(case.claim(&cut, &commitments)),
            expected,
            "{length} bytes"
        );
    }
}

#[test]
fn each_proof_of_a_batch_gets_its_own_verdict() {
    let cases: Vec<Case> = [1, 4, 2, 1, 8, 2, 1]
        .into_iter()
        .enumerate()
        .map(|(seed, parties)| Case::new(parties, seed as u64 % 3, seed as u64))
        .collect();
    let commitments: Vec<_> = cases.iter().map(Case::commitments).collect();
    let good: Vec<_> = cases.iter().map(Case::prove).collect();
    for bad in 0..1 << cases.len() {
        let mut proofs = good.clone();
        let mut expected = vec![Verdict::Verified; cases.len()];
        for place in (0..cases.len()).filter(|place| bad >> place & 1 == 1) {
            let scalar = Scalar::ONE + Scalar::from(place as u64);
            proofs[place][192..224].copy_from_slice(scalar.as_bytes());
            expected[place] = Verdict::VerificationError;
        }
        let claims: Vec<_> = cases
            .iter()
            .zip(proofs.iter().zip(&commitments))
            .map(|(case, (proof, commitments))| case.claim(proof, commitments))
            .collect();
        let found = verify_batch(&Setting::of_transactions(None), &claims);
        assert_eq!(found, expected, "bad proofs {bad:b}");
    }
}

/// Two proofs whose faults cancel when they are added up without weights.
#[test]
fn faults_do_not_cancel() {
    let case = Case::new(1, 0, 5);
    let (proof, commitments) = (case.prove(), case.commitments());
    let mut bent = [proof.clone(), proof.clone()];
    let e_blinding = Scalar::from_canonical_bytes(proof[192..224].try_into().expect("32 bytes"));
    let e_blinding = e_blinding.expect("canonical");
    for (proof, change) in bent.iter_mut().zip([Scalar::ONE, -Scalar::ONE]) {
        proof[192..224].copy_from_slice((e_blinding + change).as_bytes());
    }
    let claims = bent.each_ref().map(|proof| case.claim(proof, &commitments));
    let found = verify_batch(&Setting::of_transactions(None), &claims);
    assert_eq!(found, [Verdict::VerificationError; 2]);
}

#[test]
fn the_last_commitment_pads() {
    let mut case = Case::new(4, 0, 9);
    case.values[3] = case.values[2];
    case.blindings[3] = case.blindings[2];
    let (proof, commitments) = (case.prove(), case.commitments());
    assert_eq!(verdict(case.claim(&proof, &commitments)), Verdict::Verified);
    assert_eq!(
        verdict(case.claim(&proof, &commitments[..3])),
        Verdict::Verified
    );
    assert_eq!(
        verdict(case.claim(&proof, &commitments[..2])),
        Verdict::VerificationError
    );
    let many = vec![commitments[0]; 65];
    assert_eq!(
        verdict(case.claim(&proof, &many)),
        Verdict::InvalidGeneratorsLength
    );
}
