//! The sizes of a model that is to be trained.

use serde::{Deserialize, Serialize};

use super::TrainError;

/// A llama decoder with tied embeddings: the output matrix is the embedding table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Tokens.
    pub vocabulary: usize,
    /// Of the embedding.
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    /// Heads of keys and values; each serves `heads / kv_heads` heads of queries.
    pub kv_heads: usize,
    /// Of the feed-forward.
    pub ffn: usize,
    /// Tokens that the model can hold in mind.
    pub context: usize,
}

impl Shape {
    /// About 1 M parameters.
    pub const NANO: Shape =
        Shape { vocabulary: 3072, width: 128, layers: 4, heads: 4, kv_heads: 2, ffn: 320, context: 256 };
    /// About 3 M parameters.
    pub const MICRO: Shape =
        Shape { vocabulary: 6144, width: 192, layers: 5, heads: 6, kv_heads: 3, ffn: 512, context: 256 };
    /// About 8 M parameters.
    pub const SMALL: Shape =
        Shape { vocabulary: 6144, width: 320, layers: 6, heads: 10, kv_heads: 5, ffn: 864, context: 512 };

    pub fn head_dim(&self) -> usize {
        self.width / self.heads
    }

    /// Of keys or values together.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim()
    }

    pub fn parameters(&self) -> usize {
        let layer = 2 * self.width // norms
            + 2 * self.width * self.width // queries, output
            + 2 * self.width * self.kv_width()
            + 3 * self.width * self.ffn;
        self.vocabulary * self.width + self.layers * layer + self.width
    }

    /// Whether a model of this shape can be trained, quantized and played.
    ///
    /// # Errors
    /// Which size is wrong, and what it must be.
    pub fn check(&self) -> Result<(), TrainError> {
        let says = |problem: String| Err(TrainError::Input(problem));
        for (name, size, least, most) in [
            ("vocabulary", self.vocabulary, 260, 65_536),
            ("width", self.width, 32, 4096),
            ("layers", self.layers, 1, 64),
            ("heads", self.heads, 1, 64),
            ("kv_heads", self.kv_heads, 1, 64),
            ("ffn", self.ffn, 32, 16_384),
            ("context", self.context, 16, 8192),
        ] {
            if !(least..=most).contains(&size) {
                return says(format!("{name} is {size}; choose {least} to {most}"));
            }
        }
        if !self.width.is_multiple_of(32) || !self.ffn.is_multiple_of(32) {
            let (width, ffn) = (self.width, self.ffn);
            return says(format!("width is {width} and ffn {ffn}; both must be multiples of 32, the block of Q8_0"));
        }
        if !self.width.is_multiple_of(self.heads) || !self.head_dim().is_multiple_of(2) {
            let (width, heads) = (self.width, self.heads);
            return says(format!("a width of {width} does not part into {heads} heads of an even size"));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return says(format!("{} heads cannot share {} kv_heads evenly", self.heads, self.kv_heads));
        }
        Ok(())
    }
}

/// Sizes that are asked for one by one; the others are those of a named shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub vocabulary: Option<usize>,
    pub width: Option<usize>,
    pub layers: Option<usize>,
    pub heads: Option<usize>,
    pub kv_heads: Option<usize>,
    pub ffn: Option<usize>,
    pub context: Option<usize>,
}

impl Sizes {
    /// The named shape with these sizes in it.
    pub fn over(self, named: Shape) -> Shape {
        Shape {
            vocabulary: self.vocabulary.unwrap_or(named.vocabulary),
            width: self.width.unwrap_or(named.width),
            layers: self.layers.unwrap_or(named.layers),
            heads: self.heads.unwrap_or(named.heads),
            kv_heads: self.kv_heads.unwrap_or(named.kv_heads),
            ffn: self.ffn.unwrap_or(named.ffn),
            context: self.context.unwrap_or(named.context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_sizes_are_what_they_say() {
        for (shape, millions) in [(Shape::NANO, 1.0), (Shape::MICRO, 3.0), (Shape::SMALL, 8.0)] {
            shape.check().unwrap();
            let has = shape.parameters() as f64 / 1e6;
            assert!((has / millions - 1.0).abs() < 0.15, "{has} M for {millions} M");
        }
    }

    #[test]
    fn a_shape_that_cannot_be_is_refused_in_words() {
        for (shape, word) in [
            (Shape { width: 200, ..Shape::NANO }, "multiples of 32"),
            (Shape { heads: 3, ..Shape::NANO }, "3 heads"),
            (Shape { kv_heads: 3, ..Shape::NANO }, "kv_heads"),
            (Shape { context: 4, ..Shape::NANO }, "context is 4"),
        ] {
            let error = shape.check().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn sizes_go_over_the_named_shape() {
        let sizes = Sizes { width: Some(96), ..Sizes::default() };
        assert_eq!(sizes.over(Shape::NANO), Shape { width: 96, ..Shape::NANO });
        assert_eq!(Sizes::default().over(Shape::SMALL), Shape::SMALL);
    }
}
