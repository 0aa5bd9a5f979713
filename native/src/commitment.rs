//! Pedersen commitments `value H_t + blinding G` and sums over them.
//! [docs/protocol/crypto.md#13]
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroize;

use crate::generators::value_generator;
use crate::known_points::{KnownPoints, decode};

/// Constant time in the value and the blinding.
pub fn commit(value: u64, blinding: &Scalar, token_id: u64) -> RistrettoPoint {
    let mut amount = Scalar::from(value);
    let point = amount * value_generator(token_id).point + blinding * RISTRETTO_BASEPOINT_TABLE;
    amount.zeroize();
    point
}

/// Cut packed bytes into elements of `N`.
pub fn elements<'a, const N: usize>(packed: &'a [u8], what: &str) -> PyResult<&'a [[u8; N]]> {
    let (chunks, rest) = packed.as_chunks::<N>();
    if rest.is_empty() {
        return Ok(chunks);
    }
    Err(PyValueError::new_err(format!(
        "{what}: {} bytes are not a multiple of {N}",
        packed.len()
    )))
}

/// Decode packed points; `Err` holds the position of the first that is none.
fn decode_points(
    known: Option<&KnownPoints>,
    encoded: &[[u8; 32]],
) -> Result<Vec<RistrettoPoint>, usize> {
    encoded
        .iter()
        .enumerate()
        .map(|(position, bytes)| decode(known, bytes).ok_or(position))
        .collect()
}

#[pyfunction(name = "commit")]
fn py_commit<'py>(
    py: Python<'py>,
    value: u64,
    blinding: [u8; 32],
    token_id: u64,
) -> Bound<'py, PyBytes> {
    let mut blinding = Scalar::from_bytes_mod_order(blinding);
    let encoded = commit(value, &blinding, token_id).compress();
    blinding.zeroize();
    PyBytes::new(py, encoded.as_bytes())
}

#[pyfunction]
#[pyo3(signature = (points, known=None))]
fn first_invalid_point(
    py: Python<'_>,
    points: &[u8],
    known: Option<&Bound<'_, KnownPoints>>,
) -> PyResult<Option<usize>> {
    let encoded = elements::<32>(points, "points")?;
    let known = known.map(|known| known.get());
    Ok(py.detach(|| decode_points(known, encoded).err()))
}

/// What is left of outputs plus fee when the inputs are taken away is the identity.
#[pyfunction]
#[pyo3(signature = (inputs, outputs, fee, fee_token_id, known=None))]
fn commitments_balance(
    py: Python<'_>,
    inputs: &[u8],
    outputs: &[u8],
    fee: u64,
    fee_token_id: u64,
    known: Option<&Bound<'_, KnownPoints>>,
) -> PyResult<bool> {
    let known = known.map(|known| known.get());
    let inputs = elements::<32>(inputs, "inputs")?;
    let outputs = elements::<32>(outputs, "outputs")?;
    py.detach(|| {
        let add = |encoded, what: &str| -> PyResult<RistrettoPoint> {
            let points = decode_points(known, encoded).map_err(|position| {
                PyValueError::new_err(format!("{what}: number {position} is not a point"))
            })?;
            Ok(points
                .iter()
                .fold(RistrettoPoint::identity(), |sum, point| sum + point))
        };
        let fee_point = Scalar::from(fee) * value_generator(fee_token_id).point;
        Ok((add(outputs, "outputs")? + fee_point - add(inputs, "inputs")?).is_identity())
    })
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(py_commit, m)?)?;
    m.add_function(wrap_pyfunction!(first_invalid_point, m)?)?;
    m.add_function(wrap_pyfunction!(commitments_balance, m)?)
}
