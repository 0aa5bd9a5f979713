//! MLSAG: one member of a ring signs without saying which, and shows a key image that is the same
//! whenever it signs. [docs/protocol/crypto.md#14]
use blake2::{Blake2b512, Digest};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{
    CompressedRistretto, RistrettoPoint, VartimeRistrettoPrecomputation,
};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimePrecomputedMultiscalarMul;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::commitment::{commit, elements};
use crate::generators::hash_to_point;
use crate::known_points::{KnownPoints, decode, hashed};

#[cfg(test)]
mod tests;

const CHALLENGE_TAG: &[u8] = b"mc_ring_mlsag_challenge";

/// One member as it is in the ledger: target key, then amount commitment.
type EncodedMember = [u8; 64];

/// Why a signature is refused or cannot be made. The numbers are part of the native contract.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Fault {
    /// Point number 2i is the target key of member i, 2i + 1 its commitment.
    RingPoint(usize),
    ResponseCount,
    KeyImage,
    OutputCommitment,
    Challenge,
    ValueNotConserved,
}

impl Fault {
    fn code(self) -> (u8, usize) {
        match self {
            Fault::RingPoint(position) => (1, position),
            Fault::ResponseCount => (2, 0),
            Fault::KeyImage => (3, 0),
            Fault::OutputCommitment => (4, 0),
            Fault::Challenge => (5, 0),
            Fault::ValueNotConserved => (6, 0),
        }
    }
}

struct Member {
    target_key: RistrettoPoint,
    /// `Hp` of the target key.
    hashed: RistrettoPoint,
    commitment: RistrettoPoint,
}

fn decode_ring(known: Option<&KnownPoints>, ring: &[EncodedMember]) -> Result<Vec<Member>, Fault> {
    let mut members = Vec::with_capacity(ring.len());
    for (index, encoded) in ring.iter().enumerate() {
        let (target_key, commitment) = halves(encoded);
        members.push(Member {
            target_key: decode(known, &target_key).ok_or(Fault::RingPoint(2 * index))?,
            hashed: hashed(known, &target_key),
            commitment: decode(known, &commitment).ok_or(Fault::RingPoint(2 * index + 1))?,
        });
    }
    Ok(members)
}

fn halves(encoded: &EncodedMember) -> ([u8; 32], [u8; 32]) {
    let mut first = [0; 32];
    let mut second = [0; 32];
    first.copy_from_slice(&encoded[..32]);
    second.copy_from_slice(&encoded[32..]);
    (first, second)
}

/// The key image `x Hp(xG)`, constant time in `x`.
pub fn key_image(private_key: &Scalar) -> RistrettoPoint {
    let target_key = (private_key * RISTRETTO_BASEPOINT_TABLE).compress();
    private_key * hash_to_point(target_key.as_bytes())
}

/// Hashes the three points of each member behind the message and key image, which are the same for
/// the whole ring.
struct Challenger(Blake2b512);

impl Challenger {
    fn new(message: &[u8], key_image: &[u8; 32]) -> Self {
        Self(
            Blake2b512::new()
                .chain_update(CHALLENGE_TAG)
                .chain_update(message)
                .chain_update(key_image),
        )
    }

    fn challenge<'a>(&self, points: impl IntoIterator<Item = &'a CompressedRistretto>) -> Scalar {
        let mut hash = self.0.clone();
        for point in points {
            hash.update(point.as_bytes());
        }
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }
}

pub struct Signature<'a> {
    pub c_zero: &'a [u8; 32],
    pub responses: &'a [[u8; 32]],
    pub key_image: &'a [u8; 32],
}

/// Check a signature; variable time, everything here is public.
///
/// The points of a member are computed for halved scalars and then doubled and encoded together,
/// which costs one inversion instead of three inverse roots.
pub fn verify(
    message: &[u8],
    ring: &[EncodedMember],
    output_commitment: &[u8; 32],
    signature: &Signature<'_>,
    known: Option<&KnownPoints>,
) -> Result<(), Fault> {
    let members = decode_ring(known, ring)?;
    if signature.responses.len() != 2 * members.len() {
        return Err(Fault::ResponseCount);
    }
    let image = decode(None, signature.key_image).ok_or(Fault::KeyImage)?;
    let output = decode(known, output_commitment).ok_or(Fault::OutputCommitment)?;

    let image_table = VartimeRistrettoPrecomputation::new([image]);
    let challenger = Challenger::new(message, signature.key_image);
    let c_zero = Scalar::from_bytes_mod_order(*signature.c_zero);
    let mut challenge = c_zero;
    for (member, responses) in members.iter().zip(signature.responses.chunks_exact(2)) {
        let key_response = Scalar::from_bytes_mod_order(responses[0]).div_by_2();
        let value_response = Scalar::from_bytes_mod_order(responses[1]).div_by_2();
        let half = challenge.div_by_2();
        let points = [
            RistrettoPoint::vartime_double_scalar_mul_basepoint(
                &half,
                &member.target_key,
                &key_response,
            ),
            image_table.vartime_mixed_multiscalar_mul([half], [key_response], [member.hashed]),
            RistrettoPoint::vartime_double_scalar_mul_basepoint(
                &half,
                &(output - member.commitment),
                &value_response,
            ),
        ];
        challenge = challenger.challenge(&RistrettoPoint::double_and_compress_batch(&points));
    }
    if challenge == c_zero {
        Ok(())
    } else {
        Err(Fault::Challenge)
    }
}

/// What only the signer knows. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secrets {
    pub real_index: usize,
    pub onetime_private_key: Scalar,
    pub value: u64,
    pub blinding: Scalar,
    pub output_blinding: Scalar,
    pub token_id: u64,
    /// Two responses for each other member in ring order, then the two nonces.
    pub draws: Vec<Scalar>,
}

impl Secrets {
    fn responses_and_nonces(&self, ring_size: usize) -> (Vec<Scalar>, Scalar, Scalar) {
        let mut draws = self.draws.iter().copied();
        let mut draw = || draws.next().expect("two draws for each member");
        let mut responses = vec![Scalar::ZERO; 2 * ring_size];
        for index in (0..ring_size).filter(|index| *index != self.real_index) {
            responses[2 * index] = draw();
            responses[2 * index + 1] = draw();
        }
        (responses, draw(), draw())
    }
}

pub struct Signed {
    pub c_zero: Scalar,
    pub responses: Vec<Scalar>,
    pub key_image: CompressedRistretto,
}

/// Sign for the member at `real_index`, which is below the ring's size.
///
/// Every group operation is constant time, also those on numbers that the signature will show:
/// their running times together would tell which member was left out.
pub fn sign(message: &[u8], ring: &[EncodedMember], secrets: &Secrets) -> Result<Signed, Fault> {
    let members = decode_ring(None, ring)?;
    let size = members.len();
    let real = secrets.real_index;
    let image = key_image(&secrets.onetime_private_key);
    let encoded_image = image.compress();
    let output = commit(secrets.value, &secrets.output_blinding, secrets.token_id);
    let mut blinding_difference = secrets.output_blinding - secrets.blinding;

    let challenger = Challenger::new(message, encoded_image.as_bytes());
    let (mut responses, mut key_nonce, mut value_nonce) = secrets.responses_and_nonces(size);
    let mut challenge = challenger.challenge(&[
        (&key_nonce * RISTRETTO_BASEPOINT_TABLE).compress(),
        (key_nonce * members[real].hashed).compress(),
        (&value_nonce * RISTRETTO_BASEPOINT_TABLE).compress(),
    ]);
    let mut challenges = vec![Scalar::ZERO; size];
    for step in 1..size {
        let index = (real + step) % size;
        challenges[index] = challenge;
        let member = &members[index];
        let (key_response, value_response) = (&responses[2 * index], &responses[2 * index + 1]);
        challenge = challenger.challenge(&[
            (key_response * RISTRETTO_BASEPOINT_TABLE + challenge * member.target_key).compress(),
            (key_response * member.hashed + challenge * image).compress(),
            (value_response * RISTRETTO_BASEPOINT_TABLE + challenge * (output - member.commitment))
                .compress(),
        ]);
    }
    challenges[real] = challenge;
    responses[2 * real] = key_nonce - challenge * secrets.onetime_private_key;
    responses[2 * real + 1] = value_nonce - challenge * blinding_difference;
    key_nonce.zeroize();
    value_nonce.zeroize();

    let conserved = (output - members[real].commitment)
        .ct_eq(&(&blinding_difference * RISTRETTO_BASEPOINT_TABLE));
    blinding_difference.zeroize();
    if bool::from(conserved) {
        Ok(Signed {
            c_zero: challenges[0],
            responses,
            key_image: encoded_image,
        })
    } else {
        responses.zeroize();
        Err(Fault::ValueNotConserved)
    }
}

#[pyfunction(name = "key_image")]
fn py_key_image<'py>(py: Python<'py>, onetime_private_key: [u8; 32]) -> Bound<'py, PyBytes> {
    let mut private_key = Scalar::from_bytes_mod_order(onetime_private_key);
    let image = key_image(&private_key).compress();
    private_key.zeroize();
    PyBytes::new(py, image.as_bytes())
}

#[pyfunction]
#[pyo3(signature = (message, ring, output_commitment, c_zero, responses, key_image, known=None))]
#[allow(clippy::too_many_arguments)]
fn mlsag_verify(
    py: Python<'_>,
    message: &[u8],
    ring: &[u8],
    output_commitment: [u8; 32],
    c_zero: [u8; 32],
    responses: &[u8],
    key_image: [u8; 32],
    known: Option<&Bound<'_, KnownPoints>>,
) -> PyResult<(u8, usize)> {
    let ring = elements::<64>(ring, "ring")?;
    let signature = Signature {
        c_zero: &c_zero,
        responses: elements::<32>(responses, "responses")?,
        key_image: &key_image,
    };
    let known = known.map(|known| known.get());
    Ok(py.detach(
        || match verify(message, ring, &output_commitment, &signature, known) {
            Ok(()) => (0, 0),
            Err(fault) => fault.code(),
        },
    ))
}

type SignedParts<'py> = (
    u8,
    usize,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn mlsag_sign<'py>(
    py: Python<'py>,
    message: &[u8],
    ring: &[u8],
    real_index: usize,
    onetime_private_key: [u8; 32],
    value: u64,
    blinding: [u8; 32],
    output_blinding: [u8; 32],
    token_id: u64,
    randomness: &[u8],
) -> PyResult<SignedParts<'py>> {
    let ring = elements::<64>(ring, "ring")?;
    let wide = elements::<64>(randomness, "randomness")?;
    if real_index >= ring.len() {
        return Err(PyValueError::new_err("real_index is outside the ring"));
    }
    if wide.len() != 2 * ring.len() {
        return Err(PyValueError::new_err(
            "randomness is not 128 bytes a member",
        ));
    }
    let secrets = Secrets {
        real_index,
        onetime_private_key: Scalar::from_bytes_mod_order(onetime_private_key),
        value,
        blinding: Scalar::from_bytes_mod_order(blinding),
        output_blinding: Scalar::from_bytes_mod_order(output_blinding),
        token_id,
        draws: wide.iter().map(Scalar::from_bytes_mod_order_wide).collect(),
    };
    Ok(match py.detach(|| sign(message, ring, &secrets)) {
        Ok(signed) => {
            let responses: Vec<u8> = signed.responses.iter().flat_map(Scalar::to_bytes).collect();
            (
                0,
                0,
                PyBytes::new(py, signed.c_zero.as_bytes()),
                PyBytes::new(py, &responses),
                PyBytes::new(py, signed.key_image.as_bytes()),
            )
        }
        Err(fault) => {
            let (code, position) = fault.code();
            let none = || PyBytes::new(py, b"");
            (code, position, none(), none(), none())
        }
    })
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(py_key_image, m)?)?;
    m.add_function(wrap_pyfunction!(mlsag_verify, m)?)?;
    m.add_function(wrap_pyfunction!(mlsag_sign, m)?)
}
