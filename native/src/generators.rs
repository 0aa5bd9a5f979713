//! Points that everyone derives from a hash: `Hp`, the value base of each token, and the bases of
//! the range proofs. [docs/protocol/crypto.md#13, #15]
use std::sync::{Mutex, OnceLock};

use crate::curve::hash_parts_to_point;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
use curve25519_dalek::ristretto::RistrettoPoint;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use shake::digest::{ExtendableOutput, Update, XofReader};
use shake::{Shake256, Shake256Reader};

const HASH_TO_POINT_TAG: &[u8] = b"mc_onetime_key_hash_to_point";

/// Bits of a range, hence generators of each kind per party.
pub const BITS: usize = 64;
/// Most values in one range proof.
pub const PARTIES_MAX: usize = 64;

/// Token ids whose value base is remembered. A stranger chooses token ids, so there is an end;
/// honest traffic uses a handful.
const VALUE_GENERATORS_MAX: usize = 64;

/// `Hp` over 32 bytes that encode a point: a point whose discrete logarithm nobody knows.
pub fn hash_to_point(encoded: &[u8; 32]) -> RistrettoPoint {
    hash_parts_to_point(&[HASH_TO_POINT_TAG, encoded])
}

/// A base together with its encoding.
#[derive(Clone, Copy)]
pub struct Base {
    pub point: RistrettoPoint,
    pub encoded: [u8; 32],
}

/// The value base `H_t`. The bytes XORed with the token id are only hashed, never decoded.
pub fn value_generator(token_id: u64) -> Base {
    static RECENT: Mutex<Vec<(u64, Base)>> = Mutex::new(Vec::new());

    let mut recent = RECENT.lock().unwrap_or_else(|poison| poison.into_inner());
    if let Some(position) = recent.iter().position(|(id, _)| *id == token_id) {
        let entry = recent.remove(position);
        recent.push(entry);
        return entry.1;
    }
    let mut encoded = RISTRETTO_BASEPOINT_COMPRESSED.to_bytes();
    for (byte, mask) in encoded.iter_mut().zip(token_id.to_le_bytes()) {
        *byte ^= mask;
    }
    let point = hash_to_point(&encoded);
    let base = Base {
        point,
        encoded: point.compress().to_bytes(),
    };
    if recent.len() == VALUE_GENERATORS_MAX {
        recent.remove(0);
    }
    recent.push((token_id, base));
    base
}

/// Bases of one party of a range proof.
pub struct Party {
    pub g: [RistrettoPoint; BITS],
    pub h: [RistrettoPoint; BITS],
}

impl Party {
    fn derive(index: usize) -> Party {
        let index = u32::try_from(index).expect("a party index is below 64");
        Party {
            g: chain(b'G', index),
            h: chain(b'H', index),
        }
    }
}

fn chain(side: u8, party: u32) -> [RistrettoPoint; BITS] {
    let mut hash = Shake256::default();
    hash.update(b"GeneratorsChain");
    hash.update(&[side]);
    hash.update(&party.to_le_bytes());
    let mut reader: Shake256Reader = hash.finalize_xof();
    std::array::from_fn(|_| {
        let mut block = [0u8; 64];
        reader.read(&mut block);
        RistrettoPoint::from_uniform_bytes(&block)
    })
}

/// The bases of party `index`, made when first asked for.
pub fn party(index: usize) -> &'static Party {
    static PARTIES: [OnceLock<Box<Party>>; PARTIES_MAX] = [const { OnceLock::new() }; PARTIES_MAX];
    PARTIES[index].get_or_init(|| Box::new(Party::derive(index)))
}

#[pyfunction(name = "value_generator")]
fn py_value_generator(py: Python<'_>, token_id: u64) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &value_generator(token_id).encoded)
}

#[pyfunction(name = "range_proof_generators")]
fn py_range_proof_generators(
    py: Python<'_>,
    party_index: usize,
) -> PyResult<(Bound<'_, PyBytes>, Bound<'_, PyBytes>)> {
    if party_index >= PARTIES_MAX {
        return Err(pyo3::exceptions::PyValueError::new_err(format!(
            "party index is {party_index}, limit 63"
        )));
    }
    let (g, h) = py.detach(|| {
        let bases = party(party_index);
        (encode_all(&bases.g), encode_all(&bases.h))
    });
    Ok((PyBytes::new(py, &g), PyBytes::new(py, &h)))
}

fn encode_all(points: &[RistrettoPoint]) -> Vec<u8> {
    points
        .iter()
        .flat_map(|point| point.compress().to_bytes())
        .collect()
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(py_value_generator, m)?)?;
    m.add_function(wrap_pyfunction!(py_range_proof_generators, m)?)
}
