//! Own kernels for x86 processors with AVX-512 and VNNI: integer products of the compact blocks with activations that
//! are rounded to eight bits, 32 to a scale.

mod dot;
mod panel;
mod product;
mod round;

use dot::Dot;
use panel::{LANES, Panel, Unpack};
use round::{Fours, PIECE, Piece};

use super::super::gguf::Kind;
use super::share::{Out, each};

/// Rows of activations that are multiplied with one unpacked panel.
const TOGETHER: usize = 128;

/// What there is for one type of weights.
pub struct Wide {
    kind: Kind,
    dot: Dot,
    unpack: Unpack,
    /// Columns that share a scale: 32 or 16.
    group: usize,
}

static TABLE: [Wide; 4] = [
    Wide { kind: Kind(8), dot: dot::q8_0, unpack: panel::q8_0, group: 32 },
    Wide { kind: Kind(12), dot: dot::q4_k, unpack: panel::q4_k, group: 32 },
    Wide { kind: Kind(13), dot: dot::q5_k, unpack: panel::q5_k, group: 32 },
    Wide { kind: Kind(14), dot: dot::q6_k, unpack: panel::q6_k, group: 16 },
];

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
    pub fn set(&mut self, x: &[f32], m: usize) {
        (self.m, self.columns) = (m, x.len() / m);
        let pieces = self.columns.div_ceil(PIECE);
        self.pieces.resize(pieces * m, Piece::ZERO);
        let out = Out::new(&mut self.pieces);
        each(m, m < 8, |i| {
            for (j, x) in x[i * self.columns..(i + 1) * self.columns].chunks(PIECE).enumerate() {
                // SAFETY: only [`of`] hands these kernels out, which looked for the features; each piece is written once.
                unsafe { round::round(x, out.at(j * m + i)) };
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

impl Wide {
    /// Rows that are multiplied as one piece of work.
    pub const LANES: usize = LANES;

    /// At most 16 rows of weights times all activations, to columns `first..` of `out` (m, outputs).
    ///
    /// # Safety
    /// `weights` holds `rows` rows of `row_bytes`, and nobody else writes those columns.
    pub unsafe fn multiply(&self, weights: &[u8], rows: usize, x: &Rounded, first: usize, outputs: usize, out: &Out<f32>) {
        let row_bytes = weights.len() / rows;
        if x.m == 1 {
            // SAFETY: the features are there, see [`of`]; the rest is the caller's.
            unsafe { (self.dot)(weights.as_ptr(), rows, x.columns, &x.pieces, &x.fours, out.at(first)) };
            return;
        }
        let (elements, block) = self.kind.block().unwrap_or((PIECE, 0));
        let mut panel = Panel::ZERO;
        for start in (0..x.m).step_by(TOGETHER) {
            let m = TOGETHER.min(x.m - start);
            let mut sums = [[0.0f32; LANES]; TOGETHER];
            for (i, x_piece) in x.pieces.chunks_exact(x.m).enumerate() {
                let at = i * (PIECE / elements * block);
                // Where fewer than 16 rows are left, the last one stands in for those that are missing.
                let pointers = std::array::from_fn(|row| weights[row.min(rows - 1) * row_bytes + at..].as_ptr());
                // SAFETY: the features are there, see [`of`]; the blocks of a piece lie in their rows.
                unsafe {
                    (self.unpack)(&pointers, PIECE.min(x.columns - i * PIECE), &mut panel);
                    let (x, sums) = (&x_piece[start..start + m], &mut sums[..m]);
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
