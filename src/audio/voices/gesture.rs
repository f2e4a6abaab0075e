//! Gestures: short glides of tone or air for what happens seldom (a leap, a forgetting, a fault).

use crate::audio::dsp::{CHUNK, Filter, Noise, Stereo, advance, sine, smoothstep};

const SLOTS: usize = 8;

/// One glide.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    pub from_hz: f32,
    pub to_hz: f32,
    pub length_s: f32,
    pub gain: f32,
    /// 0 is a tone, 1 is air.
    pub air: f32,
    /// Where it begins and ends, -1 left, 1 right.
    pub place: (f32, f32),
}

#[derive(Clone)]
pub struct Gestures {
    rate_hz: f32,
    noise: Noise,
    slots: [Option<Slot>; SLOTS],
}

#[derive(Clone, Copy)]
struct Slot {
    sweep: Sweep,
    /// 0..1 of the glide.
    way: f32,
    phase: f32,
    filter: Filter,
}

impl Gestures {
    pub fn new(rate_hz: f32, seed: u64) -> Gestures {
        Gestures { rate_hz, noise: Noise::new(seed ^ 0x6765_7374), slots: [None; SLOTS] }
    }

    /// Begins a glide; while all slots sound, another is let go.
    pub fn begin(&mut self, sweep: Sweep) {
        if let Some(slot) = self.slots.iter_mut().find(|s| s.is_none()) {
            *slot = Some(Slot { sweep, way: 0.0, phase: 0.0, filter: Filter::default() });
        }
    }

    pub fn render(&mut self) -> Stereo {
        let mut out = Stereo::SILENCE;
        for place in &mut self.slots {
            let Some(slot) = place else { continue };
            let Sweep { from_hz, to_hz, length_s, gain, air, place: (from, to) } = slot.sweep;
            let step = 1.0 / (length_s.max(0.01) * self.rate_hz);
            let hz = from_hz * (to_hz / from_hz).powf(smoothstep(slot.way));
            let increment = (hz / self.rate_hz).clamp(0.0, 0.4);
            slot.filter.tune(increment, 5.0);
            for i in 0..CHUNK {
                slot.way = (slot.way + step).min(1.0);
                // A bow's stroke: in over the first third, out over the rest; its slope is nowhere broken.
                let envelope = smoothstep(slot.way * 3.0) * smoothstep((1.0 - slot.way) * 1.5);
                advance(&mut slot.phase, increment);
                let tone = sine(slot.phase);
                // The square of the tone is its octave.
                let tone = tone + 0.25 * (tone * tone - 0.5);
                let breath = 2.5 * slot.filter.next(self.noise.next()).0;
                let x = gain * envelope * (tone + (breath - tone) * air);
                let at = 0.8 * (from + (to - from) * slot.way);
                out.left[i] += 0.7 * (1.0 - at) * x;
                out.right[i] += 0.7 * (1.0 + at) * x;
            }
            if slot.way >= 1.0 {
                *place = None;
            }
        }
        out
    }

    /// Lets every glide end at once.
    pub fn reset(&mut self) {
        self.slots = [None; SLOTS];
    }
}
