//! What is counted of the reads of a file, and which records are certainly clean.
//!
//! A record is clean here if nothing can be said of it. Every other one is Python's to judge, which
//! hands it back if it counts. `processors/validation/reads/counts.py` counts the same.

use std::collections::HashMap;

use memchr::{memchr, memchr2};

use crate::adapters::Adapters;
use crate::kinds::Kinds;
use crate::lanes::{self, Lanes, Plain};
use crate::places::Places;
use crate::tally::{self, Grades, Letters, QUALITIES};

const FIRST: u8 = b'!'; // the quality 0
const LAST: u8 = b'~';
const GOOD: [u8; 2] = [FIRST + 20, FIRST + 30];
const LONG: usize = 1_000; // longer reads are compared as if they had so many bases

/// What is asked for beside the sums; all numbers are Python's to choose.
#[derive(Clone, Default)]
pub struct Asked {
    pub positions: usize, // of a read, that are counted one by one
    pub kinds: usize,     // of beginnings, that are remembered
    pub line_bytes: usize,
    pub short_bases: usize,  // a read up to this length is its own kind
    pub prefix_bases: usize, // of longer ones that are compared
    pub tail_bases: usize,   // of G at the end, that say that there was no signal
}

#[derive(Default)]
pub struct Counts {
    asked: Asked,
    pub every: bool,
    known: Vec<Vec<u8>>,
    pub names: Vec<u8>,
    pub reads: u64,
    pub bases: u64,
    pub gc: u64,
    pub n: u64,
    pub good: [u64; 2], // qualities of 20 and more, and of 30 and more
    pub quality_sum: u64,
    pub quality_min: u8,
    pub quality_max: u8,
    pub lengths: Vec<u64>,
    pub places: Places,
    pub beyond: Vec<u64>, // qualities at positions that are not counted one by one
    pub means: Vec<u64>,
    gc_of: HashMap<(u32, u32), u64>,
    gc_small: Vec<u32>, // the same, of reads that count as a hundred bases
    pub adapters: Adapters,
    pub tails: u64,
    pub kinds: Kinds,
    pub counted_at_limit: u64,
    length: usize,   // of the last read: the next one is as long, most likely
    padded: Vec<u8>, // the bases of a read in upper case
    grades: Vec<u8>, // its qualities
}

/// The length by which FastQC compares the share of G and C: whole hundreds, then thousands.
fn comparable(length: usize) -> usize {
    match length {
        0..=100 => length,
        101..=1000 => length / 100 * 100,
        _ => length / 1000 * 1000,
    }
}

/// The name by which mates are compared: up to the first blank, without /1 and /2.
fn name_of(title: &[u8]) -> &[u8] {
    let end = memchr2(b' ', b'\t', title).unwrap_or(title.len());
    match &title[1..end.max(1)] {
        [name @ .., b'/', b'1' | b'2'] => name,
        id => id,
    }
}

impl Counts {
    pub fn new(asked: Asked, adapters: Adapters, every: bool) -> Self {
        Self {
            asked,
            adapters,
            every,
            quality_min: u8::MAX,
            beyond: vec![0; QUALITIES],
            means: vec![0; QUALITIES],
            gc_small: vec![0; 101],
            ..Self::default()
        }
    }

    /// Names that begin so may be accepted.
    pub fn know(&mut self, prefix: Vec<u8>) {
        self.known.push(prefix);
    }

    /// The name in a line in which nothing is wrong.
    #[inline(always)]
    fn name<'a, L: Lanes>(&mut self, title: &'a [u8]) -> Option<&'a [u8]> {
        if title.len() > self.asked.line_bytes
            || title.first() != Some(&b'@')
            || !tally::is_text::<L>(title)
        {
            return None;
        }
        let which = self.known.iter().position(|one| title.starts_with(one))?;
        if which > 0 {
            self.known.swap(0, which);
        }
        let name = name_of(title);
        (!name.is_empty()).then_some(name)
    }

    /// A line of bases that begins there, and what it is made of.
    #[inline(always)]
    fn line_of_bases<'a, L: Lanes>(
        &self,
        text: &'a [u8],
        begin: usize,
    ) -> Option<(&'a [u8], Letters)> {
        if text.get(begin + self.length) == Some(&b'\n') {
            let bases = &text[begin..begin + self.length];
            let letters = tally::letters::<L>(bases);
            if letters.are_known {
                return Some((bases, letters)); // with no line feed among them
            }
        }
        let rest = text.get(begin..)?;
        let bases = &rest[..memchr(b'\n', rest)?];
        Some((bases, tally::letters::<L>(bases)))
    }

    /// The end of a clean record that begins there.
    #[inline(always)]
    fn record<L: Lanes>(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let title = &text[at..at + memchr(b'\n', &text[at..])?];
        let begin = at + title.len() + 1;
        let (bases, letters) = self.line_of_bases::<L>(text, begin)?;
        let length = bases.len();
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
        let qualities = &text[quality..end];
        // A line feed is no quality, so that the line is as long as it seems to be.
        let grades = tally::grades::<L>(qualities, GOOD);
        let in_range = length == 0 || (grades.least >= FIRST && grades.most <= LAST);
        if !in_range || !(letters.are_known || tally::are_bases(bases)) {
            return None;
        }
        let name = self.name::<L>(title)?;
        self.take::<L>(bases, letters, qualities, &grades);
        self.names_add(name);
        Some(end + 1)
    }

    fn names_add(&mut self, name: &[u8]) {
        self.names.extend_from_slice(name);
        self.names.push(b'\n');
    }

    /// Count a record that was judged: letters of bases alone, and as many qualities.
    pub fn add(&mut self, title: &[u8], bases: &[u8], qualities: &[u8]) {
        let grades = tally::grades::<Plain>(qualities, GOOD);
        self.take::<Plain>(bases, tally::letters::<Plain>(bases), qualities, &grades);
        self.names_add(name_of(title));
    }

    #[inline(always)]
    fn take<L: Lanes>(
        &mut self,
        bases: &[u8],
        letters: Letters,
        qualities: &[u8],
        grades: &Grades,
    ) {
        let length = bases.len();
        let mut letters = letters;
        if self.every || !letters.are_known {
            tally::pad(&mut self.padded, bases);
        }
        if !letters.are_known {
            self.padded.make_ascii_uppercase();
            letters = tally::letters::<L>(&self.padded[..length]);
        }
        self.length = length;
        self.reads += 1;
        self.bases += length as u64;
        self.gc += letters.gc as u64;
        self.n += letters.n as u64;
        if self.lengths.len() <= length {
            self.lengths.resize(length + 1, 0);
        }
        self.lengths[length] += 1;
        self.quality_min = self.quality_min.min(grades.least);
        self.quality_max = self.quality_max.max(grades.most);
        let sum = grades.sum.saturating_sub(u64::from(FIRST) * length as u64);
        self.quality_sum += sum;
        for (sum, one) in self.good.iter_mut().zip(grades.bounds) {
            *sum += one;
        }
        if self.every {
            self.take_every::<L>(qualities, sum);
        }
    }

    #[inline(always)]
    fn take_every<L: Lanes>(&mut self, qualities: &[u8], sum: u64) {
        let length = qualities.len();
        let near = length.min(self.asked.positions);
        tally::pad(&mut self.grades, &qualities[..near]);
        self.places.take::<L>(&self.padded, &self.grades, near);
        for &one in &qualities[near..] {
            self.beyond[usize::from(one - FIRST)] += 1;
        }
        if length > 0 {
            self.means[(sum / length as u64) as usize] += 1;
            self.take_gc::<L>(comparable(length));
        }
        self.adapters.take::<L>(&self.padded, length);
        let tail = length.checked_sub(self.asked.tail_bases);
        let is_tail = |from| self.padded[from..length].iter().all(|&one| one == b'G');
        self.tails += u64::from(tail.is_some_and(is_tail));
        self.take_kind(length);
    }

    #[inline(always)]
    fn take_gc<L: Lanes>(&mut self, compared: usize) {
        let mut gc = tally::letters::<L>(&self.padded[..compared]).gc;
        if compared > LONG {
            gc = gc * LONG / compared;
        }
        let compared = compared.min(LONG);
        if compared != 100 {
            *self.gc_of.entry((compared as u32, gc as u32)).or_default() += 1;
            return;
        }
        self.gc_small[gc] += 1;
        if self.gc_small[gc] == u32::MAX {
            *self.gc_of.entry((100, gc as u32)).or_default() += u64::from(u32::MAX);
            self.gc_small[gc] = 0;
        }
    }

    /// Reads by the length that they are compared with, and their G and C in it.
    pub fn gc_by_length(&mut self) -> HashMap<(u32, u32), u64> {
        for (gc, count) in self.gc_small.iter_mut().enumerate() {
            if *count > 0 {
                *self.gc_of.entry((100, gc as u32)).or_default() += u64::from(*count);
                *count = 0;
            }
        }
        self.gc_of.clone()
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
    fn scan<L: Lanes>(&mut self, text: &[u8], at: usize) -> usize {
        let mut at = at;
        while at < text.len() {
            match self.record::<L>(text, at) {
                Some(end) => at = end,
                None => break,
            }
        }
        at
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
    unsafe fn scan_wide(&mut self, text: &[u8], at: usize) -> usize {
        self.scan::<lanes::Wide>(text, at)
    }

    /// Where the first record begins that is not clean or not whole.
    pub fn scan_best(&mut self, text: &[u8], at: usize) -> usize {
        #[cfg(target_arch = "x86_64")]
        if lanes::is_wide() {
            // SAFETY: the processor was asked for each of these features.
            return unsafe { self.scan_wide(text, at) };
        }
        self.scan::<Plain>(text, at)
    }
}
