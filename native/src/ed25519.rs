//! Ed25519: strict verification, ordinary and prehashed signatures.
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use pyo3::prelude::*;
use sha2::{Digest, Sha512};

use crate::curve::array;

#[pyfunction]
fn ed25519_public_is_valid(public: &[u8]) -> PyResult<bool> {
    Ok(VerifyingKey::from_bytes(&array(public)?).is_ok())
}

#[pyfunction]
fn ed25519_public(seed: &[u8]) -> PyResult<[u8; 32]> {
    Ok(SigningKey::from_bytes(&array(seed)?)
        .verifying_key()
        .to_bytes())
}

#[pyfunction]
fn ed25519_sign(seed: &[u8], message: &[u8]) -> PyResult<[u8; 64]> {
    Ok(SigningKey::from_bytes(&array(seed)?)
        .sign(message)
        .to_bytes())
}

/// False for any reason not to accept: key, signature form, small order, equation.
#[pyfunction]
fn ed25519_verify_strict(public: &[u8], message: &[u8], signature: &[u8]) -> PyResult<bool> {
    let signature = Signature::from_bytes(&array(signature)?);
    Ok(VerifyingKey::from_bytes(&array(public)?)
        .and_then(|key| key.verify_strict(message, &signature))
        .is_ok())
}

/// Ed25519ph over the SHA-512 of `message`, empty context.
#[pyfunction]
fn ed25519_sign_prehashed(seed: &[u8], message: &[u8]) -> PyResult<[u8; 64]> {
    SigningKey::from_bytes(&array(seed)?)
        .sign_prehashed(Sha512::new_with_prefix(message), None)
        .map(|signature| signature.to_bytes())
        .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

/// Without the small-order checks, as the network verifies this kind.
#[pyfunction]
fn ed25519_verify_prehashed(public: &[u8], message: &[u8], signature: &[u8]) -> PyResult<bool> {
    let signature = Signature::from_bytes(&array(signature)?);
    Ok(VerifyingKey::from_bytes(&array(public)?)
        .and_then(|key| key.verify_prehashed(Sha512::new_with_prefix(message), None, &signature))
        .is_ok())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(ed25519_public_is_valid, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_public, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_sign, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_verify_strict, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_sign_prehashed, module)?)?;
    module.add_function(wrap_pyfunction!(ed25519_verify_prehashed, module)?)
}
