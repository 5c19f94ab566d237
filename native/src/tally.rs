//! Counting in the letters of one read, many at once.

use crate::lanes::{Bytes, Lanes, LANES};

pub const LETTERS: usize = 5;
pub const ALPHABET: [u8; LETTERS] = *b"ACGTN";
pub const QUALITIES: usize = 94; // the characters 33 to 126
pub const CODES_OF_ASCII: usize = 128;
// Longer than the codes of ASCII, so that rows do not fall into a few lines of the cache.
pub const ROW: usize = 132;
const SUMMED: usize = LANES * 254; // letters, of which a lane counts one in each step
const CODES: [u8; 32] = *b"ACGTUNRYSWKMBDHVacgtunryswkmbdhv"; // of IUPAC

const fn bases() -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < CODES.len() {
        table[CODES[at] as usize] = true;
        at += 1;
    }
    table
}

const IS_BASE: [bool; 256] = bases();

/// None and then all bits: a window of it says which lanes count.
const COUNTED: [u8; 2 * LANES] = {
    let mut table = [0; 2 * LANES];
    let mut at = LANES;
    while at < 2 * LANES {
        table[at] = u8::MAX;
        at += 1;
    }
    table
};

pub fn are_bases(letters: &[u8]) -> bool {
    letters.iter().all(|&one| IS_BASE[usize::from(one)])
}

#[inline(always)]
fn whole(lanes: &[u8]) -> &Bytes {
    lanes.try_into().expect("it is as long as lanes are")
}

/// The lanes that begin at a place.
#[inline(always)]
pub fn chunk(bytes: &[u8], at: usize) -> &Bytes {
    whole(&bytes[at..at + LANES])
}

/// What is looked for in lanes; a closure would not be built for the processor that it runs on.
trait Look<L> {
    fn look(&mut self, lanes: L, counted: L);
}

/// Show a line of 32 letters or more in whole lanes, and which of them count: what is left at its
/// end is shown with what stands before it, and counts once.
#[inline(always)]
fn show<L: Lanes>(line: &[u8], to: &mut impl Look<L>) {
    let chunks = line.chunks_exact(LANES);
    let left = chunks.remainder().len();
    for lanes in chunks {
        to.look(L::of(whole(lanes)), L::all(u8::MAX));
    }
    if left > 0 {
        let (last, counted) = (&line[line.len() - LANES..], &COUNTED[left..left + LANES]);
        to.look(L::of(whole(last)), L::of(whole(counted)));
    }
}

struct TextLook<L>(L);

impl<L: Lanes> Look<L> for TextLook<L> {
    #[inline(always)]
    fn look(&mut self, lanes: L, _: L) {
        let visible = lanes.most(L::all(b' ')).least(L::all(b'~')).equal(lanes);
        self.0 = self.0.and(visible.or(lanes.equal(L::all(b'\t'))));
    }
}

/// Whether a line is of blanks, tabs and visible characters alone.
#[inline(always)]
pub fn is_text<L: Lanes>(line: &[u8]) -> bool {
    if line.len() < LANES {
        return line
            .iter()
            .all(|&one| (b' '..=b'~').contains(&one) || one == b'\t');
    }
    let mut all = TextLook(L::all(u8::MAX));
    show(line, &mut all);
    all.0.is_full()
}

/// What a read is made of.
#[derive(Default, Clone, Copy)]
pub struct Letters {
    pub are_known: bool, // all of them are of the alphabet
    pub gc: usize,
    pub n: usize,
}

struct LettersLook<L> {
    known: L,
    gc: L,
    n: L,
}

impl<L: Lanes> Look<L> for LettersLook<L> {
    #[inline(always)]
    fn look(&mut self, lanes: L, counted: L) {
        // C and G differ by one bit.
        let is_gc = lanes.or(L::all(b'C' ^ b'G')).equal(L::all(b'G'));
        let is_n = lanes.equal(L::all(b'N'));
        let is_at = lanes.equal(L::all(b'A')).or(lanes.equal(L::all(b'T')));
        self.known = self.known.and(is_gc.or(is_n).or(is_at));
        self.gc = self.gc.less(is_gc.and(counted));
        self.n = self.n.less(is_n.and(counted));
    }
}

#[inline(always)]
pub fn letters<L: Lanes>(line: &[u8]) -> Letters {
    if line.len() < LANES {
        return few_letters(line);
    }
    let (mut are_known, mut gc, mut n) = (true, 0, 0);
    let mut parts = Parts(line);
    while let Some(part) = parts.part() {
        let none = L::all(0);
        let mut found = LettersLook {
            known: L::all(u8::MAX),
            gc: none,
            n: none,
        };
        show(part, &mut found);
        are_known &= found.known.is_full();
        gc += L::total(found.gc.sum(L::none())) as usize;
        n += L::total(found.n.sum(L::none())) as usize;
    }
    Letters { are_known, gc, n }
}

fn few_letters(line: &[u8]) -> Letters {
    let count = |wanted: &[u8]| line.iter().filter(|one| wanted.contains(one)).count();
    Letters {
        are_known: count(&ALPHABET) == line.len(),
        gc: count(b"GC"),
        n: count(b"N"),
    }
}

/// The same letters, filled up to whole words with zeros, which say nothing.
#[inline(always)]
pub fn pad(into: &mut Vec<u8>, letters: &[u8]) {
    into.clear();
    into.extend_from_slice(letters);
    into.resize(letters.len().next_multiple_of(LANES), 0);
}

/// Count where a letter stands, in whole lanes, fewer than a byte can count; how often that is.
#[inline(always)]
pub fn add_equal<L: Lanes>(sums: &mut [u8], letters: &[u8], letter: u8) -> usize {
    let (letter, mut found) = (L::all(letter), L::all(0));
    for (sums, lanes) in sums
        .chunks_exact_mut(LANES)
        .zip(letters.chunks_exact(LANES))
    {
        let sums: &mut Bytes = sums.try_into().expect("chunks are exact");
        let is_equal = L::of(whole(lanes)).equal(letter);
        L::of(sums).less(is_equal).put(sums);
        found = found.less(is_equal);
    }
    L::total(found.sum(L::none())) as usize
}

/// What is known of the qualities of one read.
#[derive(Clone, Copy)]
pub struct Grades {
    pub sum: u64, // of the characters
    pub least: u8,
    pub most: u8,
    pub bounds: [u64; 2], // how many are at least so much
}

struct GradesLook<L: Lanes> {
    sum: L::Sums,
    least: L,
    most: L,
    bounds: [L; 2],
    reached: [L; 2],
}

impl<L: Lanes> Look<L> for GradesLook<L> {
    #[inline(always)]
    fn look(&mut self, lanes: L, counted: L) {
        self.sum = lanes.and(counted).sum(self.sum);
        self.least = self.least.least(lanes);
        self.most = self.most.most(lanes);
        for (reached, bound) in self.reached.iter_mut().zip(self.bounds) {
            *reached = reached.less(lanes.least(bound).equal(bound).and(counted));
        }
    }
}

#[inline(always)]
pub fn grades<L: Lanes>(line: &[u8], bounds: [u8; 2]) -> Grades {
    if line.len() < LANES {
        return few_grades(line, bounds);
    }
    let mut grades = few_grades(&[], bounds);
    let mut parts = Parts(line);
    while let Some(part) = parts.part() {
        let none = L::all(0);
        let mut found = GradesLook {
            sum: L::none(),
            least: L::all(u8::MAX),
            most: none,
            bounds: [L::all(bounds[0]), L::all(bounds[1])],
            reached: [none, none],
        };
        show(part, &mut found);
        grades.sum += L::total(found.sum);
        grades.least = grades.least.min(found.least.lowest());
        grades.most = grades.most.max(found.most.highest());
        for (sum, reached) in grades.bounds.iter_mut().zip(found.reached) {
            *sum += L::total(reached.sum(L::none()));
        }
    }
    grades
}

fn few_grades(line: &[u8], bounds: [u8; 2]) -> Grades {
    let reached = |bound| line.iter().filter(|&&one| one >= bound).count() as u64;
    Grades {
        sum: line.iter().map(|&one| u64::from(one)).sum(),
        least: line.iter().copied().fold(u8::MAX, u8::min),
        most: line.iter().copied().fold(0, u8::max),
        bounds: bounds.map(reached),
    }
}

/// A line in parts of which a byte can count the lanes; none is shorter than lanes are.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    #[inline(always)]
    fn part(&mut self) -> Option<&'a [u8]> {
        let size = match self.0.len() {
            0 => return None,
            all if all <= SUMMED => all,
            all if all < 2 * SUMMED => SUMMED / 2,
            _ => SUMMED,
        };
        let (part, rest) = self.0.split_at(size);
        self.0 = rest;
        Some(part)
    }
}
