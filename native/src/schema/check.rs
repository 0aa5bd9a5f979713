//! What the bytes of a fixed-size value must be.
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar as GroupScalar;

use super::plan::{Body, Check, FieldPlan, Plan, Presence, Scalar, Wire};
use super::read::Refusal;
use super::tape::{Cell, EMPTY, Tape};

/// Check the length and contents of a value; a scalar may be replaced by its reduced form.
pub fn checked(scalar: &Scalar, tape: &mut Tape, cell: Cell) -> Result<Cell, Refusal> {
    let bytes = super::tape::bytes(tape, scalar, cell);
    if let Some(expected) = scalar.length {
        if bytes.len() != expected {
            return Err(Refusal::new(
                scalar
                    .length_error
                    .replace("{expected}", &expected.to_string())
                    .replace("{found}", &bytes.len().to_string()),
            ));
        }
    }
    if scalar.check == Check::None {
        return Ok(cell);
    }
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| Refusal::new("only a value of 32 bytes can be checked"))?;
    match scalar.check {
        Check::ScalarReduced if !is_canonical(&bytes) => {
            let reduced = GroupScalar::from_bytes_mod_order(bytes).to_bytes();
            return Ok(tape.store(&reduced));
        }
        Check::ScalarCanonical if !is_canonical(&bytes) => {
            return Err(Refusal::new("The provided private key is invalid"));
        }
        Check::RistrettoPoint if CompressedRistretto(bytes).decompress().is_none() => {
            return Err(Refusal::new("The provided public key is invalid"));
        }
        Check::EdwardsPoint if CompressedEdwardsY(bytes).decompress().is_none() => {
            return Err(Refusal::new("The provided public key is invalid"));
        }
        _ => {}
    }
    Ok(cell)
}

fn is_canonical(bytes: &[u8; 32]) -> bool {
    // Below 2^252 is below the group order; responses nearly always are.
    bytes[31] < 0x10 || GroupScalar::from_canonical_bytes(*bytes).is_some().into()
}

/// The rust-protobuf form's checks: what must be there is there, and is right.
pub fn complete(plan: &Plan, tape: &mut Tape, message: usize, start: u32) -> Result<(), Refusal> {
    let message_plan = &plan.messages[message];
    for (index, field) in message_plan.fields.iter().enumerate() {
        let cell = match start {
            EMPTY => Cell::Unset,
            _ => tape.cells[start as usize + index],
        };
        let after = complete_field(plan, tape, field, cell)
            .map_err(|refusal| refusal.within(message_plan, field))?;
        if start != EMPTY {
            tape.cells[start as usize + index] = after;
        }
    }
    Ok(())
}

fn complete_field(
    plan: &Plan,
    tape: &mut Tape,
    field: &FieldPlan,
    cell: Cell,
) -> Result<Cell, Refusal> {
    if let Cell::List(list) = cell {
        for position in 0..tape.lists[list as usize].len() {
            let element = tape.lists[list as usize][position];
            let after = complete_value(plan, tape, &field.body, element)?;
            tape.lists[list as usize][position] = after;
        }
        return Ok(cell);
    }
    let optional = field.presence == Presence::Optional;
    match (&field.body, cell) {
        (_, Cell::Unset) if field.repeated || optional => Ok(cell),
        (Body::Scalar(scalar), Cell::Bytes(_, 0)) if optional && scalar.wire == Wire::Wrapper => {
            Ok(Cell::Unset)
        }
        _ => complete_value(plan, tape, &field.body, cell),
    }
}

fn complete_value(plan: &Plan, tape: &mut Tape, body: &Body, cell: Cell) -> Result<Cell, Refusal> {
    match (body, cell) {
        (Body::Scalar(scalar), _) if scalar.wire == Wire::Wrapper => {
            let given = match cell {
                Cell::Unset => Cell::Bytes(0, 0),
                set => set,
            };
            checked(scalar, tape, given)
        }
        (Body::Message(message), Cell::Message(start)) => {
            complete(plan, tape, *message, start).map(|()| cell)
        }
        (Body::Message(message), _) => complete(plan, tape, *message, EMPTY).map(|()| cell),
        (Body::Oneof(oneof), Cell::Choice(alternative, start)) => {
            let message = oneof.alternatives[alternative as usize].1;
            complete(plan, tape, message, start).map(|()| cell)
        }
        _ => Ok(cell),
    }
}
