//! Thirty-two bytes at a time: as the processor does it where it can, and byte by byte elsewhere.

pub const LANES: usize = 32;

pub type Bytes = [u8; LANES];

/// What is done with bytes side by side. A comparison leaves all bits where it holds, else none.
pub trait Lanes: Copy {
    /// Sums of bytes that a byte does not hold.
    type Sums: Copy;

    fn of(bytes: &Bytes) -> Self;
    fn all(byte: u8) -> Self;
    fn put(self, into: &mut Bytes);
    fn equal(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn less(self, other: Self) -> Self; // by subtraction
    fn least(self, other: Self) -> Self;
    fn most(self, other: Self) -> Self;
    fn right<const BY: i32>(self) -> Self; // bits of the byte above come in
    fn left<const BY: i32>(self) -> Self; // bits of the byte below come in
    fn is_full(self) -> bool; // in all bits
    fn lowest(self) -> u8;
    fn highest(self) -> u8;
    fn none() -> Self::Sums;
    fn sum(self, sums: Self::Sums) -> Self::Sums;
    fn total(sums: Self::Sums) -> u64;
}

/// Byte by byte.
#[derive(Clone, Copy)]
pub struct Plain(Bytes);

impl Plain {
    pub fn bytes(self) -> Bytes {
        self.0
    }

    #[inline(always)]
    fn with(self, other: Self, join: impl Fn(u8, u8) -> u8) -> Self {
        Self(std::array::from_fn(|at| join(self.0[at], other.0[at])))
    }
}

impl Lanes for Plain {
    type Sums = u64;

    fn of(bytes: &Bytes) -> Self {
        Self(*bytes)
    }

    fn all(byte: u8) -> Self {
        Self([byte; LANES])
    }

    fn put(self, into: &mut Bytes) {
        *into = self.0;
    }

    fn equal(self, other: Self) -> Self {
        self.with(other, |one, two| u8::from(one == two).wrapping_neg())
    }

    fn and(self, other: Self) -> Self {
        self.with(other, |one, two| one & two)
    }

    fn or(self, other: Self) -> Self {
        self.with(other, |one, two| one | two)
    }

    fn less(self, other: Self) -> Self {
        self.with(other, u8::wrapping_sub)
    }

    fn least(self, other: Self) -> Self {
        self.with(other, u8::min)
    }

    fn most(self, other: Self) -> Self {
        self.with(other, u8::max)
    }

    fn right<const BY: i32>(self) -> Self {
        self.with(self, |one, _| one >> BY)
    }

    fn left<const BY: i32>(self) -> Self {
        self.with(self, |one, _| one << BY)
    }

    fn is_full(self) -> bool {
        self.0 == [u8::MAX; LANES]
    }

    fn lowest(self) -> u8 {
        self.0.into_iter().fold(u8::MAX, u8::min)
    }

    fn highest(self) -> u8 {
        self.0.into_iter().fold(0, u8::max)
    }

    fn none() -> u64 {
        0
    }

    fn sum(self, sums: u64) -> u64 {
        sums + self.0.iter().map(|&one| u64::from(one)).sum::<u64>()
    }

    fn total(sums: u64) -> u64 {
        sums
    }
}

#[cfg(target_arch = "x86_64")]
pub use wide::{is_wide, Wide};

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    use super::{Bytes, Lanes, LANES};

    /// By AVX2. Nobody but `Counts::scan_wide`, and what is inlined there, has a use for it.
    #[derive(Clone, Copy)]
    pub struct Wide(__m256i);

    /// Whether the processor has what the wide loops are built for.
    pub fn is_wide() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("lzcnt")
    }

    // SAFETY, of each block below: the processor was asked for AVX2 before the one function that
    // names this type was called; a load and a store are of 32 bytes that a reference vouches for.
    impl Lanes for Wide {
        type Sums = __m256i;

        #[inline(always)]
        fn of(bytes: &Bytes) -> Self {
            Self(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        fn all(byte: u8) -> Self {
            Self(unsafe { _mm256_set1_epi8(byte as i8) })
        }

        #[inline(always)]
        fn put(self, into: &mut Bytes) {
            unsafe { _mm256_storeu_si256(into.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        fn equal(self, other: Self) -> Self {
            Self(unsafe { _mm256_cmpeq_epi8(self.0, other.0) })
        }

        #[inline(always)]
        fn and(self, other: Self) -> Self {
            Self(unsafe { _mm256_and_si256(self.0, other.0) })
        }

        #[inline(always)]
        fn or(self, other: Self) -> Self {
            Self(unsafe { _mm256_or_si256(self.0, other.0) })
        }

        #[inline(always)]
        fn less(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_epi8(self.0, other.0) })
        }

        #[inline(always)]
        fn least(self, other: Self) -> Self {
            Self(unsafe { _mm256_min_epu8(self.0, other.0) })
        }

        #[inline(always)]
        fn most(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_epu8(self.0, other.0) })
        }

        #[inline(always)]
        fn right<const BY: i32>(self) -> Self {
            Self(unsafe { _mm256_srli_epi16::<BY>(self.0) })
        }

        #[inline(always)]
        fn left<const BY: i32>(self) -> Self {
            Self(unsafe { _mm256_slli_epi16::<BY>(self.0) })
        }

        #[inline(always)]
        fn is_full(self) -> bool {
            unsafe { _mm256_movemask_epi8(self.0) == -1 }
        }

        #[inline(always)]
        fn lowest(self) -> u8 {
            unsafe {
                let (low, high) = (
                    _mm256_castsi256_si128(self.0),
                    _mm256_extracti128_si256::<1>(self.0),
                );
                let half = _mm_min_epu8(low, high);
                // The instruction looks at words: the lesser byte of each, above it a zero.
                let words = _mm_min_epu8(half, _mm_srli_epi16::<8>(half));
                _mm_extract_epi8::<0>(_mm_minpos_epu16(words)) as u8
            }
        }

        #[inline(always)]
        fn highest(self) -> u8 {
            u8::MAX - Self::all(u8::MAX).less(self).lowest()
        }

        #[inline(always)]
        fn none() -> __m256i {
            unsafe { _mm256_setzero_si256() }
        }

        #[inline(always)]
        fn sum(self, sums: __m256i) -> __m256i {
            unsafe { _mm256_add_epi64(sums, _mm256_sad_epu8(self.0, _mm256_setzero_si256())) }
        }

        #[inline(always)]
        fn total(sums: __m256i) -> u64 {
            let mut parts = [0_u64; LANES / 8];
            unsafe { _mm256_storeu_si256(parts.as_mut_ptr().cast(), sums) };
            parts.iter().sum()
        }
    }
}
