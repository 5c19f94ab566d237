//! Values as Python's, in columns.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::program::{Kind, Node};
use crate::read::{Fault, Reader, Value};

pub type RawColumns = (Vec<usize>, Vec<Vec<Py<PyAny>>>);

/// The columns of one program, as they grow.
pub struct Columns<'a> {
    records: Vec<usize>,
    columns: Vec<Vec<Py<PyAny>>>,
    row: Vec<Option<Py<PyAny>>>,
    /// The last text of each column: one after another, many are the same, and so is the object.
    last: Vec<(&'a str, Option<Py<PyAny>>)>,
}

impl<'a> Columns<'a> {
    pub fn new(columns: usize) -> Self {
        Columns {
            records: Vec::new(),
            columns: (0..columns).map(|_| Vec::new()).collect(),
            row: Vec::new(),
            last: (0..columns).map(|_| ("", None)).collect(),
        }
    }

    pub fn begin(&mut self) {
        self.row.clear();
        self.row.resize_with(self.columns.len(), || None);
    }

    pub fn put(
        &mut self,
        py: Python<'_>,
        node: &Node,
        reader: &mut Reader<'a>,
    ) -> Result<(), Fault> {
        let texts = match &node.kind {
            Kind::Nullable(item) => matches!(item.kind, Kind::Text | Kind::Uuid),
            kind => matches!(kind, Kind::Text | Kind::Uuid),
        };
        let made = if texts {
            match reader.value(node)? {
                Value::Text(text) => self.text(py, node.slots[0], text),
                _ => return Ok(()), // null, which the row holds already
            }
        } else {
            nested(py, node, reader)?
        };
        for &slot in &node.slots {
            self.row[slot] = Some(made.clone_ref(py));
        }
        Ok(())
    }

    fn text(&mut self, py: Python<'_>, slot: usize, text: &'a str) -> Py<PyAny> {
        let (last, object) = &mut self.last[slot];
        match object {
            Some(object) if *last == text => object.clone_ref(py),
            _ => {
                let made = PyString::new(py, text).into_any().unbind();
                *last = text;
                *object = Some(made.clone_ref(py));
                made
            }
        }
    }

    pub fn end(&mut self, py: Python<'_>, record: usize) {
        self.records.push(record);
        for (column, value) in self.columns.iter_mut().zip(self.row.drain(..)) {
            column.push(value.unwrap_or_else(|| py.None()));
        }
    }

    pub fn done(self) -> RawColumns {
        (self.records, self.columns)
    }
}

/// What stands here, as lists, dictionaries and plain values.
fn nested(py: Python<'_>, node: &Node, reader: &mut Reader<'_>) -> Result<Py<PyAny>, Fault> {
    Ok(match &node.kind {
        Kind::Nullable(item) => {
            if reader.is_null(node)? {
                py.None()
            } else {
                nested(py, item, reader)?
            }
        }
        Kind::Array(item) => {
            let mut items = Vec::new();
            loop {
                let count = reader.count(node)?;
                if count == 0 {
                    break;
                }
                for _ in 0..count {
                    items.push(nested(py, item, reader)?);
                }
            }
            PyList::new(py, items)?.into_any().unbind()
        }
        Kind::Record(parts) => {
            let record = PyDict::new(py);
            for part in parts {
                record.set_item(&part.key, nested(py, part, reader)?)?;
            }
            record.into_any().unbind()
        }
        _ => plain(py, node, &reader.value(node)?)?,
    })
}

/// A value that has no parts.
pub fn plain(py: Python<'_>, node: &Node, value: &Value<'_>) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::Text(text) => PyString::new(py, text).into_any().unbind(),
        Value::Octets(octets) => PyBytes::new(py, octets).into_any().unbind(),
        Value::Long(number) => number.into_pyobject(py)?.into_any().unbind(),
        Value::Double(number) => number.into_pyobject(py)?.into_any().unbind(),
        Value::Boolean(truth) => truth.into_pyobject(py)?.to_owned().into_any().unbind(),
        Value::Decimal(text) => PyString::new(py, text).into_any().unbind(),
        Value::Symbol(index) => match &node.kind {
            Kind::Enum(symbols) => PyString::new(py, &symbols[*index]).into_any().unbind(),
            _ => return Err(PyValueError::new_err("only enums have symbols")),
        },
        Value::Null | Value::List(_) => return Err(PyValueError::new_err("a value with parts")),
    })
}
