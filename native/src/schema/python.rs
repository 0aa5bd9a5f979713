//! Tapes to Python objects and back.
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyList, PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt, ffi};

use super::lazy::LazySequence;
use super::plan::{Body, FieldPlan, MessagePlan, Plan, Presence, Scalar, Wire};
use super::reader::Refusal;
use super::tape::{Cell, Node, Shared, Tape, bytes, integer};

/// How deep messages made in Python may nest. Reading stops at 100, and the deepest message read
/// has required ones inside; beyond that it only keeps the stack from running out.
const DEPTH_MAX: u32 = 200;

/// A finished tape that Python objects may keep.
pub struct Source {
    pub plan: Arc<Plan>,
    pub tape: Arc<Tape>,
}

impl Source {
    /// The Python object of a message.
    pub fn object<'py>(&self, py: Python<'py>, node: Node<'_>) -> PyResult<Bound<'py, PyAny>> {
        let plan = node.message_plan();
        let object = bare_instance(plan.class.bind(py))?;
        for (field, cell) in node.fields() {
            let value = self.value(py, field, node, cell)?;
            set_attribute(&object, field.attribute.bind(py), &value)?;
        }
        if plan.post_init {
            object.call_method0("__post_init__")?;
        }
        Ok(object)
    }

    fn value<'py>(
        &self,
        py: Python<'py>,
        field: &FieldPlan,
        node: Node<'_>,
        cell: Cell,
    ) -> PyResult<Bound<'py, PyAny>> {
        if field.repeated {
            return self.list(py, field, node, cell);
        }
        if matches!(cell, Cell::Unset) && field.presence == Presence::Optional {
            return Ok(py.None().into_bound(py));
        }
        match &field.body {
            Body::Scalar(scalar) => scalar_object(py, scalar, node, cell),
            Body::Message(message) => self.object(py, node.sub(*message, cell)),
            Body::Oneof(oneof) => {
                let Cell::Choice(alternative, _) = cell else {
                    return Ok(py.None().into_bound(py));
                };
                let message = oneof.alternatives[alternative as usize].1;
                self.object(py, node.sub(message, cell))
            }
        }
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        field: &FieldPlan,
        node: Node<'_>,
        cell: Cell,
    ) -> PyResult<Bound<'py, PyAny>> {
        let items: Vec<Bound<'py, PyAny>> = match (&field.body, cell) {
            (Body::Message(message), Cell::List(list)) if field.lazy => {
                return LazySequence::new(Shared {
                    plan: self.plan.clone(),
                    tape: self.tape.clone(),
                    message: *message,
                    list,
                })
                .into_bound_py_any(py);
            }
            (Body::Message(message), _) => node
                .elements(*message, cell)
                .into_iter()
                .map(|element| self.object(py, element))
                .collect::<PyResult<_>>()?,
            (Body::Scalar(scalar), _) if scalar.wire.is_integer() => node
                .integers(cell)
                .iter()
                .map(|&value| scalar_object(py, scalar, node, Cell::Int(value)))
                .collect::<PyResult<_>>()?,
            (Body::Scalar(scalar), _) => node
                .cells_of_list(cell)
                .iter()
                .map(|&element| scalar_object(py, scalar, node, element))
                .collect::<PyResult<_>>()?,
            (Body::Oneof(_), _) => Vec::new(),
        };
        Ok(PyTuple::new(py, items)?.into_any())
    }
}

fn scalar_object<'py>(
    py: Python<'py>,
    scalar: &Scalar,
    node: Node<'_>,
    cell: Cell,
) -> PyResult<Bound<'py, PyAny>> {
    if scalar.wire == Wire::Bool {
        return Ok(PyBool::new(py, integer(cell) != 0).to_owned().into_any());
    }
    if scalar.wire.is_integer() {
        return integer(cell).into_bound_py_any(py);
    }
    let contents = bytes(node.tape, scalar, cell);
    if scalar.wire.is_text() {
        return Ok(PyString::from_bytes(py, contents)?.into_any());
    }
    Ok(PyBytes::new(py, contents).into_any())
}

/// An instance with no attribute set: what `cls.__new__(cls)` gives for a plain dataclass.
fn bare_instance<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the class is a live heap type made by `dataclass`, whose allocation needs no
    // arguments; the result is a new reference or NULL with an exception set.
    unsafe {
        Bound::from_owned_ptr_or_err(
            class.py(),
            ffi::PyType_GenericNew(
                class.as_type_ptr(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            ),
        )
    }
}

/// `object.__setattr__`, which passes by the refusal of a frozen dataclass.
fn set_attribute(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: three live objects; the call takes no reference of ours.
    let outcome =
        unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) };
    if outcome == 0 {
        return Ok(());
    }
    Err(PyErr::take(object.py())
        .unwrap_or_else(|| PyRuntimeError::new_err("attribute could not be set")))
}

type Result<T> = std::result::Result<T, Refusal>;

/// Lay the Python `object` of message number `message` on a tape; the first cell is returned.
pub fn to_tape(plan: &Plan, tape: &mut Tape, object: &Bound<'_, PyAny>) -> Result<u32> {
    lay_message(plan, tape, 0, object, DEPTH_MAX)
}

fn lay_message(
    plan: &Plan,
    tape: &mut Tape,
    message: usize,
    object: &Bound<'_, PyAny>,
    depth: u32,
) -> Result<u32> {
    let message_plan = &plan.messages[message];
    expect_class(message_plan, object)?;
    if depth == 0 {
        return Err(Refusal::new("recursion limit reached"));
    }
    let start = tape.allocate(message_plan);
    for (index, field) in message_plan.fields.iter().enumerate() {
        let cell = object
            .getattr(field.attribute.bind(object.py()))
            .map_err(|error| Refusal::new(error.to_string()))
            .and_then(|value| lay_field(plan, tape, field, &value, depth))
            .map_err(|refusal| refusal.within(message_plan, field))?;
        tape.cells[start as usize + index] = cell;
    }
    Ok(start)
}

fn expect_class(plan: &MessagePlan, object: &Bound<'_, PyAny>) -> Result<()> {
    let class = plan.class.bind(object.py());
    if object.get_type().is(class) || object.is_instance(class).unwrap_or(false) {
        return Ok(());
    }
    Err(wrong_type(&plan.name, object))
}

fn wrong_type(expected: &str, object: &Bound<'_, PyAny>) -> Refusal {
    let found = object.get_type().name();
    let found = found.map_or_else(|_| "?".to_owned(), |name| name.to_string());
    Refusal::new(format!("expected {expected}, found {found}"))
}

fn lay_field(
    plan: &Plan,
    tape: &mut Tape,
    field: &FieldPlan,
    value: &Bound<'_, PyAny>,
    depth: u32,
) -> Result<Cell> {
    if field.repeated {
        return lay_list(plan, tape, field, value, depth);
    }
    if value.is_none() && field.presence == Presence::Optional {
        return Ok(Cell::Unset);
    }
    match &field.body {
        Body::Scalar(scalar) => lay_scalar(tape, scalar, value),
        Body::Message(message) => {
            lay_message(plan, tape, *message, value, depth - 1).map(Cell::Message)
        }
        Body::Oneof(oneof) => {
            for (alternative, &(_, message)) in oneof.alternatives.iter().enumerate() {
                if expect_class(&plan.messages[message], value).is_ok() {
                    let start = lay_message(plan, tape, message, value, depth - 1)?;
                    return Ok(Cell::Choice(alternative as u32, start));
                }
            }
            let names: Vec<&str> = oneof
                .alternatives
                .iter()
                .map(|&(_, message)| plan.messages[message].name.as_str())
                .collect();
            Err(wrong_type(&names.join(" or "), value))
        }
    }
}

fn lay_list(
    plan: &Plan,
    tape: &mut Tape,
    field: &FieldPlan,
    value: &Bound<'_, PyAny>,
    depth: u32,
) -> Result<Cell> {
    if let (Body::Message(message), Ok(lazy)) = (&field.body, value.cast::<LazySequence>()) {
        let shared = lazy.get().shared();
        let class = &shared.plan.messages[shared.message].class;
        if class.is(&plan.messages[*message].class) {
            return Ok(tape.borrow(shared.clone()));
        }
    }
    if !value.is_instance_of::<PyTuple>()
        && !value.is_instance_of::<PyList>()
        && !value.is_instance_of::<LazySequence>()
    {
        return Err(wrong_type("tuple", value));
    }
    let items = value
        .try_iter()
        .and_then(Iterator::collect::<PyResult<Vec<_>>>)
        .map_err(|error| Refusal::new(error.to_string()))?;
    if items.is_empty() {
        return Ok(Cell::Unset);
    }
    match &field.body {
        Body::Scalar(scalar) if scalar.wire.is_integer() => {
            let integers = items
                .iter()
                .map(|item| lay_scalar(tape, scalar, item).map(integer))
                .collect::<Result<_>>()?;
            Ok(tape.add_integers(integers))
        }
        Body::Scalar(scalar) => {
            let cells = items
                .iter()
                .map(|item| lay_scalar(tape, scalar, item))
                .collect::<Result<_>>()?;
            Ok(tape.add_list(cells))
        }
        Body::Message(message) => {
            let cells = items
                .iter()
                .map(|item| lay_message(plan, tape, *message, item, depth - 1).map(Cell::Message))
                .collect::<Result<_>>()?;
            Ok(tape.add_list(cells))
        }
        Body::Oneof(_) => Err(Refusal::new("a oneof is not repeated")),
    }
}

/// Put a scalar value on the tape.
pub fn lay_scalar(tape: &mut Tape, scalar: &Scalar, value: &Bound<'_, PyAny>) -> Result<Cell> {
    match scalar.wire {
        Wire::Bool => match value.cast::<PyBool>() {
            Ok(flag) => Ok(Cell::Int(u64::from(flag.is_true()))),
            Err(_) => Err(wrong_type("bool", value)),
        },
        Wire::Varint32 => match value.extract::<u32>() {
            Ok(number) => Ok(Cell::Int(u64::from(number))),
            Err(_) => Err(wrong_type("int from 0 to 4294967295", value)),
        },
        Wire::Varint64 | Wire::Fixed64 => match value.extract::<u64>() {
            Ok(number) => Ok(Cell::Int(number)),
            Err(_) => Err(wrong_type("int from 0 to 18446744073709551615", value)),
        },
        Wire::Text | Wire::TextWrapper => {
            let text = value.cast::<PyString>();
            let text = text.map_err(|_| wrong_type("str", value))?;
            let text: String = text
                .extract()
                .map_err(|_| Refusal::new("expected text without surrogates"))?;
            Ok(tape.store(text.as_bytes()))
        }
        Wire::Bytes | Wire::Wrapper => {
            let contents = value.cast::<PyBytes>();
            let contents = contents.map_err(|_| wrong_type("bytes", value))?.as_bytes();
            if scalar.length.is_some_and(|length| length != contents.len()) {
                return Err(Refusal::new(format!(
                    "expected {} bytes, found {}",
                    scalar.length.unwrap_or_default(),
                    contents.len()
                )));
            }
            Ok(tape.store(contents))
        }
    }
}
