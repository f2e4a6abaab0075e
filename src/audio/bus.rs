//! The bus: what every voice gives to the whole, kept apart until the master adds it up, so that each can be had alone.

use super::dsp::{CHUNK, Chunk, Stereo};
use crate::score::Layout;
use crate::score::layout::MOST_CHANNELS;

/// A voice of the whole, as the stems call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Hum,
    Breath,
    Weight,
    Tension,
    /// The tokens' notes, the figure of a loop and their echoes.
    Tokens,
    Ghosts,
    Throat,
    /// The artist's own sounds.
    Samples,
    /// Glides: flaws, forgetting, the fall of a crash.
    Gestures,
    /// What comes back from the walls, of all of them.
    Room,
}

impl Voice {
    pub const ALL: [Voice; 10] = [
        Voice::Hum,
        Voice::Breath,
        Voice::Weight,
        Voice::Tension,
        Voice::Tokens,
        Voice::Ghosts,
        Voice::Throat,
        Voice::Samples,
        Voice::Gestures,
        Voice::Room,
    ];

    /// The name of its stem.
    pub fn name(self) -> &'static str {
        match self {
            Voice::Hum => "hum",
            Voice::Breath => "breath",
            Voice::Weight => "weight",
            Voice::Tension => "tension",
            Voice::Tokens => "tokens",
            Voice::Ghosts => "ghosts",
            Voice::Throat => "throat",
            Voice::Samples => "samples",
            Voice::Gestures => "gestures",
            Voice::Room => "room",
        }
    }
}

/// One chunk of every voice.
pub struct Bus {
    /// In the order of [`Voice::ALL`]; the hum's stays silent.
    pub dry: [Stereo; Voice::ALL.len()],
    /// The hum alone goes to each loudspeaker by itself.
    pub hum: [Chunk; MOST_CHANNELS],
    /// What is sent into the room.
    pub send: Stereo,
}

impl Bus {
    pub fn new() -> Bus {
        Bus { dry: [Stereo::SILENCE; Voice::ALL.len()], hum: [[0.0; CHUNK]; MOST_CHANNELS], send: Stereo::SILENCE }
    }

    pub fn clear(&mut self) {
        self.dry.fill(Stereo::SILENCE);
        self.hum.fill([0.0; CHUNK]);
        self.send = Stereo::SILENCE;
    }

    /// Adds a voice's chunk, `dry` times to what is near and `send` times to what goes into the room.
    pub fn add(&mut self, voice: Voice, chunk: &Stereo, dry: f32, send: f32) {
        self.dry[voice as usize].add(chunk, dry);
        self.send.add(chunk, send);
    }

    /// Sends the hum into the room, each loudspeaker's to the side where it stands.
    pub fn send_hum(&mut self, layout: Layout, gain: f32) {
        for (channel, hum) in self.hum[..layout.count()].iter().enumerate() {
            let side = layout.side(channel);
            let (left, right) = if layout.is_stereo() {
                if channel == 0 { (gain, 0.0) } else { (0.0, gain) }
            } else {
                (0.5 * gain * (1.0 - side), 0.5 * gain * (1.0 + side))
            };
            for (i, x) in hum.iter().enumerate() {
                self.send.left[i] += left * x;
                self.send.right[i] += right * x;
            }
        }
    }
}
