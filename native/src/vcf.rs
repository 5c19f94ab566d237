//! Data lines of VCF that are certainly clean: counted here, and all others handed over.
//!
//! Nothing is judged here. What this file does not know is handed over to the reader in Python,
//! which has the rules; a line is accepted only where that reader would find nothing in it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use memchr::memchr;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

const SITES: usize = 11; // in the order of SITES in vcf/counts.py
const CLASSES: usize = 6; // in the order of GENOTYPES there
const ALTS_MAX: usize = 20; // compared with each other one by one
const PLOIDY_MAX: usize = 8; // genotypes of so many copies and 20 alleles fit in 64 bits
const DIGITS_MAX: usize = 9; // below 2^31, whatever they are
const VARIANTS_MAX: usize = 100_000; // as in vcf/order.py
const KEYS_MAX: usize = 64; // of one record, in FORMAT
const HASH_BASIS: u64 = 0xcbf2_9ce4_8422_2325; // FNV-1a, as it is published
const HASH_PRIME: u64 = 0x0100_0000_01b3;

// Kinds of alleles, as in vcf/counts.py.
const SNP: u8 = 1;
const MNP: u8 = 2;
const INDEL: u8 = 4;
const OTHER: u8 = 8;
const OVERLAP: u8 = 32;

/// How many values a key has: a count, or one of these.
const ANY: i32 = -1;
const PER_ALT: i32 = -2;
const PER_ALLELE: i32 = -3;
const PER_GENOTYPE: i32 = -4;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Integer,
    Float,
    Character,
    Flag,
    Free, // nothing is declared: with a value or without
}

#[derive(Clone, Copy)]
struct Key {
    number: i32,
    kind: Kind,
    is_negative_told: bool,
    is_end: bool,
}

type RawKey = (PyBackedBytes, i32, u8, bool);
type RawHanded = (usize, usize, usize, usize, isize, i64, i64);
type RawLooked = (
    Vec<RawHanded>,
    usize,
    usize,
    usize,
    isize,
    i64,
    i64,
    Vec<u64>,
    Vec<u64>,
);

#[derive(Default)]
struct Plan {
    infos: Vec<Key>,
    info_names: HashMap<Vec<u8>, usize>,
    names: Vec<Vec<u8>>, // of `infos`
    formats: HashMap<Vec<u8>, Key>,
    filters: HashSet<Vec<u8>>,
    symbols: HashSet<Vec<u8>>,
    contigs: HashMap<Vec<u8>, i64>, // -1: of unknown length
    is_any_contig: bool,
}

/// Two variants that are the same have the same hash; where others share it, Python decides.
#[derive(Clone, Copy, PartialEq)]
struct Variant {
    position: i64,
    hash: u64,
}

#[derive(Default)]
struct State {
    contig: Vec<u8>,
    is_begun: bool,
    is_known: bool, // the contig's name needs no second look
    length: i64,
    position: i64,
    highest: i64,
    variants: Vec<Variant>,
    recent: Vec<(usize, i64)>, // of this block: where a record begins, and how far it reaches
}

struct Lines {
    minor: u8,
    samples: usize,
    columns: usize,
    plan: Plan,
    state: State,
    stamp: u32,
    stamps: Vec<u32>,  // of INFO keys: in which record each was seen last
    order: Vec<usize>, // INFO keys of the record before, in their order
    format: Vec<u8>,   // FORMAT of the record before
    keys: Vec<Key>,    // and what it means; the first is GT where `has_genotype`
    has_genotype: bool,
    sites: Vec<u64>,
    genotypes: Vec<u64>,
    classes: Vec<u8>, // of the record at hand
}

/// A reader of data lines behind one header.
#[pyclass(frozen)]
pub struct VcfLines {
    lines: Mutex<Lines>,
}

#[pymethods]
impl VcfLines {
    #[new]
    fn new(minor: u8, samples: usize, columns: usize) -> Self {
        Self {
            lines: Mutex::new(Lines::new(minor, samples, columns)),
        }
    }

    /// What may be accepted from now on.
    fn configure(
        &self,
        infos: Vec<RawKey>,
        formats: Vec<RawKey>,
        filters: Vec<PyBackedBytes>,
        symbols: Vec<PyBackedBytes>,
        contigs: Vec<(PyBackedBytes, i64)>,
        is_any_contig: bool,
    ) {
        let mut plan = Plan {
            is_any_contig,
            ..Plan::default()
        };
        for (name, number, kind, told) in infos {
            plan.info_names.insert(name.to_vec(), plan.infos.len());
            plan.names.push(name.to_vec());
            plan.infos.push(key_of(&name, number, kind, told));
        }
        for (name, number, kind, told) in formats {
            plan.formats
                .insert(name.to_vec(), key_of(&name, number, kind, told));
        }
        plan.filters = filters.iter().map(|one| one.to_vec()).collect();
        plan.symbols = symbols.iter().map(|one| one.to_vec()).collect();
        plan.contigs = contigs
            .iter()
            .map(|(name, n)| (name.to_vec(), *n))
            .collect();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.stamps = vec![0; plan.infos.len()];
        lines.stamp = 0;
        lines.order.clear();
        lines.format.clear();
        lines.plan = plan;
        lines.know();
    }

    /// A block of whole lines: what is handed over, and the sums over the rest.
    fn look(&self, py: Python<'_>, text: PyBackedBytes) -> RawLooked {
        py.detach(|| {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.look(&text)
        })
    }
}

fn key_of(name: &[u8], number: i32, kind: u8, is_negative_told: bool) -> Key {
    let kind = match kind {
        1 => Kind::Integer,
        2 => Kind::Float,
        3 => Kind::Character,
        4 => Kind::Flag,
        5 => Kind::Free,
        _ => Kind::Text,
    };
    Key {
        number,
        kind,
        is_negative_told,
        is_end: name == b"END",
    }
}

/// What a record is, once its fixed columns were read.
struct Site<'a> {
    position: i64,
    reference: &'a [u8],
    alternates: &'a [u8],
    few: usize,  // alternative alleles, where none are written as one that is missing
    many: usize, // the same, that one counted
}

impl Lines {
    fn new(minor: u8, samples: usize, columns: usize) -> Self {
        Self {
            minor,
            samples,
            columns,
            plan: Plan::default(),
            state: State {
                position: -1,
                highest: -1,
                ..State::default()
            },
            stamp: 0,
            stamps: Vec::new(),
            order: Vec::new(),
            format: Vec::new(),
            keys: Vec::new(),
            has_genotype: false,
            sites: vec![0; SITES],
            genotypes: vec![0; samples * CLASSES],
            classes: Vec::with_capacity(samples),
        }
    }

    fn look(&mut self, text: &[u8]) -> RawLooked {
        self.sites.fill(0);
        self.genotypes.fill(0);
        self.state.recent.clear();
        let (mut handed, mut start, mut number, mut records, mut accepted) =
            (Vec::new(), 0, 0, 0, 0);
        while start < text.len() {
            let rest = &text[start..];
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..length];
            let before = (self.context(start), self.state.position, self.state.highest);
            if self.accepts(line, start) {
                accepted += 1;
            } else {
                let (context, position, highest) = before;
                let end = start + length;
                handed.push((start, end, number, records, context, position, highest));
                self.follow(line);
            }
            records += usize::from(!matches!(line.first(), None | Some(b'#' | b'\r')));
            number += 1;
            start += length + 1;
        }
        let tail = self.context(text.len());
        let State {
            position, highest, ..
        } = self.state;
        let (sites, genotypes) = (self.sites.clone(), self.genotypes.clone());
        (
            handed, number, records, accepted, tail, position, highest, sites, genotypes,
        )
    }

    /// Where the first record begins whose variants may come again.
    fn context(&self, start: usize) -> isize {
        self.state.recent.first().map_or(start, |one| one.0) as isize
    }

    fn know(&mut self) {
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let (name, plan) = (&self.state.contig, &self.plan);
        self.state.is_known = !name.is_empty()
            && name.iter().all(is_plain)
            && (plan.is_any_contig || plan.contigs.contains_key(name.as_slice()));
    }

    /// What has to be known of a line that is handed over.
    fn follow(&mut self, line: &[u8]) {
        if line.first() == Some(&b'#') || self.columns != 1 + count(line, b'\t') {
            return;
        }
        let mut fields = line.split(|&b| b == b'\t');
        let chrom = fields.next().unwrap_or_default();
        let position = fields.next().and_then(position_of);
        let name = match chrom {
            [b'<', inner @ .., b'>'] => inner,
            _ => chrom,
        };
        let state = &mut self.state;
        if !state.is_begun || state.contig != name {
            state.contig = name.to_vec();
            state.is_begun = true;
            state.length = self.plan.contigs.get(name).copied().unwrap_or(-1);
            (state.position, state.highest) = (-1, -1);
            state.variants.clear();
            state.recent.clear();
            self.know();
        }
        let reference = fields.nth(1).unwrap_or_default();
        let alternates = fields.next().unwrap_or_default();
        if let Some(position) = position {
            self.state.advance(position);
            self.state.note(position, reference, alternates);
        }
    }

    /// Whether the line is clean; it is counted, and known to those behind it, if it is.
    fn accepts(&mut self, line: &[u8], start: usize) -> bool {
        self.classes.clear();
        let Some((site, kinds, row)) = self.fixed(line) else {
            return false;
        };
        let (position, reach) = (
            site.position,
            site.position + site.reference.len() as i64 - 1,
        );
        let (reference, alternates) = (site.reference, site.alternates);
        self.state.advance(position);
        if self.state.note(position, reference, alternates) {
            return false;
        }
        self.state.recent.push((start, reach));
        for (sum, one) in self.sites.iter_mut().zip(row) {
            *sum += one;
        }
        let is_counted = kinds == 0 || kinds & SNP != 0;
        for (sample, &class) in self.classes.iter().enumerate() {
            if class < CLASSES as u8 && (is_counted || !matches!(class, 1 | 2)) {
                self.genotypes[sample * CLASSES + class as usize] += 1;
            }
        }
        true
    }

    fn fixed<'a>(&mut self, line: &'a [u8]) -> Option<(Site<'a>, u8, [u64; SITES])> {
        let mut at = 0;
        let chrom = field(line, &mut at)?;
        let position = position_of(field(line, &mut at)?)?;
        let identifier = field(line, &mut at)?;
        let reference = field(line, &mut at)?;
        let alternates = field(line, &mut at)?;
        let quality = field(line, &mut at)?;
        let filter = field(line, &mut at)?;
        let info = field(line, &mut at)?;
        if !self.places(chrom, position)
            || !is_identifier(identifier)
            || !is_bases(reference)
            || !is_quality(quality)
            || !self.passes(filter)
        {
            return None;
        }
        let (kinds, row) = self.alleles(identifier, reference, alternates)?;
        let count = 1 + count(alternates, b',');
        let site = Site {
            position,
            reference,
            alternates,
            few: if alternates == b"." { 0 } else { count },
            many: count,
        };
        if !self.info(info, &site) {
            return None;
        }
        if self.columns == 8 {
            return (at == line.len() + 1).then_some((site, kinds, row));
        }
        let format = field(line, &mut at)?;
        if !self.learns(format) {
            return None;
        }
        for sample in 0..self.samples {
            if sample > 0 {
                if line.get(at) != Some(&b'\t') {
                    return None;
                }
                at += 1;
            }
            self.sample(line, &mut at, &site)?;
        }
        let is_whole = if self.samples == 0 {
            at == line.len() + 1
        } else {
            at == line.len()
        };
        is_whole.then_some((site, kinds, row))
    }

    fn places(&self, chrom: &[u8], position: i64) -> bool {
        let state = &self.state;
        state.is_begun
            && state.is_known
            && state.contig == chrom
            && position >= state.position
            && (state.length < 0 || position <= state.length + 1)
    }

    fn passes(&self, filter: &[u8]) -> bool {
        if filter == b"PASS" || filter == b"." {
            return true;
        }
        let names: Vec<&[u8]> = filter.split(|&b| b == b';').collect();
        names.len() <= ALTS_MAX
            && names.iter().enumerate().all(|(index, name)| {
                self.plan.filters.contains(*name) && !names[..index].contains(name)
            })
    }

    /// The kinds of the alleles, and what the record adds to the sums.
    fn alleles(&self, id: &[u8], reference: &[u8], text: &[u8]) -> Option<(u8, [u64; SITES])> {
        let (mut kinds, mut turns, mut others, mut number) = (0, 0, 0, 0);
        let mut seen: [&[u8]; ALTS_MAX] = [b""; ALTS_MAX];
        for alternate in text.split(|&b| b == b',') {
            if number == ALTS_MAX {
                return None;
            }
            let kind = if is_bases(alternate) {
                let is_again = |one: &&[u8]| one.eq_ignore_ascii_case(alternate);
                if reference.eq_ignore_ascii_case(alternate) || seen[..number].iter().any(is_again)
                {
                    return None;
                }
                kind_of(reference, alternate)
            } else if alternate == b"." && text.len() == 1 {
                if reference.len() > 1 {
                    return None; // counted in Python
                }
                0
            } else if alternate == b"*" {
                OVERLAP
            } else if alternate == b"<NON_REF>" || alternate == b"<*>" {
                0
            } else if self.plan.symbols.contains(alternate) {
                OTHER
            } else {
                return None;
            };
            if kind == SNP {
                let (one, two) = (upper(reference[0]), upper(alternate[0]));
                match (one, two) {
                    (b'A', b'G') | (b'G', b'A') | (b'C', b'T') | (b'T', b'C') => turns += 1,
                    _ if one != two && one != b'N' && two != b'N' => others += 1,
                    _ => (),
                }
            }
            seen[number] = alternate;
            number += 1;
            kinds |= kind;
        }
        let of = |which: u8| u64::from(kinds & which != 0);
        let many = number > 1;
        let row = [
            1,
            u64::from(kinds == 0),
            of(SNP),
            of(MNP),
            of(INDEL),
            of(OTHER),
            u64::from(many),
            u64::from(many && kinds == SNP),
            turns,
            others,
            u64::from(kinds != 0 && id == b"."),
        ];
        Some((kinds, row))
    }

    fn info(&mut self, info: &[u8], site: &Site<'_>) -> bool {
        if info == b"." {
            return true;
        }
        self.stamp = self.stamp.wrapping_add(1);
        let (mut entry, mut rest) = (0, info);
        loop {
            let end = memchr(b';', rest).unwrap_or(rest.len());
            let part = &rest[..end];
            let Some((index, name_bytes)) = self.info_index(part, entry) else {
                return false;
            };
            if self.stamps[index] == self.stamp {
                return false;
            }
            self.stamps[index] = self.stamp;
            entry += 1;
            let key = self.plan.infos[index];
            let fits = match (part.get(name_bytes + 1..), key.kind) {
                (None, kind) => kind == Kind::Flag || kind == Kind::Free,
                (Some(_), Kind::Flag) => false,
                (Some(values), _) => self.info_values(values, &key, site),
            };
            if !fits {
                return false;
            }
            match rest.get(end + 1..) {
                Some(more) => rest = more,
                None => return true,
            }
        }
    }

    /// Which key it is, and how long its name; most records have those of the one before in order.
    fn info_index(&mut self, part: &[u8], entry: usize) -> Option<(usize, usize)> {
        if let Some(&index) = self.order.get(entry) {
            let name = &self.plan.names[index];
            if part.starts_with(name) && matches!(part.get(name.len()), None | Some(b'=')) {
                return Some((index, name.len()));
            }
        }
        let name_bytes = memchr(b'=', part).unwrap_or(part.len());
        let index = *self.plan.info_names.get(&part[..name_bytes])?;
        if entry < self.order.len() {
            self.order[entry] = index;
        } else if entry < KEYS_MAX {
            self.order.push(index);
        }
        Some((index, name_bytes))
    }

    fn info_values(&self, text: &[u8], key: &Key, site: &Site<'_>) -> bool {
        if key.is_end {
            return integer_of(text).is_some_and(|end| end >= site.position);
        }
        let Some((values, end)) = self.values(text, 0, key, true) else {
            return false;
        };
        if end != text.len() {
            return false;
        }
        let values = values as i64;
        text == b"."
            || match key.number {
                PER_ALT => values == site.few as i64 || values == site.many as i64,
                PER_ALLELE => values == site.few as i64 + 1 || values == site.many as i64 + 1,
                ANY | PER_GENOTYPE => true,
                number => values == i64::from(number),
            }
    }

    /// How many values begin here, and where they end: at the end, a tab, or a colon of a sample.
    #[inline(always)]
    fn values(&self, text: &[u8], from: usize, key: &Key, is_info: bool) -> Option<(usize, usize)> {
        let is_negative_told = key.is_negative_told;
        match key.kind {
            Kind::Integer => values_of(text, from, is_info, |text, at| {
                integer_end(text, at, is_negative_told)
            }),
            Kind::Float => values_of(text, from, is_info, |text, at| {
                float_end(text, at, is_negative_told)
            }),
            _ => {
                let roles = match (is_info, self.minor) {
                    (true, ..3) => &OLD_INFO,
                    (true, _) => &INFO,
                    (false, _) => &SAMPLE,
                };
                let is_character = key.kind == Kind::Character;
                values_of(text, from, is_info, |text, at| {
                    let end = text_end(text, at, roles)?;
                    (!is_character || end == at + 1).then_some(end)
                })
            }
        }
    }

    /// Takes over what FORMAT says, unless it is that of the record before.
    fn learns(&mut self, format: &[u8]) -> bool {
        if !self.format.is_empty() && self.format == format {
            return true;
        }
        self.format.clear();
        self.keys.clear();
        let names: Vec<&[u8]> = format.split(|&b| b == b':').collect();
        if names.len() > KEYS_MAX {
            return false;
        }
        for (index, name) in names.iter().enumerate() {
            let Some(&key) = self.plan.formats.get(*name) else {
                return false;
            };
            if names[..index].contains(name) || (index > 0 && *name == b"GT") {
                return false;
            }
            self.keys.push(key);
        }
        self.has_genotype = names[0] == b"GT";
        self.format.extend_from_slice(format);
        true
    }

    fn sample(&mut self, line: &[u8], at: &mut usize, site: &Site<'_>) -> Option<()> {
        let (mut copies, mut is_unknown, mut class) = (2, false, CLASSES as u8);
        for index in 0..self.keys.len() {
            if index > 0 {
                match line.get(*at) {
                    Some(b':') => *at += 1,
                    _ => break, // what is left of them was dropped
                }
            }
            if index == 0 && self.has_genotype {
                (copies, class) = genotype(line, at, site.many)?;
                is_unknown = copies == 1 && class == 5;
                continue;
            }
            let begin = *at;
            let key = self.keys[index];
            let (values, end) = self.values(line, begin, &key, false)?;
            *at = end;
            let is_missing = end == begin + 1 && line[begin] == b'.';
            if !is_missing && !fits(values, &key, site, copies, is_unknown) {
                return None;
            }
        }
        self.classes.push(class);
        matches!(line.get(*at), None | Some(b'\t')).then_some(())
    }
}

#[inline(always)]
fn values_of(
    text: &[u8],
    from: usize,
    is_info: bool,
    end_of: impl Fn(&[u8], usize) -> Option<usize>,
) -> Option<(usize, usize)> {
    let (mut at, mut values) = (from, 0);
    loop {
        let begin = at;
        at = end_of(text, at)?;
        if at == begin {
            return None;
        }
        values += 1;
        match text.get(at) {
            Some(b',') => at += 1,
            None => return Some((values, at)),
            Some(b'\t' | b':') if !is_info => return Some((values, at)),
            _ => return None,
        }
    }
}

/// What a byte is in a text value.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Part,
    End,
    Doubt,
}

static INFO: [Role; 256] = roles(b"%\"=", b",");
static OLD_INFO: [Role; 256] = roles(b"%\"= ", b",");
static SAMPLE: [Role; 256] = roles(b" ", b",\t:");

const fn roles(doubtful: &[u8], ends: &[u8]) -> [Role; 256] {
    let mut table = [Role::Doubt; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        table[byte as usize] = Role::Part;
        byte += 1;
    }
    let mut at = 0;
    while at < doubtful.len() {
        table[doubtful[at] as usize] = Role::Doubt;
        at += 1;
    }
    at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = Role::End;
        at += 1;
    }
    table
}

#[inline(always)]
fn text_end(text: &[u8], from: usize, roles: &[Role; 256]) -> Option<usize> {
    let rest = text.get(from..)?;
    let stop = |byte: &u8| roles[usize::from(*byte)] != Role::Part;
    match rest.iter().position(stop) {
        Some(length) if roles[usize::from(rest[length])] == Role::Doubt => None,
        Some(length) => Some(from + length),
        None => Some(text.len()),
    }
}

#[inline(always)]
fn fits(values: usize, key: &Key, site: &Site<'_>, copies: usize, is_unknown: bool) -> bool {
    match key.number {
        ANY => true,
        PER_ALT => values == site.few || values == site.many,
        PER_ALLELE => values == site.few + 1 || values == site.many + 1,
        PER_GENOTYPE => {
            let of = |copies| {
                values == genotypes(site.few, copies) || values == genotypes(site.many, copies)
            };
            of(copies) || (is_unknown && of(2))
        }
        number => values as i64 == i64::from(number),
    }
}

impl State {
    fn advance(&mut self, position: i64) {
        self.position = position;
        if position > self.highest {
            self.highest = position;
            self.variants.retain(|one| one.position >= position);
            self.recent.retain(|one| one.1 >= position);
        }
    }

    /// Whether one of these variants stood in a record before; all are known from now on.
    fn note(&mut self, position: i64, reference: &[u8], alternates: &[u8]) -> bool {
        if !is_bases(reference) {
            return false;
        }
        let (mut is_again, known) = (false, self.variants.len());
        for alternate in alternates.split(|&b| b == b',') {
            if !is_bases(alternate) || reference.eq_ignore_ascii_case(alternate) {
                continue;
            }
            let one = shortest(position, reference, alternate);
            if self.variants[..known].contains(&one) {
                is_again = true;
            } else if one.position >= self.highest && self.variants.len() < VARIANTS_MAX {
                self.variants.push(one);
            }
        }
        is_again
    }
}

fn shortest(position: i64, reference: &[u8], alternate: &[u8]) -> Variant {
    let same = |a: u8, b: u8| upper(a) == upper(b);
    let most = reference.len().min(alternate.len());
    let mut end = 0;
    while end < most
        && same(
            reference[reference.len() - 1 - end],
            alternate[alternate.len() - 1 - end],
        )
    {
        end += 1;
    }
    let mut begin = 0;
    while begin < most - end && same(reference[begin], alternate[begin]) {
        begin += 1;
    }
    let both = [
        &reference[begin..reference.len() - end],
        b">",
        &alternate[begin..alternate.len() - end],
    ];
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(upper(*byte))).wrapping_mul(HASH_PRIME);
    Variant {
        position: position + begin as i64,
        hash: both.iter().copied().flatten().fold(HASH_BASIS, mix),
    }
}

fn kind_of(reference: &[u8], alternate: &[u8]) -> u8 {
    if reference.len() == 1 && alternate.len() == 1 {
        return SNP;
    }
    let same = |a: u8, b: u8| upper(a) == upper(b);
    let mut most = reference.len().min(alternate.len());
    let mut begin = 0;
    while begin < most && same(reference[begin], alternate[begin]) {
        begin += 1;
    }
    if begin == most {
        return INDEL;
    }
    most -= begin + 1;
    let last = |end: usize| {
        (
            reference[reference.len() - 1 - end],
            alternate[alternate.len() - 1 - end],
        )
    };
    let mut end = 0;
    while end < most && same(last(end).0, last(end).1) {
        end += 1;
    }
    let left = (reference.len() - begin - end, alternate.len() - begin - end);
    if left == (1, 1) {
        SNP
    } else if left.0.min(left.1) == 1 && same(last(end).0, last(end).1) {
        INDEL
    } else if left.0 == left.1 {
        MNP
    } else {
        OTHER
    }
}

/// The copies of a genotype and its class; the cursor stands behind it.
#[inline(always)]
fn genotype(line: &[u8], at: &mut usize, alleles: usize) -> Option<(usize, u8)> {
    let (mut copies, mut first, mut differ, mut is_missing) = (0, usize::MAX, false, false);
    loop {
        if line.get(*at) == Some(&b'.') {
            is_missing = true;
            *at += 1;
        } else {
            let begin = *at;
            let mut allele = 0;
            while let Some(digit @ b'0'..=b'9') = line.get(*at) {
                allele = allele * 10 + usize::from(digit - b'0');
                *at += 1;
                if *at - begin > DIGITS_MAX {
                    return None;
                }
            }
            if *at == begin || allele > alleles {
                return None;
            }
            differ |= first != usize::MAX && allele != first;
            first = allele;
        }
        copies += 1;
        if copies > PLOIDY_MAX {
            return None;
        }
        match line.get(*at) {
            Some(b'/' | b'|') => *at += 1,
            _ => break,
        }
    }
    let class = match (is_missing, copies, differ, first) {
        (true, ..) => 5,
        (_, 1, _, 0) => 3,
        (_, 1, ..) => 4,
        (_, _, true, _) => 2,
        (_, _, _, 0) => 0,
        _ => 1,
    };
    Some((copies, class))
}

#[inline]
fn genotypes(alternates: usize, copies: usize) -> usize {
    match copies {
        1 => alternates + 1,
        2 => (alternates + 1) * (alternates + 2) / 2,
        _ => (1..=copies).fold(1, |product, k| product * (alternates + k) / k),
    }
}

fn field<'a>(line: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let rest = line.get(*at..)?;
    let length = rest.iter().position(|&b| b == b'\t').unwrap_or(rest.len());
    *at += length + 1;
    Some(&rest[..length])
}

fn position_of(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 18 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
}

fn integer_of(text: &[u8]) -> Option<i64> {
    if text.len() > DIGITS_MAX {
        return None;
    }
    position_of(text)
}

fn is_identifier(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| b.is_ascii_graphic() && b != b';')
}

fn is_bases(text: &[u8]) -> bool {
    let is_base = |&b: &u8| matches!(upper(b), b'A' | b'C' | b'G' | b'T' | b'N');
    !text.is_empty() && text.iter().all(is_base)
}

fn is_quality(text: &[u8]) -> bool {
    text == b"." || (text.first() != Some(&b'.') && float_end(text, 0, true) == Some(text.len()))
}

fn upper(byte: u8) -> u8 {
    byte.to_ascii_uppercase()
}

fn count(text: &[u8], byte: u8) -> usize {
    text.iter().filter(|&&b| b == byte).count()
}

/// Where a whole number, or a dot, ends.
#[inline(always)]
fn integer_end(text: &[u8], from: usize, is_negative_told: bool) -> Option<usize> {
    let mut at = from;
    if text.get(at) == Some(&b'.') {
        return Some(at + 1);
    }
    if text.get(at) == Some(&b'-') {
        if is_negative_told {
            return None;
        }
        at += 1;
    }
    let digits = digits_end(text, at);
    (digits > at && digits - at <= DIGITS_MAX).then_some(digits)
}

/// Where a number with digits before its point, or a dot, ends.
#[inline(always)]
fn float_end(text: &[u8], from: usize, is_negative_told: bool) -> Option<usize> {
    let mut at = from;
    if text.get(at) == Some(&b'.') {
        return Some(at + 1);
    }
    if text.get(at) == Some(&b'-') {
        if is_negative_told {
            return None;
        }
        at += 1;
    }
    let mut end = digits_end(text, at);
    if end == at {
        return None;
    }
    if text.get(end) == Some(&b'.') {
        at = end + 1;
        end = digits_end(text, at);
        if end == at {
            return None;
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        at = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'-' | b'+')));
        end = digits_end(text, at);
        if end == at {
            return None;
        }
    }
    Some(end)
}

#[inline(always)]
fn digits_end(text: &[u8], from: usize) -> usize {
    let digits = text.get(from..).unwrap_or_default();
    from + digits
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(digits.len())
}
