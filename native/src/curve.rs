//! Scalars and points of ristretto255, and the two hashes into them.
//!
//! Everything here runs in constant time, so that the same functions serve secrets and public data.
//! Arguments of a wrong length, scalars that are not canonical and bytes that are no point give
//! `ValueError`; which error of the network that is, Python decides.
use blake2::{Blake2b512, Digest};
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
use pyo3::{exceptions::PyValueError, prelude::*};
use zeroize::Zeroizing;

const ONETIME_KEY_TAG: &[u8] = b"mc_onetime_key_hash_to_scalar";
const SUBADDRESS_TAG: &[u8] = b"mc_subaddress";

/// Bytes of exactly `N`, or `ValueError`.
pub fn array<const N: usize>(bytes: &[u8]) -> PyResult<[u8; N]> {
    bytes.try_into().map_err(|_| {
        PyValueError::new_err(format!(
            "expected exactly {N} bytes, got {found}",
            found = bytes.len()
        ))
    })
}

/// A canonical scalar, or `ValueError`.
pub fn scalar(bytes: &[u8]) -> PyResult<Zeroizing<Scalar>> {
    Option::from(Scalar::from_canonical_bytes(array(bytes)?))
        .map(Zeroizing::new)
        .ok_or_else(|| PyValueError::new_err("scalar is not below the group order"))
}

/// The point that the bytes encode, or `ValueError`.
pub fn point(bytes: &[u8]) -> PyResult<RistrettoPoint> {
    CompressedRistretto(array(bytes)?)
        .decompress()
        .ok_or_else(|| PyValueError::new_err("bytes do not encode a ristretto point"))
}

pub fn blake2b512(parts: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut hash = Blake2b512::new();
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

/// `wide(B512(parts…))`.
pub fn hash_parts_to_scalar(parts: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&blake2b512(parts))
}

/// `Elligator(B512(parts…))`.
pub fn hash_parts_to_point(parts: &[&[u8]]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&blake2b512(parts))
}

#[pyfunction]
fn scalar_is_canonical(bytes: &[u8]) -> PyResult<bool> {
    Ok(Scalar::from_canonical_bytes(array(bytes)?).is_some().into())
}

#[pyfunction]
fn scalar_reduce(bytes: &[u8]) -> PyResult<[u8; 32]> {
    Ok(Scalar::from_bytes_mod_order(array(bytes)?).to_bytes())
}

#[pyfunction]
fn scalar_from_wide(bytes: &[u8]) -> PyResult<[u8; 32]> {
    Ok(Scalar::from_bytes_mod_order_wide(&array(bytes)?).to_bytes())
}

#[pyfunction]
fn scalar_add(left: &[u8], right: &[u8]) -> PyResult<[u8; 32]> {
    Ok((*scalar(left)? + *scalar(right)?).to_bytes())
}

#[pyfunction]
fn scalar_subtract(left: &[u8], right: &[u8]) -> PyResult<[u8; 32]> {
    Ok((*scalar(left)? - *scalar(right)?).to_bytes())
}

#[pyfunction]
fn scalar_multiply(left: &[u8], right: &[u8]) -> PyResult<[u8; 32]> {
    Ok((*scalar(left)? * *scalar(right)?).to_bytes())
}

#[pyfunction]
fn hash_to_scalar(tag: &[u8], data: &[u8]) -> [u8; 32] {
    hash_parts_to_scalar(&[tag, data]).to_bytes()
}

#[pyfunction]
fn point_is_valid(bytes: &[u8]) -> PyResult<bool> {
    Ok(CompressedRistretto(array(bytes)?).decompress().is_some())
}

#[pyfunction]
fn point_from_uniform(bytes: &[u8]) -> PyResult<[u8; 32]> {
    Ok(RistrettoPoint::from_uniform_bytes(&array(bytes)?)
        .compress()
        .to_bytes())
}

#[pyfunction]
fn hash_to_point(tag: &[u8], data: &[u8]) -> [u8; 32] {
    hash_parts_to_point(&[tag, data]).compress().to_bytes()
}

#[pyfunction]
fn base_multiply(factor: &[u8]) -> PyResult<[u8; 32]> {
    Ok(RistrettoPoint::mul_base(&*scalar(factor)?)
        .compress()
        .to_bytes())
}

#[pyfunction]
fn point_multiply(factor: &[u8], of: &[u8]) -> PyResult<[u8; 32]> {
    Ok((*scalar(factor)? * point(of)?).compress().to_bytes())
}

#[pyfunction]
fn point_add(left: &[u8], right: &[u8]) -> PyResult<[u8; 32]> {
    Ok((point(left)? + point(right)?).compress().to_bytes())
}

#[pyfunction]
fn point_subtract(left: &[u8], right: &[u8]) -> PyResult<[u8; 32]> {
    Ok((point(left)? - point(right)?).compress().to_bytes())
}

/// `Hs(X)` of the one-time keys.
fn onetime_scalar(shared_secret: &CompressedRistretto) -> Zeroizing<Scalar> {
    Zeroizing::new(hash_parts_to_scalar(&[
        ONETIME_KEY_TAG,
        shared_secret.as_bytes(),
    ]))
}

type OutputKeys = ([u8; 32], [u8; 32], [u8; 32]);

/// (target key `Hs(rC)G + D`, public key `rD`, shared secret `rC`) of a new output.
#[pyfunction]
fn create_output_keys(
    tx_private: &[u8],
    view_public: &[u8],
    spend_public: &[u8],
) -> PyResult<OutputKeys> {
    let secret = scalar(tx_private)?;
    let spend = point(spend_public)?;
    let shared_secret = (*secret * point(view_public)?).compress();
    let target = RistrettoPoint::mul_base(&onetime_scalar(&shared_secret)) + spend;
    Ok((
        target.compress().to_bytes(),
        (*secret * spend).compress().to_bytes(),
        shared_secret.to_bytes(),
    ))
}

type Scanned = Option<([u8; 32], [u8; 32])>;

/// (shared secret `aR`, spend key `P - Hs(aR)G` that would own it) of one output.
fn scan_output(view_private: &Scalar, public_key: &[u8; 32], target_key: &[u8; 32]) -> Scanned {
    let public = CompressedRistretto(*public_key).decompress()?;
    let target = CompressedRistretto(*target_key).decompress()?;
    let shared_secret = (view_private * public).compress();
    let spend = target - RistrettoPoint::mul_base(&onetime_scalar(&shared_secret));
    Some((shared_secret.to_bytes(), spend.compress().to_bytes()))
}

#[pyfunction]
fn scan_outputs(
    py: Python<'_>,
    view_private: &[u8],
    outputs: Vec<([u8; 32], [u8; 32])>,
) -> PyResult<Vec<Scanned>> {
    let view_private = scalar(view_private)?;
    Ok(py.detach(|| {
        outputs
            .iter()
            .map(|(public_key, target_key)| scan_output(&view_private, public_key, target_key))
            .collect()
    }))
}

/// `wide(B512("mc_subaddress" || a || n))`, with `n` as a 32-byte little-endian scalar.
fn subaddress_scalar(view_private: &Scalar, index: u64) -> Zeroizing<Scalar> {
    Zeroizing::new(hash_parts_to_scalar(&[
        SUBADDRESS_TAG,
        view_private.as_bytes(),
        Scalar::from(index).as_bytes(),
    ]))
}

#[pyfunction]
fn subaddress_tweak(view_private: &[u8], index: u64) -> PyResult<[u8; 32]> {
    Ok(subaddress_scalar(&*scalar(view_private)?, index).to_bytes())
}

/// The spend public keys `h_n G + B` of subaddresses, in the order of `indices`.
#[pyfunction]
fn subaddress_spend_publics(
    py: Python<'_>,
    view_private: &[u8],
    spend_public: &[u8],
    indices: Vec<u64>,
) -> PyResult<Vec<[u8; 32]>> {
    let view_private = scalar(view_private)?;
    let spend_public = point(spend_public)?;
    Ok(py.detach(|| {
        // Halved, so that the batch compression, which doubles, gives the points themselves.
        let half = Scalar::from(2u8).invert();
        let half_spend = half * spend_public;
        let halves: Vec<RistrettoPoint> = indices
            .iter()
            .map(|index| {
                let tweak = Zeroizing::new(half * *subaddress_scalar(&view_private, *index));
                RistrettoPoint::mul_base(&tweak) + half_spend
            })
            .collect();
        RistrettoPoint::double_and_compress_batch(&halves)
            .iter()
            .map(CompressedRistretto::to_bytes)
            .collect()
    }))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(scalar_is_canonical, module)?)?;
    module.add_function(wrap_pyfunction!(scalar_reduce, module)?)?;
    module.add_function(wrap_pyfunction!(scalar_from_wide, module)?)?;
    module.add_function(wrap_pyfunction!(scalar_add, module)?)?;
    module.add_function(wrap_pyfunction!(scalar_subtract, module)?)?;
    module.add_function(wrap_pyfunction!(scalar_multiply, module)?)?;
    module.add_function(wrap_pyfunction!(hash_to_scalar, module)?)?;
    module.add_function(wrap_pyfunction!(point_is_valid, module)?)?;
    module.add_function(wrap_pyfunction!(point_from_uniform, module)?)?;
    module.add_function(wrap_pyfunction!(hash_to_point, module)?)?;
    module.add_function(wrap_pyfunction!(base_multiply, module)?)?;
    module.add_function(wrap_pyfunction!(point_multiply, module)?)?;
    module.add_function(wrap_pyfunction!(point_add, module)?)?;
    module.add_function(wrap_pyfunction!(point_subtract, module)?)?;
    module.add_function(wrap_pyfunction!(create_output_keys, module)?)?;
    module.add_function(wrap_pyfunction!(scan_outputs, module)?)?;
    module.add_function(wrap_pyfunction!(subaddress_tweak, module)?)?;
    module.add_function(wrap_pyfunction!(subaddress_spend_publics, module)?)
}
