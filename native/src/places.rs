//! Letters and qualities by their place in a read.

use crate::tally::{self, ALPHABET, CODES_OF_ASCII, LETTERS, QUALITIES, ROW};

const FIRST: usize = b'!' as usize; // the quality 0

/// By position, up to as many as are asked for.
#[derive(Default)]
pub struct Places {
    pub letters: [Vec<u64>; LETTERS],
    waiting: [Vec<u8>; LETTERS], // not yet added to `letters`; a byte holds 255 reads
    reads_waiting: u8,
    qualities: Vec<[u32; ROW]>,       // by character
    pub heavy: Vec<[u64; QUALITIES]>, // the same by quality, of all that was counted before
    rows: u32,                        // reads since `qualities` was emptied into `heavy`
}

impl Places {
    #[inline(always)]
    pub fn take(&mut self, padded: &[u8], length: usize) {
        let wide = length.next_multiple_of(tally::LANES);
        if self.waiting[0].len() < wide {
            for one in &mut self.waiting {
                one.resize(wide, 0);
            }
            for one in &mut self.letters {
                one.resize(wide, 0);
            }
        }
        for (letter, waiting) in ALPHABET.iter().zip(&mut self.waiting) {
            tally::add_equal(&mut waiting[..wide], &padded[..wide], *letter);
        }
        self.reads_waiting += 1;
        if self.reads_waiting == u8::MAX {
            self.settle();
        }
    }

    pub fn settle(&mut self) {
        for (sums, waiting) in self.letters.iter_mut().zip(&mut self.waiting) {
            for (sum, one) in sums.iter_mut().zip(waiting) {
                *sum += u64::from(std::mem::take(one));
            }
        }
        self.reads_waiting = 0;
    }

    #[inline(always)]
    pub fn take_qualities(&mut self, qualities: &[u8]) {
        if self.qualities.len() < qualities.len() {
            self.qualities.resize(qualities.len(), [0; ROW]);
        }
        for (row, &one) in self.qualities.iter_mut().zip(qualities) {
            row[usize::from(one) % CODES_OF_ASCII] += 1;
        }
        self.rows += 1;
        if self.rows == u32::MAX {
            self.lighten();
        }
    }

    pub fn lighten(&mut self) {
        self.heavy.resize(self.qualities.len(), [0; QUALITIES]);
        for (sums, row) in self.heavy.iter_mut().zip(&mut self.qualities) {
            for (sum, one) in sums.iter_mut().zip(&mut row[FIRST..]) {
                *sum += u64::from(std::mem::take(one));
            }
        }
        self.rows = 0;
    }
}
