//! A file as candle's modules want to see it: keys and tensors under names, and bytes to seek in.
//!
//! Only what [`Sizes`] has checked is handed on, in the types the modules ask for; they never parse a file themselves.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use candle_core::quantized::gguf_file::{Content, TensorInfo, Value, VersionedMagic};

use super::super::ModelError;
use super::super::gguf::Gguf;
use super::super::source::Bytes;
use super::sizes::Sizes;

/// Keys and tensors. The tensors' offsets are those of the [`Pieces`].
pub fn content(gguf: &Gguf, sizes: &Sizes) -> Content {
    let name = sizes.row.name;
    let mut metadata = HashMap::new();
    let mut say = |key: &str, value| metadata.insert(format!("{name}.{key}"), value);
    let whole = |n: usize| Value::U32(n as u32);
    say("block_count", whole(sizes.layers));
    say("embedding_length", whole(sizes.width));
    say("feed_forward_length", whole(sizes.ffn));
    say("attention.head_count", whole(sizes.heads));
    say("attention.key_length", whole(sizes.head_dim));
    say("rope.dimension_count", whole(sizes.rope_dims));
    say("rope.freq_base", Value::F32(sizes.rope_base as f32));
    say("shortconv.l_cache", whole(sizes.convolved));
    // The modules compute the angles of the whole context at once; it is cut to what is used.
    say("context_length", whole(sizes.context));
    for key in ["attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"] {
        say(key, Value::F32(sizes.eps as f32));
    }
    let (first, list) = (sizes.kv_heads[0], sizes.kv_heads.iter().map(|n| whole(*n)));
    let alike = sizes.kv_heads.iter().all(|n| *n == first);
    say("attention.head_count_kv", if alike { whole(first) } else { Value::Array(list.collect()) });

    let (mut tensor_infos, mut at) = (HashMap::new(), 0);
    for tensor in &gguf.tensors {
        if let Some(ggml_dtype) = tensor.kind.candle() {
            let info = TensorInfo { ggml_dtype, shape: tensor.shape.clone().into(), offset: at };
            tensor_infos.insert(tensor.name.clone(), info);
        }
        at += tensor.bytes();
    }
    Content { magic: VersionedMagic::GgufV3, metadata, tensor_infos, tensor_data_offset: 0 }
}

/// The tensors' bytes, one after the other, wherever they stand in the file.
pub struct Pieces {
    /// Where each begins, and its bytes.
    pieces: Vec<(u64, Bytes)>,
    length: u64,
    at: u64,
}

impl Pieces {
    pub fn of(gguf: &Gguf) -> Result<Pieces, ModelError> {
        let (mut pieces, mut length) = (Vec::new(), 0);
        for tensor in &gguf.tensors {
            pieces.push((length, gguf.tensor_bytes(tensor)?));
            length += tensor.bytes();
        }
        Ok(Pieces { pieces, length, at: 0 })
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // The last piece that begins here or before; empty ones share their beginning with the next.
        let i = self.pieces.partition_point(|(start, _)| *start <= self.at);
        let Some((start, bytes)) = i.checked_sub(1).map(|i| &self.pieces[i]) else { return Ok(0) };
        let rest = bytes.get((self.at - start) as usize..).unwrap_or_default();
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Pieces {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.length, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Source;
    use super::*;

    #[test]
    fn pieces_read_as_one() {
        let gguf = Gguf::read(&Source::Embedded).unwrap();
        let mut pieces = Pieces::of(&gguf).unwrap();
        let total: u64 = gguf.tensors.iter().map(|t| t.bytes()).sum();
        assert_eq!(pieces.seek(SeekFrom::End(0)).unwrap(), total);
        let mut all = Vec::new();
        pieces.seek(SeekFrom::Start(0)).unwrap();
        pieces.read_to_end(&mut all).unwrap();
        assert_eq!(all.len() as u64, total);
        let map = Source::Embedded.map().unwrap();
        let second = &gguf.tensors[1];
        let (at, begin) = (gguf.tensors[0].bytes() as usize, second.offset as usize);
        assert_eq!(all[at..at + 64], map[begin..begin + 64]);
        assert!(pieces.seek(SeekFrom::Current(i64::MIN)).is_err());
        pieces.seek(SeekFrom::Start(u64::MAX)).unwrap();
        assert_eq!(pieces.read(&mut all).unwrap(), 0);
    }
}
