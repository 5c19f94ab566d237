//! One record that may be clean: what `checks.py` asks of it, with doubt where it is not certain.

pub const RECORD_BYTES_MAX: usize = 32 * 1024 * 1024; // as in record.py
pub const NONE: i64 = -1;
const OF_PAIRS: u32 = 0x2 | 0x8 | 0x20 | 0x40 | 0x80;
const OF_MAPPED: u32 = 0x2 | 0x100 | 0x800;
const IN_QUERY: [bool; 9] = [true, true, false, false, true, false, false, true, true];
const IN_REFERENCE: [bool; 9] = [true, false, true, true, false, false, false, true, true];
const ALIGNED: [bool; 9] = [true, false, false, false, false, false, false, true, true];

/// The header, as far as records are compared with it.
pub struct References {
    pub lengths: Vec<i64>,
    pub circular: Vec<bool>,
}

#[derive(Default)]
pub struct View {
    pub flag: u32,
    pub reference: i64,
    pub pos: i64,
    pub mapq: u32,
    pub next_reference: i64,
    pub next_pos: i64,
    pub next_is_same: bool,
    pub length: i64,
    pub bases: usize,
    pub cigar: Vec<u32>,
    // Of the operations:
    pub reference_bases: u64,
    pub aligned_bases: u64, // with the inserted ones
    pub inserted: u64,
    pub deleted: u64,
    pub different: u64,
    pub hard_bases: u64,
    // Of the tags:
    pub edits: u64,
    /// The notes at which one need not stop, and those that this record has.
    pub tolerated: u32,
    pub noted: u32,
}

/// The notes that can be tolerated, in the order in which `scan.py` lists them.
pub enum Note {
    MapqNone,
    FlagUnpaired,
    LengthSingle,
    FlagSegment,
    FlagUnmapped,
    NextSame,
    Bin,
    Nm,
}

pub const NOTES: usize = 11; // with the three of mates

impl View {
    /// Whether flags, place, mate and CIGAR are beyond doubt; `cigar` is filled already.
    pub fn is_clean(&mut self, references: &References) -> bool {
        self.has_clean_cigar() && self.has_clean_flags() && self.has_clean_place(references)
    }

    /// Whether one may go on although the record deserves this note.
    pub fn goes_on(&mut self, note: Note) -> bool {
        let bit = 1 << note as u32;
        self.noted |= bit;
        self.tolerated & bit != 0
    }

    fn has_clean_flags(&mut self) -> bool {
        let flag = self.flag;
        if flag & 0xF000 != 0 {
            return false;
        }
        if flag & 1 == 0 {
            if flag & OF_PAIRS != 0 && !self.goes_on(Note::FlagUnpaired) {
                return false;
            }
            if self.length != 0 && !self.goes_on(Note::LengthSingle) {
                return false;
            }
        } else if (flag & 0x40 != 0) == (flag & 0x80 != 0) && !self.goes_on(Note::FlagSegment) {
            return false;
        }
        let speaks = !self.cigar.is_empty() || self.mapq != 0 || flag & OF_MAPPED != 0;
        flag & 4 == 0 || !speaks || self.goes_on(Note::FlagUnmapped)
    }

    fn has_clean_place(&mut self, references: &References) -> bool {
        if (self.reference == NONE) != (self.pos == 0)
            || (self.next_reference == NONE) != (self.next_pos == 0)
        {
            return false;
        }
        if self.flag & 4 == 0 {
            if self.reference < 0 || self.cigar.is_empty() {
                return false;
            }
            if self.mapq == 255 && !self.goes_on(Note::MapqNone) {
                return false;
            }
            let at = self.reference as usize;
            let end = self.pos + self.reference_bases.max(1) as i64 - 1;
            if !references.circular[at] && end > references.lengths[at] {
                return false;
            }
        }
        if self.next_reference >= 0 {
            let is_same = self.next_reference == self.reference && !self.next_is_same;
            if is_same && !self.goes_on(Note::NextSame) {
                return false;
            }
            return self.next_pos <= references.lengths[self.next_reference as usize];
        }
        true
    }

    fn has_clean_cigar(&mut self) -> bool {
        let (mut query, mut reference, mut aligned) = (0u64, 0u64, 0u64);
        (self.inserted, self.deleted, self.different, self.hard_bases) = (0, 0, 0, 0);
        let last = self.cigar.len().wrapping_sub(1);
        let mut before = u32::MAX;
        for (at, &packed) in self.cigar.iter().enumerate() {
            let (code, size) = ((packed & 15) as usize, u64::from(packed >> 4));
            if code > 8 || size == 0 || code as u32 == before {
                return false;
            }
            before = code as u32;
            match code {
                1 => self.inserted += size,
                2 => self.deleted += size,
                8 => self.different += size,
                5 if at == 0 || at == last => self.hard_bases += size,
                5 => return false,
                4 if at == 0 || at == last => {}
                4 if at == 1 && self.cigar[0] & 15 == 5 => {}
                4 if at + 1 == last && self.cigar[last] & 15 == 5 => {}
                4 => return false,
                _ => {}
            }
            query += if IN_QUERY[code] { size } else { 0 };
            reference += if IN_REFERENCE[code] { size } else { 0 };
            aligned += if ALIGNED[code] { size } else { 0 };
        }
        self.reference_bases = reference;
        self.aligned_bases = aligned + self.inserted;
        self.cigar.is_empty() || self.bases == 0 || query == self.bases as u64
    }
}

/// Whether MD fits CIGAR and SEQ; how many mismatches it names.
pub fn mismatches(md: &[u8], view: &View, base: impl Fn(usize) -> u8) -> Option<u64> {
    let (mut at, mut count, mut gone, mut found) = (0usize, 0u64, 0u64, 0u64);
    let mut walk = Walk::new(&view.cigar);
    let compare = view.bases > 0;
    let mut run = 0u64;
    let mut digits = 0;
    while at < md.len() {
        let byte = md[at];
        at += 1;
        match byte {
            b'0'..=b'9' => {
                run = run * 10 + u64::from(byte - b'0');
                digits += 1;
                if digits > 18 {
                    return None;
                }
                continue;
            }
            _ if digits == 0 => return None, // numbers stand between all others
            b'A'..=b'Z' => {
                count += run;
                if compare {
                    let there = base(walk.query_of(count)?);
                    if there == byte && matches!(byte, b'A' | b'C' | b'G' | b'T') {
                        return None;
                    }
                }
                count += 1;
                found += 1;
            }
            b'^' => {
                let letters = md[at..]
                    .iter()
                    .take_while(|c| c.is_ascii_uppercase())
                    .count();
                if letters == 0 {
                    return None;
                }
                count += run;
                gone += letters as u64;
                at += letters;
            }
            _ => return None,
        }
        (run, digits) = (0, 0);
    }
    let fits = count + run == view.aligned_bases - view.inserted && gone == view.deleted;
    (digits > 0 && fits).then_some(found)
}

/// From the place among aligned bases to the place in SEQ, forwards alone.
struct Walk<'a> {
    cigar: &'a [u32],
    at: usize,
    aligned: u64,
    query: u64,
}

impl<'a> Walk<'a> {
    fn new(cigar: &'a [u32]) -> Self {
        Self {
            cigar,
            at: 0,
            aligned: 0,
            query: 0,
        }
    }

    fn query_of(&mut self, place: u64) -> Option<usize> {
        while let Some(&packed) = self.cigar.get(self.at) {
            let (code, size) = ((packed & 15) as usize, u64::from(packed >> 4));
            if ALIGNED[code] {
                if place < self.aligned + size {
                    return Some((self.query + place - self.aligned) as usize);
                }
                self.aligned += size;
            }
            self.query += if IN_QUERY[code] { size } else { 0 };
            self.at += 1;
        }
        None
    }
}
