//! What candle's own kernels do with a matrix on any processor, a table by type of weights.
//!
//! They read the compact blocks and round the activations to eight bits (or to the type of the weights).

use candle_core::quantized::GgmlType;
use candle_core::quantized::k_quants::{
    BlockQ2K, BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K, BlockQ8_0, BlockQ8_1,
    BlockQ8K, matmul,
};
use half::{bf16, f16};

use super::super::gguf::Kind;
use super::float;

/// `(m, columns, rows)`, activations (m, columns), blocks (rows, columns), product (m, rows)
type Multiply = fn((usize, usize, usize), &[f32], &[u8], &mut [f32]);

/// A type of weights.
pub struct Plain {
    kind: Kind,
    /// What the address of a block must be a multiple of.
    pub align: usize,
    /// Blocks to numbers.
    pub to_float: fn(&[u8], &mut [f32]),
    pub multiply: Multiply,
}

pub fn of(kind: Kind) -> Option<&'static Plain> {
    TABLE.iter().find(|plain| plain.kind == kind)
}

static TABLE: [Plain; 15] = [
    Plain { multiply: exact, ..plain::<f32>(0) },
    plain::<f16>(1),
    plain::<BlockQ4_0>(2),
    plain::<BlockQ4_1>(3),
    plain::<BlockQ5_0>(6),
    plain::<BlockQ5_1>(7),
    plain::<BlockQ8_0>(8),
    plain::<BlockQ8_1>(9),
    plain::<BlockQ2K>(10),
    plain::<BlockQ3K>(11),
    plain::<BlockQ4K>(12),
    plain::<BlockQ5K>(13),
    plain::<BlockQ6K>(14),
    plain::<BlockQ8K>(15),
    plain::<bf16>(30),
];

const fn plain<T: GgmlType>(number: u32) -> Plain {
    Plain { kind: Kind(number), align: align_of::<T>(), to_float: to_float::<T>, multiply: multiply::<T> }
}

/// Only for the types of the table: plain numbers, for which every pattern of bits is a value.
fn blocks<T: GgmlType>(bytes: &[u8]) -> &[T] {
    assert!(bytes.as_ptr().addr().is_multiple_of(align_of::<T>()));
    // SAFETY: the address was just checked, the length is rounded down, and all bits are values of the table's types.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) }
}

fn to_float<T: GgmlType>(bytes: &[u8], out: &mut [f32]) {
    T::to_float(blocks(bytes), out);
}

/// f32 in llama.cpp's order where there is a kernel of our own for that.
fn exact(mkn: (usize, usize, usize), x: &[f32], bytes: &[u8], out: &mut [f32]) {
    match float::here() {
        true => float::multiply(mkn, x, blocks(bytes), out),
        false => multiply::<f32>(mkn, x, bytes, out),
    }
}

fn multiply<T: GgmlType>(mkn: (usize, usize, usize), x: &[f32], bytes: &[u8], out: &mut [f32]) {
    matmul::<T>(mkn, x, blocks(bytes), out).expect("lengths that agree");
}
