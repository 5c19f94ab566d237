//! FASTQ: the counts of one file as Python sees them.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::adapters::Adapters;
use crate::counts::{Asked, Counts};

/// The counts of one file, for `processors/validation/reads`.
#[pyclass]
pub struct ReadCounts {
    counts: Counts,
}

#[pymethods]
impl ReadCounts {
    #[new]
    fn new(numbers: [usize; 7], adapters: Vec<Vec<u8>>, every: bool) -> Self {
        let [positions, kinds, line_bytes, short_bases, prefix_bases, tail_bases, plain] = numbers;
        let asked = Asked {
            positions,
            kinds,
            line_bytes,
            short_bases,
            prefix_bases,
            tail_bases,
        };
        let adapters = Adapters::new(&adapters, plain, positions);
        let counts = Counts::new(asked, adapters, every);
        Self { counts }
    }

    /// Names that begin so may be accepted.
    fn know(&mut self, prefix: Vec<u8>) {
        self.counts.know(prefix);
    }

    /// Where the first record begins that is not clean or not whole, and how many were before it.
    fn scan(&mut self, py: Python<'_>, text: &[u8], at: usize) -> (usize, u64) {
        let counts = &mut self.counts;
        let before = counts.reads;
        let end = py.detach(|| counts.scan_best(text, at));
        (end, self.counts.reads - before)
    }

    /// Count a record that was judged: letters of bases alone, and as many qualities.
    fn add(&mut self, title: &[u8], bases: &[u8], qualities: &[u8]) {
        self.counts.add(title, bases, qualities);
    }

    /// The names since this was asked last, each with a line feed.
    fn names(&mut self, py: Python<'_>) -> Py<PyBytes> {
        let names = PyBytes::new(py, &self.counts.names).unbind();
        self.counts.names.clear();
        names
    }

    /// All counts by name.
    fn raw<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = &mut self.counts;
        let raw = PyDict::new(py);
        raw.set_item("reads", counts.reads)?;
        raw.set_item("bases", counts.bases)?;
        raw.set_item("gc", counts.gc)?;
        raw.set_item("n", counts.n)?;
        raw.set_item("quality_sum", counts.quality_sum)?;
        let range = (counts.bases > 0).then_some((counts.quality_min, counts.quality_max));
        raw.set_item("quality_range", range)?;
        let lengths = counts.lengths.iter().enumerate();
        let lengths: HashMap<usize, u64> = lengths
            .filter(|one| *one.1 > 0)
            .map(|(k, v)| (k, *v))
            .collect();
        raw.set_item("lengths", lengths)?;
        if !counts.every {
            raw.set_item("q20", counts.good[0])?;
            raw.set_item("q30", counts.good[1])?;
            return Ok(raw);
        }
        raw_places(counts, &raw)?;
        raw.set_item("gc_of", counts.gc_by_length())?;
        raw.set_item("means", counts.means.clone())?;
        raw.set_item("adapter_at", counts.adapters.at.clone())?;
        raw.set_item("adapter_reads", counts.adapters.reads)?;
        raw.set_item("tails", counts.tails)?;
        raw_kinds(counts, py, &raw)?;
        Ok(raw)
    }
}

fn raw_places(counts: &mut Counts, raw: &Bound<'_, PyDict>) -> PyResult<()> {
    let places = &mut counts.places;
    places.lighten();
    let rows = places.heavy.len();
    let letters: Vec<&[u64]> = places.letters.iter().map(|one| &one[..rows]).collect();
    raw.set_item("letters", letters)?;
    let rows: Vec<&[u64]> = places.heavy.iter().map(|one| &one[..]).collect();
    raw.set_item("qualities", rows)?;
    raw.set_item("beyond", counts.beyond.clone())
}

/// How often each count of a kind occurs, and the kinds that are more than a thousandth.
fn raw_kinds(counts: &Counts, py: Python<'_>, raw: &Bound<'_, PyDict>) -> PyResult<()> {
    let mut levels: HashMap<u64, u64> = HashMap::new();
    for (_, count) in counts.kinds.all() {
        *levels.entry(count).or_default() += 1;
    }
    let frequent = PyDict::new(py);
    for (kind, count) in counts.kinds.all() {
        if count * 1_000 > counts.reads {
            frequent.set_item(PyBytes::new(py, kind), count)?;
        }
    }
    raw.set_item("levels", levels)?;
    raw.set_item("frequent", frequent)?;
    raw.set_item("counted_at_limit", counts.counted_at_limit)
}
