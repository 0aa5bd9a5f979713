//! Native half of mcnode: Python decides, Rust computes.
//!
//! One module per concept; each has `register(module)` and adds its functions flat to
//! `mcnode._native`. The contract seen from Python is `src/mcnode/_native.pyi`.
use pyo3::prelude::*;

mod cbor;
mod commitment;
mod curve;
mod ed25519;
mod generators;
mod keccak;
mod known_points;
mod membership;
mod merkle;
mod multiscalar;
mod range_proof;
mod residue;
mod ring_signature;
mod rng;
mod schema;
mod schnorrkel;
mod strobe;
#[cfg(test)]
mod test_bytes;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    curve::register(module)?;
    ed25519::register(module)?;
    schnorrkel::register(module)?;
    rng::register(module)?;
    generators::register(module)?;
    known_points::register(module)?;
    commitment::register(module)?;
    ring_signature::register(module)?;
    range_proof::register(module)?;
    membership::register(module)?;
    merkle::register(module)?;
    schema::register(module)?;
    cbor::register(module)?;
    Ok(())
}
