//! The loops over bytes: batches of wire records to columns, and to rows of COPY's binary format.
//!
//! `native/twin.py` does the same in Python, and tests hold both to the same results and faults.

mod adapters;
mod copy;
mod counts;
mod hashes;
mod inflate;
mod kinds;
mod lanes;
mod models;
mod places;
mod program;
mod read;
mod reads;
mod sam;
mod tally;
mod to_python;
mod vcf;
mod write;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use program::Program;
use read::{Broken, Fault, Reader};

const PREFIX: usize = 5; // 0x00 and four bytes of a schema id

type RawFault = (usize, usize, String, String);
type Others = BTreeMap<u32, Vec<usize>>;
type Programs = Vec<(u32, Py<Program>)>;

/// Records sorted by program; what was found is for the caller to keep.
struct Sorted {
    others: Others,
    faults: Vec<RawFault>,
}

fn each<'a>(
    values: &'a [PyBackedBytes],
    programs: &HashMap<u32, usize>,
    mut take: impl FnMut(usize, usize, Reader<'a>) -> Result<(), Broken>,
) -> Sorted {
    let mut sorted = Sorted {
        others: BTreeMap::new(),
        faults: Vec::new(),
    };
    for (record, value) in values.iter().enumerate() {
        let data: &[u8] = value;
        if data.len() < PREFIX || data[0] != 0 {
            let fact = "is not in Confluent's wire format".to_owned();
            sorted.faults.push((record, 0, String::new(), fact));
            continue;
        }
        let schema_id = u32::from_be_bytes([data[1], data[2], data[3], data[4]]);
        match programs.get(&schema_id) {
            None => sorted.others.entry(schema_id).or_default().push(record),
            Some(&index) => {
                if let Err(broken) = take(index, record, Reader::new(data, PREFIX)) {
                    sorted
                        .faults
                        .push((record, broken.at, broken.place, broken.fact));
                }
            }
        }
    }
    sorted
}

/// The programs in a row, and which schema id has which of them.
fn indexed(programs: &Programs) -> (Vec<&Program>, HashMap<u32, usize>) {
    let list = programs.iter().map(|(_, one)| one.get()).collect();
    let index = programs
        .iter()
        .enumerate()
        .map(|(index, (id, _))| (*id, index))
        .collect();
    (list, index)
}

type RawColumns = (Vec<(u32, to_python::RawColumns)>, Others, Vec<RawFault>);

/// Columns by schema id, the records of other ids, and what is broken.
#[pyfunction]
fn read_columns(
    py: Python<'_>,
    values: Vec<PyBackedBytes>,
    programs: Programs,
) -> PyResult<RawColumns> {
    let (list, index) = indexed(&programs);
    let mut columns: Vec<to_python::Columns> = list
        .iter()
        .map(|one| to_python::Columns::new(one.columns))
        .collect();
    let mut raised = None;
    let sorted = each(&values, &index, |which, record, mut reader| {
        let kept = &mut columns[which];
        kept.begin();
        let read = reader.walk(&list[which].root, &mut |node, reader| {
            kept.put(py, node, reader)
        });
        match read {
            Ok(()) => reader.finished()?,
            Err(Fault::Broken(broken)) => return Err(broken),
            Err(Fault::Raised(error)) => {
                raised.get_or_insert(error);
                return Ok(());
            }
        }
        kept.end(py, record);
        Ok(())
    });
    if let Some(error) = raised {
        return Err(error); // no memory, most likely: the batch as a whole is given up
    }
    let found = programs
        .iter()
        .zip(columns)
        .map(|((id, _), one)| (*id, one.done()))
        .collect();
    Ok((found, sorted.others, sorted.faults))
}

type RawBody = (Vec<usize>, Cow<'static, [u8]>);
type RawRows = (Vec<(u32, RawBody)>, Others, Vec<RawFault>);

/// Rows of COPY's binary format by schema id; each begins with its head of so many fields.
#[pyfunction]
fn copy_rows(
    py: Python<'_>,
    values: Vec<PyBackedBytes>,
    programs: Programs,
    fields: u16,
    heads: Vec<PyBackedBytes>,
) -> PyResult<RawRows> {
    if fields > 0 && heads.len() != values.len() {
        return Err(PyValueError::new_err("a record is without its head"));
    }
    // Nothing below touches Python, so other threads may run meanwhile.
    let (bodies, sorted) = py.detach(|| {
        let (list, index) = indexed(&programs);
        let mut bodies: Vec<copy::Body> = list.iter().map(|_| copy::Body::default()).collect();
        let sorted = each(&values, &index, |which, record, mut reader| {
            let head = if fields > 0 { &heads[record][..] } else { &[] };
            bodies[which].add(list[which], record, (fields, head), &mut reader)
        });
        (bodies, sorted)
    });
    let found = programs
        .iter()
        .zip(bodies)
        .map(|((id, _), body)| (*id, (body.records, Cow::Owned(body.octets))))
        .collect();
    Ok((found, sorted.others, sorted.faults))
}

/// How many line feeds there are.
#[pyfunction]
fn count_lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

#[pymodule]
mod _rust {
    #[pymodule_export]
    use super::hashes::Hashes;
    #[pymodule_export]
    use super::inflate::{inflate_blocks, Inflate};
    #[pymodule_export]
    use super::models::Models;
    #[pymodule_export]
    use super::reads::ReadCounts;
    #[pymodule_export]
    use super::sam::AlignmentScan;
    #[pymodule_export]
    use super::vcf::VcfLines;
    #[pymodule_export]
    use super::{copy_rows, count_lines, read_columns, Program};
}
