//! Letters and qualities by their place in a read.

use crate::lanes::{Lanes, LANES};
use crate::tally::{self, ALPHABET, CODES_OF_ASCII, LETTERS, QUALITIES, ROW};

const FIRST: usize = b'!' as usize; // the quality 0

/// Instruments that write few different qualities write up to eight, and those are counted as
/// letters are; one more, and a look at each place of each read is faster.
const FEW: usize = 8;

/// By position, up to as many as are asked for.
#[derive(Default)]
pub struct Places {
    pub letters: [Vec<u64>; LETTERS],
    waiting: [Vec<u8>; LETTERS], // not yet added to `letters`; a byte holds 255 reads
    few: Vec<(u8, Vec<u8>)>,     // each character that was seen, not yet added to `qualities`
    are_many: bool,              // more than that were seen
    reads_waiting: u8,
    qualities: Vec<[u32; ROW]>,       // by character
    pub heavy: Vec<[u64; QUALITIES]>, // the same by quality, of all that was counted before
    rows: u32,                        // reads since `qualities` was emptied into `heavy`
}

impl Places {
    /// Count one read, so many places of it; both are filled up with zeros to whole lanes.
    #[inline(always)]
    pub fn take<L: Lanes>(&mut self, bases: &[u8], qualities: &[u8], length: usize) {
        let wide = length.next_multiple_of(LANES);
        if self.qualities.len() < length {
            self.widen(length, wide);
        }
        // Zeros are no letter, and what stands behind the last place that counts is not counted.
        for (letter, waiting) in ALPHABET.iter().zip(&mut self.waiting) {
            tally::add_equal::<L>(&mut waiting[..wide], &bases[..wide], *letter);
        }
        if self.are_many {
            for (row, &one) in self.qualities.iter_mut().zip(&qualities[..length]) {
                row[usize::from(one) % CODES_OF_ASCII] += 1;
            }
        } else {
            self.take_few::<L>(&qualities[..wide], length);
        }
        self.reads_waiting += 1;
        self.rows += 1;
        if self.reads_waiting == u8::MAX {
            self.settle();
        }
        if self.rows == u32::MAX {
            self.lighten();
        }
    }

    /// Room for so many places, and for whole lanes of what waits.
    fn widen(&mut self, length: usize, wide: usize) {
        self.qualities.resize(length, [0; ROW]);
        let few = self.few.iter_mut().map(|one| &mut one.1);
        for waiting in self.waiting.iter_mut().chain(few) {
            waiting.resize(wide, 0);
        }
        for sums in &mut self.letters {
            sums.resize(wide, 0);
        }
    }

    #[inline(always)]
    fn take_few<L: Lanes>(&mut self, qualities: &[u8], length: usize) {
        let mut found = 0;
        for (character, waiting) in &mut self.few {
            found += tally::add_equal::<L>(&mut waiting[..qualities.len()], qualities, *character);
        }
        if found != length {
            self.take_new::<L>(qualities, length);
        }
    }

    /// Count those characters of a read that were not seen before.
    fn take_new<L: Lanes>(&mut self, qualities: &[u8], length: usize) {
        let before = self.few.len();
        for &one in &qualities[..length] {
            if self.few.iter().all(|few| few.0 != one) {
                self.few.push((one, vec![0; self.waiting[0].len()]));
            }
        }
        for (character, waiting) in &mut self.few[before..] {
            tally::add_equal::<L>(&mut waiting[..qualities.len()], qualities, *character);
        }
        if self.few.len() > FEW {
            self.are_many = true;
            self.settle();
            self.few.clear();
        }
    }

    pub fn settle(&mut self) {
        for (sums, waiting) in self.letters.iter_mut().zip(&mut self.waiting) {
            for (sum, one) in sums.iter_mut().zip(waiting) {
                *sum += u64::from(std::mem::take(one));
            }
        }
        for (character, waiting) in &mut self.few {
            let place = usize::from(*character) % CODES_OF_ASCII;
            for (row, one) in self.qualities.iter_mut().zip(waiting) {
                row[place] += u32::from(std::mem::take(one));
            }
        }
        self.reads_waiting = 0;
    }

    pub fn lighten(&mut self) {
        self.settle();
        self.heavy.resize(self.qualities.len(), [0; QUALITIES]);
        for (sums, row) in self.heavy.iter_mut().zip(&mut self.qualities) {
            for (sum, one) in sums.iter_mut().zip(&mut row[FIRST..]) {
                *sum += u64::from(std::mem::take(one));
            }
        }
        self.rows = 0;
    }
}
