//! Folding of Merkle proofs of outputs. [docs/protocol/transaction.md#5]
//!
//! Which root a proof must imply, and which elements it may have, is decided in Python; here many
//! proofs are hashed up at once.
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::commitment::elements;

const NODE_TAG: &[u8] = b"mc_tx_out_merkle_node";

/// Begin and end of a range, 8 bytes little-endian each, then the 32-byte hash.
const ELEMENT_BYTES: usize = 48;

type Element = [u8; ELEMENT_BYTES];

/// What a proof implies, or the first element that does not fit.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Folded {
    Root { from: u64, to: u64, hash: [u8; 32] },
    Reversed(usize),
    NotAdjacent(usize),
}

fn split(element: &Element) -> (u64, u64, [u8; 32]) {
    let (from, rest) = element.split_first_chunk().expect("48 bytes");
    let (to, hash) = rest.split_first_chunk().expect("40 bytes");
    (
        u64::from_le_bytes(*from),
        u64::from_le_bytes(*to),
        hash.try_into().expect("32 bytes"),
    )
}

fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Blake2b::<U32>::new()
        .chain_update(NODE_TAG)
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// Combine a proof's elements, the first of which is its leaf. Ranges are looked at first, all of
/// them, so a reversed one is reported even behind one that is not adjacent.
fn fold(proof: &[Element]) -> Folded {
    let reversed = proof.iter().position(|element| {
        let (from, to, _) = split(element);
        from > to
    });
    if let Some(position) = reversed {
        return Folded::Reversed(position);
    }
    let Some((leaf, siblings)) = proof.split_first() else {
        return Folded::NotAdjacent(0);
    };
    let (mut from, mut to, mut hash) = split(leaf);
    for (index, sibling) in siblings.iter().enumerate() {
        let (sibling_from, sibling_to, sibling_hash) = split(sibling);
        let follows = to.wrapping_add(1) == sibling_from;
        let precedes = sibling_to.wrapping_add(1) == from;
        if follows == precedes {
            return Folded::NotAdjacent(index + 1);
        }
        hash = if follows {
            node_hash(&hash, &sibling_hash)
        } else {
            node_hash(&sibling_hash, &hash)
        };
        from = from.min(sibling_from);
        to = to.max(sibling_to);
    }
    Folded::Root { from, to, hash }
}

type PyFolded<'py> = (u8, usize, u64, u64, Bound<'py, PyBytes>);

#[pyfunction]
fn membership_fold<'py>(
    py: Python<'py>,
    proofs: Vec<Bound<'py, PyBytes>>,
) -> PyResult<Vec<PyFolded<'py>>> {
    let proofs = proofs
        .iter()
        .map(|proof| elements::<ELEMENT_BYTES>(proof.as_bytes(), "proof"))
        .collect::<PyResult<Vec<_>>>()?;
    let folded: Vec<Folded> = py.detach(|| proofs.iter().map(|proof| fold(proof)).collect());
    Ok(folded
        .into_iter()
        .map(|folded| match folded {
            Folded::Root { from, to, hash } => (0, 0, from, to, PyBytes::new(py, &hash)),
            Folded::Reversed(position) => (1, position, 0, 0, PyBytes::new(py, b"")),
            Folded::NotAdjacent(position) => (2, position, 0, 0, PyBytes::new(py, b"")),
        })
        .collect())
}

pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(membership_fold, m)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(from: u64, to: u64, byte: u8) -> Element {
        let mut made = [byte; ELEMENT_BYTES];
        made[..8].copy_from_slice(&from.to_le_bytes());
        made[8..16].copy_from_slice(&to.to_le_bytes());
        made
    }

    #[test]
    fn siblings_stand_on_the_side_their_range_says() {
        let right = fold(&[element(0, 0, 1), element(1, 1, 2)]);
        let left = fold(&[element(1, 1, 2), element(0, 0, 1)]);
        assert_eq!(right, left);
        assert_eq!(
            right,
            Folded::Root {
                from: 0,
                to: 1,
                hash: node_hash(&[1; 32], &[2; 32])
            }
        );
    }

    #[test]
    fn the_whole_index_space_is_adjacent_on_both_sides() {
        let proof = [element(0, u64::MAX - 1, 1), element(u64::MAX, u64::MAX, 2)];
        assert_eq!(fold(&proof), Folded::NotAdjacent(1));
    }

    #[test]
    fn a_reversed_range_is_found_behind_a_gap() {
        let proof = [element(0, 0, 1), element(5, 5, 2), element(7, 6, 3)];
        assert_eq!(fold(&proof), Folded::Reversed(2));
    }
}
