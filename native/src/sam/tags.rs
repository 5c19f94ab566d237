//! The optional fields of one record that may be clean: what `tags.py` asks of the standard ones.

use std::collections::HashSet;

use super::record::{mismatches, Note, View};

const TAGS_MAX: usize = 64; // a record with more is left to Python

pub enum Value<'a> {
    Character(u8),
    Whole(i64),
    Real,
    Text(&'a [u8]),
    Hex,
    Array(u8, usize),
}

pub struct Groups {
    pub groups: HashSet<Vec<u8>>,
    pub programs: HashSet<Vec<u8>>,
}

pub struct Tags<'a> {
    seen: [[u8; 2]; TAGS_MAX],
    count: usize,
    md: Option<&'a [u8]>,
    nm: Option<i64>,
    mm: Option<&'a [u8]>,
    ml: Option<usize>,
    mn: Option<i64>,
    like_seq: Option<usize>,
    pairs: [[Option<usize>; 2]; 3], // CQ and CS, CY and CR, QX and RX
}

impl<'a> Tags<'a> {
    pub fn new() -> Self {
        Self {
            seen: [[0; 2]; TAGS_MAX],
            count: 0,
            md: None,
            nm: None,
            mm: None,
            ml: None,
            mn: None,
            like_seq: None,
            pairs: [[None; 2]; 3],
        }
    }

    /// Whether one more field is beyond doubt by itself.
    pub fn take(&mut self, name: [u8; 2], value: Value<'a>, groups: &Groups) -> bool {
        if !name[0].is_ascii_alphabetic()
            || !name[1].is_ascii_alphanumeric()
            || self.count == TAGS_MAX
            || self.seen[..self.count].contains(&name)
        {
            return false;
        }
        self.seen[self.count] = name;
        self.count += 1;
        match value {
            Value::Text(text) => self.text(name, text, groups),
            Value::Whole(number) => match &name {
                b"NM" => {
                    self.nm = Some(number);
                    true
                }
                b"MN" => {
                    self.mn = Some(number);
                    true
                }
                _ => !is_text(name) && !matches!(&name, b"TS" | b"CG" | b"FZ" | b"ML"),
            },
            Value::Character(letter) => match &name {
                b"TS" => matches!(letter, b'+' | b'-'),
                _ => !is_standard(name),
            },
            Value::Array(kind, count) => match &name {
                b"ML" => {
                    self.ml = Some(count);
                    kind == b'C'
                }
                b"FZ" => kind == b'S',
                _ => !is_standard(name),
            },
            Value::Real | Value::Hex => !is_standard(name),
        }
    }

    fn text(&mut self, name: [u8; 2], text: &'a [u8], groups: &Groups) -> bool {
        match &name {
            b"MD" => self.md = Some(text),
            b"MM" => self.mm = Some(text),
            b"RG" => return groups.groups.contains(text),
            b"PG" => return groups.programs.contains(text),
            b"MC" | b"OC" => return is_cigar(text),
            b"SA" => return is_alignments(text),
            b"BQ" | b"E2" | b"U2" => return put(&mut self.like_seq, text.len()),
            b"CQ" => self.pairs[0][0] = Some(text.len()),
            b"CS" => self.pairs[0][1] = Some(text.len()),
            b"CY" => self.pairs[1][0] = Some(text.len()),
            b"CR" => self.pairs[1][1] = Some(text.len()),
            b"QX" => self.pairs[2][0] = Some(text.len()),
            b"RX" => self.pairs[2][1] = Some(text.len()),
            b"LB" | b"PU" | b"OA" | b"CT" | b"PT" => return false,
            _ => return is_text(name) || !is_standard(name),
        }
        true
    }

    /// Whether all fields together fit the record; how many edits NM says is put into the view.
    pub fn fit(&self, view: &mut View, base: impl Fn(usize) -> u8) -> bool {
        if self
            .like_seq
            .is_some_and(|size| view.bases > 0 && size != view.bases)
        {
            return false;
        }
        for pair in &self.pairs {
            if matches!(pair, [Some(one), Some(other)] if one != other) {
                return false;
            }
        }
        let found = match self.md {
            None => None,
            Some(_) if view.cigar.is_empty() => return false,
            Some(md) => match mismatches(md, view, &base) {
                None => return false,
                count => count,
            },
        };
        if let Some(declared) = self.nm {
            let Ok(declared) = u64::try_from(declared) else {
                return false;
            };
            let edits = view.inserted + view.deleted;
            let fits = match found {
                Some(count) => declared == edits + count,
                None => declared >= edits + view.different || view.cigar.is_empty(),
            };
            if !fits && !view.goes_on(Note::Nm) {
                return false;
            }
            view.edits = declared;
        }
        match self.mm {
            None => self.ml.is_none(),
            Some(mm) => self.has_clean_modifications(mm, view, base),
        }
    }

    fn has_clean_modifications(&self, mm: &[u8], view: &View, base: impl Fn(usize) -> u8) -> bool {
        if view.bases > 0 && self.mn.is_some_and(|size| size != view.bases as i64) {
            return false;
        }
        let mut there = [0u64; 256];
        for at in 0..view.bases {
            there[base(at).to_ascii_uppercase() as usize] += 1;
        }
        there[b'T' as usize] += there[b'U' as usize];
        let reverse = view.flag & 0x10 != 0;
        let mut probabilities = 0;
        let mut rest = mm;
        while !rest.is_empty() {
            let Some(entry) = Entry::read(&mut rest) else {
                return false;
            };
            probabilities += entry.places * entry.codes;
            let held = match (entry.base, reverse) {
                (b'N', _) => view.bases as u64,
                (b'A', true) => there[b'T' as usize],
                (b'T' | b'U', true) => there[b'A' as usize],
                (b'C', true) => there[b'G' as usize],
                (b'G', true) => there[b'C' as usize],
                (b'U', false) => there[b'T' as usize],
                (other, _) => there[other as usize],
            };
            if view.bases > 0 && entry.places > 0 && entry.skipped + entry.places > held {
                return false;
            }
        }
        self.ml.is_none_or(|count| count as u64 == probabilities)
    }
}

struct Entry {
    base: u8,
    codes: u64,
    places: u64,
    skipped: u64,
}

impl Entry {
    /// One entry of MM, cut off from the rest.
    fn read(rest: &mut &[u8]) -> Option<Self> {
        let text = *rest;
        let (&base, &strand) = (text.first()?, text.get(1)?);
        if !matches!(base, b'A' | b'C' | b'G' | b'T' | b'U' | b'N')
            || !matches!(strand, b'+' | b'-')
        {
            return None;
        }
        let end = text.iter().position(|byte| *byte == b';')?;
        *rest = &text[end + 1..];
        let mut parts = text[2..end].split(|byte| *byte == b',');
        let mut codes = parts.next()?;
        if let [before @ .., b'.' | b'?'] = codes {
            codes = before;
        }
        let is_number = !codes.is_empty() && codes.iter().all(u8::is_ascii_digit);
        let is_letters = !codes.is_empty()
            && codes
                .iter()
                .all(|c| c.is_ascii_lowercase() || b"ACGTUN".contains(c));
        if !is_number && !is_letters {
            return None;
        }
        let (mut places, mut skipped) = (0, 0);
        for part in parts {
            places += 1;
            skipped += u64::from(small(part)?);
        }
        let codes = if is_number { 1 } else { codes.len() as u64 };
        Some(Self {
            base,
            codes,
            places,
            skipped,
        })
    }
}

fn put(kept: &mut Option<usize>, size: usize) -> bool {
    // Two of them that differ are left to Python.
    kept.replace(size).is_none_or(|before| before == size)
}

/// A number of up to nine digits.
pub fn small(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0u32, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

fn is_cigar(text: &[u8]) -> bool {
    if text == b"*" {
        return true;
    }
    let mut digits = 0;
    for byte in text {
        match byte {
            b'0'..=b'9' => digits += 1,
            _ if digits > 0 && b"MIDNSHP=X".contains(byte) => digits = 0,
            _ => return false,
        }
    }
    digits == 0 && !text.is_empty()
}

fn is_alignments(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b";") else {
        return false;
    };
    text.split(|byte| *byte == b';').all(|one| {
        let mut fields = one.split(|byte| *byte == b',');
        let mut next = || fields.next().unwrap_or(b"");
        let number = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
        let (name, pos, strand, cigar, mapq, edits) =
            (next(), next(), next(), next(), next(), next());
        is_name(name)
            && number(pos)
            && matches!(strand, b"+" | b"-")
            && is_cigar(cigar)
            && number(mapq)
            && number(edits)
            && fields.next().is_none()
    })
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && !matches!(name[0], b'*' | b'=')
        && name
            .iter()
            .all(|c| (33..127).contains(c) && !b"\\,\"`'()[]{}<>".contains(c))
}

fn is_text(name: [u8; 2]) -> bool {
    matches!(
        &name,
        b"BC"
            | b"BQ"
            | b"BZ"
            | b"CB"
            | b"CC"
            | b"CO"
            | b"CQ"
            | b"CR"
            | b"CS"
            | b"CT"
            | b"CY"
            | b"E2"
            | b"FS"
            | b"LB"
            | b"MC"
            | b"MD"
            | b"MI"
            | b"MM"
            | b"OA"
            | b"OC"
            | b"OQ"
            | b"OX"
            | b"PG"
            | b"PT"
            | b"PU"
            | b"Q2"
            | b"QT"
            | b"QX"
            | b"R2"
            | b"RG"
            | b"RX"
            | b"SA"
            | b"U2"
    )
}

fn is_standard(name: [u8; 2]) -> bool {
    is_text(name)
        || matches!(
            &name,
            b"AM"
                | b"AS"
                | b"CM"
                | b"CP"
                | b"FI"
                | b"H0"
                | b"H1"
                | b"H2"
                | b"HI"
                | b"IH"
                | b"MN"
                | b"MQ"
                | b"NH"
                | b"NM"
                | b"OP"
                | b"PQ"
                | b"SM"
                | b"TC"
                | b"UQ"
                | b"TS"
                | b"CG"
                | b"FZ"
                | b"ML"
        )
}
