//! Models that suit the stage: the four families xiao was made for, and the one inside it. Figures as they are published,
//! approximate; nothing here is looked up or fetched.

use serde::Serialize;

use super::super::fit::Need;

/// A row of the table of recommended models.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Recommended {
    pub name: &'static str,
    /// `general.architecture` of its files.
    pub family: &'static str,
    /// Billions.
    pub parameters_b: f64,
    /// Files at the two usual quantizations, in GB; `None` where there is none.
    pub q4_k_m_gb: Option<f64>,
    pub q8_0_gb: Option<f64>,
    /// What it is good for.
    pub suits: &'static str,
    /// (layers, heads of keys, elements of a head, vocabulary)
    #[serde(skip)]
    shape: (u64, u64, u64, usize),
}

/// The table, small to large.
pub const RECOMMENDED: [Recommended; 8] = [
    Recommended {
        name: "embedded",
        family: "llama",
        parameters_b: 0.0045,
        q4_k_m_gb: None,
        q8_0_gb: Some(0.005),
        suits: "verse, always at hand",
        shape: (4, 4, 32, 6144),
    },
    Recommended {
        name: "Llama 3.2 1B",
        family: "llama",
        parameters_b: 1.24,
        q4_k_m_gb: Some(0.81),
        q8_0_gb: Some(1.32),
        suits: "quick on any laptop; it leaps",
        shape: (16, 8, 64, 128_256),
    },
    Recommended {
        name: "Gemma 2B",
        family: "gemma",
        parameters_b: 2.51,
        q4_k_m_gb: Some(1.63),
        q8_0_gb: Some(2.67),
        suits: "many scripts, long pieces",
        shape: (18, 1, 256, 256_000),
    },
    Recommended {
        name: "Gemma 2 2B",
        family: "gemma2",
        parameters_b: 2.61,
        q4_k_m_gb: Some(1.71),
        q8_0_gb: Some(2.78),
        suits: "the same, steadier",
        shape: (26, 4, 256, 256_000),
    },
    Recommended {
        name: "Llama 3.2 3B",
        family: "llama",
        parameters_b: 3.21,
        q4_k_m_gb: Some(2.02),
        q8_0_gb: Some(3.42),
        suits: "dialogue, stories that hold",
        shape: (28, 8, 128, 128_256),
    },
    Recommended {
        name: "Phi-3 mini 3.8B",
        family: "phi3",
        parameters_b: 3.82,
        q4_k_m_gb: Some(2.39),
        q8_0_gb: Some(4.06),
        suits: "dry, orderly; short contexts",
        shape: (32, 32, 96, 32_064),
    },
    Recommended {
        name: "Mistral 7B",
        family: "llama",
        parameters_b: 7.25,
        q4_k_m_gb: Some(4.37),
        q8_0_gb: Some(7.70),
        suits: "rich prose, each token heard",
        shape: (32, 8, 128, 32_768),
    },
    Recommended {
        name: "Gemma 7B",
        family: "gemma",
        parameters_b: 8.54,
        q4_k_m_gb: Some(5.33),
        q8_0_gb: Some(9.08),
        suits: "waiting, heat and fans",
        shape: (28, 16, 256, 256_000),
    },
];

/// The context that the memory is told for.
pub const CONTEXT: u64 = 4096;

impl Recommended {
    /// Memory at the smallest of its files, bytes, about; keys and values in f16.
    pub fn memory_bytes(&self) -> u64 {
        let (layers, heads, head_dim, vocabulary) = self.shape;
        let file = self.q4_k_m_gb.or(self.q8_0_gb).unwrap_or_default() * 1e9;
        let context = if self.name == "embedded" { 512 } else { CONTEXT };
        Need::new(file as u64, 2 * 2 * layers * heads * head_dim * context, vocabulary, 0, 0).total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_right_size() {
        for row in RECOMMENDED {
            let bits = |gb: f64| gb * 8.0 / row.parameters_b;
            if let Some(gb) = row.q4_k_m_gb {
                assert!((4.5..5.6).contains(&bits(gb)), "{}: {}", row.name, bits(gb));
            }
            // 8.5 bits a weight and the vocabulary's text.
            let q8 = bits(row.q8_0_gb.unwrap());
            assert!((8.4..9.0).contains(&q8), "{}: {q8}", row.name);
            assert!(row.memory_bytes() as f64 > 1e9 * row.q4_k_m_gb.unwrap_or(0.003), "{}", row.name);
        }
        assert!(RECOMMENDED.is_sorted_by_key(|row| row.parameters_b));
    }
}
