"""Contract of the native extension: one section per Rust module, in the order of `lib.rs`.

Everything here is deterministic, touches no file and no clock, and releases the GIL where a call
takes longer than about 50 microseconds. A panic becomes `pyo3_runtime.PanicException`.
"""
