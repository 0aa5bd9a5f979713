//! What the bytes of a fixed-size value must be.
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar as GroupScalar;

use super::plan::{Check, Scalar};
use super::reader::Refusal;
use super::tape::{Cell, Tape};

/// Check the length and contents of a value; a scalar may be replaced by its reduced form.
pub fn checked(scalar: &Scalar, tape: &mut Tape, cell: Cell) -> Result<Cell, Refusal> {
    let bytes = super::tape::bytes(tape, scalar, cell);
    if let Some(expected) = scalar.length
        && bytes.len() != expected
    {
        return Err(Refusal::new(
            scalar
                .length_error
                .replace("{expected}", &expected.to_string())
                .replace("{found}", &bytes.len().to_string()),
        ));
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
