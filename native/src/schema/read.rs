//! Protobuf bytes to a tape, accepting and refusing what prost accepts and refuses.
//!
//! Lengths and contents of fixed-size values are checked wherever they occur; absent parts are
//! defaults. The two forms (see `mcnode.codec.protobuf.Order`) differ here in responder ids alone.
use super::check;
use super::plan::{Body, FieldPlan, MessagePlan, Plan, Scalar, Wire};
use super::tape::{Cell, EMPTY, Tape};

/// How deep messages and groups may nest; prost's own limit.
const DEPTH_MAX: u32 = 100;

#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    Prost,
    RustProtobuf,
}

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

type Result<T> = std::result::Result<T, Refusal>;

const VARINT: u8 = 0;
const SIXTY_FOUR_BIT: u8 = 1;
const LENGTH_DELIMITED: u8 = 2;
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

fn expect_wire(found: u8, expected: u8) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Refusal::new(format!(
        "invalid wire type: {} (expected {})",
        WIRE_NAMES[found as usize], WIRE_NAMES[expected as usize]
    )))
}

/// Decode `data` as the root message of `plan`.
pub fn decode(plan: &Plan, data: &[u8], form: Form, elements_max: usize) -> Result<(Tape, u32)> {
    let mut decoder = Decoder {
        plan,
        data,
        pos: 0,
        form,
        tape: Tape::default(),
        elements_left: elements_max,
        elements_max,
    };
    // Ranges of the tape's buffer are 32 bits wide, and reduced scalars are added behind the input.
    if data.len() > (1 << 31) {
        return Err(Refusal::new(format!(
            "message has {} bytes, limit {}",
            data.len(),
            1u32 << 31
        )));
    }
    decoder.tape.data.reserve(data.len() + data.len() / 8);
    decoder.tape.data.extend_from_slice(data);
    let root = decoder.tape.allocate(&plan.messages[0]);
    decoder.fields(0, root, data.len(), DEPTH_MAX)?;
    Ok((decoder.tape, root))
}

/// Decode `data` as the message that wraps one value of `scalar`.
pub fn decode_wrapper(scalar: &Scalar, data: &[u8]) -> Result<Vec<u8>> {
    let empty = Plan {
        messages: Vec::new(),
    };
    let mut decoder = Decoder {
        plan: &empty,
        data,
        pos: 0,
        form: Form::Prost,
        tape: Tape::default(),
        elements_left: 0,
        elements_max: 0,
    };
    decoder.tape.data.extend_from_slice(data);
    let cell = decoder.wrapper_fields(scalar, Cell::Unset, data.len(), DEPTH_MAX)?;
    Ok(super::tape::bytes(&decoder.tape, scalar, cell).to_vec())
}

struct Decoder<'a> {
    plan: &'a Plan,
    data: &'a [u8],
    pos: usize,
    form: Form,
    tape: Tape,
    /// How many more list elements and sub-messages may be made.
    elements_left: usize,
    elements_max: usize,
}

impl<'a> Decoder<'a> {
    fn remaining(&self) -> usize {
        self.data.len() - self.pos
    }

    fn varint(&mut self) -> Result<u64> {
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

    fn key(&mut self) -> Result<(u32, u8)> {
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
    fn delimited(&mut self) -> Result<usize> {
        let length = self.varint()?;
        if length > self.remaining() as u64 {
            return Err(Refusal::new("buffer underflow"));
        }
        Ok(self.pos + length as usize)
    }

    fn fixed64(&mut self) -> Result<u64> {
        let Some(bytes) = self.data.get(self.pos..self.pos + 8) else {
            return Err(Refusal::new("buffer underflow"));
        };
        self.pos += 8;
        Ok(u64::from_le_bytes(bytes.try_into().expect("8 bytes")))
    }

    fn skip(&mut self, tag: u32, wire: u8, depth: u32) -> Result<()> {
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

    /// Read fields of a message into its cells until `end`.
    fn fields(&mut self, message: usize, start: u32, end: usize, depth: u32) -> Result<()> {
        let plan = &self.plan.messages[message];
        while self.pos < end {
            let (tag, wire) = self.key()?;
            match plan.tags.iter().find(|&&(known, _, _)| known == tag) {
                None => self.skip(tag, wire, depth)?,
                Some(&(_, index, alternative)) => {
                    let field = &plan.fields[index];
                    let place = start as usize + index;
                    let before = self.tape.cells[place];
                    let after = self
                        .value(field, alternative, wire, before, depth)
                        .map_err(|refusal| refusal.within(plan, field))?;
                    self.tape.cells[place] = after;
                }
            }
        }
        self.check_end(end)
    }

    fn check_end(&self, end: usize) -> Result<()> {
        if self.pos != end {
            return Err(Refusal::new("delimited length exceeded"));
        }
        Ok(())
    }

    fn value(
        &mut self,
        field: &FieldPlan,
        alternative: usize,
        wire: u8,
        before: Cell,
        depth: u32,
    ) -> Result<Cell> {
        match &field.body {
            Body::Oneof(oneof) => {
                let message = oneof.alternatives[alternative].1;
                let kept = match before {
                    Cell::Choice(chosen, start) if chosen as usize == alternative => start,
                    _ => EMPTY,
                };
                let start = self.message(message, wire, kept, depth)?;
                Ok(Cell::Choice(alternative as u32, start))
            }
            Body::Message(message) if field.repeated => {
                let start = self.message(*message, wire, EMPTY, depth)?;
                self.push(before, Cell::Message(start))
            }
            Body::Message(message) => {
                let kept = match before {
                    Cell::Message(start) => start,
                    _ => EMPTY,
                };
                Ok(Cell::Message(self.message(*message, wire, kept, depth)?))
            }
            Body::Scalar(scalar) if !field.repeated => self.scalar(scalar, wire, before, depth),
            Body::Scalar(scalar) if scalar.wire.is_integer() => self.integers(scalar, wire, before),
            Body::Scalar(scalar) => {
                let element = self.scalar(scalar, wire, Cell::Unset, depth)?;
                self.push(before, element)
            }
        }
    }

    fn count_element(&mut self) -> Result<()> {
        if self.elements_left == 0 {
            return Err(Refusal::new(format!(
                "message has more than {} elements",
                self.elements_max
            )));
        }
        self.elements_left -= 1;
        Ok(())
    }

    /// Read a sub-message into the cells from `kept`, or into new ones.
    fn message(&mut self, message: usize, wire: u8, kept: u32, depth: u32) -> Result<u32> {
        expect_wire(wire, LENGTH_DELIMITED)?;
        check_depth(depth)?;
        let end = self.delimited()?;
        let start = if kept == EMPTY {
            self.count_element()?;
            self.tape.allocate(&self.plan.messages[message])
        } else {
            kept
        };
        self.fields(message, start, end, depth - 1)?;
        Ok(start)
    }

    fn push(&mut self, list: Cell, element: Cell) -> Result<Cell> {
        self.count_element()?;
        match list {
            Cell::List(index) => {
                self.tape.lists[index as usize].push(element);
                Ok(list)
            }
            _ => Ok(self.tape.add_list(vec![element])),
        }
    }

    fn integers(&mut self, scalar: &Scalar, wire: u8, list: Cell) -> Result<Cell> {
        let list = match list {
            Cell::Integers(_) => list,
            _ => self.tape.add_integers(Vec::new()),
        };
        let Cell::Integers(index) = list else {
            unreachable!("made above")
        };
        if wire != LENGTH_DELIMITED {
            expect_wire(wire, integer_wire(scalar.wire))?;
            let value = self.integer(scalar.wire)?;
            self.tape.integers[index as usize].push(value);
            return Ok(list);
        }
        let end = self.delimited()?;
        while self.pos < end {
            let value = self.integer(scalar.wire)?;
            self.tape.integers[index as usize].push(value);
        }
        self.check_end(end)?;
        Ok(list)
    }

    fn integer(&mut self, wire: Wire) -> Result<u64> {
        Ok(match wire {
            Wire::Varint64 => self.varint()?,
            Wire::Varint32 => self.varint()? & 0xffff_ffff,
            Wire::Bool => u64::from(self.varint()? != 0),
            _ => self.fixed64()?,
        })
    }

    fn scalar(&mut self, scalar: &Scalar, wire: u8, before: Cell, depth: u32) -> Result<Cell> {
        if scalar.wire.is_integer() {
            expect_wire(wire, integer_wire(scalar.wire))?;
            return Ok(Cell::Int(self.integer(scalar.wire)?));
        }
        expect_wire(wire, LENGTH_DELIMITED)?;
        let nested = match scalar.wire {
            Wire::Wrapper => true,
            Wire::TextWrapper => self.form == Form::Prost,
            _ => false,
        };
        if !nested {
            return self.contents(scalar);
        }
        check_depth(depth)?;
        let end = self.delimited()?;
        self.wrapper_fields(scalar, before, end, depth - 1)
    }

    /// Read the fields of a wrapper until `end`.
    fn wrapper_fields(
        &mut self,
        scalar: &Scalar,
        before: Cell,
        end: usize,
        depth: u32,
    ) -> Result<Cell> {
        let mut value = before;
        while self.pos < end {
            let (tag, wire) = self.key()?;
            if tag != 1 {
                self.skip(tag, wire, depth)?;
                continue;
            }
            expect_wire(wire, LENGTH_DELIMITED)?;
            let contents = self.contents(scalar)?;
            value = check::checked(scalar, &mut self.tape, contents)?;
        }
        self.check_end(end)?;
        Ok(match value {
            Cell::Unset => self.tape.store(&scalar.default),
            set => set,
        })
    }

    /// A length and that many bytes, which are UTF-8 where text is due.
    fn contents(&mut self, scalar: &Scalar) -> Result<Cell> {
        let end = self.delimited()?;
        let begin = self.pos;
        self.pos = end;
        if scalar.wire.is_text() && std::str::from_utf8(&self.data[begin..end]).is_err() {
            return Err(Refusal::new(
                "invalid string value: data is not UTF-8 encoded",
            ));
        }
        Ok(Cell::Bytes(begin as u32, (end - begin) as u32))
    }
}

fn check_depth(depth: u32) -> Result<()> {
    if depth == 0 {
        return Err(Refusal::new("recursion limit reached"));
    }
    Ok(())
}

fn integer_wire(wire: Wire) -> u8 {
    if wire == Wire::Fixed64 {
        SIXTY_FOUR_BIT
    } else {
        VARINT
    }
}
