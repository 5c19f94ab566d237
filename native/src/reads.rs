//! FASTQ: which records are certainly clean, and what is counted of those.
//!
//! A record is clean here if nothing can be said of it. Every other one is Python's to judge, which
//! hands it back by `add` if it counts. `processors/validation/reads/counts.py` counts the same.

use std::collections::HashMap;

use memchr::{memchr, memchr2};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::kinds::Kinds;
use crate::places::Places;
use crate::tally::{self, Grades, Masks, ALPHABET, QUALITIES};

const FIRST: u8 = b'!'; // the quality 0
const LAST: u8 = b'~';
const LONG: usize = 1_000; // longer reads are compared as if they had so many bases

/// What is asked for beside the sums; all numbers are Python's to choose.
#[derive(Clone, Default)]
struct Asked {
    positions: usize, // of a read, that are counted one by one
    kinds: usize,     // of beginnings, that are remembered
    line_bytes: usize,
    short_bases: usize,  // a read up to this length is its own kind
    prefix_bases: usize, // of longer ones that are compared
    tail_bases: usize,   // of G at the end, that say that there was no signal
    plain: usize,        // so many of the adapters, the first ones, are more than one base repeated
}

#[derive(Default)]
struct Counts {
    asked: Asked,
    every: bool,
    adapters: Vec<Vec<usize>>, // letters by their place in the alphabet
    known: Vec<Vec<u8>>,
    names: Vec<u8>,
    reads: u64,
    bases: u64,
    gc: u64,
    n: u64,
    q20: u64,
    q30: u64,
    quality_sum: u64,
    quality_min: u8,
    quality_max: u8,
    lengths: Vec<u64>,
    places: Places,
    beyond: Vec<u64>, // qualities at positions that are not counted one by one
    means: Vec<u64>,
    gc_of: HashMap<(u32, u32), u64>,
    gc_small: Vec<u32>, // the same, of reads that count as a hundred bases
    adapter_at: Vec<Vec<u64>>,
    adapter_reads: u64,
    tails: u64,
    kinds: Kinds,
    counted_at_limit: u64,
    masks: Masks,
    padded: Vec<u8>, // the bases of a read in upper case
    grades: Vec<u8>, // its qualities, filled up with the last of them
}

/// The length by which FastQC compares the share of G and C: whole hundreds, then thousands.
fn comparable(length: usize) -> usize {
    match length {
        0..=100 => length,
        101..=1000 => length / 100 * 100,
        _ => length / 1000 * 1000,
    }
}

impl Counts {
    /// The name by which mates are compared: up to the first blank, without /1 and /2.
    fn name<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let id = &line[1..memchr2(b' ', b'\t', line).unwrap_or(line.len()).max(1)];
        match id {
            [name @ .., b'/', b'1' | b'2'] => name,
            _ => id,
        }
    }

    #[inline(always)]
    fn title(&mut self, line: &[u8]) -> bool {
        if line.len() > self.asked.line_bytes
            || line.first() != Some(&b'@')
            || !tally::is_text(line)
        {
            return false;
        }
        let Some(which) = self.known.iter().position(|one| line.starts_with(one)) else {
            return false;
        };
        if which > 0 {
            self.known.swap(0, which);
        }
        !self.name(line).is_empty()
    }

    /// The end of a clean record that begins there.
    #[inline(always)]
    fn record(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let title = &text[at..at + memchr(b'\n', &text[at..])?];
        let begin = at + title.len() + 1;
        let length = memchr(b'\n', text.get(begin..)?)?;
        let plus = begin + length + 1;
        let mut quality = plus + 2;
        if text.get(plus)? != &b'+' {
            return None;
        }
        if text.get(plus + 1)? != &b'\n' {
            let name = &title[1..];
            let stop = plus + 1 + name.len();
            if text.get(plus + 1..stop)? != name || text.get(stop)? != &b'\n' {
                return None;
            }
            quality = stop + 1;
        }
        let end = quality + length;
        if text.get(end)? != &b'\n' || length > self.asked.line_bytes {
            return None;
        }
        let (bases, qualities) = (&text[begin..begin + length], &text[quality..end]);
        // A line feed is no quality, so that the line is as long as it seems to be.
        let grades = self.graded(qualities);
        let in_range = length == 0 || (grades.least >= FIRST && grades.most <= LAST);
        if !in_range || !self.title(title) || !self.take(bases, qualities, &grades, false) {
            return None;
        }
        self.names_add(title);
        Some(end + 1)
    }

    fn names_add(&mut self, title: &[u8]) {
        let name = self.name(title);
        self.names.extend_from_slice(name);
        self.names.push(b'\n');
    }

    #[inline(always)]
    fn graded(&mut self, qualities: &[u8]) -> Grades {
        let filling = qualities.last().copied().unwrap_or(FIRST);
        tally::pad(&mut self.grades, qualities, filling);
        tally::grades(&self.grades, qualities.len(), FIRST)
    }

    /// Count a read whose qualities are in range; one with letters of no base only if it was judged.
    #[inline(always)]
    fn take(&mut self, bases: &[u8], qualities: &[u8], grades: &Grades, judged: bool) -> bool {
        let length = bases.len();
        tally::pad(&mut self.padded, bases, 0);
        let (known, mut gc, mut n) = tally::letters(&self.padded);
        if known != length {
            if !judged && !tally::are_bases(bases) {
                return false;
            }
            self.padded.make_ascii_uppercase();
            (_, gc, n) = tally::letters(&self.padded);
        }
        self.reads += 1;
        self.bases += length as u64;
        self.gc += gc as u64;
        self.n += n as u64;
        if self.lengths.len() <= length {
            self.lengths.resize(length + 1, 0);
        }
        self.lengths[length] += 1;
        self.quality_min = self.quality_min.min(grades.least);
        self.quality_max = self.quality_max.max(grades.most);
        self.quality_sum += grades.sum;
        if self.every {
            self.masks.fill(&self.padded);
            self.take_every(qualities, grades.sum);
        } else {
            self.q20 += tally::at_least(&self.grades, length, FIRST + 20);
            self.q30 += tally::at_least(&self.grades, length, FIRST + 30);
        }
        true
    }

    #[inline(always)]
    fn take_every(&mut self, qualities: &[u8], sum: u64) {
        let length = qualities.len();
        self.places
            .take(&self.padded, length.min(self.asked.positions));
        let near = qualities.len().min(self.asked.positions);
        self.places.take_qualities(&qualities[..near]);
        for &one in &qualities[near..] {
            self.beyond[usize::from(one - FIRST)] += 1;
        }
        if length > 0 {
            let mean = (sum / length as u64) as usize;
            self.means[mean] += 1;
            let compared = comparable(length);
            let mut gc = self.masks.gc_of(compared);
            if compared > LONG {
                gc = gc * LONG / compared;
            }
            let compared = compared.min(LONG);
            if compared == 100 {
                self.gc_small[gc] += 1;
                if self.gc_small[gc] == u32::MAX {
                    *self.gc_of.entry((100, gc as u32)).or_default() += u64::from(u32::MAX);
                    self.gc_small[gc] = 0;
                }
            } else {
                *self.gc_of.entry((compared as u32, gc as u32)).or_default() += 1;
            }
        }
        let mut seen = false;
        for (which, adapter) in self.adapters.iter().enumerate() {
            if let Some(at) = self.masks.find(adapter) {
                seen |= which < self.asked.plain;
                let places = &mut self.adapter_at[which];
                places[at.min(self.asked.positions)] += 1;
            }
        }
        self.adapter_reads += u64::from(seen);
        let tail = length.checked_sub(self.asked.tail_bases);
        let is_tail = |from| self.padded[from..length].iter().all(|&one| one == b'G');
        self.tails += u64::from(tail.is_some_and(is_tail));
        self.take_kind(length);
    }

    fn take_kind(&mut self, length: usize) {
        let kept = if length > self.asked.short_bases {
            self.asked.prefix_bases
        } else {
            length
        };
        if self.kinds.take(&self.padded[..kept], self.asked.kinds) {
            self.counted_at_limit = self.reads;
        }
    }

    #[inline(always)]
    fn scan(&mut self, text: &[u8], at: usize) -> usize {
        let mut at = at;
        while at < text.len() {
            match self.record(text, at) {
                Some(end) => at = end,
                None => break,
            }
        }
        at
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
    unsafe fn scan_wide(&mut self, text: &[u8], at: usize) -> usize {
        self.scan(text, at)
    }

    fn scan_best(&mut self, text: &[u8], at: usize) -> usize {
        #[cfg(target_arch = "x86_64")]
        if tally::is_wide() {
            // SAFETY: the processor was asked for each of these features.
            return unsafe { self.scan_wide(text, at) };
        }
        self.scan(text, at)
    }
}

fn places(letters: &[u8]) -> Vec<usize> {
    let place = |one: &u8| ALPHABET.iter().position(|letter| letter == one);
    letters.iter().filter_map(place).collect()
}

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
        let counts = Counts {
            every,
            adapter_at: vec![vec![0; positions + 1]; adapters.len()],
            adapters: adapters.iter().map(|one| places(one)).collect(),
            asked: Asked {
                positions,
                kinds,
                line_bytes,
                short_bases,
                prefix_bases,
                tail_bases,
                plain,
            },
            quality_min: u8::MAX,
            beyond: vec![0; QUALITIES],
            means: vec![0; QUALITIES],
            gc_small: vec![0; 101],
            ..Counts::default()
        };
        Self { counts }
    }

    /// Names that begin so may be accepted.
    fn know(&mut self, prefix: Vec<u8>) {
        self.counts.known.push(prefix);
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
        let grades = self.counts.graded(qualities);
        self.counts.take(bases, qualities, &grades, true);
        self.counts.names_add(title);
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
            raw.set_item("q20", counts.q20)?;
            raw.set_item("q30", counts.q30)?;
            return Ok(raw);
        }
        counts.raw_places(&raw)?;
        for (gc, count) in counts.gc_small.iter_mut().enumerate() {
            if *count > 0 {
                *counts.gc_of.entry((100, gc as u32)).or_default() += u64::from(*count);
                *count = 0;
            }
        }
        raw.set_item("gc_of", counts.gc_of.clone())?;
        raw.set_item("means", counts.means.clone())?;
        raw.set_item("adapter_at", counts.adapter_at.clone())?;
        raw.set_item("adapter_reads", counts.adapter_reads)?;
        raw.set_item("tails", counts.tails)?;
        counts.raw_kinds(py, &raw)?;
        Ok(raw)
    }
}

impl Counts {
    fn raw_places(&mut self, raw: &Bound<'_, PyDict>) -> PyResult<()> {
        self.places.settle();
        self.places.lighten();
        let rows = self.places.heavy.len();
        let letters: Vec<&[u64]> = self.places.letters.iter().map(|one| &one[..rows]).collect();
        raw.set_item("letters", letters)?;
        let rows: Vec<&[u64]> = self.places.heavy.iter().map(|one| &one[..]).collect();
        raw.set_item("qualities", rows)?;
        raw.set_item("beyond", self.beyond.clone())
    }

    /// How often each count of a kind occurs, and the kinds that are more than a thousandth.
    fn raw_kinds(&self, py: Python<'_>, raw: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut levels: HashMap<u64, u64> = HashMap::new();
        for (_, count) in self.kinds.all() {
            *levels.entry(count).or_default() += 1;
        }
        let frequent = PyDict::new(py);
        for (kind, count) in self.kinds.all() {
            if count * 1_000 > self.reads {
                frequent.set_item(PyBytes::new(py, kind), count)?;
            }
        }
        raw.set_item("levels", levels)?;
        raw.set_item("frequent", frequent)?;
        raw.set_item("counted_at_limit", self.counted_at_limit)
    }
}
