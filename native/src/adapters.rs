//! Where adapters begin in a read: a glance that misses none, and a search where it saw one.

use memchr::memmem::Finder;

use crate::lanes::{Bytes, Lanes, Plain, LANES};
use crate::tally::chunk;

const GLANCE: usize = 8; // letters of an adapter that the glance looks at, in two halves
const HALF: usize = GLANCE / 2;

/// How often each adapter begins at each place, the last one standing for all behind it.
#[derive(Default)]
pub struct Adapters {
    finders: Vec<Finder<'static>>,
    glances: Vec<[Bytes; 2]>, // codes of each one's two halves; none where one is too short
    plain: usize,             // so many, the first ones, are more than one base repeated
    positions: usize,
    pub at: Vec<Vec<u64>>,
    pub reads: u64, // with at least one of the plain ones
}

/// Of four letters that begin at each place two bits each, which tell A, C, G and T apart; other
/// letters share them.
#[inline(always)]
fn codes<L: Lanes>(letters: &[u8], at: usize) -> L {
    let first = L::of(chunk(letters, at)).right::<1>().and(L::all(3));
    let second = L::of(chunk(letters, at + 1)).left::<1>().and(L::all(12));
    let third = L::of(chunk(letters, at + 2)).left::<3>().and(L::all(48));
    let fourth = L::of(chunk(letters, at + 3)).left::<5>().and(L::all(192));
    first.or(second).or(third.or(fourth))
}

fn glance(adapter: &[u8]) -> Option<[Bytes; 2]> {
    let mut letters = adapter.get(..GLANCE)?.to_vec();
    letters.resize(HALF + LANES + HALF, 0);
    let codes = codes::<Plain>(&letters, 0).bytes();
    Some([[codes[0]; LANES], [codes[HALF]; LANES]])
}

impl Adapters {
    /// Of upper-case letters; so many of them, the first ones, are no run of one base.
    pub fn new(adapters: &[Vec<u8>], plain: usize, positions: usize) -> Self {
        let glances: Option<_> = adapters.iter().map(|one| glance(one)).collect();
        Self {
            finders: adapters
                .iter()
                .map(|one| Finder::new(one).into_owned())
                .collect(),
            glances: glances.unwrap_or_default(),
            plain,
            positions,
            at: vec![vec![0; positions + 1]; adapters.len()],
            ..Self::default()
        }
    }

    /// Look at one read, which is filled up to whole lanes.
    #[inline(always)]
    pub fn take<L: Lanes>(&mut self, padded: &[u8], length: usize) {
        if self.may_have_any::<L>(padded, length) {
            self.search(&padded[..length]);
        }
    }

    #[inline(always)]
    fn may_have_any<L: Lanes>(&self, padded: &[u8], length: usize) -> bool {
        let starts = (length + 1).saturating_sub(GLANCE);
        if self.glances.is_empty() || starts < LANES {
            return true;
        }
        let mut seen = L::all(0);
        let mut at = 0;
        while at < starts {
            // Rather some places twice than the last ones one by one.
            let from = at.min(starts - LANES);
            let (first, second) = (codes::<L>(padded, from), codes::<L>(padded, from + HALF));
            for [one, other] in &self.glances {
                let is_first = first.equal(L::of(one));
                seen = seen.or(is_first.and(second.equal(L::of(other))));
            }
            at += LANES;
        }
        !seen.equal(L::all(0)).is_full()
    }

    fn search(&mut self, bases: &[u8]) {
        let mut is_seen = false;
        for (which, finder) in self.finders.iter().enumerate() {
            if let Some(at) = finder.find(bases) {
                is_seen |= which < self.plain;
                self.at[which][at.min(self.positions)] += 1;
            }
        }
        self.reads += u64::from(is_seen);
    }
}
