//! The hands' part in the tempo: they fix the timeline of beats when it changes, and follow a clock that comes in.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::State;
use crate::control::ClockIn;
use crate::control::clock_in::{PER_BEAT, Said};
use crate::control::mapping::matches;
use crate::patch::TempoFrom;
use crate::score::tempo::{FASTEST_BPM, SLOWEST_BPM};
use crate::score::{Event, Hand, ParamId, Timeline};

/// The timeline as it was told last, and the clock that it follows.
pub(super) struct Tempo {
    pub(super) line: Timeline,
    followed: Option<Followed>,
    /// The port whose clock stopped, where that withholds the tokens.
    held_by: Option<Arc<str>>,
    #[cfg(feature = "link")]
    pub(super) shared: super::link::Shared,
}

/// A port that ticks.
struct Followed {
    port: Arc<str>,
    clock: ClockIn,
    /// Its tempo was found, and that was said.
    locked: bool,
    /// It was said that a hand leaves the tempo to it.
    told: bool,
    /// It was said that it ticks at a tempo that is not followed.
    outside: bool,
}

impl Default for Tempo {
    fn default() -> Tempo {
        let line = Timeline::from_the_beginning(f64::from(ParamId::TempoBpm.spec().default));
        Tempo {
            line,
            followed: None,
            held_by: None,
            #[cfg(feature = "link")]
            shared: Default::default(),
        }
    }
}

impl Tempo {
    fn leader(&self) -> Option<&Followed> {
        self.followed.as_ref().filter(|followed| followed.locked)
    }

    /// Whose tempo it is; empty: our own.
    fn from(&self) -> String {
        #[cfg(feature = "link")]
        if self.leader().is_none() {
            return self.shared.name().into();
        }
        self.leader().map(|followed| followed.port.to_string()).unwrap_or_default()
    }
}

impl State {
    /// Tells the first timeline: its first beat is the performance's beginning.
    pub(super) fn begin_tempo(&mut self) {
        self.tempo.line = Timeline::from_the_beginning(f64::from(self.hands.params.get(ParamId::TempoBpm)));
        self.retime(Hand::Patch);
    }

    /// The parameter was set: the beats go on at its tempo.
    pub(super) fn retime(&mut self, by: Hand) {
        let now_ns = self.hands.bus.clock().now_ns();
        let bpm = self.hands.params.get(ParamId::TempoBpm);
        // A clock's tempo is known to more digits than the parameter holds.
        let same = self.tempo.line.bpm() as f32 == bpm;
        let line = self.tempo.line.at_tempo(now_ns, if same { self.tempo.line.bpm() } else { f64::from(bpm) });
        #[cfg(feature = "link")]
        self.tempo.shared.set_tempo(line.bpm());
        self.tell(line, by);
    }

    /// Whether the tempo is a followed clock's.
    pub(super) fn clock_leads(&self) -> bool {
        self.tempo.leader().is_some()
    }

    /// Whether the tempo is the followed clock's and no hand's; that is said once.
    pub(super) fn leaves_tempo_to_clock(&mut self, by: Hand) -> bool {
        let Some(followed) = self.tempo.followed.as_mut().filter(|f| f.locked && by != Hand::Clock) else {
            return false;
        };
        if !std::mem::replace(&mut followed.told, true) {
            let text = format!("the tempo follows the clock of {} while it ticks", followed.port);
            self.hands.bus.emit(Event::Notice { text });
        }
        true
    }

    /// Takes up what a changed patch says of the tempo. The timeline is told again: who plays a synthesiser that is new
    /// in it has not heard of it.
    pub(super) fn take_tempo(&mut self) {
        let wish = &self.hands.patch.tempo;
        let stays = self.tempo.followed.as_ref().is_some_and(|f| matches(&wish.device, &f.port));
        if wish.from != TempoFrom::Midi || !stays {
            self.tempo.followed = None;
        }
        let other = self.tempo.held_by.as_ref().is_some_and(|port| !matches(&wish.device, port));
        if wish.from != TempoFrom::Midi || !wish.hold || other {
            self.let_tokens_go();
        }
        self.retime(Hand::Patch);
    }

    /// Takes what a port's clock said at `t_ns`.
    pub(super) fn hear_clock(&mut self, t_ns: u64, port: &Arc<str>, message: &[u8]) {
        let wish = &self.hands.patch.tempo;
        if wish.from != TempoFrom::Midi || !matches(&wish.device, port) {
            return;
        }
        let Tempo { line, followed, .. } = &mut self.tempo;
        let followed = followed.get_or_insert_with(|| {
            // Until it says which beat it is, its ticks fall on the nearest ones of ours.
            let place = (line.beats(t_ns) * PER_BEAT as f64).round() as i64;
            Followed { port: port.clone(), clock: ClockIn::at(place), locked: false, told: false, outside: false }
        });
        if followed.port != *port {
            return;
        }
        match followed.clock.hear(t_ns, message) {
            Some(Said::Tick) => self.correct(),
            Some(Said::Start) => self.let_tokens_go(),
            Some(Said::Stop) if wish.hold => {
                // A pedal that is down already is not the clock's.
                if self.without_panic(ParamId::Hold) < 0.5 {
                    self.tempo.held_by = Some(port.clone());
                }
                self.set(ParamId::Hold, 1.0, Hand::Clock);
            }
            Some(Said::Stop) | None => {}
        }
    }

    /// Lets go a clock that is silent or whose port is gone; the tempo stays.
    pub(super) fn tend_clock(&mut self, has: &dyn Fn(&str) -> bool) {
        // Nobody will start it again.
        if self.tempo.held_by.as_ref().is_some_and(|port| !has(port)) {
            self.let_tokens_go();
        }
        let Some(followed) = &self.tempo.followed else { return };
        if has(&followed.port) && !followed.clock.is_silent(self.hands.bus.clock().now_ns()) {
            return;
        }
        if followed.locked {
            let text = format!("the clock of {} is silent: the tempo stays as it is", followed.port);
            self.hands.bus.emit(Event::Notice { text });
        }
        let locked = followed.locked;
        self.tempo.followed = None;
        if locked {
            self.tell_whose();
        }
    }

    /// After a tick: finds the tempo, and mends the timeline where it has come off.
    fn correct(&mut self) {
        let Some(followed) = &mut self.tempo.followed else { return };
        let outside = followed.clock.outside();
        if std::mem::replace(&mut followed.outside, outside.is_some()) != outside.is_some()
            && let Some(bpm) = outside
        {
            let text = not_followed(&format!("the clock of {} ticks at", followed.port), bpm);
            self.hands.bus.emit(Event::Notice { text });
            if std::mem::replace(&mut followed.locked, false) {
                return self.tell_whose();
            }
        }
        let right = followed.clock.correction(&self.tempo.line);
        let found = !followed.locked && followed.clock.is_locked();
        followed.locked |= found;
        if found {
            let text = format!("the tempo follows the clock of {}", followed.port);
            self.hands.bus.emit(Event::Notice { text });
        }
        let right = if found { followed.clock.timeline() } else { right };
        if let Some(right) = right {
            self.follow(right);
        }
    }

    /// The timeline is another's from now on, and the parameter with it.
    pub(super) fn follow(&mut self, right: Timeline) {
        let now_ns = self.hands.bus.clock().now_ns();
        let line = right.at_tempo(now_ns, right.bpm());
        let (before, bpm) = (self.hands.params.get(ParamId::TempoBpm), line.bpm() as f32);
        let value = self.hands.params.set(ParamId::TempoBpm, bpm);
        self.moves.told(ParamId::TempoBpm);
        if value != before {
            self.hands.bus.emit(Event::Param { id: ParamId::TempoBpm, value, by: Hand::Clock });
        }
        self.tell(line, Hand::Clock);
    }

    /// Whose the tempo is has changed: it is told again as it is, and given to nobody.
    pub(super) fn tell_whose(&mut self) {
        let now_ns = self.hands.bus.clock().now_ns();
        self.tell(self.tempo.line.at_tempo(now_ns, self.tempo.line.bpm()), Hand::Clock);
    }

    fn tell(&mut self, line: Timeline, by: Hand) {
        self.tempo.line = line;
        let (t_ns, event) = line.event(by, &self.tempo.from());
        self.hands.bus.emit_at(t_ns, event);
    }

    /// Lets the tokens go that a clock's stop withholds.
    fn let_tokens_go(&mut self) {
        if self.tempo.held_by.take().is_some() {
            self.set(ParamId::Hold, 0.0, Hand::Clock);
        }
    }
}

/// What is said of a tempo that is too fast or too slow to be followed.
pub(super) fn not_followed(who: &str, bpm: f64) -> String {
    let other = if bpm > FASTEST_BPM { "slower" } else { "faster" };
    format!(
        "{who} {bpm:.0} bpm: {SLOWEST_BPM} to {FASTEST_BPM} are followed, and the tempo stays as it is until it is {other}"
    )
}
