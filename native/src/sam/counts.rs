//! What is counted of clean records: the same sums as `totals.py`, in the order of its COUNTERS.

use super::record::View;

pub const COUNTERS: usize = 38;
const INSERT_MAX: usize = 8_001; // as in totals.py

#[derive(Clone, Copy)]
enum Counter {
    Reads,
    Bases,
    Gc,
    N,
    Qualities,
    QualitySum,
    Q20,
    Q30,
    MappedReads,
    DuplicateReads,
    First,
    Last,
    Other,
    FirstBases,
    LastBases,
    Paired,
    Failed,
    Unmapped,
    SingleMapped,
    PairMapped,
    Proper,
    Mq0,
    Duplicates,
    DuplicateBases,
    Mismatches,
    MappedBases,
    AlignedBases,
    Apart,
    Secondary,
    Supplementary,
    Longest,
    LongestFirst,
    LongestLast,
    ShortestPlus1,
    LengthMax,
    TotalBases,
    OrderedQuality,
    UnscoredBases,
}

/// Of the letters of one read.
#[derive(Default)]
pub struct Letters {
    pub gc: u64,
    pub n: u64,
    pub has_quality: bool,
    pub quality_sum: u64,
    pub q20: u64,
    pub q30: u64,
}

pub struct Counts {
    pub counts: [u64; COUNTERS],
    pub inserts: [Vec<u64>; 3],
    pub mapq: Vec<u64>,
}

use Counter as C;

impl Counts {
    pub fn new() -> Self {
        Self {
            counts: [0; COUNTERS],
            inserts: std::array::from_fn(|_| vec![0; INSERT_MAX]),
            mapq: vec![0; 256],
        }
    }

    fn add(&mut self, counter: Counter, count: u64) {
        self.counts[counter as usize] += count;
    }

    fn most(&mut self, counter: Counter, value: u64) {
        let kept = &mut self.counts[counter as usize];
        *kept = (*kept).max(value);
    }

    pub fn take(&mut self, one: &View, letters: &Letters) {
        let bases = one.bases as u64;
        if one.flag & 0x900 == 0 {
            self.add(C::Reads, 1);
            self.add(C::Bases, bases);
            self.add(C::Gc, letters.gc);
            self.add(C::N, letters.n);
            self.add(C::MappedReads, u64::from(one.flag & 4 == 0));
            self.add(C::DuplicateReads, u64::from(one.flag & 0x400 != 0));
            self.most(C::LengthMax, bases);
            let shortest = &mut self.counts[C::ShortestPlus1 as usize];
            if *shortest == 0 || bases + 1 < *shortest {
                *shortest = bases + 1;
            }
            if letters.has_quality {
                self.add(C::Qualities, bases);
                self.add(C::QualitySum, letters.quality_sum);
                self.add(C::Q20, letters.q20);
                self.add(C::Q30, letters.q30);
            }
        }
        self.statistics(one, letters);
    }

    fn statistics(&mut self, one: &View, letters: &Letters) {
        let (flag, bases) = (one.flag, one.bases as u64);
        if flag & 0x100 != 0 {
            self.add(C::Secondary, 1);
            return;
        }
        if bases == 0 {
            return;
        }
        let original = flag & 0x800 == 0;
        let longest = bases + one.hard_bases;
        self.most(C::Longest, longest);
        let ordinal = match flag & 0xC0 {
            _ if flag & 1 == 0 => C::First,
            0x40 => C::First,
            0x80 => C::Last,
            _ => C::Other,
        };
        match ordinal {
            C::First => self.most(C::LongestFirst, longest),
            C::Last => self.most(C::LongestLast, longest),
            _ => {}
        }
        if original {
            self.add(ordinal, 1);
            self.add(C::TotalBases, bases);
            self.add(
                C::UnscoredBases,
                if letters.has_quality { 0 } else { bases },
            );
            match ordinal {
                C::First => self.add(C::FirstBases, bases),
                C::Last => self.add(C::LastBases, bases),
                _ => {}
            }
            if !matches!(ordinal, C::Other) {
                self.add(C::OrderedQuality, letters.quality_sum);
            }
            self.add(C::Paired, u64::from(flag & 1 != 0));
            self.add(C::Failed, u64::from(flag & 0x200 != 0));
        } else {
            self.add(C::Supplementary, 1);
        }
        if flag & 0x400 != 0 {
            self.add(C::Duplicates, 1);
            self.add(C::DuplicateBases, bases);
        }
        if flag & 4 != 0 {
            self.add(C::Unmapped, u64::from(original));
            return;
        }
        self.mapped(one, original);
    }

    fn mapped(&mut self, one: &View, original: bool) {
        let (flag, bases) = (one.flag, one.bases as u64);
        if original {
            self.mapq[one.mapq as usize] += 1;
            self.add(C::MappedBases, bases);
            self.add(C::Mq0, u64::from(one.mapq == 0));
            if flag & 1 != 0 && flag & 8 == 0 {
                self.add(C::PairMapped, 1);
                self.add(C::Proper, u64::from(flag & 2 != 0));
                self.add(C::Apart, u64::from(one.reference != one.next_reference));
                self.insert(one);
            } else {
                self.add(C::SingleMapped, 1);
            }
        }
        self.add(C::Mismatches, one.edits);
        self.add(C::AlignedBases, one.aligned_bases);
    }

    fn insert(&mut self, one: &View) {
        let size = (one.length.unsigned_abs() as usize).min(INSERT_MAX - 1);
        if size == 0 && one.reference != one.next_reference {
            return;
        }
        let is_forward = one.flag & 0x10 == 0;
        let kind = if is_forward == (one.flag & 0x20 == 0) {
            2
        } else {
            let ahead = one.next_pos - one.pos;
            let is_first = one.flag & 0x40 != 0;
            let before = if is_first { ahead > 0 } else { ahead < 0 };
            usize::from(before != (is_first == is_forward))
        };
        self.inserts[kind][size] += 1;
    }
}
