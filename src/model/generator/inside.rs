//! What was seen inside the model while the last token was computed. Read from the engine by the generator's thread.

use super::super::decoder;
use super::Generator;
use crate::score::{Guess, Inside, Spent};

impl Generator {
    /// Where the time of the last computation went.
    pub(super) fn inside(&self) -> Inside {
        let engine = self.text.engine();
        let nothing = decoder::Spent::default();
        let spent = engine.spent().unwrap_or(&nothing);
        let ms = |time: std::time::Duration| time.as_secs_f32() * 1000.0;
        let guess =
            |g: &decoder::Guess| Guess { layer: g.layer as u32, text: self.model.tokenizer().shown(g.id), p: g.p };
        Inside {
            spent: Spent {
                attention_ms: ms(spent.attention),
                feed_forward_ms: ms(spent.feed_forward),
                output_ms: ms(spent.output),
                sampling_ms: 0.0,
                read_mb: engine.bytes_per_token() as f32 / 1e6,
            },
            layers_us: spent.layers.iter().map(|time| time.as_micros() as u32).collect(),
            lens: engine.guesses().iter().map(guess).collect(),
        }
    }
}
