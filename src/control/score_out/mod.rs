//! From the score to MIDI: what one synthesiser is sent, and when.
//!
//! A pure state machine with the patch's map in it; the times are the performance's, in ns. It knows no port, so it
//! can be played in a test. Run by the MIDI-out thread.

mod beats;
mod controls;
mod notes;
mod pulse;
pub mod short;
#[cfg(test)]
mod tests;
pub(super) mod wire;

pub use short::Short;

use controls::{Controls, EVERY_NS};
use notes::{MOST, Notes, Strike};
use pulse::Pulse;
use short::{ALL_NOTES_OFF, ALL_SOUND_OFF};
use wire::Wire;

use crate::patch::Synth;
use crate::patch::midi_out::{Hit, TokenNotes};
use crate::score::{Event, Happening, SignalId, SignalValues, Since, Stamped, Timeline, Token};

/// Notes of one kind come no closer than this, the tokens' of the sound neither; of more, the most surprising is played.
const SPACING_NS: u64 = 16_000_000;

/// One synthesiser's part.
#[derive(Clone, Debug)]
pub struct ScoreOut {
    synth: Synth,
    /// Its port is there.
    connected: bool,
    notes: Notes,
    /// The most surprising token since the last note.
    waiting: Option<(f32, Strike)>,
    /// When a token was last a note.
    token_ns: Option<u64>,
    /// The same of the flaws, and of every kind of hit.
    flaw_ns: Option<u64>,
    hit_ns: Vec<Option<u64>>,
    controls: Controls,
    looked_ns: u64,
    pulse: Option<Pulse>,
    timeline: Option<Timeline>,
    signals: SignalValues,
    since: Since,
    wire: Wire,
}

impl ScoreOut {
    pub fn new(synth: &Synth, now_ns: u64) -> ScoreOut {
        ScoreOut {
            synth: synth.clone(),
            connected: true,
            notes: Notes::default(),
            waiting: None,
            token_ns: None,
            flaw_ns: None,
            hit_ns: vec![None; synth.hits.len()],
            controls: Controls::new(&synth.controls),
            looked_ns: 0,
            pulse: synth.clock.map(Pulse::new),
            timeline: None,
            signals: SignalValues::default(),
            since: Since::default(),
            wire: Wire::new(now_ns),
        }
    }

    /// The map that is being played.
    pub fn synth(&self) -> &Synth {
        &self.synth
    }

    /// Takes an event at `now_ns`, which is at or soon after the event's own time.
    pub fn event(&mut self, stamped: &Stamped, now_ns: u64, out: &mut Vec<Short>) {
        stamped.event.apply(&mut self.signals);
        let happening = Happening::of(&stamped.event);
        if let Some(what) = happening {
            self.since.happened(what, stamped.t_ns);
        }
        if let Some(timeline) = Timeline::of(stamped) {
            self.retime(timeline, now_ns);
        }
        if !self.connected {
            return;
        }
        match &stamped.event {
            Event::Token(token) => {
                if let Some(pulse) = &mut self.pulse {
                    pulse.token(stamped.t_ns, out);
                }
                self.token(token, now_ns, out);
            }
            Event::Flaw(flaw) => {
                let hit = self.synth.flaws.map(|hit| Hit { note: hit.note + flaw.kind as u8, ..hit });
                self.flaw_ns = self.hit(hit, self.flaw_ns, now_ns, out);
            }
            _ => {}
        }
        for at in 0..self.synth.hits.len() {
            let (what, hit) = self.synth.hits[at];
            if happening == Some(what) {
                self.hit_ns[at] = self.hit(Some(hit), self.hit_ns[at], now_ns, out);
            }
        }
        // The tension falls with the token and not up to 20 ms later.
        self.send_controls(now_ns, out);
    }

    /// The beats are these from now on.
    pub fn retime(&mut self, timeline: Timeline, now_ns: u64) {
        self.timeline = Some(timeline);
        if let Some(pulse) = &mut self.pulse {
            pulse.retime(timeline, now_ns);
        }
    }

    /// Sends what is due at `now_ns`.
    pub fn tick(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        if !self.connected {
            return;
        }
        if let Some(pulse) = &mut self.pulse {
            let before = out.len();
            pulse.go(now_ns, out);
            self.wire.owe(out.len() - before);
        }
        self.notes.end_due(now_ns, out);
        self.play_waiting(now_ns, out);
        if now_ns >= self.looked_ns + EVERY_NS {
            self.send_controls(now_ns, out);
        }
    }

    /// When [`ScoreOut::tick`] has something to do next.
    pub fn due_ns(&self) -> Option<u64> {
        let token = self.waiting.map(|_| self.token_ns.map_or(0, |then| then + SPACING_NS));
        let controls = (!self.controls.is_empty()).then_some(self.looked_ns + EVERY_NS);
        let pulse = self.pulse.as_ref().and_then(Pulse::due_ns);
        [token, controls, pulse, self.notes.due_ns()].into_iter().flatten().min().filter(|_| self.connected)
    }

    /// Falls silent: every note ends, the tension relaxes, the clock stops.
    pub fn stop(&mut self, out: &mut Vec<Short>) {
        if !self.connected {
            return;
        }
        self.waiting = None;
        self.notes.end_all(out);
        self.controls.relax(out);
        if let Some(pulse) = &mut self.pulse {
            pulse.stop(out);
        }
        self.all_off(out);
    }

    /// Cuts off whatever sounds, on every channel: notes of ours and those that hang from before. The score plays on.
    pub fn panic(&mut self, out: &mut Vec<Short>) {
        if !self.connected {
            return;
        }
        self.waiting = None;
        let before = out.len();
        self.notes.end_all(out);
        for channel in 0..16 {
            out.push(Short::control(channel, ALL_NOTES_OFF, 0));
            out.push(Short::control(channel, ALL_SOUND_OFF, 0));
        }
        self.wire.owe(out.len() - before);
    }

    /// Plays another map from now on; what the old one began is ended.
    pub fn take(&mut self, synth: &Synth, now_ns: u64, out: &mut Vec<Short>) {
        self.stop(out);
        let timeline = self.timeline;
        // On a port that is away the notes wait for their ends.
        *self = ScoreOut {
            connected: self.connected,
            notes: std::mem::take(&mut self.notes),
            signals: self.signals,
            since: self.since,
            wire: self.wire,
            ..ScoreOut::new(synth, now_ns)
        };
        if let Some(timeline) = timeline {
            self.retime(timeline, now_ns);
        }
    }

    /// The port is gone: nothing is sent until [`ScoreOut::found`].
    pub fn lost(&mut self) {
        self.connected = false;
        self.waiting = None;
        if let Some(pulse) = &mut self.pulse {
            pulse.stop(&mut Vec::new());
        }
    }

    /// The port is back: what was left sounding is ended first.
    pub fn found(&mut self, out: &mut Vec<Short>) {
        self.connected = true;
        self.notes.end_all(out);
        self.all_off(out);
        self.controls.forget();
    }

    fn token(&mut self, token: &Token, now_ns: u64, out: &mut Vec<Short>) {
        let Some(strike) = self.synth.tokens.as_ref().and_then(|notes| strike(notes, token)) else { return };
        if self.waiting.is_none_or(|(surprise, _)| token.surprise_bits > surprise) {
            self.waiting = Some((token.surprise_bits, strike));
        }
        self.play_waiting(now_ns, out);
    }

    /// Plays the token that waits, if it is its time.
    fn play_waiting(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        if let Some((_, strike)) = self.waiting
            && self.token_ns.is_none_or(|then| now_ns >= then + SPACING_NS)
        {
            self.token_ns = Some(now_ns);
            if self.wire.note(now_ns) {
                self.waiting = None;
                self.notes.begin(now_ns, &strike, out);
            }
        }
    }

    /// Plays a note unless one of its kind was played just now; gives back when that was.
    fn hit(&mut self, hit: Option<Hit>, last_ns: Option<u64>, now_ns: u64, out: &mut Vec<Short>) -> Option<u64> {
        let Some(Hit { channel, note, velocity, length_ms }) = hit else { return last_ns };
        if last_ns.is_some_and(|then| now_ns < then + SPACING_NS) || !self.wire.note(now_ns) {
            return last_ns;
        }
        let strike = Strike { channel, note, velocity, length_ns: ns(length_ms), voices: MOST };
        self.notes.begin(now_ns, &strike, out);
        Some(now_ns)
    }

    fn send_controls(&mut self, now_ns: u64, out: &mut Vec<Short>) {
        if !self.controls.is_empty() {
            self.looked_ns = now_ns;
            self.since.write(now_ns, &mut self.signals);
            self.controls.send(now_ns, &self.signals, &mut self.wire, out);
        }
    }

    /// All notes off, on each channel of the map.
    fn all_off(&self, out: &mut Vec<Short>) {
        let synth = &self.synth;
        let hits = synth.flaws.iter().chain(synth.hits.iter().map(|(_, hit)| hit)).map(|hit| hit.channel);
        let channels = synth.tokens.iter().map(|tokens| tokens.channel).chain(hits).chain(self.controls.channels());
        let used = channels.fold(0u16, |used, channel| used | 1 << channel);
        for channel in (0..16).filter(|channel| used & 1 << channel != 0) {
            out.push(Short::control(channel, ALL_NOTES_OFF, 0));
        }
    }
}

/// A token's note; none where a figure of it is missing.
fn strike(notes: &TokenNotes, token: &Token) -> Option<Strike> {
    let Token { surprise_bits, p, latency_ms, .. } = *token;
    if surprise_bits.is_nan() || p.is_nan() || latency_ms.is_nan() {
        return None;
    }
    let place = |id: SignalId, value| id.spec().position(value);
    let between = |[from, to]: [f32; 2], at: f32| from + (to - from) * at;
    let top = notes.pitches.len().checked_sub(1)?;
    let step = (place(SignalId::Surprise, surprise_bits) * top as f32).round() as usize;
    // The square root: small models need a hundredth of the time of large ones, and both shall have their lengths.
    let slow = place(SignalId::Latency, latency_ms).sqrt();
    Some(Strike {
        channel: notes.channel,
        note: *notes.pitches.get(step)?,
        velocity: between(notes.velocity.map(f32::from), 1.0 - p.clamp(0.0, 1.0)).round() as u8,
        length_ns: ns(between(notes.length_ms, slow)),
        voices: usize::from(notes.voices),
    })
}

fn ns(ms: f32) -> u64 {
    (f64::from(ms) * 1e6) as u64
}
