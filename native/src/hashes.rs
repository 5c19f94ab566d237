//! MD5 and SHA-256 of the same bytes at once.
//!
//! Each step of either waits for the one before it, so that alone they leave most of the processor
//! idle; side by side, both take hardly longer than MD5 does.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;

const BLOCK: usize = 64;

/// The two sums, of whole blocks.
#[derive(Clone)]
struct Sums {
    md5: [u32; 4],
    sha256: [u32; 8],
}

const BEGIN: Sums = Sums {
    md5: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476],
    sha256: [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ],
};

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::asm;
    use std::arch::x86_64::*;

    use super::{Sums, BLOCK};

    /// RFC 1321: the whole part of the sine of each number, times 2 to the 32nd.
    #[rustfmt::skip]
    const SINES: [u32; 64] = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee,
        0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be,
        0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa,
        0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed,
        0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c,
        0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05,
        0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039,
        0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1,
        0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ];

    /// FIPS 180-4: the fractions of the cube roots of the first 64 primes.
    #[rustfmt::skip]
    const ROOTS: [u32; 64] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5,
        0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3,
        0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc,
        0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13,
        0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3,
        0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5,
        0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208,
        0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ];

    pub fn is_here() -> bool {
        is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("bmi1")
    }

    /// What is known before the step before it ends, summed up by then: a compiler that knows sums
    /// by their laws alone would add it last, where every step waits for it.
    #[inline(always)]
    fn ready(early: u32) -> u32 {
        let mut early = early;
        // SAFETY: no instruction is written.
        unsafe {
            asm!("/* {0:e} */", inout(reg) early, options(pure, nomem, nostack, preserves_flags));
        }
        early
    }

    #[inline(always)]
    fn mix_1(early: u32, b: u32, c: u32, d: u32) -> u32 {
        early.wrapping_add(d ^ (b & (c ^ d)))
    }

    #[inline(always)]
    fn mix_2(early: u32, b: u32, c: u32, d: u32) -> u32 {
        // The two halves share no bit, and the second one alone waits for the step before.
        ready(early.wrapping_add(!d & c)).wrapping_add(d & b)
    }

    #[inline(always)]
    fn mix_3(early: u32, b: u32, c: u32, d: u32) -> u32 {
        early.wrapping_add(b ^ (c ^ d))
    }

    #[inline(always)]
    fn mix_4(early: u32, b: u32, c: u32, d: u32) -> u32 {
        early.wrapping_add(c ^ (b | !d))
    }

    /// SHA-256 on its way through a block.
    #[derive(Clone, Copy)]
    struct Sha {
        abef: __m128i,
        cdgh: __m128i,
        message: [__m128i; 4],
    }

    impl Sha {
        #[inline]
        #[target_feature(enable = "sha,sse4.1,ssse3")]
        unsafe fn load(&mut self, block: &[u8]) {
            let turned = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
            for (one, part) in self.message.iter_mut().zip(block.chunks_exact(16)) {
                *one = _mm_shuffle_epi8(_mm_loadu_si128(part.as_ptr().cast()), turned);
            }
        }

        /// Four rounds in a row, and the words that are needed sixteen rounds later.
        #[inline]
        #[target_feature(enable = "sha,sse4.1,ssse3")]
        unsafe fn rounds(&mut self, from: usize) {
            let roots = &ROOTS[from..from + 4];
            let roots = _mm_loadu_si128(roots.as_ptr().cast());
            let at = from / 4;
            let sum = _mm_add_epi32(self.message[at % 4], roots);
            self.cdgh = _mm_sha256rnds2_epu32(self.cdgh, self.abef, sum);
            let sum = _mm_shuffle_epi32::<0x0E>(sum);
            self.abef = _mm_sha256rnds2_epu32(self.abef, self.cdgh, sum);
            let [third, last] = [self.message[(at + 2) % 4], self.message[(at + 3) % 4]];
            let near = _mm_sha256msg1_epu32(self.message[at % 4], self.message[(at + 1) % 4]);
            let near = _mm_add_epi32(near, _mm_alignr_epi8::<4>(last, third));
            self.message[at % 4] = _mm_sha256msg2_epu32(near, last);
        }
    }

    /// Four rounds, and then four steps. Their words stand so far apart, from the first one on.
    macro_rules! four {
        ($sha:ident, $md5:ident, $words:ident, $from:expr, $word:expr, $by:expr, $mix:ident) => {
            $sha.rounds($from);
            for part in 0..4 {
                let word = $words[($word.0 + $word.1 * ($from % 16 + part)) % 16];
                let [a, b, c, d] = $md5;
                let early = ready(a.wrapping_add(SINES[$from + part]).wrapping_add(word));
                let mixed = $mix(early, b, c, d).rotate_left($by[part]);
                $md5 = [d, b.wrapping_add(mixed), b, c];
            }
        };
    }

    /// A quarter of a block.
    macro_rules! quarter {
        ($sha:ident, $md5:ident, $words:ident, $from:expr, $word:expr, $by:expr, $mix:ident) => {
            four!($sha, $md5, $words, $from, $word, $by, $mix);
            four!($sha, $md5, $words, $from + 4, $word, $by, $mix);
            four!($sha, $md5, $words, $from + 8, $word, $by, $mix);
            four!($sha, $md5, $words, $from + 12, $word, $by, $mix);
        };
    }

    /// Go on with as many whole blocks of each. The caller has asked `is_here`.
    #[target_feature(enable = "sha,sse4.1,ssse3,bmi1")]
    pub unsafe fn go_on(sums: &mut Sums, md5_bytes: &[u8], sha_bytes: &[u8]) {
        // Eight words are two vectors, in another order than the instructions have them.
        let words = sums.sha256.as_mut_ptr().cast::<__m128i>();
        let low = _mm_shuffle_epi32::<0xB1>(_mm_loadu_si128(words));
        let high = _mm_shuffle_epi32::<0x1B>(_mm_loadu_si128(words.add(1)));
        let mut sha = Sha {
            abef: _mm_alignr_epi8::<8>(low, high),
            cdgh: _mm_blend_epi16::<0xF0>(high, low),
            message: [low; 4],
        };
        let sha_blocks = sha_bytes.chunks_exact(BLOCK);
        for (md5_block, sha_block) in md5_bytes.chunks_exact(BLOCK).zip(sha_blocks) {
            let (mut md5, before) = (sums.md5, sha);
            let mut words = [0; 16];
            for (word, four) in words.iter_mut().zip(md5_block.chunks_exact(4)) {
                *word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
            }
            sha.load(sha_block);
            quarter!(sha, md5, words, 0, (0, 1), [7, 12, 17, 22], mix_1);
            quarter!(sha, md5, words, 16, (1, 5), [5, 9, 14, 20], mix_2);
            quarter!(sha, md5, words, 32, (5, 3), [4, 11, 16, 23], mix_3);
            quarter!(sha, md5, words, 48, (0, 7), [6, 10, 15, 21], mix_4);
            for (kept, one) in sums.md5.iter_mut().zip(md5) {
                *kept = kept.wrapping_add(one);
            }
            sha.abef = _mm_add_epi32(sha.abef, before.abef);
            sha.cdgh = _mm_add_epi32(sha.cdgh, before.cdgh);
        }
        let low = _mm_shuffle_epi32::<0x1B>(sha.abef);
        let high = _mm_shuffle_epi32::<0xB1>(sha.cdgh);
        _mm_storeu_si128(words, _mm_blend_epi16::<0xF0>(low, high));
        _mm_storeu_si128(words.add(1), _mm_alignr_epi8::<8>(high, low));
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod wide {
    pub fn is_here() -> bool {
        false
    }

    pub unsafe fn go_on(_: &mut super::Sums, _: &[u8], _: &[u8]) {}
}

/// Both sums of bytes that come in pieces, where the processor has instructions for SHA-256.
#[pyclass]
pub struct Hashes {
    sums: Sums,
    rest: Vec<u8>, // less than a block
    size: u64,
}

fn go_on(sums: &mut Sums, md5_bytes: &[u8], sha_bytes: &[u8]) {
    // SAFETY: there is no `Hashes` where the processor does not have what this asks for.
    unsafe { wide::go_on(sums, md5_bytes, sha_bytes) }
}

#[pymethods]
impl Hashes {
    #[new]
    fn new() -> PyResult<Self> {
        if !wide::is_here() {
            return Err(PyNotImplementedError::new_err(
                "this processor has no instructions for SHA-256; ask hashlib",
            ));
        }
        Ok(Self {
            sums: BEGIN,
            rest: Vec::new(),
            size: 0,
        })
    }

    /// Go on with these bytes.
    fn update(&mut self, py: Python<'_>, data: &[u8]) {
        py.detach(|| self.take(data));
    }

    /// MD5 and SHA-256 of all bytes so far.
    fn digests(&self) -> ([u8; 16], [u8; 32]) {
        let mut sums = self.sums.clone();
        let mut last = self.rest.clone();
        last.push(0x80);
        last.resize((last.len() + 8).next_multiple_of(BLOCK) - 8, 0);
        let bits = self.size.wrapping_mul(8);
        let (little, big) = (bits.to_le_bytes(), bits.to_be_bytes());
        go_on(
            &mut sums,
            &[&last[..], &little].concat(),
            &[&last[..], &big].concat(),
        );
        let (mut md5, mut sha256) = ([0; 16], [0; 32]);
        for (into, word) in md5.chunks_exact_mut(4).zip(sums.md5) {
            into.copy_from_slice(&word.to_le_bytes());
        }
        for (into, word) in sha256.chunks_exact_mut(4).zip(sums.sha256) {
            into.copy_from_slice(&word.to_be_bytes());
        }
        (md5, sha256)
    }
}

impl Hashes {
    fn take(&mut self, data: &[u8]) {
        self.size += data.len() as u64;
        let mut data = data;
        if !self.rest.is_empty() {
            let (head, others) = data.split_at(data.len().min(BLOCK - self.rest.len()));
            self.rest.extend_from_slice(head);
            data = others;
            if self.rest.len() < BLOCK {
                return;
            }
            go_on(&mut self.sums, &self.rest, &self.rest);
            self.rest.clear();
        }
        let (whole, rest) = data.split_at(data.len() / BLOCK * BLOCK);
        go_on(&mut self.sums, whole, whole);
        self.rest.extend_from_slice(rest);
    }
}
