//! A tape to protobuf bytes, in the field order and with the omissions of either encoder.
use super::plan::{Body, FieldPlan, Presence, Scalar, Wire};
use super::read::Form;
use super::tape::{Cell, Node, bytes, integer};

const VARINT: u32 = 0;
const SIXTY_FOUR_BIT: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;

/// Append the encoding of `node` to `out`.
pub fn encode(node: Node<'_>, form: Form, out: &mut Vec<u8>) {
    let plan = node.message_plan();
    let order = match form {
        Form::Prost => &plan.prost_order,
        Form::RustProtobuf => &plan.rust_protobuf_order,
    };
    for &index in order {
        write_field(node, &plan.fields[index], node.cell(index), form, out);
    }
}

fn write_field(node: Node<'_>, field: &FieldPlan, cell: Cell, form: Form, out: &mut Vec<u8>) {
    let absent = matches!(cell, Cell::Unset);
    match &field.body {
        Body::Oneof(oneof) => {
            if let Cell::Choice(alternative, _) = cell {
                let (tag, message) = oneof.alternatives[alternative as usize];
                write_message(tag, node.sub(message, cell), form, out);
            }
        }
        Body::Message(message) if field.repeated => {
            for element in node.elements(*message, cell) {
                write_message(field.tag, element, form, out);
            }
        }
        Body::Message(message) => {
            if !(absent && field.presence == Presence::Optional) {
                write_message(field.tag, node.sub(*message, cell), form, out);
            }
        }
        Body::Scalar(scalar) if field.repeated && scalar.wire.is_integer() => {
            write_integers(field, scalar, node.integers(cell), out);
        }
        Body::Scalar(scalar) if field.repeated => {
            for &element in node.cells_of_list(cell) {
                write_bytes(
                    field.tag,
                    scalar,
                    bytes(node.tape, scalar, element),
                    form,
                    out,
                );
            }
        }
        Body::Scalar(scalar) => {
            if !(absent && field.presence == Presence::Optional) {
                write_scalar(node, field, scalar, cell, form, out);
            }
        }
    }
}

fn write_scalar(
    node: Node<'_>,
    field: &FieldPlan,
    scalar: &Scalar,
    cell: Cell,
    form: Form,
    out: &mut Vec<u8>,
) {
    let even_default = match field.presence {
        Presence::Implicit => false,
        Presence::Required => form == Form::Prost,
        Presence::Optional => true,
    };
    if scalar.wire.is_integer() {
        if even_default || integer(cell) != 0 {
            write_key(field.tag, integer_wire(scalar.wire), out);
            write_integer(scalar.wire, integer(cell), out);
        }
        return;
    }
    let contents = bytes(node.tape, scalar, cell);
    let is_message = match scalar.wire {
        Wire::Wrapper => true,
        Wire::TextWrapper => form == Form::Prost,
        _ => false,
    };
    let written = match field.presence {
        Presence::Implicit => contents != scalar.default,
        _ => even_default || is_message || !contents.is_empty(),
    };
    if written {
        write_bytes(field.tag, scalar, contents, form, out);
    }
}

fn write_bytes(tag: u32, scalar: &Scalar, contents: &[u8], form: Form, out: &mut Vec<u8>) {
    let nested = match scalar.wire {
        Wire::Wrapper => true,
        Wire::TextWrapper => form == Form::Prost,
        _ => false,
    };
    write_key(tag, LENGTH_DELIMITED, out);
    if !nested {
        write_varint(contents.len() as u64, out);
        out.extend_from_slice(contents);
        return;
    }
    write_length_prefixed(out, |out| write_wrapped(scalar, contents, form, out));
}

/// The inside of a wrapper: its one field. Prost writes the field of a bytes wrapper even when it is
/// empty; that of a text wrapper goes when empty.
pub fn write_wrapped(scalar: &Scalar, contents: &[u8], form: Form, out: &mut Vec<u8>) {
    let even_empty = scalar.wire == Wire::Wrapper && form == Form::Prost;
    if scalar.length.is_some() || even_empty || !contents.is_empty() {
        write_key(1, LENGTH_DELIMITED, out);
        write_varint(contents.len() as u64, out);
        out.extend_from_slice(contents);
    }
}

fn write_integers(field: &FieldPlan, scalar: &Scalar, integers: &[u64], out: &mut Vec<u8>) {
    if !field.packed {
        for &value in integers {
            write_key(field.tag, integer_wire(scalar.wire), out);
            write_integer(scalar.wire, value, out);
        }
    } else if !integers.is_empty() {
        write_key(field.tag, LENGTH_DELIMITED, out);
        write_length_prefixed(out, |out| {
            for &value in integers {
                write_integer(scalar.wire, value, out);
            }
        });
    }
}

fn write_message(tag: u32, node: Node<'_>, form: Form, out: &mut Vec<u8>) {
    write_key(tag, LENGTH_DELIMITED, out);
    write_length_prefixed(out, |out| encode(node, form, out));
}

/// Write what `inside` writes, with its length before it.
fn write_length_prefixed(out: &mut Vec<u8>, inside: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(0);
    inside(out);
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(5);
    write_varint(length as u64, &mut prefix);
    out.splice(start..=start, prefix);
}

fn integer_wire(wire: Wire) -> u32 {
    if wire == Wire::Fixed64 {
        SIXTY_FOUR_BIT
    } else {
        VARINT
    }
}

fn write_integer(wire: Wire, value: u64, out: &mut Vec<u8>) {
    if wire == Wire::Fixed64 {
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        write_varint(value, out);
    }
}

fn write_key(tag: u32, wire: u32, out: &mut Vec<u8>) {
    write_varint(u64::from(tag << 3 | wire), out);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
