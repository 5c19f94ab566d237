//! A record of BAM, without its block_size; None is doubt.

use super::counts::Letters;
use super::record::{Note, References, View};
use super::tags::{Groups, Tags, Value};
use super::text::{add_qualities, is_read_name};

const FIXED: usize = 32;
const CODES: &[u8; 16] = b"=ACMGRSVTWYHKDBN";
const BIN_END_MAX: i64 = 1 << 29;
const BINS: [(u32, i64); 5] = [(14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)];

/// Of two bases in one byte: how many are G or C, and in the upper four bits how many are N.
static PAIRS: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = class(at >> 4) + class(at & 15);
        at += 1;
    }
    table
};

const fn class(code: usize) -> u8 {
    match CODES[code] {
        b'G' | b'C' => 1,
        b'N' => 16,
        _ => 0,
    }
}

pub struct Body<'a> {
    pub name: &'a [u8],
    pub letters: Letters,
}

fn whole(data: &[u8], at: usize) -> i64 {
    i64::from(i32::from_le_bytes([
        data[at],
        data[at + 1],
        data[at + 2],
        data[at + 3],
    ]))
}

fn half(data: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([data[at], data[at + 1]]))
}

pub fn read<'a>(
    data: &'a [u8],
    view: &mut View,
    references: &References,
    groups: &Groups,
) -> Option<Body<'a>> {
    let count = references.lengths.len() as i64;
    view.reference = whole(data, 0);
    view.pos = whole(data, 4) + 1;
    let name_bytes = usize::from(data[8]);
    view.mapq = u32::from(data[9]);
    let (bin, operations) = (half(data, 10), half(data, 12));
    view.flag = half(data, 14) as u32;
    let bases = u32::from_le_bytes([data[16], data[17], data[18], data[19]]) as usize;
    view.next_reference = whole(data, 20);
    view.next_pos = whole(data, 24) + 1;
    view.length = whole(data, 28);
    view.next_is_same = view.reference == view.next_reference;
    (view.bases, view.edits) = (bases, 0);
    let in_range = |reference| (-1..count).contains(&reference);
    if !in_range(view.reference) || !in_range(view.next_reference) {
        return None;
    }
    if view.pos < 0 || view.next_pos < 0 {
        return None;
    }
    let (name, rest) = data[FIXED..].split_at_checked(name_bytes)?;
    let name = name.strip_suffix(b"\0")?;
    is_read_name(name).then_some(())?;
    let (cigar, rest) = rest.split_at_checked(4 * operations)?;
    let (seq, rest) = rest.split_at_checked(bases.div_ceil(2))?;
    let (qual, rest) = rest.split_at_checked(bases)?;
    view.cigar.clear();
    let packed = cigar.chunks_exact(4);
    view.cigar
        .extend(packed.map(|part| u32::from_le_bytes([part[0], part[1], part[2], part[3]])));
    let clean = view.is_clean(references) && (is_bin(bin, view) || view.goes_on(Note::Bin));
    clean.then_some(())?;
    let letters = letters(seq, qual)?;
    let tags = tags(rest, groups)?;
    let base = |at: usize| {
        seq.get(at / 2).map_or(b'N', |pair| {
            CODES[usize::from(pair >> (4 * (1 - at % 2)) & 15)]
        })
    };
    tags.fit(view, base).then_some(Body { name, letters })
}

fn is_bin(found: usize, view: &View) -> bool {
    let size = if view.flag & 4 == 0 {
        view.reference_bases as i64
    } else {
        0
    };
    let start = view.pos - 1;
    let last = start + size.max(1) - 1;
    if last + 1 > BIN_END_MAX {
        return true;
    }
    let due = BINS
        .iter()
        .find(|(shift, _)| start >> shift == last >> shift)
        .map_or(0, |(shift, offset)| offset + (start >> shift));
    (due & 0xFFFF) as usize == found
}

fn letters(seq: &[u8], qual: &[u8]) -> Option<Letters> {
    let mut found = Letters::default();
    let (mut gc, mut n) = (0u64, 0u64);
    for part in seq.chunks(64) {
        let mut both = 0u32;
        for &pair in part {
            let class = u32::from(PAIRS[usize::from(pair)]);
            both += (class & 15) | (class >> 4) << 16;
        }
        gc += u64::from(both & 0xFFFF);
        n += u64::from(both >> 16);
    }
    if qual.len() % 2 == 1 {
        let unused = u64::from(class(usize::from(seq[seq.len() - 1] & 15)));
        gc -= unused & 1;
        n -= unused >> 4;
    }
    (found.gc, found.n) = (gc, n);
    if qual.first() == Some(&255) {
        return qual.iter().all(|quality| *quality == 255).then_some(found);
    }
    if !qual.is_empty() && !add_qualities(qual, 0, &mut found) {
        return None;
    }
    Some(found)
}

fn tags<'a>(mut rest: &'a [u8], groups: &Groups) -> Option<Tags<'a>> {
    let mut tags = Tags::new();
    while !rest.is_empty() {
        let [first, second, kind, value @ ..] = rest else {
            return None;
        };
        let (value, behind) = value_of(*kind, value)?;
        tags.take([*first, *second], value, groups).then_some(())?;
        rest = behind;
    }
    Some(tags)
}

fn value_of(kind: u8, data: &[u8]) -> Option<(Value<'_>, &[u8])> {
    match kind {
        b'A' => {
            let (&letter, rest) = data.split_first()?;
            (33..127).contains(&letter).then_some(())?;
            Some((Value::Character(letter), rest))
        }
        b'Z' | b'H' => {
            let end = data.iter().position(|byte| *byte == 0)?;
            let (text, rest) = (&data[..end], &data[end + 1..]);
            if kind == b'Z' {
                text.iter().all(|c| (32..127).contains(c)).then_some(())?;
                return Some((Value::Text(text), rest));
            }
            let digits = text.iter().all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F'));
            (digits && end % 2 == 0).then_some((Value::Hex, rest))
        }
        b'B' => {
            let (head, rest) = data.split_at_checked(5)?;
            let count = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let (_, rest) = rest.split_at_checked(count.checked_mul(size_of_kind(head[0])?)?)?;
            Some((Value::Array(head[0], count), rest))
        }
        _ => {
            let (value, rest) = data.split_at_checked(size_of_kind(kind)?)?;
            let number = match (kind, value) {
                (b'c', [one]) => i64::from(*one as i8),
                (b'C', [one]) => i64::from(*one),
                (b's', [one, two]) => i64::from(i16::from_le_bytes([*one, *two])),
                (b'S', [one, two]) => i64::from(u16::from_le_bytes([*one, *two])),
                (b'i', _) => whole(value, 0),
                (b'I', _) => whole(value, 0) & 0xFFFF_FFFF,
                _ => return Some((Value::Real, rest)),
            };
            Some((Value::Whole(number), rest))
        }
    }
}

fn size_of_kind(kind: u8) -> Option<usize> {
    match kind {
        b'c' | b'C' => Some(1),
        b's' | b'S' => Some(2),
        b'i' | b'I' | b'f' => Some(4),
        _ => None,
    }
}
