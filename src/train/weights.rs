//! The weights of a model in training, and where each stands: one flat run of numbers, so that gradients, the
//! optimizer's moments and checkpoints are runs of the same length.

use std::ops::Range;

use super::Shape;
use super::random::Random;

/// Where everything stands in the run. Matrices that are multiplied with the same rows stand one after the other.
#[derive(Clone, Debug)]
pub struct Places {
    pub shape: Shape,
    /// (vocabulary, width): the table of tokens and the output at once.
    pub embedding: Range<usize>,
    pub layers: Vec<LayerPlaces>,
    /// (width)
    pub output_norm: Range<usize>,
    pub len: usize,
}

#[derive(Clone, Debug)]
pub struct LayerPlaces {
    /// (width)
    pub attention_norm: Range<usize>,
    /// (width + 2 × kv_width, width): queries, keys, values
    pub qkv: Range<usize>,
    /// (width, width)
    pub output: Range<usize>,
    /// (width)
    pub ffn_norm: Range<usize>,
    /// (2 × ffn, width): gate, up
    pub gate_up: Range<usize>,
    /// (width, ffn)
    pub down: Range<usize>,
}

/// One tensor of the model's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorPlace {
    /// As llama.cpp names it.
    pub name: String,
    /// 1 for a norm.
    pub rows: usize,
    pub columns: usize,
    pub range: Range<usize>,
}

impl TensorPlace {
    pub fn is_norm(&self) -> bool {
        self.rows == 1
    }

    pub fn is_embedding(&self) -> bool {
        self.name == EMBEDDING
    }
}

const EMBEDDING: &str = "token_embd.weight";

impl Places {
    pub fn new(shape: Shape) -> Places {
        let mut len = 0;
        let mut take = |n: usize| {
            len += n;
            len - n..len
        };
        let (width, ffn) = (shape.width, shape.ffn);
        let embedding = take(shape.vocabulary * width);
        let layers = (0..shape.layers).map(|_| LayerPlaces {
            attention_norm: take(width),
            qkv: take((width + 2 * shape.kv_width()) * width),
            output: take(width * width),
            ffn_norm: take(width),
            gate_up: take(2 * ffn * width),
            down: take(width * ffn),
        });
        let layers = layers.collect();
        let output_norm = take(width);
        Places { shape, embedding, layers, output_norm, len }
    }

    /// Every tensor of the file, in the order of the run.
    pub fn tensors(&self) -> Vec<TensorPlace> {
        let Shape { vocabulary, width, ffn, .. } = self.shape;
        let mut tensors = Vec::new();
        let mut put = |name: String, rows: usize, columns: usize, at: &mut usize| {
            tensors.push(TensorPlace { name, rows, columns, range: *at..*at + rows * columns });
            *at += rows * columns;
        };
        put(EMBEDDING.to_string(), vocabulary, width, &mut self.embedding.start.clone());
        for (l, layer) in self.layers.iter().enumerate() {
            let mut at = layer.attention_norm.start;
            for (name, rows, columns) in [
                ("attn_norm", 1, width),
                ("attn_q", width, width),
                ("attn_k", self.shape.kv_width(), width),
                ("attn_v", self.shape.kv_width(), width),
                ("attn_output", width, width),
                ("ffn_norm", 1, width),
                ("ffn_gate", ffn, width),
                ("ffn_up", ffn, width),
                ("ffn_down", width, ffn),
            ] {
                put(format!("blk.{l}.{name}.weight"), rows, columns, &mut at);
            }
        }
        put("output_norm.weight".to_string(), 1, width, &mut self.output_norm.start.clone());
        tensors
    }

    /// Weights to begin with: norms 1, all others normal with a deviation of `0.02` in the table and `0.4 / √width`
    /// elsewhere, what adds to the stream smaller by the root of twice the layers (as in GPT-2).
    pub fn start(&self, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        let mut values = vec![0.0; self.len];
        let deviation = 0.4 / (self.shape.width as f32).sqrt();
        let residual = deviation / (2.0 * self.shape.layers as f32).sqrt();
        for tensor in self.tensors() {
            let values = &mut values[tensor.range.clone()];
            if tensor.is_norm() {
                values.fill(1.0);
                continue;
            }
            let adds = tensor.name.ends_with("attn_output.weight") || tensor.name.ends_with("ffn_down.weight");
            let deviation = match (tensor.is_embedding(), adds) {
                (true, _) => 0.02,
                (false, true) => residual,
                (false, false) => deviation,
            };
            values.iter_mut().for_each(|x| *x = random.normal() * deviation);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tensors_fill_the_run_without_gap_or_overlap() {
        for shape in [Shape::NANO, Shape::MICRO, Shape::SMALL] {
            let places = Places::new(shape);
            assert_eq!(places.len, shape.parameters());
            let mut at = 0;
            for tensor in places.tensors() {
                assert_eq!(
                    (tensor.range.start, tensor.range.len()),
                    (at, tensor.rows * tensor.columns),
                    "{}",
                    tensor.name
                );
                at = tensor.range.end;
            }
            assert_eq!(at, places.len);
        }
    }

    #[test]
    fn a_seed_gives_the_same_start_and_another_seed_another() {
        let places = Places::new(Shape::NANO);
        let start = places.start(7);
        assert_eq!(start, places.start(7));
        assert_ne!(start, places.start(8));
        let embedding = &start[places.embedding.clone()];
        let deviation = (embedding.iter().map(|x| x * x).sum::<f32>() / embedding.len() as f32).sqrt();
        assert!((deviation - 0.02).abs() < 2e-4, "{deviation}");
    }
}
