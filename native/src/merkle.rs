//! Which nodes of the ledger's tree make up membership proofs, and their packed rows.
//!
//! The tree is full-width over a power of two of leaves; a node is named by its inclusive range of
//! leaves and stored under both ends, big-endian. Ranges without leaves are not stored.
use std::collections::{BTreeSet, HashMap};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::curve::array;

type Key = [u8; 16];

/// The leaf, then the sibling of what is combined so far, bottom up.
fn ranges(index: u64, num_leaves: u64) -> impl Iterator<Item = (u64, u64)> {
    let depth = u64::BITS - num_leaves.saturating_sub(1).leading_zeros();
    std::iter::once((index, index)).chain((0..depth).map(move |level| {
        let start = ((index >> level) ^ 1) << level;
        (start, start + ((1 << level) - 1))
    }))
}

fn key(start: u64, end: u64) -> Key {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&start.to_be_bytes());
    key[8..].copy_from_slice(&end.to_be_bytes());
    key
}

/// Keys of the stored nodes that proofs of these leaves need, ascending, each once.
#[pyfunction]
fn merkle_proof_keys<'py>(
    py: Python<'py>,
    indices: Vec<u64>,
    num_leaves: u64,
) -> Vec<Bound<'py, PyBytes>> {
    let keys: BTreeSet<Key> = indices
        .into_iter()
        .flat_map(|index| ranges(index, num_leaves))
        .filter(|&(start, _)| start < num_leaves)
        .map(|(start, end)| key(start, end))
        .collect();
    keys.iter().map(|key| PyBytes::new(py, key)).collect()
}

/// For each leaf the rows of its proof: both ends little-endian and the hash, 48 bytes each.
#[pyfunction]
fn merkle_proof_rows<'py>(
    py: Python<'py>,
    indices: Vec<u64>,
    num_leaves: u64,
    nodes: Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>,
    nil: &[u8],
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let nil: [u8; 32] = array(nil)?;
    let mut hashes: HashMap<Key, [u8; 32]> = HashMap::with_capacity(nodes.len());
    for (key, hash) in &nodes {
        hashes.insert(array(key.as_bytes())?, array(hash.as_bytes())?);
    }
    indices
        .into_iter()
        .map(|index| {
            let mut rows = Vec::with_capacity(48 * 32);
            for (start, end) in ranges(index, num_leaves) {
                let hash = match hashes.get(&key(start, end)) {
                    Some(hash) => hash,
                    None if start >= num_leaves => &nil,
                    None => {
                        return Err(PyValueError::new_err(format!(
                            "tree node {start} to {end} is not stored"
                        )));
                    }
                };
                rows.extend_from_slice(&start.to_le_bytes());
                rows.extend_from_slice(&end.to_le_bytes());
                rows.extend_from_slice(hash);
            }
            Ok(PyBytes::new(py, &rows))
        })
        .collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(merkle_proof_keys, module)?)?;
    module.add_function(wrap_pyfunction!(merkle_proof_rows, module)?)
}
