//! Aggregated Bulletproofs: several committed values are all below 2^64, in one proof.
//! [docs/protocol/crypto.md#15]
//!
//! `wire` parses, `transcript` is what both sides hash, `verify` checks proofs in batches with the
//! one product that `sum` puts together, `prove` makes a proof and ends it with `inner_product`.
mod inner_product;
mod prove;
mod sum;
mod transcript;
mod verify;
mod wire;

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::commitment::elements;
use crate::generators::{BITS, Base, PARTIES_MAX, value_generator};
use crate::known_points::KnownPoints;
use verify::{Claim, Setting, Verdict};

#[cfg(test)]
mod tests;

type PyClaim<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, u64);

#[pyfunction]
#[pyo3(signature = (claims, known=None))]
fn range_proofs_verify<'py>(
    py: Python<'py>,
    claims: Vec<PyClaim<'py>>,
    known: Option<&Bound<'py, KnownPoints>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let claims = claims
        .iter()
        .map(|(proof, commitments, token_id)| {
            Ok(Claim {
                proof: proof.as_bytes(),
                commitments: elements::<32>(commitments.as_bytes(), "commitments")?,
                value_base: value_generator(*token_id),
            })
        })
        .collect::<PyResult<Vec<_>>>()?;
    if claims.iter().any(|claim| claim.commitments.is_empty()) {
        return Err(PyValueError::new_err("a claim has no commitments"));
    }
    let setting = Setting::of_transactions(known.map(|known| known.get()));
    let verdicts = py.detach(|| verify::verify_batch(&setting, &claims));
    let codes: Vec<u8> = verdicts.into_iter().map(Verdict::code).collect();
    Ok(PyBytes::new(py, &codes))
}

#[pyfunction]
fn range_proof_verify_in(
    py: Python<'_>,
    label: &[u8],
    bits: usize,
    value_base: [u8; 32],
    blinding_base: [u8; 32],
    proof: &[u8],
    commitments: &[u8],
) -> PyResult<u8> {
    let decode = |encoded: [u8; 32], what: &str| {
        CompressedRistretto(encoded)
            .decompress()
            .ok_or_else(|| PyValueError::new_err(format!("{what} base is no point")))
    };
    let setting = Setting {
        label,
        bits,
        blinding_base: decode(blinding_base, "blinding")?,
        known: None,
    };
    let claim = Claim {
        proof,
        commitments: elements::<32>(commitments, "commitments")?,
        value_base: Base {
            point: decode(value_base, "value")?,
            encoded: value_base,
        },
    };
    if claim.commitments.is_empty() || !bits.is_power_of_two() || bits > BITS {
        return Err(PyValueError::new_err(
            "no commitments, or bits not a power of two up to 64",
        ));
    }
    Ok(py.detach(|| verify::verify_batch(&setting, &[claim]))[0].code())
}

#[pyfunction]
fn range_proof_prove<'py>(
    py: Python<'py>,
    values: Vec<u64>,
    blindings: &[u8],
    token_id: u64,
    randomness: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let values = Zeroizing::new(values);
    let blindings = Zeroizing::new(
        elements::<32>(blindings, "blindings")?
            .iter()
            .map(|bytes| Scalar::from_bytes_mod_order(*bytes))
            .collect::<Vec<_>>(),
    );
    let draws = elements::<64>(randomness, "randomness")?;
    let parties = values.len();
    if !parties.is_power_of_two() || parties > PARTIES_MAX {
        return Err(PyValueError::new_err(format!(
            "{parties} values: the count must be a power of two up to 64"
        )));
    }
    if blindings.len() != parties || draws.len() != parties * prove::DRAWS_PER_PARTY {
        return Err(PyValueError::new_err(
            "blindings or randomness do not fit the values",
        ));
    }
    let proof = py.detach(|| prove::prove(&values, &blindings, token_id, draws));
    Ok(PyBytes::new(py, &proof))
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(range_proofs_verify, m)?)?;
    m.add_function(wrap_pyfunction!(range_proof_verify_in, m)?)?;
    m.add_function(wrap_pyfunction!(range_proof_prove, m)?)
}
