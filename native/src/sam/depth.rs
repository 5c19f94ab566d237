//! How deep reads lie over each base: the state of `depth.py`, kept in Rust.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

const LEVELS: [i64; 5] = [1, 10, 20, 30, 100]; // as in depth.py, and so are the next three
const CHANGES_MAX: usize = 1_000_000;
const MATES_MAX: usize = 500_000;
const LEFT_OUT: u32 = 1796;
const ALIGNED: [bool; 16] = {
    let mut table = [false; 16];
    (table[0], table[7], table[8]) = (true, true, true);
    table
};
const IN_REFERENCE: [bool; 16] = {
    let mut table = ALIGNED;
    (table[2], table[3]) = (true, true);
    table
};

const UNSORTED: u32 = 1;
const CHANGES: u32 = 2;
const MATES: u32 = 3;

type Piece = (i64, i64);
pub type Covered = (u32, Vec<u64>, Vec<u64>, u64, Vec<u64>, Vec<Vec<u64>>);

/// Of one sequence: the targets without their overlaps, and each place at which one begins or ends.
#[derive(Default)]
struct Targets {
    union: Vec<Piece>,
    places: Vec<i64>,
    sums: Vec<u64>, // of the depths of all bases before that place
    next: usize,
}

struct Mate {
    end: i64,
    pieces: Vec<Piece>,
}

pub struct Depth {
    lengths: Vec<i64>,
    targets: Vec<Targets>,
    fault: u32,
    reference: i64,
    start: i64,
    changes: BTreeMap<i64, i64>,
    depth: i64,
    reached: i64,
    place: usize, // the first of the places that is not reached
    mates: HashMap<u64, Mate>,
    purge_at: usize,
    pieces: Vec<Piece>,
    sums: Vec<u64>,
    at_least: [u64; LEVELS.len()],
    target_sum: u64,
    target_at_least: [u64; LEVELS.len()],
}

/// What the depth asks of a record; places are counted from 0.
pub struct Placed<'a> {
    pub flag: u32,
    pub reference: i64,
    pub start: i64,
    pub next_reference: i64,
    pub next_start: i64,
    pub name: &'a [u8],
    pub cigar: &'a [u32],
}

impl Depth {
    pub fn new(lengths: Vec<i64>) -> Self {
        Self {
            targets: lengths.iter().map(|_| Targets::default()).collect(),
            sums: vec![0; lengths.len()],
            lengths,
            fault: 0,
            reference: 0,
            start: 0,
            changes: BTreeMap::new(),
            depth: 0,
            reached: 0,
            place: 0,
            mates: HashMap::new(),
            purge_at: 1_024,
            pieces: Vec::new(),
            at_least: [0; LEVELS.len()],
            target_sum: 0,
            target_at_least: [0; LEVELS.len()],
        }
    }

    /// Of one sequence the targets, in order and without overlaps, and the places to sum up to.
    pub fn aim(&mut self, reference: usize, union: Vec<Piece>, places: Vec<i64>) {
        self.targets[reference] = Targets {
            union,
            sums: vec![0; places.len()],
            places,
            next: 0,
        };
    }

    pub fn cover(&mut self, one: &Placed<'_>) {
        let is_known = (0..self.lengths.len() as i64).contains(&one.reference);
        if self.fault != 0 || one.flag & LEFT_OUT != 0 || !is_known {
            return;
        }
        if (one.reference, one.start) < (self.reference, self.start) {
            self.fault = UNSORTED;
            return;
        }
        if one.reference != self.reference {
            self.finish();
            self.reference = one.reference;
        }
        self.start = one.start;
        self.advance(one.start);
        let end = self.cut(one);
        for at in 0..self.pieces.len() {
            let (begin, end) = self.pieces[at];
            self.change(begin, 1);
            self.change(end, -1);
        }
        if one.flag & 0x802 == 2 {
            self.pair(one, end);
        }
        if self.changes.len() > CHANGES_MAX {
            self.fault = CHANGES;
        }
    }

    /// The aligned pieces of a record within its sequence; where it ends.
    fn cut(&mut self, one: &Placed<'_>) -> i64 {
        let length = self.lengths[one.reference as usize];
        let mut at = one.start;
        self.pieces.clear();
        for &packed in one.cigar {
            let (code, size) = ((packed & 15) as usize, i64::from(packed >> 4));
            if !IN_REFERENCE[code] {
                continue;
            }
            let (begin, end) = (at.min(length), (at + size).min(length));
            if ALIGNED[code] && begin < end {
                match self.pieces.last_mut() {
                    Some(last) if last.1 == begin => last.1 = end,
                    _ => self.pieces.push((begin, end)),
                }
            }
            at += size;
        }
        at
    }

    fn change(&mut self, place: i64, by: i64) {
        *self.changes.entry(place).or_insert(0) += by;
    }

    /// Bases that both mates of a pair cover count once.
    fn pair(&mut self, one: &Placed<'_>, end: i64) {
        let mut hasher = DefaultHasher::new();
        one.name.hash(&mut hasher);
        let name = hasher.finish();
        let overlaps = one.reference == one.next_reference && end > one.next_start;
        let is_first = one.start < one.next_start
            || (one.start == one.next_start && !self.mates.contains_key(&name));
        if overlaps && is_first {
            let pieces = self.pieces.clone();
            self.mates.insert(name, Mate { end, pieces });
            self.purge();
        } else if let Some(mate) = self.mates.remove(&name) {
            let pieces = std::mem::take(&mut self.pieces);
            let mut at = 0;
            for &(begin, end) in &pieces {
                while mate.pieces.get(at).is_some_and(|other| other.1 <= begin) {
                    at += 1;
                }
                for other in mate.pieces[at..].iter().take_while(|other| other.0 < end) {
                    self.change(begin.max(other.0), -1);
                    self.change(end.min(other.1), 1);
                }
            }
            self.pieces = pieces;
        }
    }

    /// Once there are many, forget those whose mates never came.
    fn purge(&mut self) {
        if self.mates.len() < self.purge_at {
            return;
        }
        let start = self.start;
        self.mates.retain(|_, mate| mate.end > start);
        self.purge_at = (2 * self.mates.len()).max(1_024);
        if self.mates.len() > MATES_MAX {
            self.fault = MATES;
        }
    }

    /// All changes before this place are known.
    fn advance(&mut self, to: i64) {
        while let Some(first) = self.changes.first_entry() {
            let place = *first.key();
            if place >= to {
                break;
            }
            let by = first.remove();
            self.run(place);
            self.depth += by;
        }
    }

    /// From where it was to here, all bases are as deep.
    fn run(&mut self, end: i64) {
        let (begin, depth) = (self.reached, self.depth);
        if end <= begin {
            return;
        }
        self.reached = end;
        let reference = self.reference as usize;
        let before = self.sums[reference];
        let size = (end - begin) as u64;
        let targets = &mut self.targets[reference];
        while self.place < targets.places.len() && targets.places[self.place] <= end {
            let into = (targets.places[self.place] - begin) as u64;
            targets.sums[self.place] = before + into * depth as u64;
            self.place += 1;
        }
        if depth <= 0 {
            return;
        }
        self.sums[reference] += size * depth as u64;
        count(&mut self.at_least, depth, size);
        while let Some(&(from, to)) = targets.union.get(targets.next) {
            let shared = to.min(end) - from.max(begin);
            if shared > 0 {
                self.target_sum += shared as u64 * depth as u64;
                count(&mut self.target_at_least, depth, shared as u64);
            }
            if to > end {
                break;
            }
            targets.next += 1;
        }
    }

    /// The sequence is over: what is open is closed, and the next one begins at its first base.
    fn finish(&mut self) {
        self.advance(i64::MAX);
        if let Some(&length) = self.lengths.get(self.reference as usize) {
            self.depth = 0;
            self.run(length);
        }
        self.changes.clear();
        self.mates.clear();
        (self.depth, self.reached, self.place) = (0, 0, 0);
    }

    /// The fault, sums by sequence, bases at each level; of targets their sum, levels and places.
    pub fn covered(&mut self) -> Covered {
        if self.fault == 0 {
            self.finish();
        }
        (
            self.fault,
            self.sums.clone(),
            self.at_least.to_vec(),
            self.target_sum,
            self.target_at_least.to_vec(),
            self.targets.iter().map(|one| one.sums.clone()).collect(),
        )
    }
}

fn count(levels: &mut [u64; LEVELS.len()], depth: i64, bases: u64) {
    for (level, bound) in levels.iter_mut().zip(LEVELS) {
        if depth < bound {
            break;
        }
        *level += bases;
    }
}
