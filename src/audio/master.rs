//! The master: room, level, loudness, limiter. It adds the voices up for every loudspeaker, and can give each alone.

use super::bus::{Bus, Voice};
use super::dsp::{CHUNK, Chunk, Ramp, Smooth, Stereo, follow};
use super::limiter::Limiter;
use super::loudness::Loudness;
use super::room::Room;
use crate::score::Layout;
use crate::score::layout::MOST_CHANNELS;

/// How the master is played.
#[derive(Clone, Copy, Debug)]
pub struct MasterControl {
    pub gain: f32,
    /// The time constant in which the gain moves.
    pub lag_s: f32,
    /// How much of the room is heard, 0..1.
    pub mix: f32,
    /// A part of full scale.
    pub ceiling: f32,
    pub ceiling_lufs: f32,
}

pub struct Master {
    rate_hz: f32,
    layout: Layout,
    room: Room,
    loudness: Loudness,
    limiter: Limiter,
    level: Smooth,
    mix: Smooth,
    /// What of left and right goes to each loudspeaker, of the voices and of the room.
    near: [(f32, f32); MOST_CHANNELS],
    far: [(f32, f32); MOST_CHANNELS],
    stems: Option<Box<Stems>>,
}

/// Each voice alone: it loses its DC, waits and is limited as the whole is, so that together they are the whole.
struct Stems {
    held: [[Chunk; MOST_CHANNELS]; Voice::ALL.len()],
    out: [[Chunk; MOST_CHANNELS]; Voice::ALL.len()],
    dc: [[(f32, f32); MOST_CHANNELS]; Voice::ALL.len()],
}

impl Master {
    pub fn new(rate_hz: f32, layout: Layout, mix: f32) -> Master {
        let (near, far) = onto(layout);
        Master {
            rate_hz,
            layout,
            room: Room::new(rate_hz),
            loudness: Loudness::new(rate_hz),
            limiter: Limiter::new(rate_hz),
            level: Smooth(0.0),
            mix: Smooth(mix),
            near,
            far,
            stems: None,
        }
    }

    /// Keeps every voice's part from now on. Not in a callback: it takes memory.
    pub fn keep_stems(&mut self) {
        let silence = [[[0.0; CHUNK]; MOST_CHANNELS]; Voice::ALL.len()];
        self.stems =
            Some(Box::new(Stems { held: silence, out: silence, dc: [[(0.0, 0.0); MOST_CHANNELS]; Voice::ALL.len()] }));
    }

    /// A voice's part of the last chunk, a channel each; `None` unless they are kept.
    pub fn stem(&self, voice: Voice) -> Option<&[Chunk]> {
        self.stems.as_ref().map(|stems| &stems.out[voice as usize][..self.layout.count()])
    }

    /// Adds a chunk up into `out`, one for each loudspeaker. The sound leaves one chunk later than it came in. Tells the
    /// part that was not a number, if one was.
    pub fn render(&mut self, bus: &mut Bus, control: &MasterControl, out: &mut [Chunk]) -> Option<&'static str> {
        let dt = CHUNK as f32 / self.rate_hz;
        let mut failed = None;
        let mut walls = self.room.render(&bus.send);
        if !walls.is_finite() {
            self.room.reset();
            walls = Stereo::SILENCE;
            failed = Some("room");
        }
        let mut level = self.level.toward(control.gain, follow(dt, control.lag_s));
        let mut mix = self.mix.toward(control.mix, follow(dt, 0.06));
        let (mut near, mut far) = ([0.0; CHUNK], [0.0; CHUNK]);
        for (near, far) in near.iter_mut().zip(&mut far) {
            let (level, mix) = (level.next(), mix.next());
            (*near, *far) = (level * (1.0 - 0.4 * mix), level * 1.3 * mix);
        }
        bus.dry[Voice::Room as usize] = Stereo::SILENCE;
        let mut dry = Stereo::SILENCE;
        bus.dry.iter().for_each(|voice| dry.add(voice, 1.0));
        for (channel, out) in out.iter_mut().enumerate() {
            let (to_near, to_far) = (self.near[channel], self.far[channel]);
            let hum = &bus.hum[channel];
            for i in 0..CHUNK {
                out[i] = near[i] * (hum[i] + to_near.0 * dry.left[i] + to_near.1 * dry.right[i])
                    + far[i] * (to_far.0 * walls.left[i] + to_far.1 * walls.right[i]);
            }
        }
        let held = self.loudness.hold(out, control.ceiling_lufs);
        for out in out.iter_mut() {
            let mut held = held;
            out.iter_mut().for_each(|x| *x *= held.next());
        }
        self.limiter.set_ceiling(control.ceiling);
        let gain = self.limiter.process(out);
        if !out.iter().flatten().map(|x| x.abs()).sum::<f32>().is_finite() {
            // Every voice is checked before, so this is the last of three nets.
            self.limiter.reset();
            out.fill([0.0; CHUNK]);
            failed = Some("limiter");
        }
        if let Some(stems) = &mut self.stems {
            bus.dry[Voice::Room as usize] = walls;
            let keep = self.limiter.dc_keep();
            for ramp in [&mut near, &mut far] {
                let mut held = held;
                ramp.iter_mut().for_each(|x| *x *= held.next());
            }
            for voice in Voice::ALL {
                let (scale, onto) = match voice {
                    Voice::Room => (&far, &self.far),
                    _ => (&near, &self.near),
                };
                stems.take(voice, bus, scale, &onto[..self.layout.count()], keep, gain);
            }
        }
        failed
    }

    /// The room falls silent at once.
    pub fn reset(&mut self) {
        self.room.reset();
    }
}

impl Stems {
    fn take(&mut self, voice: Voice, bus: &Bus, scale: &Chunk, onto: &[(f32, f32)], dc_keep: f32, gain: Ramp) {
        let dry = &bus.dry[voice as usize];
        for (channel, (left, right)) in onto.iter().enumerate() {
            let mut chunk = [0.0; CHUNK];
            let (last_in, last_out) = &mut self.dc[voice as usize][channel];
            for i in 0..CHUNK {
                let hum = if voice == Voice::Hum { bus.hum[channel][i] } else { 0.0 };
                let x = scale[i] * (hum + left * dry.left[i] + right * dry.right[i]);
                *last_out = x - *last_in + dc_keep * *last_out;
                *last_in = x;
                chunk[i] = *last_out;
            }
            let held = std::mem::replace(&mut self.held[voice as usize][channel], chunk);
            let mut gain = gain;
            self.out[voice as usize][channel] = held.map(|x| x * gain.next());
        }
    }
}

/// What of left and right goes to each loudspeaker: the voices to the two at the front (in a line, to a third from each
/// end), the room to all of them.
#[allow(clippy::type_complexity)]
fn onto(layout: Layout) -> ([(f32, f32); MOST_CHANNELS], [(f32, f32); MOST_CHANNELS]) {
    use crate::score::layout::Form;
    let n = layout.count();
    if layout.is_stereo() {
        let mut same = [(0.0, 0.0); MOST_CHANNELS];
        (same[0], same[1]) = ((1.0, 0.0), (0.0, 1.0));
        return (same, same);
    }
    let (left, right) = match layout.form {
        Form::Ring => (layout.gains(0.0), layout.gains(1.0 / n as f32)),
        Form::Line => (layout.gains(0.2), layout.gains(0.8)),
    };
    let near = std::array::from_fn(|c| (left[c], right[c]));
    let share = (2.0 / n as f32).sqrt();
    let far = std::array::from_fn(|c| {
        let side = if c < n { layout.side(c) } else { 0.0 };
        (share * (0.5 * (1.0 - side)).max(0.0).sqrt(), share * (0.5 * (1.0 + side)).max(0.0).sqrt())
    });
    (near, far)
}
