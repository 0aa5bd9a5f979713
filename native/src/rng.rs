//! Deterministic generators that reproduce known byte streams.
//!
//! Not for secrets of a running node: those come from the operating system, injected by the shell.
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};
use rand_chacha::ChaCha12Rng;
use rand_core_06::{RngCore, SeedableRng};
use rand_hc::Hc128Rng;

use crate::curve::array;

/// More than any fixture draws at once; a mistaken count must not exhaust memory.
const BYTES_MAX: usize = 1 << 24;

fn fill<'py>(
    py: Python<'py>,
    generator: &mut impl RngCore,
    count: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    if count > BYTES_MAX {
        return Err(PyValueError::new_err(format!(
            "asked for {count} bytes at once, limit {BYTES_MAX}"
        )));
    }
    PyBytes::new_with(py, count, |bytes| {
        generator.fill_bytes(bytes);
        Ok(())
    })
}

macro_rules! generator {
    ($name:ident, $inner:ty, $python_name:literal) => {
        #[pyclass(module = "mcnode._native", name = $python_name)]
        struct $name($inner);

        #[pymethods]
        impl $name {
            #[new]
            fn new(seed: &[u8]) -> PyResult<Self> {
                Ok(Self(<$inner>::from_seed(array(seed)?)))
            }

            fn __call__<'py>(
                &mut self,
                py: Python<'py>,
                count: usize,
            ) -> PyResult<Bound<'py, PyBytes>> {
                fill(py, &mut self.0, count)
            }

            fn next_u32(&mut self) -> u32 {
                self.0.next_u32()
            }

            fn next_u64(&mut self) -> u64 {
                self.0.next_u64()
            }
        }
    };
}

generator!(Hc128, Hc128Rng, "Hc128Rng");
generator!(ChaCha12, ChaCha12Rng, "ChaCha12Rng");

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Hc128>()?;
    module.add_class::<ChaCha12>()
}
