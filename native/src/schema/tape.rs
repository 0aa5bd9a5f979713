//! Message values in one flat store.
//!
//! A decoded transaction has thousands of values; one allocation each would cost more than hashing
//! them. A message here is a run of cells, one for each declared field, and byte strings are ranges
//! of one buffer. A cell left `Unset` stands for the field's state in an empty message, so a
//! message nobody wrote needs no cells at all.
use std::sync::Arc;

use super::plan::{FieldPlan, MessagePlan, Plan, Scalar};

#[derive(Clone, Copy)]
pub enum Cell {
    Unset,
    /// A fixed-size value that was written without its bytes.
    Default,
    Int(u64),
    /// Start and length in `data`.
    Bytes(u32, u32),
    /// First cell of a message; `EMPTY` for one without cells.
    Message(u32),
    /// Alternative of a oneof, and its message.
    Choice(u32, u32),
    /// Index in `lists`.
    List(u32),
    /// Index in `integers`.
    Integers(u32),
    /// Index in `borrowed`.
    Borrowed(u32),
}

/// The message whose fields are all unset.
pub const EMPTY: u32 = u32::MAX;

#[derive(Default)]
pub struct Tape {
    pub data: Vec<u8>,
    pub cells: Vec<Cell>,
    pub lists: Vec<Vec<Cell>>,
    pub integers: Vec<Vec<u64>>,
    pub borrowed: Vec<Shared>,
}

/// A list of messages that lives on another tape.
#[derive(Clone)]
pub struct Shared {
    pub plan: Arc<Plan>,
    pub tape: Arc<Tape>,
    /// Which message of `plan` the elements are.
    pub message: usize,
    /// Index in `tape.lists`.
    pub list: u32,
}

impl Shared {
    pub fn cells(&self) -> &[Cell] {
        &self.tape.lists[self.list as usize]
    }

    pub fn node(&self, cell: Cell) -> Node<'_> {
        Node::of(&self.plan, &self.tape, self.message, cell)
    }
}

impl Tape {
    /// Cells for one message, all unset.
    pub fn allocate(&mut self, plan: &MessagePlan) -> u32 {
        let start = self.cells.len() as u32;
        self.cells
            .resize(self.cells.len() + plan.fields.len(), Cell::Unset);
        start
    }

    pub fn store(&mut self, bytes: &[u8]) -> Cell {
        let start = self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        Cell::Bytes(start, bytes.len() as u32)
    }

    pub fn add_list(&mut self, list: Vec<Cell>) -> Cell {
        self.lists.push(list);
        Cell::List(self.lists.len() as u32 - 1)
    }

    pub fn add_integers(&mut self, integers: Vec<u64>) -> Cell {
        self.integers.push(integers);
        Cell::Integers(self.integers.len() as u32 - 1)
    }

    pub fn borrow(&mut self, shared: Shared) -> Cell {
        self.borrowed.push(shared);
        Cell::Borrowed(self.borrowed.len() as u32 - 1)
    }
}

/// One message on a tape, with its plan.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    pub plan: &'a Plan,
    pub tape: &'a Tape,
    pub message: usize,
    start: u32,
}

impl<'a> Node<'a> {
    pub fn new(plan: &'a Plan, tape: &'a Tape, message: usize, start: u32) -> Self {
        Node {
            plan,
            tape,
            message,
            start,
        }
    }

    /// The message that `cell` holds; an unset one is the empty message.
    pub fn of(plan: &'a Plan, tape: &'a Tape, message: usize, cell: Cell) -> Self {
        match cell {
            Cell::Message(start) | Cell::Choice(_, start) => Self::new(plan, tape, message, start),
            _ => Self::new(plan, tape, message, EMPTY),
        }
    }

    pub fn sub(self, message: usize, cell: Cell) -> Self {
        Self::of(self.plan, self.tape, message, cell)
    }

    pub fn message_plan(self) -> &'a MessagePlan {
        &self.plan.messages[self.message]
    }

    pub fn cell(self, field: usize) -> Cell {
        if self.start == EMPTY {
            Cell::Unset
        } else {
            self.tape.cells[self.start as usize + field]
        }
    }

    /// Fields with their cells, in declaration order.
    pub fn fields(self) -> impl Iterator<Item = (&'a FieldPlan, Cell)> {
        let plan = self.message_plan();
        plan.fields
            .iter()
            .enumerate()
            .map(move |(index, field)| (field, self.cell(index)))
    }

    /// The elements of a list field of messages, wherever they live.
    pub fn elements(self, message: usize, cell: Cell) -> Vec<Node<'a>> {
        match cell {
            Cell::List(list) => self.tape.lists[list as usize]
                .iter()
                .map(|&cell| self.sub(message, cell))
                .collect(),
            Cell::Borrowed(index) => {
                let shared = &self.tape.borrowed[index as usize];
                shared
                    .cells()
                    .iter()
                    .map(|&cell| shared.node(cell))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The elements of a list field of byte strings or texts.
    pub fn cells_of_list(self, cell: Cell) -> &'a [Cell] {
        match cell {
            Cell::List(list) => &self.tape.lists[list as usize],
            _ => &[],
        }
    }

    pub fn integers(self, cell: Cell) -> &'a [u64] {
        match cell {
            Cell::Integers(index) => &self.tape.integers[index as usize],
            _ => &[],
        }
    }
}

/// The integer in `cell`.
pub fn integer(cell: Cell) -> u64 {
    match cell {
        Cell::Int(value) => value,
        _ => 0,
    }
}

/// The bytes in `cell`, or the default of their kind.
pub fn bytes<'a>(tape: &'a Tape, scalar: &'a Scalar, cell: Cell) -> &'a [u8] {
    match cell {
        Cell::Bytes(start, length) => &tape.data[start as usize..(start + length) as usize],
        _ => &scalar.default,
    }
}
