//! Native half of mcnode: Python decides, Rust computes.
//!
//! One module per concept; each has `register(module)` and adds its functions flat to
//! `mcnode._native`. The contract seen from Python is `src/mcnode/_native.pyi`.
use pyo3::prelude::*;

mod curve;
mod ed25519;
mod rng;
mod schnorrkel;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    curve::register(module)?;
    ed25519::register(module)?;
    schnorrkel::register(module)?;
    rng::register(module)?;
    Ok(())
}
