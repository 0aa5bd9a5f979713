//! A list of messages whose Python objects are made when asked for.
use std::sync::Arc;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PySlice, PyTuple};

use super::plan::{Body, Plan, Wire};
use super::python::Source;
use super::tape::{Cell, Node, Shared, Tape, bytes, integer};

#[pyclass(frozen, sequence, module = "mcnode._native")]
pub struct LazySequence {
    shared: Shared,
}

impl LazySequence {
    pub fn new(shared: Shared) -> Self {
        LazySequence { shared }
    }

    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    fn object<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        let source = Source {
            plan: self.shared.plan.clone(),
            tape: self.shared.tape.clone(),
        };
        source.object(py, self.shared.node(self.shared.cells()[index]))
    }

    fn tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let items = (0..self.shared.cells().len())
            .map(|index| self.object(py, index))
            .collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, items)
    }
}

#[pymethods]
impl LazySequence {
    fn __len__(&self) -> usize {
        self.shared.cells().len()
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let length = self.shared.cells().len();
        if let Ok(slice) = key.cast::<PySlice>() {
            let bounds = slice.indices(length as isize)?;
            let items = (0..bounds.slicelength as isize)
                .map(|count| bounds.start + count * bounds.step)
                .map(|index| self.object(key.py(), index as usize))
                .collect::<PyResult<Vec<_>>>()?;
            return Ok(PyTuple::new(key.py(), items)?.into_any());
        }
        let index: isize = key.extract()?;
        let from_start = if index < 0 {
            index + length as isize
        } else {
            index
        };
        match usize::try_from(from_start) {
            Ok(position) if position < length => self.object(key.py(), position),
            _ => Err(PyIndexError::new_err(format!(
                "index {index} is outside of {length} elements"
            ))),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.tuple(py)?.into_any().try_iter()
    }

    fn __eq__<'py>(
        &self,
        py: Python<'py>,
        other: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(lazy) = other.cast::<LazySequence>() {
            return self
                .tuple(py)?
                .eq(lazy.get().tuple(py)?)?
                .into_bound_py_any(py);
        }
        if other.is_instance_of::<PyTuple>() {
            return self.tuple(py)?.eq(other)?.into_bound_py_any(py);
        }
        Ok(py.NotImplemented().into_bound(py))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.tuple(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.tuple(py)?.repr()?.to_string())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let tuple = self.tuple(py)?;
        (py.get_type::<PyTuple>(), (tuple,)).into_bound_py_any(py)
    }

    fn count(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Ok(self.tuple(py)?.call_method1("count", (value,))?.unbind())
    }

    fn index(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.tuple(py)?.index(value)
    }

    /// Rows of fixed-size values, one row for each element, without making objects.
    fn packed<'py>(&self, py: Python<'py>, paths: Vec<String>) -> PyResult<Bound<'py, PyBytes>> {
        let columns = paths
            .iter()
            .map(|path| column(py, &self.shared.plan, self.shared.message, path))
            .collect::<PyResult<Vec<_>>>()?;
        let mut rows = Vec::new();
        for &cell in self.shared.cells() {
            let element = self.shared.node(cell);
            for column in &columns {
                append_value(element, column, &mut rows);
            }
        }
        Ok(PyBytes::new(py, &rows))
    }
}

/// Field numbers from a message down to the fixed-size value at `path`.
fn column(py: Python<'_>, plan: &Plan, message: usize, path: &str) -> PyResult<Vec<usize>> {
    let wrong = || PyTypeError::new_err(format!("{path} is not a path to a fixed-size value"));
    let mut message = Some(message);
    let mut column = Vec::new();
    for part in path.split('.') {
        let fields = &plan.messages[message.ok_or_else(wrong)?].fields;
        let found = fields
            .iter()
            .position(|field| field.attribute.bind(py) == part);
        let index = found.ok_or_else(wrong)?;
        column.push(index);
        message = match &fields[index].body {
            _ if fields[index].repeated => return Err(wrong()),
            Body::Message(inner) => Some(*inner),
            Body::Scalar(scalar) if scalar.wire.is_integer() || scalar.length.is_some() => None,
            _ => return Err(wrong()),
        };
    }
    match message {
        None => Ok(column),
        Some(_) => Err(wrong()),
    }
}

/// The inverse of `packed`: elements of the first message of `plan`, from rows of values.
///
/// Nothing is checked but the size of the rows: they come from ourselves.
pub fn unpacked(
    py: Python<'_>,
    plan: &Arc<Plan>,
    rows: &[u8],
    paths: &[String],
) -> PyResult<LazySequence> {
    let columns = paths
        .iter()
        .map(|path| column(py, plan, 0, path))
        .collect::<PyResult<Vec<_>>>()?;
    let widths: Vec<usize> = columns.iter().map(|column| width(plan, column)).collect();
    let row_bytes: usize = widths.iter().sum();
    if row_bytes == 0 || !rows.len().is_multiple_of(row_bytes) {
        return Err(PyValueError::new_err(format!(
            "{} bytes are not rows of {row_bytes}",
            rows.len()
        )));
    }
    let mut tape = Tape::default();
    let mut list = Vec::with_capacity(rows.len() / row_bytes);
    for row in rows.chunks_exact(row_bytes) {
        let start = tape.allocate(&plan.messages[0]);
        let mut rest = row;
        for (column, &width) in columns.iter().zip(&widths) {
            let (value, after) = rest.split_at(width);
            lay_value(plan, &mut tape, 0, start, column, value);
            rest = after;
        }
        list.push(Cell::Message(start));
    }
    tape.add_list(list);
    Ok(LazySequence::new(Shared {
        plan: plan.clone(),
        tape: Arc::new(tape),
        message: 0,
        list: 0,
    }))
}

/// Bytes of a packed value: an integer's 8, a wrapper's length.
fn width(plan: &Plan, column: &[usize]) -> usize {
    let mut message = 0;
    for &index in column {
        match &plan.messages[message].fields[index].body {
            Body::Message(inner) => message = *inner,
            Body::Scalar(scalar) if scalar.wire.is_integer() => return 8,
            Body::Scalar(scalar) => return scalar.length.unwrap_or(0),
            Body::Oneof(_) => return 0,
        }
    }
    0
}

fn lay_value(
    plan: &Plan,
    tape: &mut Tape,
    message: usize,
    start: u32,
    column: &[usize],
    value: &[u8],
) {
    let place = start as usize + column[0];
    match &plan.messages[message].fields[column[0]].body {
        Body::Message(inner) => {
            let below = match tape.cells[place] {
                Cell::Message(below) => below,
                _ => tape.allocate(&plan.messages[*inner]),
            };
            tape.cells[place] = Cell::Message(below);
            lay_value(plan, tape, *inner, below, &column[1..], value);
        }
        Body::Scalar(scalar) if scalar.wire.is_integer() => {
            let mut little = [0; 8];
            little.copy_from_slice(value);
            tape.cells[place] = Cell::Int(u64::from_le_bytes(little));
        }
        _ => tape.cells[place] = tape.store(value),
    }
}

fn append_value(element: Node<'_>, column: &[usize], rows: &mut Vec<u8>) {
    let field = &element.message_plan().fields[column[0]];
    let cell = element.cell(column[0]);
    match &field.body {
        Body::Message(inner) => append_value(element.sub(*inner, cell), &column[1..], rows),
        Body::Scalar(scalar) if scalar.wire == Wire::Wrapper => {
            rows.extend_from_slice(bytes(element.tape, scalar, cell));
        }
        _ => rows.extend_from_slice(&integer(cell).to_le_bytes()),
    }
}
