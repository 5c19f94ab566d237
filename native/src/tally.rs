//! Counting in the letters of one read, written so that a compiler does many at once.

pub const LETTERS: usize = 5;
pub const ALPHABET: [u8; LETTERS] = *b"ACGTN";
pub const QUALITIES: usize = 94; // the characters 33 to 126
pub const CODES_OF_ASCII: usize = 128;
// Longer than the codes of ASCII, so that rows do not fall into a few lines of the cache.
pub const ROW: usize = 132;
pub const LANES: usize = 32;
const WORD: usize = 64;
const SUMMED: usize = 192; // whole words, whose sum a byte holds
const SURE: usize = 6; // letters of an adapter that are looked at before asking whether any fits
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

/// Whether the processor has what the wide loops are built for.
#[cfg(target_arch = "x86_64")]
pub fn is_wide() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("lzcnt")
}

pub fn are_bases(letters: &[u8]) -> bool {
    letters.iter().all(|&one| IS_BASE[usize::from(one)])
}

/// Whether a line is of blanks, tabs and visible characters alone.
#[inline(always)]
pub fn is_text(line: &[u8]) -> bool {
    let Some(last) = line.last_chunk::<LANES>() else {
        return are_text(line);
    };
    // What is left of the chunks is looked at with what stands before it: whole lanes are faster.
    let chunks = line.chunks_exact(LANES);
    chunks.fold(true, |ok, part| ok & are_text(part)) & are_text(last)
}

#[inline(always)]
fn are_text(part: &[u8]) -> bool {
    part.iter().fold(true, |ok, &one| {
        ok & ((one.wrapping_sub(b' ') <= b'~' - b' ') | (one == b'\t'))
    })
}

/// Of letters filled up with zeros: how many are of the alphabet, are G or C, and are N.
#[inline(always)]
pub fn letters(padded: &[u8]) -> (usize, usize, usize) {
    let (mut known, mut gc, mut n) = (0, 0, 0);
    for part in padded.chunks(SUMMED) {
        let (mut k, mut g, mut u) = (0_u8, 0_u8, 0_u8);
        for &one in part {
            let (is_gc, is_n) = ((one == b'G') | (one == b'C'), one == b'N');
            g += u8::from(is_gc);
            u += u8::from(is_n);
            k += u8::from((one == b'A') | (one == b'T') | is_gc | is_n);
        }
        known += usize::from(k);
        gc += usize::from(g);
        n += usize::from(u);
    }
    (known, gc, n)
}

/// The same letters, filled up to whole words with one that says nothing.
#[inline(always)]
pub fn pad(into: &mut Vec<u8>, letters: &[u8], filling: u8) {
    into.clear();
    into.extend_from_slice(letters);
    into.resize(letters.len().next_multiple_of(WORD), filling);
}

#[inline(always)]
pub fn add_equal(sums: &mut [u8], letters: &[u8], letter: u8) {
    for (sum, &one) in sums.iter_mut().zip(letters) {
        *sum = sum.wrapping_add(u8::from(one == letter));
    }
}

/// What is known of the qualities of one read.
#[derive(Default)]
pub struct Grades {
    pub sum: u64,
    pub least: u8,
    pub most: u8,
}

#[inline(always)]
pub fn grades(padded: &[u8], length: usize, zero: u8) -> Grades {
    let (total, least, most) = sum_and_range(padded);
    let filling = padded.last().map_or(0, |&one| u64::from(one));
    let real = total - filling * (padded.len() - length) as u64;
    Grades {
        sum: real.saturating_sub(u64::from(zero) * length as u64),
        least,
        most,
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn sum_and_range(padded: &[u8]) -> (u64, u8, u8) {
    use std::arch::x86_64::{
        _mm_add_epi64, _mm_loadu_si128, _mm_max_epu8, _mm_min_epu8, _mm_sad_epu8, _mm_set1_epi8,
        _mm_setzero_si128, _mm_storeu_si128,
    };
    let (mut sums, mut least, mut most) = ([0_u64; 2], [0_u8; 16], [0_u8; 16]);
    // SAFETY: SSE2 is a part of x86-64; a chunk, and each of the three arrays, has 16 bytes.
    unsafe {
        let mut sum = _mm_setzero_si128();
        let (mut low, mut high) = (_mm_set1_epi8(-1), sum);
        for chunk in padded.chunks_exact(16) {
            let lanes = _mm_loadu_si128(chunk.as_ptr().cast());
            sum = _mm_add_epi64(sum, _mm_sad_epu8(lanes, _mm_setzero_si128()));
            low = _mm_min_epu8(low, lanes);
            high = _mm_max_epu8(high, lanes);
        }
        _mm_storeu_si128(sums.as_mut_ptr().cast(), sum);
        _mm_storeu_si128(least.as_mut_ptr().cast(), low);
        _mm_storeu_si128(most.as_mut_ptr().cast(), high);
    }
    let least = least.into_iter().fold(u8::MAX, u8::min);
    (sums[0] + sums[1], least, most.into_iter().fold(0, u8::max))
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn sum_and_range(padded: &[u8]) -> (u64, u8, u8) {
    let sum = padded.iter().map(|&one| u64::from(one)).sum();
    let least = padded.iter().copied().fold(u8::MAX, u8::min);
    (sum, least, padded.iter().copied().fold(0, u8::max))
}

/// How many of the first ones are at least so much, of some that are filled up with the last.
#[inline(always)]
pub fn at_least(padded: &[u8], length: usize, bound: u8) -> u64 {
    let mut total = 0;
    for part in padded.chunks(SUMMED) {
        let is_more = |sum, &one: &u8| sum + u8::from(one >= bound);
        total += u64::from(part.iter().fold(0_u8, is_more));
    }
    let filling = padded.last().is_some_and(|&one| one >= bound);
    total - u64::from(filling) * (padded.len() - length) as u64
}

/// For each letter a bit at each place where it stands.
#[derive(Default)]
pub struct Masks {
    words: Vec<[u64; LETTERS]>, // of this read the first ones, the others are old
    size: usize,
}

/// A bit for each of 64 places at which a letter stands, of each letter of the alphabet.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn bits(letters: &[u8; WORD]) -> [u64; LETTERS] {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    let mut words = [0; LETTERS];
    for part in 0..4 {
        // SAFETY: SSE2 is a part of x86-64, and 16 bytes are there from each of these places.
        unsafe {
            let lanes = _mm_loadu_si128(letters.as_ptr().add(part * 16).cast());
            for (word, letter) in words.iter_mut().zip(ALPHABET) {
                let found = _mm_cmpeq_epi8(lanes, _mm_set1_epi8(letter as i8));
                let found = _mm_movemask_epi8(found) as u32;
                *word |= u64::from(found) << (part * 16);
            }
        }
    }
    words
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn bits(letters: &[u8; WORD]) -> [u64; LETTERS] {
    let mut words = [0; LETTERS];
    for (at, &one) in letters.iter().enumerate() {
        for (word, letter) in words.iter_mut().zip(ALPHABET) {
            *word |= u64::from(one == letter) << at;
        }
    }
    words
}

impl Masks {
    #[inline(always)]
    pub fn fill(&mut self, padded: &[u8]) {
        let size = padded.len() / WORD;
        if self.words.len() < size {
            self.words.resize(size, [0; LETTERS]);
        }
        self.size = size;
        for (chunk, words) in padded.chunks_exact(WORD).zip(&mut self.words) {
            let chunk: &[u8; WORD] = chunk.try_into().expect("chunks are exact");
            *words = bits(chunk);
        }
    }

    /// How many of the first letters are G or C.
    #[inline(always)]
    pub fn gc_of(&self, length: usize) -> usize {
        let mut sum = 0;
        for (at, word) in self.words[..self.size].iter().enumerate() {
            let left = length.saturating_sub(at * WORD).min(WORD);
            if left == 0 {
                break;
            }
            sum += ((word[1] | word[2]) & (u64::MAX >> (WORD - left))).count_ones() as usize;
        }
        sum
    }

    /// Where these letters, given as their places in the alphabet, stand first.
    #[inline(always)]
    pub fn find(&self, letters: &[usize]) -> Option<usize> {
        let (sure, rest) = letters.split_at(SURE.min(letters.len()));
        let words = &self.words[..self.size];
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).unwrap_or(&NOTHING);
            let mut fits = u64::MAX;
            for (by, &letter) in sure.iter().enumerate() {
                fits &= from(word[letter], next[letter], by);
            }
            if fits != 0 {
                for (by, &letter) in rest.iter().enumerate() {
                    fits &= from(word[letter], next[letter], by + sure.len());
                }
                if fits != 0 {
                    return Some(at * WORD + fits.trailing_zeros() as usize);
                }
            }
        }
        None
    }
}

const NOTHING: [u64; LETTERS] = [0; LETTERS];

/// The bits from so many places on, of two words in a row; fewer than a word has.
#[inline(always)]
fn from(word: u64, next: u64, by: usize) -> u64 {
    // Twice, because a shift by a whole word is none.
    word >> by | next << 1 << (WORD - 1 - by)
}
