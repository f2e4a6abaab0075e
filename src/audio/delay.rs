//! The delay: echoes that go from side to side in the time of the tokens. When the pace changes, the read head glides
//! to its new place as a tape's would; it never jumps.

use super::dsp::{CHUNK, Smooth, Stereo, follow};

/// The longest echo.
const LONGEST_S: f32 = 4.0;
/// What goes round loses its sharpness above this.
const DULL_HZ: f32 = 3200.0;
/// The glide moves the head by no more than so much of the time that passes: an echo bends by less than a third.
const GLIDE: f32 = 0.05;

/// How the delay is played.
#[derive(Clone, Copy, Debug)]
pub struct DelayControl {
    pub time_s: f32,
    /// What of an echo comes back once more, 0..0.95.
    pub feedback: f32,
    pub mix: f32,
}

pub struct Delay {
    rate_hz: f32,
    /// Left and right, a power of two long.
    lines: [Vec<f32>; 2],
    at: usize,
    /// Frames that were written since it was last emptied; beyond them it is silent.
    filled: usize,
    /// Frames behind the write head.
    behind: f32,
    dull: [f32; 2],
    dull_part: f32,
    feedback: Smooth,
    mix: Smooth,
}

impl Delay {
    pub fn new(rate_hz: f32) -> Delay {
        let frames = ((LONGEST_S * rate_hz) as usize + 2 * CHUNK).next_power_of_two();
        Delay {
            rate_hz,
            lines: [vec![0.0; frames], vec![0.0; frames]],
            at: 0,
            filled: 0,
            behind: 0.4 * rate_hz,
            dull: [0.0; 2],
            dull_part: follow(1.0 / rate_hz, 1.0 / (std::f32::consts::TAU * DULL_HZ)),
            feedback: Smooth(0.0),
            mix: Smooth(0.0),
        }
    }

    /// The echoes of what was sent.
    pub fn render(&mut self, send: &Stereo, control: &DelayControl) -> Stereo {
        let dt = CHUNK as f32 / self.rate_hz;
        let wanted = control.time_s.clamp(0.02, LONGEST_S) * self.rate_hz;
        let wanted = if wanted.is_finite() { wanted } else { self.behind };
        let glide = (wanted - self.behind).clamp(-GLIDE * CHUNK as f32, GLIDE * CHUNK as f32) / CHUNK as f32;
        let mut feedback = self.feedback.toward(control.feedback.clamp(0.0, 0.95), follow(dt, 0.05));
        let mut mix = self.mix.toward(control.mix.clamp(0.0, 1.0), follow(dt, 0.05));
        let mask = self.lines[0].len() - 1;
        let mut out = Stereo::SILENCE;
        for i in 0..CHUNK {
            self.behind += glide;
            let (whole, part) = (self.behind as usize, self.behind.fract());
            let read = |line: &[f32]| {
                if whole + 1 > self.filled {
                    return 0.0;
                }
                let (a, b) = (line[self.at.wrapping_sub(whole) & mask], line[self.at.wrapping_sub(whole + 1) & mask]);
                a + (b - a) * part
            };
            let echo = [read(&self.lines[0]), read(&self.lines[1])];
            let (feedback, mix) = (feedback.next(), mix.next());
            // From side to side: each line is fed by the other one's echo, and both by the middle of what is sent.
            let sent = [send.left[i], send.right[i]];
            for side in 0..2 {
                let back = echo[1 - side];
                self.dull[side] += self.dull_part * (back - self.dull[side]);
                if self.dull[side].abs() < 1e-15 {
                    self.dull[side] = 0.0;
                }
                let in_here = if side == 0 { 0.5 * (sent[0] + sent[1]) } else { 0.25 * (sent[1] - sent[0]) };
                self.lines[side][self.at & mask] = in_here + feedback * self.dull[side];
            }
            self.at = self.at.wrapping_add(1);
            self.filled = (self.filled + 1).min(mask);
            out.left[i] = mix * echo[0];
            out.right[i] = mix * echo[1];
        }
        out
    }

    /// Empties it. The lines themselves are left, for at high rates they are megabytes.
    pub fn reset(&mut self) {
        self.filled = 0;
        self.dull = [0.0; 2];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(time_s: f32) -> DelayControl {
        DelayControl { time_s, feedback: 0.5, mix: 1.0 }
    }

    #[test]
    fn an_echo_comes_in_its_time_from_side_to_side() {
        let mut delay = Delay::new(48_000.0);
        (0..3000).for_each(|_| _ = delay.render(&Stereo::SILENCE, &control(0.25)));
        let mut hit = Stereo::SILENCE;
        (hit.left[0], hit.right[0]) = (1.0, 1.0);
        let run: Vec<Stereo> =
            (0..600).map(|i| delay.render(if i == 0 { &hit } else { &Stereo::SILENCE }, &control(0.25))).collect();
        let left: Vec<f32> = run.iter().flat_map(|chunk| chunk.left).collect();
        let right: Vec<f32> = run.iter().flat_map(|chunk| chunk.right).collect();
        let loudest = |samples: &[f32]| {
            samples.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map(|(i, _)| i).unwrap()
        };
        assert!(loudest(&left).abs_diff(12_000) <= 2, "{}", loudest(&left));
        assert!(loudest(&right).abs_diff(24_000) <= 8, "{}", loudest(&right));
    }

    #[test]
    fn a_change_of_time_glides() {
        let mut delay = Delay::new(48_000.0);
        let mut phase = 0.0f32;
        let (mut last, mut worst) = (0.0f32, 0.0f32);
        for i in 0..6000 {
            let mut tone = Stereo::SILENCE;
            for k in 0..CHUNK {
                phase = (phase + 300.0 / 48_000.0).fract();
                tone.left[k] = (std::f32::consts::TAU * phase).sin();
                tone.right[k] = tone.left[k];
            }
            let time_s = [0.1, 1.7, f32::NAN, 0.02, 9.0][i / 400 % 5];
            for x in delay.render(&tone, &control(time_s)).left {
                if i > 2000 {
                    worst = worst.max((x - last).abs());
                }
                last = x;
            }
        }
        // Two rounds of a tone of 300 Hz, bent upwards a little, move no faster.
        assert!(worst < 2.0 * std::f32::consts::TAU * 300.0 / 48_000.0 * 1.5, "{worst}");
    }
}
