//! The pieces of protobuf: keys, varints, lengths, and what is skipped.
use super::plan::{FieldPlan, MessagePlan};

/// Why bytes were refused: `path` from the innermost field outwards.
#[derive(Debug)]
pub struct Refusal {
    pub path: Vec<String>,
    pub description: String,
}

impl Refusal {
    pub fn new(description: impl Into<String>) -> Self {
        Refusal {
            path: Vec::new(),
            description: description.into(),
        }
    }

    pub fn within(mut self, message: &MessagePlan, field: &FieldPlan) -> Self {
        self.path.push(format!("{}.{}", message.name, field.name));
        self
    }
}

pub type Result<T> = std::result::Result<T, Refusal>;

pub const VARINT: u8 = 0;
pub const SIXTY_FOUR_BIT: u8 = 1;
pub const LENGTH_DELIMITED: u8 = 2;
const START_GROUP: u8 = 3;
const END_GROUP: u8 = 4;
const THIRTY_TWO_BIT: u8 = 5;

const WIRE_NAMES: [&str; 6] = [
    "Varint",
    "SixtyFourBit",
    "LengthDelimited",
    "StartGroup",
    "EndGroup",
    "ThirtyTwoBit",
];

/// That a field comes in the wire type it is declared with.
pub fn expect_wire(found: u8, expected: u8) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "invalid wire type: {} (expected {})",
        WIRE_NAMES[found as usize], WIRE_NAMES[expected as usize]
    )))
}

/// That nesting may go on.
pub fn check_depth(depth: u32) -> Result<()> {
    if depth == 0 {
        return Err(Refusal::new("recursion limit reached"));
    }
    Ok(())
}

/// Encoded bytes and how far they have been read.
pub struct Reader<'a> {
    pub data: &'a [u8],
    pub pos: usize,
}

impl<'a> Reader<'a> {
    fn remaining(&self) -> usize {
        self.data.len() - self.pos
    }

    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for (count, &byte) in self.data[self.pos..].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * count);
            if byte < 0x80 {
                if count == 9 && byte > 1 {
                    break;
                }
                self.pos += count + 1;
                return Ok(value);
            }
        }
        Err(Refusal::new("invalid varint"))
    }

    pub fn key(&mut self) -> Result<(u32, u8)> {
        let key = self.varint()?;
        let Ok(short) = u32::try_from(key) else {
            return Err(Refusal::new(format!("invalid key value: {key}")));
        };
        let wire = (short & 7) as u8;
        if wire > THIRTY_TWO_BIT {
            return Err(Refusal::new(format!("invalid wire type value: {wire}")));
        }
        if short >> 3 == 0 {
            return Err(Refusal::new("invalid tag value: 0"));
        }
        Ok((short >> 3, wire))
    }

    /// Read a length and say where that many bytes end.
    pub fn delimited(&mut self) -> Result<usize> {
        let length = self.varint()?;
        if length > self.remaining() as u64 {
            return Err(Refusal::new("buffer underflow"));
        }
        Ok(self.pos + length as usize)
    }

    pub fn fixed64(&mut self) -> Result<u64> {
        let Some(bytes) = self.data.get(self.pos..self.pos + 8) else {
            return Err(Refusal::new("buffer underflow"));
        };
        self.pos += 8;
        Ok(u64::from_le_bytes(bytes.try_into().expect("8 bytes")))
    }

    pub fn skip(&mut self, tag: u32, wire: u8, depth: u32) -> Result<()> {
        check_depth(depth)?;
        let length = match wire {
            VARINT => self.varint().map(|_| 0)?,
            SIXTY_FOUR_BIT => 8,
            LENGTH_DELIMITED => self.varint()?,
            THIRTY_TWO_BIT => 4,
            START_GROUP => loop {
                let (inner_tag, inner_wire) = self.key()?;
                if inner_wire == END_GROUP {
                    if inner_tag != tag {
                        return Err(Refusal::new("unexpected end group tag"));
                    }
                    break 0;
                }
                self.skip(inner_tag, inner_wire, depth - 1)?;
            },
            _ => return Err(Refusal::new("unexpected end group tag")),
        };
        if length > self.remaining() as u64 {
            return Err(Refusal::new("buffer underflow"));
        }
        self.pos += length as usize;
        Ok(())
    }

    /// That reading stopped where the message ends.
    pub fn check_end(&self, end: usize) -> Result<()> {
        if self.pos != end {
            return Err(Refusal::new("delimited length exceeded"));
        }
        Ok(())
    }
}
