//! Avro binary to frozen models, built without their checks: the bytes were checked and sealed.

use std::collections::HashMap;
use std::sync::Mutex;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::copy::id;
use crate::program::{node_of, Kind, Node};
use crate::read::{Broken, Fault, Reader, Value};
use crate::to_python::plain;

// A story of a run is some hundred events, and dozens run at once: 8,192 ids of 200 bytes are 2 MB.
const IDS_KEPT_MAX: usize = 8_192;

type Last = Mutex<Option<(Vec<u8>, Py<PyAny>)>>;

/// What is made of a node: of a record its class, of a list or nullable what its item is made of.
enum Make {
    Plain,
    Item(Box<Make>),
    Record {
        class: Py<PyAny>,
        names: Py<PyAny>,
        last: Option<Last>,
        parts: Vec<Make>,
    },
}

/// Python's own functions that make objects and set what their classes guard.
#[derive(FromPyObject)]
struct Tools {
    new: Py<PyAny>,
    put_values: Py<PyAny>,
    put_names: Py<PyAny>,
    put_extra: Py<PyAny>,
    put_private: Py<PyAny>,
    put: Py<PyAny>,
    id_class: Py<PyAny>,
    id_safety: Py<PyAny>,
    epoch: Py<PyAny>,
    timedelta: Py<PyAny>,
    from_day: Py<PyAny>,
    decimal: Py<PyAny>,
}

/// Reads events of one schema as models of one class.
#[pyclass(frozen)]
pub struct Models {
    root: Node,
    make: Make,
    tools: Tools,
    ids: Mutex<HashMap<[u8; 16], Py<PyAny>>>,
}

#[pymethods]
impl Models {
    #[new]
    fn new(root: &Bound<'_, PyTuple>, make: &Bound<'_, PyAny>, tools: Tools) -> PyResult<Self> {
        let ids = Mutex::new(HashMap::new());
        Ok(Models {
            root: node_of(root)?,
            make: make_of(make)?,
            tools,
            ids,
        })
    }

    /// The event in these bytes, from a place on, and the place behind it.
    fn read(&self, py: Python<'_>, data: &[u8], at: usize) -> PyResult<(Py<PyAny>, usize)> {
        if at > data.len() {
            return Err(PyValueError::new_err("the place is behind the bytes"));
        }
        let mut reader = Reader::new(data, at);
        match self.event(py, &mut reader) {
            Ok(event) => Ok((event, reader.at())),
            Err(Fault::Raised(error)) => Err(error),
            Err(Fault::Broken(fault)) => {
                let place = if fault.place.is_empty() {
                    "the event"
                } else {
                    &fault.place
                };
                Err(PyValueError::new_err(format!(
                    "byte {}: {place} {}",
                    fault.at, fault.fact
                )))
            }
        }
    }
}

/// None; or (item,); or (class, names, whether it repeats, parts).
fn make_of(made: &Bound<'_, PyAny>) -> PyResult<Make> {
    if made.is_none() {
        return Ok(Make::Plain);
    }
    let tuple = made.cast::<PyTuple>()?;
    if tuple.len() == 1 {
        return Ok(Make::Item(Box::new(make_of(&tuple.get_item(0)?)?)));
    }
    let repeats: bool = tuple.get_item(2)?.extract()?;
    let parts: Vec<Bound<'_, PyAny>> = tuple.get_item(3)?.extract()?;
    Ok(Make::Record {
        class: tuple.get_item(0)?.unbind(),
        names: tuple.get_item(1)?.unbind(),
        last: repeats.then(|| Mutex::new(None)),
        parts: parts.iter().map(make_of).collect::<PyResult<_>>()?,
    })
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Models {
    /// The whole: its first part is the envelope, which stands beside the fields.
    fn event(&self, py: Python<'_>, reader: &mut Reader<'_>) -> Result<Py<PyAny>, Fault> {
        let (
            Kind::Record(parts),
            Make::Record {
                class,
                names,
                parts: makes,
                ..
            },
        ) = (&self.root.kind, &self.make)
        else {
            return Err(PyValueError::new_err("an event is a record").into());
        };
        let values = PyDict::new(py);
        let private = PyDict::new(py);
        for (index, (part, make)) in parts.iter().zip(makes).enumerate() {
            let value = self.made(py, part, make, reader)?;
            if index == 0 {
                private.set_item(intern!(py, "_envelope"), value)?;
            } else {
                values.set_item(&part.key, value)?;
            }
        }
        Ok(self.object(py, class, names, values, private.into_any().unbind())?)
    }

    fn object(
        &self,
        py: Python<'_>,
        class: &Py<PyAny>,
        names: &Py<PyAny>,
        values: Bound<'_, PyDict>,
        private: Py<PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let tools = &self.tools;
        let object = tools.new.call1(py, (class,))?;
        tools.put_values.call1(py, (&object, values))?;
        tools.put_names.call1(py, (&object, names))?;
        tools.put_extra.call1(py, (&object, py.None()))?;
        tools.put_private.call1(py, (&object, private))?;
        Ok(object)
    }

    fn made(
        &self,
        py: Python<'_>,
        node: &Node,
        make: &Make,
        reader: &mut Reader<'_>,
    ) -> Result<Py<PyAny>, Fault> {
        match (&node.kind, make) {
            (Kind::Nullable(item), make) => {
                if reader.is_null(node)? {
                    return Ok(py.None());
                }
                let make = if let Make::Item(inner) = make {
                    inner
                } else {
                    make
                };
                self.made(py, item, make, reader)
            }
            (Kind::Array(item), make) => {
                let make = if let Make::Item(inner) = make {
                    inner
                } else {
                    make
                };
                let mut items = Vec::new();
                loop {
                    let count = reader.count(node)?;
                    if count == 0 {
                        return Ok(PyTuple::new(py, items)?.into_any().unbind());
                    }
                    for _ in 0..count {
                        items.push(self.made(py, item, make, reader)?);
                    }
                }
            }
            (
                Kind::Record(parts),
                Make::Record {
                    class,
                    names,
                    last,
                    parts: makes,
                },
            ) => {
                if let Some(found) = last.as_ref().and_then(|last| repeated(py, last, reader)) {
                    return Ok(found);
                }
                let begin = reader.at();
                let values = PyDict::new(py);
                for (part, make) in parts.iter().zip(makes) {
                    values.set_item(&part.key, self.made(py, part, make, reader)?)?;
                }
                let object = self.object(py, class, names, values, py.None())?;
                if let Some(last) = last {
                    let octets = reader.since(begin).to_vec();
                    *lock(last) = Some((octets, object.clone_ref(py)));
                }
                Ok(object)
            }
            (Kind::Record(_), _) => Err(PyValueError::new_err("a record has no class").into()),
            _ => {
                let begin = reader.at();
                let value = reader.value(node)?;
                Ok(self.scalar(py, node, begin, value)?)
            }
        }
    }

    fn scalar(
        &self,
        py: Python<'_>,
        node: &Node,
        begin: usize,
        value: Value<'_>,
    ) -> Result<Py<PyAny>, Fault> {
        Ok(match (value, &node.kind) {
            (Value::Text(text), Kind::Uuid) => match id(text.as_bytes()) {
                Some(octets) => self.id(py, octets)?,
                None => {
                    let (place, fact) = (node.place.clone(), "is no id".to_owned());
                    return Err(Broken {
                        at: begin,
                        place,
                        fact,
                    }
                    .into());
                }
            },
            (Value::Long(micros), Kind::Moment) => {
                let past = self.tools.timedelta.call1(py, (0, 0, micros))?;
                self.tools.epoch.bind(py).add(past)?.unbind()
            }
            (Value::Long(days), Kind::Date) => self
                .tools
                .from_day
                .call1(py, (days + crate::write::EPOCH_DAY,))?,
            (Value::Decimal(text), _) => self.tools.decimal.call1(py, (text,))?,
            (value, _) => plain(py, node, &value)?,
        })
    }

    fn id(&self, py: Python<'_>, octets: [u8; 16]) -> PyResult<Py<PyAny>> {
        if let Some(known) = lock(&self.ids).get(&octets) {
            return Ok(known.clone_ref(py));
        }
        let tools = &self.tools;
        let made = tools.new.call1(py, (&tools.id_class,))?;
        tools
            .put
            .call1(py, (&made, intern!(py, "int"), u128::from_be_bytes(octets)))?;
        tools
            .put
            .call1(py, (&made, intern!(py, "is_safe"), &tools.id_safety))?;
        let mut ids = lock(&self.ids);
        if ids.len() >= IDS_KEPT_MAX {
            ids.clear();
        }
        ids.insert(octets, made.clone_ref(py));
        Ok(made)
    }
}

/// No value's bytes begin another's, so bytes that begin with the last ones are the last one.
fn repeated(py: Python<'_>, last: &Last, reader: &mut Reader<'_>) -> Option<Py<PyAny>> {
    let kept = lock(last);
    let (octets, object) = kept.as_ref()?;
    if !reader.begins_with(octets) {
        return None;
    }
    Some(object.clone_ref(py))
}
