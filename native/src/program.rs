//! The program of `native/program.py`, taken over once.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::write::written;

pub enum Kind {
    Text,
    Uuid,
    Enum(Vec<String>),
    Octets,
    Int,
    Date,
    Long,
    Moment,
    Double,
    Boolean,
    Decimal { precision: u32, scale: usize },
    Nullable(Box<Node>),
    Array(Box<Node>),
    Record(Vec<Node>),
}

pub struct Node {
    pub kind: Kind,
    pub place: String,
    pub name: String,
    /// The name as the key of a dictionary, made once.
    pub key: Py<PyString>,
    pub slots: Vec<usize>,
    pub inner: bool,
}

#[derive(Clone, Copy)]
pub enum Copy {
    Text,
    Bigint,
    Int,
    Double,
    Boolean,
    Timestamptz,
    Uuid,
    Jsonb,
    JsonbRest,
}

/// What to read of the records of one schema.
#[pyclass(frozen)]
pub struct Program {
    pub root: Node,
    pub columns: usize,
    pub copies: Vec<Copy>,
}

#[pymethods]
impl Program {
    #[new]
    fn new(root: &Bound<'_, PyTuple>, columns: usize, copies: Vec<String>) -> PyResult<Self> {
        let copies = copies
            .iter()
            .map(|name| copy_of(name))
            .collect::<PyResult<_>>()?;
        Ok(Program {
            root: node_of(root)?,
            columns,
            copies,
        })
    }

    /// The bytes of an event of this schema, behind the prefix that is given.
    fn write(
        &self,
        prefix: &[u8],
        envelope: &Bound<'_, PyAny>,
        event: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyBytes>> {
        written(&self.root, prefix, envelope, event)
    }
}

fn copy_of(name: &str) -> PyResult<Copy> {
    Ok(match name {
        "text" => Copy::Text,
        "bigint" => Copy::Bigint,
        "int" => Copy::Int,
        "double precision" => Copy::Double,
        "boolean" => Copy::Boolean,
        "timestamptz" => Copy::Timestamptz,
        "uuid" => Copy::Uuid,
        "jsonb" => Copy::Jsonb,
        "jsonb rest" => Copy::JsonbRest,
        _ => {
            return Err(PyValueError::new_err(format!(
                "{name} is no type for COPY here"
            )))
        }
    })
}

/// A node out of its tuple: kind, place, name, slots, inner, parts, symbols, precision, scale.
pub fn node_of(tuple: &Bound<'_, PyTuple>) -> PyResult<Node> {
    let kind: String = tuple.get_item(0)?.extract()?;
    let parts: Vec<Bound<'_, PyTuple>> = tuple.get_item(5)?.extract()?;
    let mut parts = parts.iter().map(node_of).collect::<PyResult<Vec<Node>>>()?;
    let kind = match kind.as_str() {
        "string" => Kind::Text,
        "uuid" => Kind::Uuid,
        "enum" => Kind::Enum(tuple.get_item(6)?.extract()?),
        "bytes" => Kind::Octets,
        "int" => Kind::Int,
        "date" => Kind::Date,
        "long" => Kind::Long,
        "moment" => Kind::Moment,
        "double" => Kind::Double,
        "boolean" => Kind::Boolean,
        "decimal" => Kind::Decimal {
            precision: tuple.get_item(7)?.extract()?,
            scale: tuple.get_item(8)?.extract()?,
        },
        "nullable" => Kind::Nullable(Box::new(parts.swap_remove(0))),
        "array" => Kind::Array(Box::new(parts.swap_remove(0))),
        "record" => Kind::Record(parts),
        _ => return Err(PyValueError::new_err(format!("{kind} is no kind of node"))),
    };
    Ok(Node {
        kind,
        place: tuple.get_item(1)?.extract()?,
        name: tuple.get_item(2)?.extract()?,
        key: tuple.get_item(2)?.cast_into::<PyString>()?.unbind(),
        slots: tuple.get_item(3)?.extract()?,
        inner: tuple.get_item(4)?.extract()?,
    })
}
