//! Whether records stand in the declared order: the state of `order.py`, kept in Rust.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::mates::{Line, Mates};

const GROUPS_MAX: usize = 1_000_000; // as in order.py
const COORDINATE: u32 = 1;
const NAME: u32 = 2;
const SUB: u32 = 4;
const GROUP: u32 = 8;
const PRIMARY: u32 = 16;
const UNKNOWN: i64 = -2;
const NONE: i64 = -1;

pub struct Order {
    by_coordinate: bool,
    by_name: u32,
    by_group: u32,
    place: (i64, i64),
    name: Option<Vec<u8>>,
    natural: bool,
    plain: bool,
    seen: HashSet<u64>,
    key_place: Option<(i64, i64)>,
    key_name: Option<Vec<u8>>,
    primaries: u32,
    mates: Mates,
    /// What the record breaks at which the scan has stopped, until Python asks for it.
    pub pending: Option<u32>,
}

impl Order {
    pub fn new(by_coordinate: bool, by_name: u32, by_group: u32) -> Self {
        Self {
            by_coordinate,
            by_name,
            by_group,
            place: (-1, -1),
            name: None,
            natural: true,
            plain: true,
            seen: HashSet::new(),
            key_place: None,
            key_name: None,
            primaries: 0,
            mates: Mates::default(),
            pending: None,
        }
    }

    pub fn next(&mut self, line: Line, name: &[u8]) -> u32 {
        let Line {
            flag,
            reference,
            pos,
            ..
        } = line;
        let mut broken = 0;
        if !self.by_coordinate {
            broken |= self.mates.next(line, name);
        }
        if self.by_coordinate && reference != UNKNOWN {
            let place = if reference == NONE {
                (1 << 31, 0)
            } else {
                (reference, pos)
            };
            if place < self.place {
                broken |= COORDINATE;
            }
            self.place = place;
        }
        if self.by_group > 0 {
            broken |= self.group(reference, pos, name);
        }
        if self.by_name > 0 || self.by_group == 1 {
            broken |= self.named(name, flag);
        }
        broken
    }

    fn group(&mut self, reference: i64, pos: i64, name: &[u8]) -> u32 {
        if name == b"*" {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        if self.by_group == 1 {
            if self.key_name.as_deref() == Some(name) {
                return 0;
            }
            put(&mut self.key_name, name);
            name.hash(&mut hasher);
        } else {
            if self.key_place == Some((reference, pos)) {
                return 0;
            }
            self.key_place = Some((reference, pos));
            (reference, pos).hash(&mut hasher);
        }
        let hashed = hasher.finish();
        if self.seen.contains(&hashed) {
            return GROUP;
        }
        if self.seen.len() < GROUPS_MAX {
            self.seen.insert(hashed);
        }
        0
    }

    fn named(&mut self, name: &[u8], flag: u32) -> u32 {
        if name == b"*" {
            return 0;
        }
        let mut broken = 0;
        if self.name.as_deref() != Some(name) {
            if self.by_name > 0 {
                if let Some(before) = self.name.take() {
                    broken = self.compare(&before, name);
                    self.name = Some(before);
                }
            }
            put(&mut self.name, name);
            self.primaries = 0;
        }
        if flag & 0x900 == 0 {
            let mark = 1 << (flag >> 6 & 3);
            if self.primaries & mark != 0 {
                broken |= PRIMARY;
            }
            self.primaries |= mark;
        }
        broken
    }

    fn compare(&mut self, before: &[u8], name: &[u8]) -> u32 {
        let plain = before < name;
        match self.by_name {
            2 if plain => 0,
            2 => SUB,
            3 if is_natural(before, name) => 0,
            3 => SUB,
            _ => {
                let held = self.plain || self.natural;
                self.plain = self.plain && plain;
                self.natural = self.natural && is_natural(before, name);
                if held && !(self.plain || self.natural) {
                    NAME
                } else {
                    0
                }
            }
        }
    }
}

fn put(kept: &mut Option<Vec<u8>>, name: &[u8]) {
    let buffer = kept.get_or_insert_with(Vec::new);
    buffer.clear();
    buffer.extend_from_slice(name);
}

fn is_natural(one: &[u8], other: &[u8]) -> bool {
    let (mut i, mut j, mut tied) = (0, 0, 0isize);
    while i < one.len() && j < other.len() {
        if one[i].is_ascii_digit() && other[j].is_ascii_digit() {
            let (first, second) = (digits(one, i), digits(other, j));
            let number = without_zeros(&one[i..first]);
            let against = without_zeros(&other[j..second]);
            match number.len().cmp(&against.len()).then(number.cmp(against)) {
                Ordering::Equal => {}
                found => return found == Ordering::Less,
            }
            if tied == 0 {
                tied = (second - j) as isize - (first - i) as isize;
            }
            (i, j) = (first, second);
        } else if one[i] != other[j] {
            return one[i] < other[j];
        } else {
            i += 1;
            j += 1;
        }
    }
    if i < one.len() || j < other.len() {
        return i >= one.len();
    }
    tied <= 0
}

fn digits(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|c| c.is_ascii_digit()).count()
}

fn without_zeros(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|c| **c == b'0').count()..]
}
