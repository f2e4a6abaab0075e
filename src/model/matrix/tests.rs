//! Every type against the product of its numbers in double precision, on blocks of random bits.

use super::super::source::{Bytes, Source};
use super::*;

/// Number of a type, columns, places in a block where a half is that must be of a sane size.
const KINDS: [(u32, usize, &[usize]); 12] = [
    (2, 480, &[0]),
    (3, 480, &[0, 2]),
    (6, 480, &[0]),
    (7, 480, &[0, 2]),
    (8, 480, &[0]),
    (9, 480, &[0, 2]),
    (10, 512, &[80, 82]),
    (11, 512, &[108]),
    (12, 512, &[0, 2]),
    (13, 512, &[0, 2]),
    (14, 512, &[208]),
    (15, 512, &[]),
];
const FLOATS: [u32; 3] = [0, 1, 30];
const ROWS: usize = 37;

/// A generator of random bits (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        for (left, by) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << by } else { self.0 >> by };
        }
        self.0
    }

    /// Between -1 and 1.
    fn number(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn numbers(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.number()).collect()
    }
}

fn mapped(bytes: &[u8]) -> Bytes {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    Source::File(path).map().unwrap()
}

fn bytes_of(number: u32, columns: usize, halves: &[usize], random: &mut Random) -> Vec<u8> {
    let (elements, block) = Kind(number).block().unwrap();
    let mut bytes: Vec<u8> = (0..ROWS * columns / elements * block).map(|_| random.next() as u8).collect();
    for block in bytes.chunks_exact_mut(block) {
        for at in halves {
            block[*at..at + 2].copy_from_slice(&half::f16::from_f32(random.number()).to_le_bytes());
        }
        match number {
            0 | 15 => block[..4].copy_from_slice(&random.number().to_le_bytes()),
            1 => block.copy_from_slice(&half::f16::from_f32(random.number()).to_le_bytes()),
            30 => block.copy_from_slice(&half::bf16::from_f32(random.number()).to_le_bytes()),
            _ => {}
        }
    }
    bytes
}

/// Matrices of every type, with an odd number of rows.
fn every() -> Vec<(u32, Matrix)> {
    let mut random = Random(7);
    let floats = FLOATS.iter().map(|number| (*number, 77, &[][..]));
    let make = |(number, columns, halves)| {
        let bytes = bytes_of(number, columns, halves, &mut random);
        (number, Matrix::new(Kind(number), ROWS, columns, mapped(&bytes)).unwrap())
    };
    KINDS.into_iter().chain(floats).map(make).collect()
}

fn product(matrix: &Matrix, x: &[f32], m: usize) -> Vec<f32> {
    let (mut rows, mut out) = (Rows::default(), Vec::new());
    rows.set(x, m);
    multiply(&[matrix], &mut rows, &mut [&mut out]);
    assert_eq!(out.len(), m * matrix.rows);
    out
}

/// Σ(a - b)² / Σb²
fn error(a: &[f32], b: impl IntoIterator<Item = f64>) -> f64 {
    let (mut off, mut whole) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        off += (f64::from(*a) - b).powi(2);
        whole += b * b;
    }
    off / whole
}

fn exact(matrix: &Matrix, x: &[f32]) -> Vec<f64> {
    let mut numbers = vec![vec![0.0; matrix.columns]; matrix.rows];
    numbers.iter_mut().enumerate().for_each(|(i, row)| matrix.row(i, row));
    let dot = |x: &[f32], w: &Vec<f32>| x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
    x.chunks(matrix.columns).flat_map(|x| numbers.iter().map(move |w| dot(x, w))).collect()
}

#[test]
fn every_type_multiplies_as_its_numbers_say() {
    let mut random = Random(11);
    for (number, matrix) in every() {
        for m in [1, 2, 5, 33, 150] {
            let x = random.numbers(m * matrix.columns);
            let error = error(&product(&matrix, &x, m), exact(&matrix, &x));
            // F32 is exact but for the order of its sums. candle rounds activations to the weights' type, or by 256.
            let bound = if number == 0 { 1e-12 } else { 1e-4 };
            assert!(error < bound, "{} m {m}: {error:e}", Kind(number).name());
        }
    }
}

#[test]
fn one_row_is_the_same_alone_and_among_others() {
    let mut random = Random(13);
    for (number, matrix) in every() {
        let name = Kind(number).name();
        let x = random.numbers(9 * matrix.columns);
        let all = product(&matrix, &x, 9);
        for (i, x) in x.chunks(matrix.columns).enumerate() {
            let one = product(&matrix, x, 1);
            let error = error(&one, all[i * ROWS..][..ROWS].iter().map(|x| f64::from(*x)));
            assert!(error < 1e-11, "{name}: {error:e}");
            for part in [0..16, 5..23, 20..21, 36..37, 0..0] {
                assert_eq!(product(&matrix.part(part.clone()).unwrap(), x, 1), one[part], "{name}");
            }
        }
        let part = product(&matrix.part(3..36).unwrap(), &x, 9);
        for (part, all) in part.chunks(33).zip(all.chunks(ROWS)) {
            assert_eq!(part, &all[3..36], "{name}");
        }
        assert!(matrix.part(30..38).is_none() && matrix.part(38..38).is_none());
    }
}

#[test]
fn several_at_once_are_the_same_as_one_by_one() {
    let mut random = Random(17);
    let every: Vec<Matrix> = every().into_iter().map(|(_, matrix)| matrix).filter(|m| m.columns == 512).collect();
    for m in [1, 6] {
        let x = random.numbers(m * 512);
        let mut rows = Rows::default();
        rows.set(&x, m);
        let mut outs = vec![Vec::new(); every.len()];
        let matrices: Vec<&Matrix> = every.iter().collect();
        multiply(&matrices, &mut rows, &mut outs.iter_mut().collect::<Vec<_>>());
        for (matrix, out) in every.iter().zip(outs) {
            assert_eq!(out, product(matrix, &x, m));
        }
    }
}

#[test]
fn own_kernels_agree_with_those_of_candle() {
    let mut random = Random(19);
    for (number, matrix) in every() {
        for m in [1, 7] {
            let x = random.numbers(m * matrix.columns);
            let mut plain = vec![0.0; m * ROWS];
            (matrix.plain.multiply)((m, matrix.columns, ROWS), &x, &matrix.bytes, &mut plain);
            let error = error(&product(&matrix, &x, m), plain.into_iter().map(f64::from));
            assert!(error < 2e-4, "{}: {error:e}", Kind(number).name());
        }
    }
}

#[test]
fn garbage_is_computed_with_and_a_number_that_is_none_stays_one() {
    let mut random = Random(23);
    for (number, columns, _) in KINDS.into_iter().chain(FLOATS.iter().map(|number| (*number, 77, &[][..]))) {
        let (elements, block) = Kind(number).block().unwrap();
        let bytes: Vec<u8> = (0..ROWS * columns / elements * block).map(|_| random.next() as u8).collect();
        let matrix = Matrix::new(Kind(number), ROWS, columns, mapped(&bytes)).unwrap();
        for m in [1, 3] {
            product(&matrix, &random.numbers(m * columns), m);
            let mut x = random.numbers(m * columns);
            (x[0], x[1], x[40]) = (f32::INFINITY, f32::NEG_INFINITY, f32::MAX);
            product(&matrix, &x, m);
            x[70] = f32::NAN;
            let out = product(&matrix, &x, m);
            #[cfg(target_arch = "x86_64")]
            assert!(matrix.wide.is_none() || out[..ROWS].iter().all(|x| x.is_nan()), "{}", Kind(number).name());
            assert_eq!(out.len(), m * ROWS);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let bytes = mapped(&[0; 1024]);
    let refused = |kind, rows, columns| Matrix::new(Kind(kind), rows, columns, bytes.clone()).err().unwrap();
    assert!(refused(16, 1, 256).contains("IQ2_XXS"));
    assert!(refused(99, 1, 256).contains("99"));
    assert!(refused(12, 1, 255).contains("blocks of 256"));
    assert!(refused(8, 3, 64).contains("204 bytes, not 1024"));
    assert!(refused(0, usize::MAX, 64).contains("more than memory"));
    assert!(refused(0, 0, 64).contains("no numbers"));
    // Numbers of four bytes at an odd place are copied to an even one.
    let odd: Vec<u8> = std::iter::once(0).chain([1.5f32, -2.0].iter().flat_map(|x| x.to_le_bytes())).collect();
    let matrix = Matrix::new(Kind(0), 1, 2, mapped(&odd).slice(1..9).unwrap()).unwrap();
    assert_eq!(product(&matrix, &[2.0, 1.0], 1), [1.0]);
}
