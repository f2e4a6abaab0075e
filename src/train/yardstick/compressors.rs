//! What compressors of files make of a text when they have seen the training text first.

use std::io::{self, Write};

use lzma_rust2::{Lzma2Options, Lzma2Writer};
use ppmd_rust::Ppmd7Encoder;

/// A compressor, with the settings at which it is strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compressor {
    /// `xz -9e`, its dictionary as large as the text.
    Xz,
    /// 7-Zip's PPMd (variant H), `-m0=PPMd -mo=8 -mmem=256m`. Of 15 MB of verse in each script, no order from 3 to 32 does
    /// better in English, and 6 by a thousandth in Chinese. From order 12 on the Chinese outgrows the memory.
    Ppmd,
}

const ORDER: u32 = 8;
const MEMORY: u32 = 256 << 20;
/// The largest that the format has, and any text that is read is smaller.
const LARGEST_DICTIONARY: usize = 1536 << 20;

impl Compressor {
    /// Bits that the held-out text takes behind the training text, beyond those of the training text alone.
    ///
    /// # Errors
    /// The compressor's own.
    pub fn bits(self, training: &str, held_out: &str) -> io::Result<u64> {
        let whole = self.bytes(&[training, held_out])?;
        Ok(8 * whole.saturating_sub(self.bytes(&[training])?))
    }

    fn bytes(self, texts: &[&str]) -> io::Result<u64> {
        let mut written = Written(0);
        match self {
            Compressor::Xz => {
                let mut options = Lzma2Options::with_preset(9);
                let lzma = &mut options.lzma_options;
                // One no larger than the text finds as much as the usual 64 MiB, in less memory.
                let length = texts.iter().map(|text| text.len()).sum::<usize>().next_power_of_two();
                lzma.dict_size = length.clamp(1 << 16, LARGEST_DICTIONARY) as u32;
                // What `-e` adds.
                (lzma.nice_len, lzma.depth_limit) = (273, 512);
                let mut writer = Lzma2Writer::new(&mut written, options);
                texts.iter().try_for_each(|text| writer.write_all(text.as_bytes()))?;
                writer.finish()?;
            }
            Compressor::Ppmd => {
                let mut writer = Ppmd7Encoder::new(&mut written, ORDER, MEMORY).map_err(io::Error::other)?;
                texts.iter().try_for_each(|text| writer.write_all(text.as_bytes()))?;
                writer.finish(false)?;
            }
        }
        Ok(written.0)
    }
}

/// Counts what is written to it.
struct Written(u64);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_costs_little() {
        let line = |n: u64| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let text = |from: u64| (from..from + 300).map(line).collect::<String>();
        let (read, new) = (text(0), text(1000));
        for compressor in [Compressor::Xz, Compressor::Ppmd] {
            let bits = |held_out: &str| compressor.bits(&read, held_out).unwrap() as f64;
            // 64 random bits a line and a newline that can be foreseen, in sixteen letters.
            let fresh = bits(&new) / (64.0 * 300.0);
            assert!((0.99..1.35).contains(&fresh), "{compressor:?}: {fresh}");
            assert!(bits(&read) < 0.1 * bits(&new), "{compressor:?}: {}", bits(&read));
            assert!(bits("") < 64.0, "{compressor:?}");
        }
    }
}
