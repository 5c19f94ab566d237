//! A line of SAM: cut into its fields, each by its own grammar; None is doubt.

use super::counts::Letters;
use super::record::{References, View, NONE};
use super::tags::{small, Groups, Tags, Value};
use super::Names;

const FIELDS: usize = 11;

pub struct Line<'a> {
    pub name: &'a [u8],
    pub letters: Letters,
}

pub fn read<'a>(
    line: &'a [u8],
    view: &mut View,
    names: &Names,
    references: &References,
    groups: &Groups,
) -> Option<Line<'a>> {
    let mut fields = line.split(|byte| *byte == b'\t');
    let mut first: [&[u8]; FIELDS] = [b""; FIELDS];
    for field in &mut first {
        *field = fields.next()?;
    }
    let name = first[0];
    if !is_read_name(name) {
        return None;
    }
    view.flag = plain(first[1])?;
    view.reference = reference(first[2], names)?;
    view.pos = i64::from(plain(first[3])?);
    view.mapq = plain(first[4])?;
    read_cigar(first[5], &mut view.cigar)?;
    view.next_is_same = first[6] == b"=";
    view.next_reference = if view.next_is_same {
        view.reference
    } else {
        reference(first[6], names)?
    };
    view.next_pos = i64::from(plain(first[7])?);
    view.length = signed(first[8])?;
    if view.flag > 0xFFFF || view.mapq > 255 {
        return None;
    }
    let seq = if first[9] == b"*" { b"" } else { first[9] };
    view.bases = seq.len();
    view.edits = 0;
    let letters = letters(seq, first[10], first[9].is_empty())?;
    if !view.is_clean(references) {
        return None;
    }
    let mut tags = Tags::new();
    for field in fields {
        let (name, value) = tag(field)?;
        if !tags.take(name, value, groups) {
            return None;
        }
    }
    let base = |at: usize| seq.get(at).copied().unwrap_or(b'N');
    tags.fit(view, base).then_some(Line { name, letters })
}

pub fn is_read_name(name: &[u8]) -> bool {
    (1..255).contains(&name.len()) && name.iter().all(|c| (33..127).contains(c) && *c != b'@')
}

fn reference(name: &[u8], names: &Names) -> Option<i64> {
    if name == b"*" {
        return Some(NONE);
    }
    names.get(name).copied()
}

fn plain(text: &[u8]) -> Option<u32> {
    let number = small(text)?;
    (text[0] != b'0' || text.len() == 1).then_some(number)
}

fn signed(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', rest @ ..] => small(rest).map(|number| -i64::from(number)),
        [b'+', rest @ ..] | rest => small(rest).map(i64::from),
    }
}

fn read_cigar(text: &[u8], cigar: &mut Vec<u32>) -> Option<()> {
    cigar.clear();
    if text == b"*" {
        return Some(());
    }
    let mut size = 0u32;
    let mut digits = 0;
    for &byte in text {
        if byte.is_ascii_digit() {
            size = size * 10 + u32::from(byte - b'0');
            digits += 1;
            if digits > 8 {
                return None;
            }
            continue;
        }
        let code = b"MIDNSHP=X".iter().position(|letter| *letter == byte)?;
        if digits == 0 {
            return None;
        }
        cigar.push(size << 4 | code as u32);
        (size, digits) = (0, 0);
    }
    (digits == 0 && !cigar.is_empty()).then_some(())
}

fn letters(seq: &[u8], qual: &[u8], is_nothing: bool) -> Option<Letters> {
    let mut found = Letters::default();
    if is_nothing || qual.is_empty() {
        return None;
    }
    let (mut gc, mut n, mut strange) = (0u64, 0u64, false);
    for &byte in seq {
        let class = BASES[byte as usize];
        strange |= class == 0;
        gc += u64::from(class == 2);
        n += u64::from(class == 3);
    }
    if strange {
        return None;
    }
    (found.gc, found.n) = (gc, n);
    if qual == b"*" && seq.len() != 1 {
        return Some(found);
    }
    if qual.len() != seq.len() || qual == b"*" {
        return None;
    }
    add_qualities(qual, 33, &mut found).then_some(found)
}

/// Add the qualities; whether all of them are ones.
pub fn add_qualities(qual: &[u8], offset: u8, found: &mut Letters) -> bool {
    let (mut sum, mut q20, mut q30, mut worst) = (0u64, 0u64, 0u64, 0u8);
    for part in qual.chunks(128) {
        let (mut part_sum, mut part_q20, mut part_q30) = (0u16, 0u8, 0u8);
        for &byte in part {
            let quality = byte.wrapping_sub(offset);
            worst = worst.max(quality);
            part_sum += u16::from(quality);
            part_q20 += u8::from(quality >= 20);
            part_q30 += u8::from(quality >= 30);
        }
        sum += u64::from(part_sum);
        q20 += u64::from(part_q20);
        q30 += u64::from(part_q30);
    }
    (found.quality_sum, found.q20, found.q30) = (sum, q20, q30);
    found.has_quality = true;
    worst <= 93
}

/// 0: none that BAM can hold; 2: G or C; 3: N; 1: another.
static BASES: [u8; 256] = {
    let mut table = [0; 256];
    let codes = b"=ACMGRSVTWYHKDBNacmgrsvtwyhkdbn";
    let mut at = 0;
    while at < codes.len() {
        table[codes[at] as usize] = match codes[at] {
            b'G' | b'C' | b'g' | b'c' => 2,
            b'N' | b'n' => 3,
            _ => 1,
        };
        at += 1;
    }
    table
};

fn tag(field: &[u8]) -> Option<([u8; 2], Value<'_>)> {
    let [first, second, b':', kind, b':', value @ ..] = field else {
        return None;
    };
    let value = match kind {
        b'A' => match value {
            [letter] if (33..127).contains(letter) => Value::Character(*letter),
            _ => return None,
        },
        b'i' => Value::Whole(signed(value)?),
        b'f' => {
            is_simple_number(value).then_some(())?;
            Value::Real
        }
        b'Z' => {
            value.iter().all(|c| (32..127).contains(c)).then_some(())?;
            Value::Text(value)
        }
        b'H' => {
            let digits = value.iter().all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F'));
            (digits && value.len() % 2 == 0).then_some(())?;
            Value::Hex
        }
        b'B' => array(value)?,
        _ => return None,
    };
    Some(([*first, *second], value))
}

/// Digits with or without a point among them, so few that the number fits into single precision.
fn is_simple_number(text: &[u8]) -> bool {
    let text = match text {
        [b'-' | b'+', rest @ ..] | rest => rest,
    };
    let points = text.iter().filter(|c| **c == b'.').count();
    text.len() <= 20
        && points <= 1
        && text.last().is_some_and(u8::is_ascii_digit)
        && text.iter().all(|c| c.is_ascii_digit() || *c == b'.')
}

fn array(value: &[u8]) -> Option<Value<'_>> {
    let (&kind, rest) = value.split_first()?;
    let (least, most) = match kind {
        b'c' => (-128, 127),
        b'C' => (0, 255),
        b's' => (-32_768, 32_767),
        b'S' => (0, 65_535),
        b'i' => (i64::MIN, i64::MAX), // nine digits fit
        b'I' => (0, i64::MAX),
        b'f' => (0, 0),
        _ => return None,
    };
    if rest.is_empty() {
        return Some(Value::Array(kind, 0));
    }
    let numbers = rest.strip_prefix(b",")?;
    let mut count = 0;
    for number in numbers.split(|byte| *byte == b',') {
        count += 1;
        let fits = if kind == b'f' {
            is_simple_number(number)
        } else {
            signed(number).is_some_and(|number| (least..=most).contains(&number))
        };
        fits.then_some(())?;
    }
    Some(Value::Array(kind, count))
}
