//! Against the equations as they stand in the books, without halving, batching or tables.
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;

use super::*;
use crate::test_bytes::Bytes;

struct Case {
    ring: Vec<EncodedMember>,
    secrets: Secrets,
    message: Vec<u8>,
}

/// A signature with its parts owned, so that they can be spoilt.
#[derive(Clone)]
struct Parts {
    c_zero: [u8; 32],
    responses: Vec<[u8; 32]>,
    key_image: [u8; 32],
}

impl Case {
    fn new(size: usize, real_index: usize, message: &[u8]) -> Case {
        let mut bytes = Bytes::new((1000 * size + real_index) as u64);
        let (value, token_id, blinding) = (bytes.u64(), bytes.u64(), bytes.scalar());
        let onetime_private_key = bytes.scalar();
        let mut ring: Vec<_> = (0..size)
            .map(|_| member(bytes.point(), bytes.point()))
            .collect();
        ring[real_index] = member(onetime_private_key * G, commit(value, &blinding, token_id));
        Case {
            ring,
            secrets: Secrets {
                real_index,
                onetime_private_key,
                value,
                blinding,
                output_blinding: bytes.scalar(),
                token_id,
                draws: (0..2 * size).map(|_| bytes.scalar()).collect(),
            },
            message: message.to_vec(),
        }
    }

    fn output(&self) -> [u8; 32] {
        let secrets = &self.secrets;
        commit(secrets.value, &secrets.output_blinding, secrets.token_id)
            .compress()
            .to_bytes()
    }

    fn sign(&self) -> Parts {
        let signed = sign(&self.message, &self.ring, &self.secrets)
            .unwrap_or_else(|fault| panic!("{fault:?}"));
        Parts {
            c_zero: signed.c_zero.to_bytes(),
            responses: signed.responses.iter().map(Scalar::to_bytes).collect(),
            key_image: signed.key_image.to_bytes(),
        }
    }
}

fn member(target_key: RistrettoPoint, commitment: RistrettoPoint) -> EncodedMember {
    let mut encoded = [0; 64];
    encoded[..32].copy_from_slice(target_key.compress().as_bytes());
    encoded[32..].copy_from_slice(commitment.compress().as_bytes());
    encoded
}

fn fast(case: &Case, output: &[u8; 32], parts: &Parts) -> Result<(), Fault> {
    let signature = Signature {
        c_zero: &parts.c_zero,
        responses: &parts.responses,
        key_image: &parts.key_image,
    };
    verify(&case.message, &case.ring, output, &signature, None)
}

fn slow(case: &Case, output: &[u8; 32], parts: &Parts) -> Result<(), Fault> {
    let points = case.ring.iter().flat_map(|encoded| {
        let (first, second) = halves(encoded);
        [first, second]
    });
    let mut ring = Vec::new();
    for (position, encoded) in points.enumerate() {
        ring.push(decode(None, &encoded).ok_or(Fault::RingPoint(position))?);
    }
    if parts.responses.len() != ring.len() {
        return Err(Fault::ResponseCount);
    }
    let image = decode(None, &parts.key_image).ok_or(Fault::KeyImage)?;
    let output = decode(None, output).ok_or(Fault::OutputCommitment)?;
    let scalar = |bytes: &[u8; 32]| Scalar::from_bytes_mod_order(*bytes);
    let mut c = scalar(&parts.c_zero);
    for (member, response) in ring.chunks(2).zip(parts.responses.chunks(2)) {
        let (key_response, value_response) = (scalar(&response[0]), scalar(&response[1]));
        let mut hash = Blake2b512::new();
        hash.update(b"mc_ring_mlsag_challenge");
        hash.update(&case.message);
        hash.update(parts.key_image);
        let hashed = hash_to_point(member[0].compress().as_bytes());
        for point in [
            key_response * G + c * member[0],
            key_response * hashed + c * image,
            value_response * G + c * (output - member[1]),
        ] {
            hash.update(point.compress().as_bytes());
        }
        c = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    }
    if c == scalar(&parts.c_zero) {
        Ok(())
    } else {
        Err(Fault::Challenge)
    }
}

#[test]
fn signatures_hold_for_every_ring_size_and_place() {
    for size in [1, 2, 3, 5, 11] {
        for real_index in 0..size {
            let case = Case::new(size, real_index, b"message");
            let parts = case.sign();
            assert_eq!(
                fast(&case, &case.output(), &parts),
                Ok(()),
                "{real_index} of {size}"
            );
            assert_eq!(
                slow(&case, &case.output(), &parts),
                Ok(()),
                "{real_index} of {size}"
            );
        }
    }
}

#[test]
fn verdicts_equal_the_books() {
    let case = Case::new(3, 1, &[7; 200]);
    let (good, output) = (case.sign(), case.output());
    let mut bytes = Bytes::new(1);
    let mut seen = Vec::new();
    for replacement in [
        bytes.point().compress().to_bytes(),
        bytes.scalar().to_bytes(),
        [0; 32],
        [0xff; 32],
    ] {
        for place in 0..8 + 6 + 1 {
            let (mut case, mut parts, mut output) =
                (Case::new(3, 1, &[7; 200]), good.clone(), output);
            match place {
                0 => parts.c_zero = replacement,
                1..=6 => parts.responses[place - 1] = replacement,
                7 => parts.key_image = replacement,
                8 => output = replacement,
                _ => {
                    let (index, half) = ((place - 9) / 2, (place - 9) % 2);
                    case.ring[index][32 * half..32 * half + 32].copy_from_slice(&replacement);
                }
            }
            let found = fast(&case, &output, &parts);
            assert_eq!(
                found,
                slow(&case, &output, &parts),
                "place {place}: {replacement:?}"
            );
            seen.push(found);
        }
    }
    for fault in [
        Fault::RingPoint(0),
        Fault::RingPoint(5),
        Fault::KeyImage,
        Fault::OutputCommitment,
        Fault::Challenge,
    ] {
        assert!(seen.contains(&Err(fault)), "{fault:?} occurs");
    }
    for count in [0, 5, 7] {
        let mut parts = good.clone();
        parts.responses.resize(count, [1; 32]);
        assert_eq!(fast(&case, &output, &parts), Err(Fault::ResponseCount));
    }
}

/// With zero scalars and identity points everywhere, L and R are identities, whose encodings the
/// batched doubling must get right as well.
#[test]
fn identities_are_points_like_others() {
    let mut case = Case::new(4, 0, b"");
    let identity = member(RistrettoPoint::default(), RistrettoPoint::default());
    case.ring = vec![identity, case.ring[0], identity, case.ring[1]];
    for scalar in [Scalar::ZERO, Scalar::ONE] {
        let parts = Parts {
            c_zero: scalar.to_bytes(),
            responses: vec![Scalar::ZERO.to_bytes(); 8],
            key_image: [0; 32],
        };
        assert_eq!(fast(&case, &[0; 32], &parts), slow(&case, &[0; 32], &parts));
    }
}

/// The books' closing equation, with every L and R an identity: a ring of identities accepts the
/// one challenge that hashes to itself, so the chain itself is what is compared here.
#[test]
fn challenges_of_identities_equal_the_books() {
    let challenger = Challenger::new(b"m", &[0; 32]);
    let halves = [RistrettoPoint::default(); 3];
    let batched = RistrettoPoint::double_and_compress_batch(&halves);
    assert_eq!(batched, vec![CompressedRistretto([0; 32]); 3]);
    let mut hash = Blake2b512::new();
    hash.update(b"mc_ring_mlsag_challenge");
    hash.update(b"m");
    hash.update([0; 32 + 96]);
    let expected = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    assert_eq!(challenger.challenge(&batched), expected);
}

#[test]
fn another_value_or_blinding_is_not_conserved() {
    let mut case = Case::new(2, 0, b"m");
    case.secrets.value ^= 1;
    assert_eq!(
        sign(&case.message, &case.ring, &case.secrets).err(),
        Some(Fault::ValueNotConserved)
    );
    case.secrets.value ^= 1;
    case.secrets.blinding += Scalar::ONE;
    assert_eq!(
        sign(&case.message, &case.ring, &case.secrets).err(),
        Some(Fault::ValueNotConserved)
    );
}
