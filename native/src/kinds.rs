//! How often each beginning of a read was seen: of the first kinds alone, in bounded memory.

use std::collections::hash_map::{Entry, HashMap, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// What is hashed already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only whole words are hashed")
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Counts by a keyed hash of 64 bits. The letters are not compared again, which would cost a read
/// its second look into far memory: that two of 100,000 kinds are taken for one, has a chance of
/// one in three thousand million, and nobody without the key can make it happen.
#[derive(Default)]
pub struct Kinds {
    keys: RandomState,
    counts: HashMap<u64, (u64, u32, u32), BuildHasherDefault<AsIs>>, // count, place, length
    letters: Vec<u8>,
}

impl Kinds {
    /// Count one; a new kind only while there are fewer than so many. Whether there were.
    #[inline(always)]
    pub fn take(&mut self, letters: &[u8], kinds_max: usize) -> bool {
        let is_open = self.counts.len() < kinds_max;
        match self.counts.entry(self.keys.hash_one(letters)) {
            Entry::Occupied(mut found) => found.get_mut().0 += 1,
            Entry::Vacant(place) if is_open => {
                place.insert((1, self.letters.len() as u32, letters.len() as u32));
                self.letters.extend_from_slice(letters);
            }
            Entry::Vacant(_) => {}
        }
        is_open
    }

    /// Every kind with its count, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.counts.values().map(|&(count, at, length)| {
            let at = at as usize;
            (&self.letters[at..at + length as usize], count)
        })
    }
}
