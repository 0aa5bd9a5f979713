//! Protobuf bytes to a tape, accepting and refusing what prost accepts and refuses.
//!
//! Lengths and contents of fixed-size values are checked wherever they occur; absent parts are
//! defaults. The two forms (see `mcnode.codec.protobuf.Order`) differ here in responder ids alone.
use super::check;
use super::plan::{Body, FieldPlan, Plan, Scalar, Wire};
use super::reader::{
    LENGTH_DELIMITED, Reader, Refusal, Result, SIXTY_FOUR_BIT, VARINT, check_depth, expect_wire,
};
use super::tape::{Cell, EMPTY, Tape};

/// How deep messages and groups may nest; prost's own limit.
const DEPTH_MAX: u32 = 100;

/// Ranges of the tape's buffer are 32 bits wide, and reduced scalars are added behind the input.
const BYTES_MAX: usize = 1 << 30;

#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    Prost,
    RustProtobuf,
}

/// Decode `data` as the root message of `plan`.
pub fn decode(plan: &Plan, data: &[u8], form: Form, elements_max: usize) -> Result<(Tape, u32)> {
    let mut decoder = Decoder {
        plan,
        reader: Reader { data, pos: 0 },
        form,
        tape: Tape::default(),
        elements_left: elements_max,
        elements_max,
    };
    if data.len() > BYTES_MAX {
        let text = format!("message has {} bytes, limit {BYTES_MAX}", data.len());
        return Err(Refusal::new(text));
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
        reader: Reader { data, pos: 0 },
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
    reader: Reader<'a>,
    form: Form,
    tape: Tape,
    /// How many more list elements and sub-messages may be made.
    elements_left: usize,
    elements_max: usize,
}

impl<'a> Decoder<'a> {
    /// Read fields of a message into its cells until `end`.
    fn fields(&mut self, message: usize, start: u32, end: usize, depth: u32) -> Result<()> {
        let plan = &self.plan.messages[message];
        while self.reader.pos < end {
            let (tag, wire) = self.reader.key()?;
            match plan.tags.iter().find(|&&(known, _, _)| known == tag) {
                None => self.reader.skip(tag, wire, depth)?,
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
        self.reader.check_end(end)
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
        let end = self.reader.delimited()?;
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
        let end = self.reader.delimited()?;
        while self.reader.pos < end {
            let value = self.integer(scalar.wire)?;
            self.tape.integers[index as usize].push(value);
        }
        self.reader.check_end(end)?;
        Ok(list)
    }

    fn integer(&mut self, wire: Wire) -> Result<u64> {
        Ok(match wire {
            Wire::Varint64 => self.reader.varint()?,
            Wire::Varint32 => self.reader.varint()? & 0xffff_ffff,
            Wire::Bool => u64::from(self.reader.varint()? != 0),
            _ => self.reader.fixed64()?,
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
        let end = self.reader.delimited()?;
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
        while self.reader.pos < end {
            let (tag, wire) = self.reader.key()?;
            if tag != 1 {
                self.reader.skip(tag, wire, depth)?;
                continue;
            }
            expect_wire(wire, LENGTH_DELIMITED)?;
            let contents = self.contents(scalar)?;
            value = check::checked(scalar, &mut self.tape, contents)?;
        }
        self.reader.check_end(end)?;
        Ok(match value {
            Cell::Unset => Cell::Default,
            set => set,
        })
    }

    /// A length and that many bytes, which are UTF-8 where text is due.
    fn contents(&mut self, scalar: &Scalar) -> Result<Cell> {
        let end = self.reader.delimited()?;
        let begin = self.reader.pos;
        self.reader.pos = end;
        if scalar.wire.is_text() && std::str::from_utf8(&self.reader.data[begin..end]).is_err() {
            return Err(Refusal::new(
                "invalid string value: data is not UTF-8 encoded",
            ));
        }
        Ok(Cell::Bytes(begin as u32, (end - begin) as u32))
    }
}

fn integer_wire(wire: Wire) -> u8 {
    if wire == Wire::Fixed64 {
        SIXTY_FOUR_BIT
    } else {
        VARINT
    }
}
