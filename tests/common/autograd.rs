//! The same llama decoder in candle's own operations, with its autograd: the peer of our hand-written pass, in tests
//! for exactness and in benches for speed.

#![allow(dead_code)]

use candle_core::{D, DType, Device, Result, Tensor, Var};

use super::{Batch, Places, TensorPlace};

pub struct Autograd {
    places: Places,
    /// Each tensor of the file, in its order.
    pub vars: Vec<Var>,
    kind: DType,
}

impl Autograd {
    pub fn new(places: &Places, weights: &[f32], kind: DType) -> Result<Autograd> {
        let var = |tensor: TensorPlace| {
            let values = &weights[tensor.range];
            let shape: &[usize] = if tensor.rows == 1 { &[tensor.columns] } else { &[tensor.rows, tensor.columns] };
            Var::from_tensor(&Tensor::from_slice(values, shape, &Device::Cpu)?.to_dtype(kind)?)
        };
        let vars = places.tensors().into_iter().map(var).collect::<Result<_>>()?;
        Ok(Autograd { places: places.clone(), vars, kind })
    }

    fn norm(&self, x: &Tensor, w: &Tensor) -> Result<Tensor> {
        let mean = (x.sqr()?.mean_keepdim(D::Minus1)? + 1e-5)?;
        x.broadcast_div(&mean.sqrt()?)?.broadcast_mul(w)
    }

    /// Rotates (t, heads × dim).
    fn turn(&self, x: &Tensor, heads: usize) -> Result<Tensor> {
        let t = x.dim(0)?;
        let dim = x.dim(1)? / heads;
        let angle = |i: usize| (i / (dim / 2)) as f64 / 10_000f64.powf(2.0 * (i % (dim / 2)) as f64 / dim as f64);
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f64> = (0..t * dim / 2).map(|i| f(angle(i))).collect();
            Tensor::from_vec(values, (t, 1, dim / 2, 1), &Device::Cpu)?.to_dtype(self.kind)
        };
        let (cos, sin) = (table(f64::cos)?, table(f64::sin)?);
        let x = x.reshape((t, heads, dim / 2, 2))?;
        let (a, b) = (x.narrow(3, 0, 1)?, x.narrow(3, 1, 1)?);
        let left = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let right = (a.broadcast_mul(&sin)? + b.broadcast_mul(&cos)?)?;
        Tensor::cat(&[left, right], 3)?.reshape((t, heads * dim))
    }

    /// Attention of one segment.
    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
        let shape = self.places.shape;
        let (t, dim) = (q.dim(0)?, shape.head_dim());
        let heads = |x: &Tensor, n: usize| x.reshape((t, n, dim))?.transpose(0, 1)?.contiguous();
        let repeated = |x: Tensor| {
            let each = shape.heads / shape.kv_heads;
            let x = x.unsqueeze(1)?.broadcast_as((shape.kv_heads, each, t, dim))?;
            x.reshape((shape.heads, t, dim))
        };
        let q = heads(&self.turn(q, shape.heads)?, shape.heads)?;
        let k = repeated(heads(&self.turn(k, shape.kv_heads)?, shape.kv_heads)?)?;
        let v = repeated(heads(v, shape.kv_heads)?)?;
        let hidden: Vec<f64> = (0..t * t).map(|i| if i % t > i / t { f64::NEG_INFINITY } else { 0.0 }).collect();
        let hidden = Tensor::from_vec(hidden, (1, t, t), &Device::Cpu)?.to_dtype(self.kind)?;
        let scores = (q.matmul(&k.t()?)? / (dim as f64).sqrt())?.broadcast_add(&hidden)?;
        candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&v)?.transpose(0, 1)?.reshape((t, shape.width))
    }

    /// The surprise of all targets together, in nats.
    pub fn surprise(&self, batch: &Batch) -> Result<Tensor> {
        let table = self.vars[0].as_tensor();
        let ids = Tensor::new(batch.ids.as_slice(), &Device::Cpu)?;
        let mut x = table.index_select(&ids, 0)?;
        for layer in self.vars[1..self.vars.len() - 1].chunks(9) {
            let [norm, q, k, v, output, ffn_norm, gate, up, down] = layer else { unreachable!() };
            let h = self.norm(&x, norm)?;
            let (q, k, v) = (h.matmul(&q.t()?)?, h.matmul(&k.t()?)?, h.matmul(&v.t()?)?);
            let mut at = 0;
            let mut parts = Vec::new();
            for t in &batch.segments {
                parts.push(self.attend(&q.narrow(0, at, *t)?, &k.narrow(0, at, *t)?, &v.narrow(0, at, *t)?)?);
                at += t;
            }
            x = (x + Tensor::cat(&parts, 0)?.matmul(&output.t()?)?)?;
            let h = self.norm(&x, ffn_norm)?;
            let gated = (candle_nn::ops::silu(&h.matmul(&gate.t()?)?)? * h.matmul(&up.t()?)?)?;
            x = (x + gated.matmul(&down.t()?)?)?;
        }
        let logits = self.norm(&x, self.vars[self.vars.len() - 1].as_tensor())?.matmul(&table.t()?)?;
        let targets = Tensor::new(batch.targets.as_slice(), &Device::Cpu)?;
        let shares = candle_nn::ops::log_softmax(&logits, D::Minus1)?;
        shares.gather(&targets.unsqueeze(1)?, 1)?.sum_all()?.neg()
    }
}
