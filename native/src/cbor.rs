//! CBOR items to plain Python values and back.
//!
//! An array is a `list`, a map a `tuple` of (key, value) pairs, so that order and repeated keys are
//! seen by whoever judges them; `undefined` is `Ellipsis`. Tags are skipped. What an item means is
//! decided in `mcnode.codec.cbor`.
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyEllipsis, PyFloat, PyInt, PyList, PyString, PyTuple};

type Item<'py> = Bound<'py, PyAny>;

fn too_deep() -> PyErr {
    refused("nested too deep")
}

/// Length that the item's head leaves open, closed by a break.
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

struct Reader<'a, 'py> {
    py: Python<'py>,
    data: &'a [u8],
    pos: usize,
    /// Containers that may still be opened inside of the present one.
    depth_left: usize,
    /// Strings, arrays and maps that may still come.
    objects_left: usize,
}

fn refused(reason: impl Into<String>) -> PyErr {
    PyValueError::new_err(reason.into())
}

impl<'a, 'py> Reader<'a, 'py> {
    fn take(&mut self, count: u64) -> PyResult<&'a [u8]> {
        let left = self.data.len() - self.pos;
        if count > left as u64 {
            return Err(refused(format!("needs {count} bytes, {left} are left")));
        }
        let start = self.pos;
        self.pos += count as usize;
        Ok(&self.data[start..self.pos])
    }

    fn byte(&mut self) -> PyResult<u8> {
        Ok(self.take(1)?[0])
    }

    fn big_endian(&mut self, width: u64) -> PyResult<u64> {
        let bytes = self.take(width)?;
        Ok(bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// The number in an item's head, whose low five bits are `info`.
    fn argument(&mut self, info: u8) -> PyResult<u64> {
        match info {
            0..=23 => Ok(u64::from(info)),
            24..=27 => self.big_endian(1 << (info - 24)),
            _ => Err(refused(format!("reserved length {info}"))),
        }
    }

    fn is_break(&mut self) -> bool {
        let found = self.data.get(self.pos) == Some(&BREAK);
        self.pos += usize::from(found);
        found
    }

    fn count_object(&mut self) -> PyResult<()> {
        self.objects_left = self
            .objects_left
            .checked_sub(1)
            .ok_or_else(|| refused("too many items for its size"))?;
        Ok(())
    }

    fn item(&mut self) -> PyResult<Item<'py>> {
        let mut head = self.byte()?;
        while head >> 5 == 6 {
            self.argument(head & 31)?;
            head = self.byte()?;
        }
        let (major, info) = (head >> 5, head & 31);
        match major {
            0 => self.argument(info)?.into_bound_py_any(self.py),
            1 => (-1 - i128::from(self.argument(info)?)).into_bound_py_any(self.py),
            2 | 3 => self.string(major, info),
            4 | 5 => self.container(major, info),
            _ => self.simple(info),
        }
    }

    fn string(&mut self, major: u8, info: u8) -> PyResult<Item<'py>> {
        self.count_object()?;
        let mut joined = Vec::new();
        let contents = if info == INDEFINITE {
            while !self.is_break() {
                let head = self.byte()?;
                if head >> 5 != major {
                    return Err(refused("chunk of another type in a string"));
                }
                let length = self.argument(head & 31)?;
                joined.extend_from_slice(self.take(length)?);
            }
            &joined[..]
        } else {
            let length = self.argument(info)?;
            self.take(length)?
        };
        if major == 2 {
            return Ok(PyBytes::new(self.py, contents).into_any());
        }
        match std::str::from_utf8(contents) {
            Ok(text) => Ok(PyString::new(self.py, text).into_any()),
            Err(_) => Err(refused("text is not UTF-8")),
        }
    }

    fn container(&mut self, major: u8, info: u8) -> PyResult<Item<'py>> {
        self.count_object()?;
        if self.depth_left == 0 {
            return Err(too_deep());
        }
        self.depth_left -= 1;
        let length = match info {
            INDEFINITE => None,
            _ => Some(self.argument(info)?),
        };
        let made = if major == 4 {
            let items = self.collect(length, Self::item)?;
            PyList::new(self.py, items)?.into_any()
        } else {
            let pairs = self.collect(length, |reader| Ok((reader.item()?, reader.item()?)))?;
            PyTuple::new(self.py, pairs)?.into_any()
        };
        self.depth_left += 1;
        Ok(made)
    }

    /// As many parts as `length` says, or as come before a break. Nothing is set aside for parts
    /// that have not come.
    fn collect<T>(
        &mut self,
        length: Option<u64>,
        mut part: impl FnMut(&mut Self) -> PyResult<T>,
    ) -> PyResult<Vec<T>> {
        let mut parts = Vec::new();
        loop {
            let done = match length {
                Some(length) => parts.len() as u64 == length,
                None => self.is_break(),
            };
            if done {
                return Ok(parts);
            }
            parts.push(part(self)?);
        }
    }

    fn simple(&mut self, info: u8) -> PyResult<Item<'py>> {
        match info {
            20 | 21 => (info == 21).into_bound_py_any(self.py),
            22 => Ok(self.py.None().into_bound(self.py)),
            23 => Ok(PyEllipsis::get(self.py).to_owned().into_any()),
            25..=27 => {
                // No message holds a float; that one was there is all there is to say.
                self.take(1 << (info - 24))?;
                Ok(PyFloat::new(self.py, 0.0).into_any())
            }
            _ => Err(refused(format!("unassigned simple value {info}"))),
        }
    }
}

#[pyfunction]
fn cbor_read<'py>(
    py: Python<'py>,
    data: &[u8],
    depth_max: usize,
    objects_max: usize,
) -> PyResult<Item<'py>> {
    let mut reader = Reader {
        py,
        data,
        pos: 0,
        depth_left: depth_max,
        objects_left: objects_max,
    };
    let item = reader.item()?;
    if reader.pos != data.len() {
        let left = data.len() - reader.pos;
        return Err(refused(format!("{left} bytes follow the item")));
    }
    Ok(item)
}

#[pyfunction]
fn cbor_write<'py>(item: &Item<'py>, depth_max: usize) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    write_item(item, depth_max, &mut out)?;
    Ok(PyBytes::new(item.py(), &out))
}

fn write_item(item: &Item<'_>, depth_left: usize, out: &mut Vec<u8>) -> PyResult<()> {
    if item.is_none() {
        out.push(0xf6);
    } else if let Ok(flag) = item.cast::<PyBool>() {
        out.push(0xf4 | u8::from(flag.is_true()));
    } else if item.is_instance_of::<PyInt>() {
        let number = item
            .extract()
            .map_err(|_| refused("integer outside of 64 unsigned bits"))?;
        write_head(0, number, out);
    } else if let Ok(bytes) = item.cast::<PyBytes>() {
        write_head(2, bytes.as_bytes().len() as u64, out);
        out.extend_from_slice(bytes.as_bytes());
    } else if let Ok(text) = item.cast::<PyString>() {
        let text: String = text.extract()?;
        write_head(3, text.len() as u64, out);
        out.extend_from_slice(text.as_bytes());
    } else if depth_left == 0 {
        return Err(too_deep());
    } else if let Ok(list) = item.cast::<PyList>() {
        write_head(4, list.len() as u64, out);
        for element in list {
            write_item(&element, depth_left - 1, out)?;
        }
    } else {
        let pairs = item.cast::<PyTuple>()?;
        write_head(5, pairs.len() as u64, out);
        for pair in pairs {
            let (key, value): (Item<'_>, Item<'_>) = pair.extract()?;
            write_item(&key, depth_left - 1, out)?;
            write_item(&value, depth_left - 1, out)?;
        }
    }
    Ok(())
}

/// The shortest head of an item.
fn write_head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let info = match argument {
        0..=23 => {
            out.push(major << 5 | argument as u8);
            return;
        }
        24..=0xff => 24,
        0x100..=0xffff => 25,
        0x1_0000..=0xffff_ffff => 26,
        _ => 27,
    };
    out.push(major << 5 | info);
    let width = 1 << (info - 24);
    out.extend_from_slice(&argument.to_be_bytes()[8 - width..]);
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(cbor_read, module)?)?;
    module.add_function(wrap_pyfunction!(cbor_write, module)?)
}
