//! Points that were decoded or hashed before, for as long as somebody holds on to them.
//!
//! A commitment is looked at four times while its transaction is judged, and transactions that are
//! judged together may share ring members. The one who judges makes the memory and drops it; nothing
//! outlives that, so nobody learns from the time of one judgement what was in an earlier one.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use pyo3::prelude::*;

use crate::generators::hash_to_point;

type Encoded = [u8; 32];

#[derive(Default)]
struct Memory {
    decoded: HashMap<Encoded, RistrettoPoint>,
    hashed: HashMap<Encoded, RistrettoPoint>,
}

/// At most `limit` points of each kind; when it is full, it takes no more.
#[pyclass(frozen, module = "mcnode._native")]
pub struct KnownPoints {
    limit: usize,
    memory: Mutex<Memory>,
}

#[pymethods]
impl KnownPoints {
    #[new]
    pub fn new(limit: usize) -> KnownPoints {
        KnownPoints {
            limit,
            memory: Mutex::default(),
        }
    }

    fn __len__(&self) -> usize {
        self.with(|memory| memory.decoded.len() + memory.hashed.len())
    }
}

impl KnownPoints {
    fn with<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The point that the bytes encode, if they encode one.
pub fn decode(known: Option<&KnownPoints>, encoded: &Encoded) -> Option<RistrettoPoint> {
    let compute = || CompressedRistretto(*encoded).decompress();
    let Some(known) = known else {
        return compute();
    };
    if let Some(point) = known.with(|memory| memory.decoded.get(encoded).copied()) {
        return Some(point);
    }
    let point = compute()?;
    known.with(|memory| {
        if memory.decoded.len() < known.limit {
            memory.decoded.insert(*encoded, point);
        }
    });
    Some(point)
}

/// `Hp` of the bytes.
pub fn hashed(known: Option<&KnownPoints>, encoded: &Encoded) -> RistrettoPoint {
    let Some(known) = known else {
        return hash_to_point(encoded);
    };
    if let Some(point) = known.with(|memory| memory.hashed.get(encoded).copied()) {
        return point;
    }
    let point = hash_to_point(encoded);
    known.with(|memory| {
        if memory.hashed.len() < known.limit {
            memory.hashed.insert(*encoded, point);
        }
    });
    point
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<KnownPoints>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_bytes::Bytes;

    #[test]
    fn what_is_remembered_is_what_is_computed_and_there_is_an_end() {
        let mut bytes = Bytes::new(9);
        let known = KnownPoints::new(5);
        for _ in 0..3 {
            for _ in 0..8 {
                let point = bytes.point();
                let encoded = point.compress().to_bytes();
                assert_eq!(decode(Some(&known), &encoded), Some(point));
                assert_eq!(decode(Some(&known), &encoded), Some(point));
                assert_eq!(hashed(Some(&known), &encoded), hash_to_point(&encoded));
                assert_eq!(hashed(Some(&known), &encoded), hash_to_point(&encoded));
            }
            assert_eq!(decode(Some(&known), &[0xff; 32]), None);
        }
        assert_eq!(known.__len__(), 10);
    }
}
