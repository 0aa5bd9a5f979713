//! The engine that walks messages along their declarations.
//!
//! `plan` is the compiled declaration, `tape` holds values, `read` and `write` are protobuf,
//! `digest` is the structured hash, `python` and `lazy` make and take Python objects.
mod check;
mod digest;
mod lazy;
mod plan;
mod python;
mod read;
mod reader;
mod tape;
mod write;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyType};

use crate::strobe::Transcript;
use lazy::LazySequence;
use plan::Plan;
use python::Source;
use read::Form;
use reader::Refusal;
use tape::{Node, Tape};

/// From this many encoded bytes on, reading and hashing take long enough to let others run.
const DETACH_FROM_BYTES: usize = 2048;

fn raise(class: PyResult<&Bound<'_, PyType>>, refusal: Refusal) -> PyErr {
    match class.and_then(|class| class.call1((refusal.path, refusal.description))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn decode_error(py: Python<'_>, refusal: Refusal) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(
        CLASS.import(py, "mcnode.codec.errors", "DecodeError"),
        refusal,
    )
}

fn encode_error(py: Python<'_>, refusal: Refusal) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    raise(
        CLASS.import(py, "mcnode.codec.errors", "EncodeError"),
        refusal,
    )
}

fn form(rust_protobuf: bool) -> Form {
    if rust_protobuf {
        Form::RustProtobuf
    } else {
        Form::Prost
    }
}

/// Run `work`, letting other threads of Python run meanwhile when `size` is large.
fn maybe_detached<T: Send>(py: Python<'_>, size: usize, work: impl FnOnce() -> T + Send) -> T {
    if size < DETACH_FROM_BYTES {
        work()
    } else {
        py.detach(work)
    }
}

#[pyclass(frozen, module = "mcnode._native")]
pub struct MessageSchema {
    plan: Arc<Plan>,
}

impl MessageSchema {
    fn lay(&self, message: &Bound<'_, PyAny>) -> PyResult<(Tape, u32)> {
        let mut tape = Tape::default();
        let root = python::to_tape(&self.plan, &mut tape, message)
            .map_err(|refusal| encode_error(message.py(), refusal))?;
        Ok((tape, root))
    }

    fn read(
        &self,
        py: Python<'_>,
        data: &[u8],
        form: Form,
        elements_max: usize,
    ) -> PyResult<(Tape, u32)> {
        maybe_detached(py, data.len(), || {
            read::decode(&self.plan, data, form, elements_max)
        })
        .map_err(|refusal| decode_error(py, refusal))
    }

    fn object<'py>(&self, py: Python<'py>, tape: Tape, root: u32) -> PyResult<Bound<'py, PyAny>> {
        let source = Source {
            plan: self.plan.clone(),
            tape: Arc::new(tape),
        };
        source.object(py, Node::new(&source.plan, &source.tape, 0, root))
    }

    fn hash<'py>(
        &self,
        py: Python<'py>,
        context: &[u8],
        tape: &Tape,
        root: u32,
    ) -> Bound<'py, PyBytes> {
        let digest = maybe_detached(py, tape.data.len(), || {
            digest::digest32(context, Node::new(&self.plan, tape, 0, root))
        });
        PyBytes::new(py, &digest)
    }
}

#[pymethods]
impl MessageSchema {
    #[new]
    fn new(specs: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(MessageSchema {
            plan: Arc::new(Plan::compile(&specs)?),
        })
    }

    fn encode<'py>(
        &self,
        message: &Bound<'py, PyAny>,
        rust_protobuf: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (tape, root) = self.lay(message)?;
        let mut out = Vec::with_capacity(tape.data.len() * 5 / 4);
        let node = Node::new(&self.plan, &tape, 0, root);
        write::encode(node, form(rust_protobuf), &mut out);
        Ok(PyBytes::new(message.py(), &out))
    }

    fn decode<'py>(
        &self,
        py: Python<'py>,
        data: &[u8],
        rust_protobuf: bool,
        elements_max: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (tape, root) = self.read(py, data, form(rust_protobuf), elements_max)?;
        self.object(py, tape, root)
    }

    fn digest32<'py>(
        &self,
        context: &[u8],
        message: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (tape, root) = self.lay(message)?;
        Ok(self.hash(message.py(), context, &tape, root))
    }

    fn digest32_encoded<'py>(
        &self,
        py: Python<'py>,
        context: &[u8],
        data: &[u8],
        elements_max: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (tape, root) = self.read(py, data, Form::Prost, elements_max)?;
        Ok(self.hash(py, context, &tape, root))
    }

    fn decode_and_digest32<'py>(
        &self,
        py: Python<'py>,
        context: &[u8],
        data: &[u8],
        elements_max: usize,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyBytes>)> {
        let (tape, root) = self.read(py, data, Form::Prost, elements_max)?;
        let digest = self.hash(py, context, &tape, root);
        Ok((self.object(py, tape, root)?, digest))
    }

    fn unpacked(&self, py: Python<'_>, rows: &[u8], paths: Vec<String>) -> PyResult<LazySequence> {
        lazy::unpacked(py, &self.plan, rows, &paths)
    }

    fn appends<'py>(
        &self,
        context: &[u8],
        message: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
        let py = message.py();
        let (tape, root) = self.lay(message)?;
        let mut list: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        digest::append_message(&mut list, context, Node::new(&self.plan, &tape, 0, root));
        Ok(list
            .into_iter()
            .map(|(label, data)| (PyBytes::new(py, &label), PyBytes::new(py, &data)))
            .collect())
    }
}

/// A Merlin transcript for Python.
#[pyclass(name = "Transcript", module = "mcnode._native")]
pub struct PyTranscript {
    transcript: Transcript,
}

#[pymethods]
impl PyTranscript {
    #[new]
    fn new(label: &[u8]) -> Self {
        PyTranscript {
            transcript: Transcript::new(label),
        }
    }

    fn append_message(&mut self, label: &[u8], message: &[u8]) {
        self.transcript.append_message(label, message);
    }

    fn append_pairs(&mut self, pairs: Vec<(Bound<'_, PyBytes>, Bound<'_, PyBytes>)>) {
        for (label, message) in pairs {
            self.transcript
                .append_message(label.as_bytes(), message.as_bytes());
        }
    }

    fn append_declared(
        &mut self,
        context: &[u8],
        schema: &Bound<'_, MessageSchema>,
        message: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let schema = schema.get();
        let (tape, root) = schema.lay(message)?;
        let node = Node::new(&schema.plan, &tape, 0, root);
        digest::append_message(&mut self.transcript, context, node);
        Ok(())
    }

    fn challenge_bytes<'py>(
        &mut self,
        py: Python<'py>,
        label: &[u8],
        length: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, length, |output| {
            self.transcript.challenge_bytes(label, output);
            Ok(())
        })
    }

    fn copy(&self) -> Self {
        PyTranscript {
            transcript: self.transcript.clone(),
        }
    }
}

#[pyfunction]
fn decode_wrapper<'py>(
    py: Python<'py>,
    kind: &Bound<'py, PyAny>,
    data: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let scalar = plan::compile_scalar(kind)?;
    read::decode_wrapper(&scalar, data)
        .map(|value| PyBytes::new(py, &value))
        .map_err(|refusal| decode_error(py, refusal))
}

#[pyfunction]
fn encode_wrapper<'py>(
    kind: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let scalar = plan::compile_scalar(kind)?;
    let mut tape = Tape::default();
    let cell = python::lay_scalar(&mut tape, &scalar, value)
        .map_err(|refusal| encode_error(value.py(), refusal))?;
    let mut out = Vec::new();
    write::write_wrapped(
        &scalar,
        tape::bytes(&tape, &scalar, cell),
        Form::Prost,
        &mut out,
    );
    Ok(PyBytes::new(value.py(), &out))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<MessageSchema>()?;
    module.add_class::<LazySequence>()?;
    module.add_class::<PyTranscript>()?;
    module.add_function(wrap_pyfunction!(decode_wrapper, module)?)?;
    module.add_function(wrap_pyfunction!(encode_wrapper, module)?)
}
