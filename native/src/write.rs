//! Frozen models to Avro binary, by the tree of their schema and one buffer that is kept.

use std::cell::RefCell;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyString, PyTuple};

use crate::program::{Kind, Node};

pub const EPOCH_DAY: i64 = 719_163; // of 1970-01-01, as Python counts days
const DIGITS: &[u8; 16] = b"0123456789abcdef";
const UUID_LENGTH: u8 = 36 << 1; // as Avro writes the length of a text: zigzag
const BUFFER_BYTES_MAX: usize = 1 << 20; // the largest event; a larger buffer is not kept

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The prefix, the envelope and the fields of an event behind each other.
pub fn written(
    root: &Node,
    prefix: &[u8],
    envelope: &Bound<'_, PyAny>,
    event: &Bound<'_, PyAny>,
) -> PyResult<Py<PyBytes>> {
    let Kind::Record(parts) = &root.kind else {
        return Err(PyTypeError::new_err("an event is a record"));
    };
    let mut out = BUFFER.with(|buffer| buffer.take());
    out.clear();
    out.extend(prefix);
    let Some((outside, fields)) = parts.split_first() else {
        return Err(PyTypeError::new_err("an event has an envelope"));
    };
    value(outside, envelope, &mut out)?;
    record(fields, event, &mut out)?;
    let made = PyBytes::new(event.py(), &out).unbind();
    if out.capacity() <= BUFFER_BYTES_MAX {
        BUFFER.with(|buffer| buffer.replace(out));
    }
    Ok(made)
}

fn record(fields: &[Node], of: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let py = of.py();
    let values = of.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    for field in fields {
        match values.get_item(&field.key)? {
            Some(one) => value(field, &one, out)?,
            None => return Err(PyValueError::new_err(format!("{} is missing", field.place))),
        }
    }
    Ok(())
}

fn long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest > 0x7F {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn octets(of: &[u8], out: &mut Vec<u8>) {
    long(of.len() as i64, out);
    out.extend(of);
}

fn value(node: &Node, of: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let py = of.py();
    match &node.kind {
        Kind::Nullable(item) => {
            if of.is_none() {
                out.push(0);
            } else {
                out.push(2);
                value(item, of, out)?;
            }
        }
        Kind::Record(fields) => record(fields, of, out)?,
        Kind::Array(item) => {
            let items = of.cast::<PyTuple>()?;
            if !items.is_empty() {
                long(items.len() as i64, out);
                for one in items {
                    value(item, &one, out)?;
                }
            }
            out.push(0);
        }
        Kind::Text => octets(of.cast::<PyString>()?.to_str()?.as_bytes(), out),
        Kind::Octets => octets(of.cast::<PyBytes>()?.as_bytes(), out),
        Kind::Int | Kind::Long => long(of.extract()?, out),
        Kind::Double => out.extend(of.cast::<PyFloat>()?.value().to_le_bytes()),
        Kind::Boolean => out.push(u8::from(of.cast::<PyBool>()?.is_true())),
        Kind::Uuid => {
            out.push(UUID_LENGTH);
            id(of.getattr(intern!(py, "int"))?.extract()?, out);
        }
        Kind::Moment => long(moment(of)?, out),
        Kind::Date => {
            let day: i64 = of.call_method0(intern!(py, "toordinal"))?.extract()?;
            long(day - EPOCH_DAY, out);
        }
        Kind::Decimal { precision, scale } => decimal(of, *precision as usize, *scale as i32, out)?,
        Kind::Enum(_) => return Err(PyTypeError::new_err("no model of ours has an enum")),
    }
    Ok(())
}

fn id(number: u128, out: &mut Vec<u8>) {
    let mut text = [b'-'; 36];
    let mut place = 0;
    for nibble in (0..32).rev() {
        if matches!(place, 8 | 13 | 18 | 23) {
            place += 1;
        }
        text[place] = DIGITS[(number >> (4 * nibble)) as usize & 15];
        place += 1;
    }
    out.extend(text);
}

fn moment(of: &Bound<'_, PyAny>) -> PyResult<i64> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = of.py();
    let epoch = EPOCH.get_or_try_init(py, || -> PyResult<Py<PyAny>> {
        let module = py.import("datetime")?;
        let utc = module.getattr("UTC")?;
        Ok(module
            .getattr("datetime")?
            .call1((1970, 1, 1, 0, 0, 0, 0, utc))?
            .unbind())
    })?;
    let past = of.sub(epoch)?;
    let days: i64 = past.getattr(intern!(py, "days"))?.extract()?;
    let seconds: i64 = past.getattr(intern!(py, "seconds"))?.extract()?;
    let micros: i64 = past.getattr(intern!(py, "microseconds"))?.extract()?;
    Ok((days * 86_400 + seconds) * 1_000_000 + micros)
}

/// The unscaled number in two's complement, behind its length.
fn decimal(of: &Bound<'_, PyAny>, precision: usize, scale: i32, out: &mut Vec<u8>) -> PyResult<()> {
    let tuple = of.call_method0(intern!(of.py(), "as_tuple"))?;
    let (sign, digits, exponent): (u8, Vec<u8>, i32) = tuple.extract()?;
    let power = exponent + scale;
    if digits.len() > precision || power < 0 || digits.len() + power as usize > 38 {
        return Err(PyOverflowError::new_err("no decimal of ours"));
    }
    let whole = digits
        .iter()
        .fold(0i128, |rest, &digit| rest * 10 + i128::from(digit));
    let number = whole * 10i128.pow(power as u32);
    let bits = 128 - number.leading_zeros() as usize;
    let size = (bits + 8) / 8;
    let signed = if sign == 1 { -number } else { number };
    octets(&signed.to_be_bytes()[16 - size..], out);
    Ok(())
}
