//! Schnorrkel signatures with the deterministic nonce of this network.
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
use merlin::Transcript;
use pyo3::prelude::*;
use rand_core_06::{RngCore, SeedableRng};
use rand_hc::Hc128Rng;
use zeroize::Zeroizing;

use crate::curve::{array, point, scalar};

fn signing_transcript(context: &[u8], message: &[u8], public: &CompressedRistretto) -> Transcript {
    let mut transcript = Transcript::new(b"SigningContext");
    transcript.append_message(b"", context);
    transcript.append_message(b"sign-bytes", message);
    transcript.append_message(b"proto-name", b"Schnorr-sig");
    transcript.append_message(b"sign:pk", public.as_bytes());
    transcript
}

fn challenge_scalar(transcript: &mut Transcript, label: &'static [u8]) -> Scalar {
    let mut bytes = [0u8; 64];
    transcript.challenge_bytes(label, &mut bytes);
    Scalar::from_bytes_mod_order_wide(&bytes)
}

/// 32 bytes that depend on the key, the context and the message only.
fn deterministic_nonce(private: &Scalar, context: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut transcript = Transcript::new(b"SigningNonce");
    transcript.append_message(b"context", context);
    transcript.append_message(b"private", private.as_bytes());
    transcript.append_message(b"message", message);
    let mut nonce = Zeroizing::new([0u8; 32]);
    transcript.challenge_bytes(b"nonce", &mut *nonce);
    nonce
}

fn witness_scalar(transcript: &Transcript, nonce: &[u8; 32]) -> Zeroizing<Scalar> {
    let mut random = transcript
        .build_rng()
        .rekey_with_witness_bytes(b"signing", nonce)
        .finalize(&mut Hc128Rng::from_seed(*nonce));
    let mut wide = Zeroizing::new([0u8; 64]);
    random.fill_bytes(&mut *wide);
    Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
}

/// (`enc(R)`, `s`).
#[pyfunction]
fn schnorrkel_sign(
    private: &[u8],
    context: &[u8],
    message: &[u8],
) -> PyResult<([u8; 32], [u8; 32])> {
    let private = scalar(private)?;
    let public = RistrettoPoint::mul_base(&private).compress();
    let mut transcript = signing_transcript(context, message, &public);
    let nonce = deterministic_nonce(&private, context, message);
    let witness = witness_scalar(&transcript, &nonce);
    let commitment = RistrettoPoint::mul_base(&witness).compress();
    transcript.append_message(b"sign:R", commitment.as_bytes());
    let challenge = challenge_scalar(&mut transcript, b"sign:c");
    let response = challenge * *private + *witness;
    Ok((commitment.to_bytes(), response.to_bytes()))
}

/// Whether `enc(sG - kA)` is `commitment`; all public, so in variable time.
#[pyfunction]
fn schnorrkel_equation_holds(
    public: &[u8],
    context: &[u8],
    message: &[u8],
    commitment: &[u8],
    response: &[u8],
) -> PyResult<bool> {
    let key = point(public)?;
    let response = scalar(response)?;
    let commitment = CompressedRistretto(array(commitment)?);
    let mut transcript = signing_transcript(context, message, &CompressedRistretto(array(public)?));
    transcript.append_message(b"sign:R", commitment.as_bytes());
    let challenge = challenge_scalar(&mut transcript, b"sign:c");
    let recomputed =
        RistrettoPoint::vartime_double_scalar_mul_basepoint(&challenge, &-key, &response);
    Ok(recomputed.compress() == commitment)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(schnorrkel_sign, module)?)?;
    module.add_function(wrap_pyfunction!(schnorrkel_equation_holds, module)?)
}
