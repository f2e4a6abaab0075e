//! Own kernels for x86 processors with AVX-512 and VNNI: integer products of the compact blocks with activations that
//! are rounded to eight bits.
//!
//! Only the functions that the table names carry the processor's features; what they call is inlined into them by
//! force, whatever the build is optimised for.
// Loops over registers count: with iterators and closures not all of them are unrolled in the build that plays.
#![allow(clippy::needless_range_loop)]

mod dot;
mod flat;
mod floats;
mod lines;
mod panel;
mod product;
pub mod round;

use dot::Dot;
use panel::{LANES, Panel, Unpack};
use round::{Fours, Grain, PIECE, Piece};

use super::super::gguf::Kind;
use super::share::{Out, each};

/// Rows of activations that are multiplied with one unpacked panel.
const TOGETHER: usize = 128;

/// Below so many rows of activations a product waits for memory, which is then called for early.
const FEW: usize = 16;

/// Asks for a line of memory, which may be none.
fn prefetch_line(at: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every processor of this kind has it, and it reads nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
}

/// What there is for one type of weights.
pub struct Wide {
    kind: Kind,
    how: How,
}

enum How {
    /// `group` columns, 32 or 16, share a scale.
    Integers {
        dot: Dot,
        unpack: Unpack,
        group: usize,
        grain: Grain,
    },
    Floats {
        multiply: floats::Multiply,
    },
}

use Grain::Block;

static TABLE: [Wide; 12] = [
    float::<floats::F16>(1),
    flat::<flat::Q4_0>(2, Block),
    flat::<flat::Q4_1>(3, Block),
    flat::<flat::Q5_0>(6, Block),
    flat::<flat::Q5_1>(7, Block),
    integers(8, dot::q8_0, panel::q8_0, 32, Block),
    flat::<flat::Q2K>(10, Grain::Piece),
    flat::<flat::Q3K>(11, Grain::Piece),
    integers(12, dot::q4_k, panel::q4_k, 32, Grain::Piece),
    integers(13, dot::q5_k, panel::q5_k, 32, Grain::Piece),
    integers(14, dot::q6_k, panel::q6_k, 16, Grain::Piece),
    float::<floats::BF16>(30),
];

const fn integers(number: u32, dot: Dot, unpack: Unpack, group: usize, grain: Grain) -> Wide {
    Wide { kind: Kind(number), how: How::Integers { dot, unpack, group, grain } }
}

const fn flat<T: flat::Unpacked>(number: u32, grain: Grain) -> Wide {
    integers(number, flat::dot::<T>, flat::unpack::<T>, PIECE / T::GROUPS, grain)
}

const fn float<T: floats::Float>(number: u32) -> Wide {
    Wide { kind: Kind(number), how: How::Floats { multiply: floats::multiply::<T> } }
}

/// The kernels for a type, where this processor can run them.
pub fn of(kind: Kind) -> Option<&'static Wide> {
    macro_rules! has { ($($name:tt)*) => { $(std::arch::is_x86_feature_detected!($name))&&* }; }
    let able = has!("avx512f" "avx512bw" "avx512vl" "avx512vnni" "f16c" "fma");
    TABLE.iter().find(|wide| able && wide.kind == kind)
}

/// Activations as these kernels read them.
#[derive(Default)]
pub struct Rounded {
    m: usize,
    columns: usize,
    /// (pieces, m)
    pieces: Vec<Piece>,
    /// (pieces), of one row only
    fours: Vec<Fours>,
}

impl Rounded {
    /// Rounds rows (m, columns).
    pub fn set(&mut self, x: &[f32], m: usize, grain: Grain) {
        (self.m, self.columns) = (m, x.len() / m);
        let pieces = self.columns.div_ceil(PIECE);
        self.pieces.resize(pieces * m, Piece::ZERO);
        let out = Out::new(&mut self.pieces);
        each(m, m < 8, |i| {
            for (j, x) in x[i * self.columns..(i + 1) * self.columns].chunks(PIECE).enumerate() {
                // SAFETY: only [`of`] hands these kernels out, which looked for the features; each piece is written once.
                unsafe { round::round(x, grain, out.at(j * m + i)) };
            }
        });
        if m == 1 {
            self.fours.resize(pieces, Fours([0; PIECE / 4]));
            for (piece, fours) in self.pieces.iter().zip(&mut self.fours) {
                // SAFETY: as above.
                unsafe { round::fours(piece, fours) };
            }
        }
    }
}

/// Rows of activations: as they are, and rounded if some matrix asks for that.
pub struct Input<'a> {
    pub m: usize,
    pub columns: usize,
    pub floats: &'a [f32],
    /// By grain.
    pub rounded: &'a [Rounded; Grain::ALL.len()],
}

impl Wide {
    /// Rows that are multiplied as one piece of work.
    pub fn tile(&self) -> usize {
        match self.how {
            How::Integers { .. } => LANES,
            How::Floats { .. } => floats::TILE,
        }
    }

    /// How it wants activations to be rounded, if at all.
    pub fn grain(&self) -> Option<Grain> {
        match self.how {
            How::Integers { grain, .. } => Some(grain),
            How::Floats { .. } => None,
        }
    }

    /// At most a tile of weights times all activations, to columns `first..` of `out` (m, outputs).
    ///
    /// # Safety
    /// `weights` holds `rows` rows, and nobody else writes those columns.
    pub unsafe fn multiply(
        &self,
        weights: &[u8],
        rows: usize,
        x: &Input,
        first: usize,
        outputs: usize,
        out: &Out<f32>,
    ) {
        match self.how {
            // SAFETY: the features are there, see [`of`]; the rest is the caller's.
            How::Floats { multiply } => unsafe { multiply(weights, rows, x.floats, x.columns, first, outputs, out) },
            How::Integers { dot, grain, .. } if x.m == 1 => {
                let rounded = &x.rounded[grain as usize];
                // SAFETY: as above.
                unsafe { dot(weights.as_ptr(), rows, x.columns, &rounded.pieces, &rounded.fours, out.at(first)) };
            }
            How::Integers { unpack, group, grain, .. } => {
                let multiply = Panels { unpack, group, block: self.kind.block().unwrap_or((PIECE, 0)) };
                // SAFETY: as above.
                unsafe { multiply.multiply(weights, rows, &x.rounded[grain as usize], first, outputs, out) };
            }
        }
    }
}

/// Products of several rows by way of unpacked panels.
struct Panels {
    unpack: Unpack,
    group: usize,
    /// Elements and bytes in a block.
    block: (usize, usize),
}

impl Panels {
    unsafe fn multiply(&self, weights: &[u8], rows: usize, x: &Rounded, first: usize, outputs: usize, out: &Out<f32>) {
        let row_bytes = weights.len() / rows;
        let step = PIECE / self.block.0 * self.block.1;
        let mut panel = Panel::ZERO;
        for start in (0..x.m).step_by(TOGETHER) {
            let m = TOGETHER.min(x.m - start);
            let mut sums = [[0.0f32; LANES]; TOGETHER];
            for (i, pieces) in x.pieces.chunks_exact(x.m).enumerate() {
                // Where fewer than 16 rows are left, the last one stands in for those that are missing.
                let blocks = std::array::from_fn(|row| weights[row.min(rows - 1) * row_bytes + i * step..].as_ptr());
                if m < FEW {
                    // Two pieces on in each row, or at the beginning of the next tile.
                    let on = if (i + 3) * step <= row_bytes { 2 * step } else { (LANES - 1) * row_bytes + 2 * step };
                    for block in &blocks {
                        for line in (0..step).step_by(64) {
                            prefetch_line(block.wrapping_add(on + line));
                        }
                    }
                }
                // SAFETY: the features are there, see [`of`]; the blocks of a piece lie in their rows.
                unsafe {
                    (self.unpack)(&blocks, PIECE.min(x.columns - i * PIECE), &mut panel);
                    let (x, sums) = (&pieces[start..start + m], &mut sums[..m]);
                    match self.group {
                        16 => product::product::<16>(&panel, x, sums),
                        _ => product::product::<8>(&panel, x, sums),
                    }
                }
            }
            for (i, sums) in sums[..m].iter().enumerate() {
                // SAFETY: the caller's.
                unsafe { out.write((start + i) * outputs + first, &sums[..rows]) };
            }
        }
    }
}
