//! A tape to transcript appends. [docs/protocol/crypto.md#4]
use super::plan::{Body, FieldPlan, Presence, Scalar, Wire};
use super::tape::{Cell, Node, bytes, integer};
use crate::strobe::Transcript;

/// Where labelled messages go.
pub trait Sink {
    fn append(&mut self, label: &[u8], message: &[u8]);
}

impl Sink for Transcript {
    fn append(&mut self, label: &[u8], message: &[u8]) {
        self.append_message(label, message);
    }
}

impl Sink for Vec<(Vec<u8>, Vec<u8>)> {
    fn append(&mut self, label: &[u8], message: &[u8]) {
        self.push((label.to_vec(), message.to_vec()));
    }
}

/// The digest of a whole object: a transcript of its own, 32 bytes of challenge.
pub fn digest32(context: &[u8], node: Node<'_>) -> [u8; 32] {
    let mut transcript = Transcript::new(b"digestible");
    append_message(&mut transcript, context, node);
    let mut digest = [0; 32];
    transcript.challenge_bytes(b"digest32", &mut digest);
    digest
}

/// Append a message as an aggregate.
pub fn append_message<S: Sink>(sink: &mut S, context: &[u8], node: Node<'_>) {
    let name = &node.message_plan().digest_name;
    open_aggregate(sink, context, name);
    for (field, cell) in node.fields() {
        append_member(sink, field, node, cell);
    }
    close_aggregate(sink, context, name);
}

fn open_aggregate<S: Sink>(sink: &mut S, context: &[u8], name: &[u8]) {
    sink.append(context, b"agg");
    sink.append(b"name", name);
}

fn close_aggregate<S: Sink>(sink: &mut S, context: &[u8], name: &[u8]) {
    sink.append(context, b"agg-end");
    sink.append(b"name", name);
}

fn open_sequence<S: Sink>(sink: &mut S, context: &[u8], length: usize) {
    sink.append(context, b"seq");
    sink.append(b"len", &(length as u64).to_le_bytes());
}

fn append_primitive<S: Sink>(sink: &mut S, context: &[u8], scalar: &Scalar, data: &[u8]) {
    sink.append(context, b"prim");
    sink.append(&scalar.digest_type, data);
}

fn append_member<S: Sink>(sink: &mut S, field: &FieldPlan, node: Node<'_>, cell: Cell) {
    let context = &field.digest_name[..];
    if field.omit_when.is_some_and(|value| value == integer(cell)) {
        return;
    }
    if field.repeated {
        if append_list(sink, context, field, node, cell) == 0 && field.never_omit {
            sink.append(context, b"");
        }
        return;
    }
    if matches!(cell, Cell::Unset) && field.presence == Presence::Optional {
        if field.never_omit {
            sink.append(context, b"");
        }
        return;
    }
    match &field.body {
        Body::Message(message) => append_message(sink, context, node.sub(*message, cell)),
        Body::Scalar(scalar) => append_scalar(sink, context, scalar, node, cell, !field.never_omit),
        Body::Oneof(oneof) => {
            let Cell::Choice(alternative, _) = cell else {
                return;
            };
            let inner = node.sub(oneof.alternatives[alternative as usize].1, cell);
            match &oneof.variants {
                None => append_message(sink, context, inner),
                Some((name, variants)) => {
                    sink.append(context, b"var");
                    sink.append(b"name", name);
                    sink.append(b"which", &alternative.to_le_bytes());
                    append_message(sink, &variants[alternative as usize], inner);
                }
            }
        }
    }
}

/// Append a list unless it is empty; say how long it is.
fn append_list<S: Sink>(
    sink: &mut S,
    context: &[u8],
    field: &FieldPlan,
    node: Node<'_>,
    cell: Cell,
) -> usize {
    match &field.body {
        Body::Message(message) => {
            let elements = node.elements(*message, cell);
            if !elements.is_empty() {
                open_sequence(sink, context, elements.len());
            }
            for &element in &elements {
                append_message(sink, b"", element);
            }
            elements.len()
        }
        Body::Scalar(scalar) if scalar.wire.is_integer() => {
            let integers = node.integers(cell);
            if !integers.is_empty() {
                open_sequence(sink, context, integers.len());
            }
            for &value in integers {
                append_scalar(sink, b"", scalar, node, Cell::Int(value), false);
            }
            integers.len()
        }
        Body::Scalar(scalar) => {
            let cells = node.cells_of_list(cell);
            if !cells.is_empty() {
                open_sequence(sink, context, cells.len());
            }
            for &element in cells {
                append_scalar(sink, b"", scalar, node, element, false);
            }
            cells.len()
        }
        Body::Oneof(_) => 0,
    }
}

fn append_scalar<S: Sink>(
    sink: &mut S,
    context: &[u8],
    scalar: &Scalar,
    node: Node<'_>,
    cell: Cell,
    may_omit: bool,
) {
    let little_endian = integer(cell).to_le_bytes();
    let data = match scalar.wire {
        Wire::Varint64 | Wire::Fixed64 => &little_endian[..],
        Wire::Varint32 => &little_endian[..4],
        Wire::Bool => &little_endian[..1],
        _ => bytes(node.tape, scalar, cell),
    };
    match &scalar.digest_struct {
        Some(name) => {
            open_aggregate(sink, context, name);
            if scalar.struct_never_omit || !data.is_empty() {
                append_primitive(sink, b"0", scalar, data);
            }
            close_aggregate(sink, context, name);
        }
        None if may_omit && data.is_empty() => {}
        None => append_primitive(sink, context, scalar, data),
    }
}
