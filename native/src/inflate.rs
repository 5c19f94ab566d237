//! Compressed bytes to text: only what is certainly whole. Why a stream is not is Python's to say.

use std::cell::Cell;

use libdeflater::{Crc, Decompressor};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zlib_rs::{InflateFlush, Status};

const HEAD_BYTES: usize = 12; // gzip's fixed header and the length of its extra field
const TAIL_BYTES: usize = 8; // checksum and length
const FLAGS_OF_BGZF: [u8; 4] = [0x1f, 0x8b, 0x08, 0x04];
const CONTENT_BYTES_MAX: usize = 65_536; // the specification's own limit for one block
const WINDOW_BITS: u8 = 15; // what RFC 1951 allows

/// Where the content of a block begins, and where the block ends; None of what is not all here.
fn block(data: &[u8], at: usize) -> Option<(usize, usize)> {
    let head = data.get(at..at + HEAD_BYTES)?;
    if head[..4] != FLAGS_OF_BGZF {
        return None;
    }
    let extra_bytes = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let mut extra = data.get(at + HEAD_BYTES..at + HEAD_BYTES + extra_bytes)?;
    while let [first, second, low, high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let field = rest.get(..length)?;
        if (*first, *second, length) == (b'B', b'C', 2) {
            let begin = at + HEAD_BYTES + extra_bytes;
            let end = at + usize::from(u16::from_le_bytes([field[0], field[1]])) + 1;
            return (begin + TAIL_BYTES < end && end <= data.len()).then_some((begin, end));
        }
        extra = &rest[length..];
    }
    None
}

fn word(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

/// Blocks in a row, as content and end, of about so many bytes of text; and how many exactly.
fn run(data: &[u8], mut at: usize, text_bytes: usize) -> (Vec<(usize, usize)>, usize) {
    let (mut blocks, mut size) = (Vec::new(), 0);
    while size < text_bytes {
        let Some((begin, end)) = block(data, at) else {
            break;
        };
        let length = word(data, end - 4) as usize;
        if length > CONTENT_BYTES_MAX {
            break;
        }
        size += length;
        blocks.push((begin, end));
        at = end;
    }
    (blocks, size)
}

/// Text, how much of it counts, where the whole blocks end, and where the last of them begins.
type Text<'py> = (Bound<'py, PyBytes>, usize, usize, usize);

/// The text of the whole BGZF blocks that begin at a place, up to the first that is not sound.
#[pyfunction]
pub fn inflate_blocks<'py>(
    py: Python<'py>,
    data: &[u8],
    at: usize,
    text_bytes: usize,
) -> PyResult<Text<'py>> {
    let (blocks, size) = run(data, at, text_bytes);
    let (filled, end, last) = (Cell::new(0), Cell::new(at), Cell::new(at));
    let text = PyBytes::new_with(py, size, |into| {
        let (f, e, l) = py.detach(|| {
            let mut inflater = Decompressor::new();
            let (mut f, mut e, mut l) = (0, at, at);
            for &(begin, close) in &blocks {
                let length = word(data, close - 4) as usize;
                let part = &mut into[f..f + length];
                let content = &data[begin..close - TAIL_BYTES];
                let whole = inflater.deflate_decompress(content, part) == Ok(length);
                let mut crc = Crc::new();
                crc.update(part);
                if !whole || crc.sum() != word(data, close - TAIL_BYTES) {
                    break;
                }
                f += length;
                l = e;
                e = close;
            }
            (f, e, l)
        });
        filled.set(f);
        end.set(e);
        last.set(l);
        Ok(())
    })?;
    Ok((text, filled.get(), end.get(), last.get()))
}

/// One deflate stream, fed in pieces; `checksum` and `size` are of all its text so far.
#[pyclass]
pub struct Inflate {
    state: zlib_rs::Inflate,
    crc: Crc,
    #[pyo3(get)]
    size: u64,
}

#[pymethods]
impl Inflate {
    #[new]
    fn new() -> Self {
        Self {
            state: zlib_rs::Inflate::new(false, WINDOW_BITS),
            crc: Crc::new(),
            size: 0,
        }
    }

    #[getter]
    fn checksum(&self) -> u32 {
        self.crc.sum()
    }

    /// Text, how much of it counts, where the next call goes on, and whether the stream is over.
    fn feed<'py>(
        &mut self,
        py: Python<'py>,
        data: &[u8],
        at: usize,
        stored_bytes: usize,
        text_bytes: usize,
    ) -> PyResult<(Bound<'py, PyBytes>, usize, usize, bool)> {
        let (before, made) = (self.state.total_in(), self.state.total_out());
        let done = Cell::new(false);
        let text = PyBytes::new_with(py, text_bytes, |into| {
            let over = py.detach(|| {
                let end = data.len().min(at + stored_bytes);
                let input = data.get(at..end).unwrap_or_default();
                let status = self.state.decompress(input, into, InflateFlush::NoFlush);
                let filled = (self.state.total_out() - made) as usize;
                self.crc.update(&into[..filled]);
                status.map(|status| status == Status::StreamEnd)
            });
            match over {
                Ok(over) => done.set(over),
                Err(error) => return Err(PyValueError::new_err(error.as_str())),
            }
            Ok(())
        })?;
        let filled = (self.state.total_out() - made) as usize;
        self.size += filled as u64;
        let end = at + (self.state.total_in() - before) as usize;
        Ok((text, filled, end, done.get()))
    }
}
