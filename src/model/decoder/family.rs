//! What differs between the families of models, as a table: one row for each architecture that this decoder plays.
//!
//! The rows state what llama.cpp computes for the architecture, which is what files are made and checked with. Sizes and
//! constants of one model are in its file, see [`Config`](super::Config).

/// An architecture as `general.architecture` names it.
#[derive(Debug, PartialEq)]
pub struct Family {
    pub name: &'static str,
    /// Which elements of a head are turned together.
    pub pairs: Pairs,
    pub activation: Activation,
    /// Norms of each query and key head before they are turned.
    pub head_norms: bool,
    /// Norms behind attention and feed-forward, before their results are added.
    pub post_norms: bool,
    /// The embedding is multiplied by the root of its width.
    pub scaled_embedding: bool,
    /// Queries are scaled before they meet the keys, not the scores after.
    pub scaled_queries: bool,
    /// The file may bring a matrix for the output; else the embedding table makes the logits.
    pub own_output: bool,
    /// The file may bring factors for the frequencies of the positions.
    pub rope_factors: bool,
    /// Most layers see only so many positions.
    pub window: Option<Window>,
    /// Caps `c * tanh(x / c)` where the file does not say: of attention scores and of logits.
    pub score_cap: Option<f32>,
    pub logit_cap: Option<f32>,
    /// A model of so many layers scales its queries by the width shared among the heads and not by the head's own size.
    pub shared_scale_layers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// (2i, 2i + 1)
    Neighbours,
    /// (i, i + half of the turned elements)
    Halves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Silu,
    /// In the form with tanh, its argument and its value rounded to f16 as the reference does.
    Gelu,
}

/// How the sliding window is laid over the layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Positions where the file does not say; 0 means no window at all then.
    pub positions: usize,
    /// Each layer of so many, the last one, sees everything.
    pub every: usize,
    /// The base of the positions in windowed layers where the file does not say; `None`: as in the others, scaled alike.
    pub rope_base: Option<f32>,
}

const PLAIN: Family = Family {
    name: "llama",
    pairs: Pairs::Halves,
    activation: Activation::Silu,
    head_norms: false,
    post_norms: false,
    scaled_embedding: false,
    scaled_queries: false,
    own_output: true,
    rope_factors: false,
    window: None,
    score_cap: None,
    logit_cap: None,
    shared_scale_layers: 0,
};
const GEMMA: Family = Family {
    name: "gemma",
    activation: Activation::Gelu,
    scaled_embedding: true,
    scaled_queries: true,
    own_output: false,
    ..PLAIN
};

/// The table.
pub static FAMILIES: [Family; 7] = [
    Family { name: "llama", pairs: Pairs::Neighbours, rope_factors: true, ..PLAIN },
    Family { name: "phi3", scaled_queries: true, rope_factors: true, ..PLAIN },
    GEMMA,
    Family {
        name: "gemma2",
        post_norms: true,
        window: Some(Window { positions: 4096, every: 2, rope_base: None }),
        score_cap: Some(50.0),
        logit_cap: Some(30.0),
        shared_scale_layers: 46,
        ..GEMMA
    },
    Family {
        name: "gemma3",
        head_norms: true,
        post_norms: true,
        own_output: true,
        window: Some(Window { positions: 0, every: 6, rope_base: Some(10_000.0) }),
        shared_scale_layers: 62,
        ..GEMMA
    },
    Family { name: "qwen2", ..PLAIN },
    Family { name: "qwen3", head_norms: true, ..PLAIN },
];

impl Family {
    /// The row of this name.
    pub fn of(architecture: &str) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == architecture)
    }

    /// All names, for messages.
    pub fn known() -> String {
        FAMILIES.iter().map(|family| family.name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_name() {
        assert_eq!(Family::of("gemma2").unwrap().score_cap, Some(50.0));
        assert!(Family::of("mamba").is_none());
        assert!(Family::known().starts_with("llama, phi3"));
    }
}
