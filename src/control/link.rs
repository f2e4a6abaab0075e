//! Ableton Link: the tempo and the beats that the programs of one network share. There with the feature `link` only, whose
//! library is under the GPL.
//!
//! Only this file sees rusty_link. Owned by the hands; threads of the library's own talk to the network.

use rusty_link::{AblLink, SessionState};

use crate::score::Timeline;
use crate::score::tempo::{FASTEST_BPM, SLOWEST_BPM};

/// Beats of a bar; those that share keep their bars together.
const BAR: f64 = 4.0;
/// What the timeline may be off by before it is corrected.
const OFF_NS: f64 = 0.5e6;
/// Our clock and the library's are read one after the other; a look that took longer than this tells nothing.
const LOOK_NS: u64 = 100_000;

/// What is shared, as far as it concerns us.
pub enum Heard {
    /// The timeline from which ours is off.
    Off(Timeline),
    /// A tempo that is not followed.
    Outside(f64),
}

/// Our place among those that share.
pub struct Link {
    link: AblLink,
    state: SessionState,
    /// Whole bars that the others were before us when we joined.
    before: Option<f64>,
}

impl Link {
    /// Joins; whoever is there already has the tempo, else it is this.
    pub fn join(bpm: f64) -> Link {
        let link = AblLink::new(bpm);
        link.enable(true);
        Link { link, state: SessionState::new(), before: None }
    }

    /// How many others there are.
    pub fn peers(&self) -> u64 {
        self.link.num_peers()
    }

    /// What is to be made of the shared timeline, `present` being ours; nothing while nobody else is there.
    pub fn hear(&mut self, present: &Timeline, now_ns: &dyn Fn() -> u64) -> Option<Heard> {
        if self.peers() == 0 {
            self.before = None;
            return None;
        }
        self.link.capture_app_session_state(&mut self.state);
        // The timeline would be at the nearest tempo that can be, and off again at each look.
        if !(SLOWEST_BPM..=FASTEST_BPM).contains(&self.state.tempo()) {
            return Some(Heard::Outside(self.state.tempo()));
        }
        let (from_ns, micros, to_ns) = (now_ns(), self.link.clock_micros(), now_ns());
        if to_ns - from_ns > LOOK_NS {
            return None;
        }
        let beat = self.state.beat_at_time(micros, BAR);
        let before = *self.before.get_or_insert_with(|| before(beat, present.beats(from_ns)));
        let shared = Timeline::new(from_ns, beat - before, self.state.tempo());
        is_off(present, &shared, from_ns).then_some(Heard::Off(shared))
    }

    /// Gives all of them another tempo.
    pub fn set_tempo(&mut self, bpm: f64) {
        self.link.capture_app_session_state(&mut self.state);
        if self.state.tempo() != bpm {
            self.state.set_tempo(bpm, self.link.clock_micros());
            self.link.commit_app_session_state(&self.state);
        }
    }
}

/// The whole bars that a beat of theirs is before the bar that we are in: the place in the bar is theirs, the count ours.
fn before(theirs: f64, ours: f64) -> f64 {
    BAR * ((theirs - ours) / BAR).round()
}

fn is_off(present: &Timeline, shared: &Timeline, t_ns: u64) -> bool {
    let off_ns = (present.beats(t_ns) - shared.beats(t_ns)) * shared.beat_ns();
    off_ns.abs() > OFF_NS || (present.bpm() - shared.bpm()).abs() > 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_the_bar_is_theirs_and_the_count_ours() {
        for (theirs, ours, wanted) in
            [(1_234_567.25, 10.0, 11.25), (3.75, 100.5, 99.75), (-0.5, 0.0, -0.5), (2.5, 0.0, -1.5)]
        {
            assert_eq!(theirs - before(theirs, ours), wanted, "{theirs} {ours}");
        }
    }

    #[test]
    fn half_a_millisecond_or_another_tempo_is_off() {
        let ours = Timeline::new(0, 0.0, 120.0);
        let off = |beat: f64, bpm: f64| is_off(&ours, &Timeline::new(1_000_000_000, beat, bpm), 1_000_000_000);
        assert!(!off(2.0, 120.0) && !off(2.0008, 120.0));
        assert!(off(2.0012, 120.0) && off(1.99, 120.0) && off(2.0, 121.0));
    }
}
