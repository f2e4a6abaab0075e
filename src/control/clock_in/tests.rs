//! The clock that comes in, played from tables of tempos with seeded jitter, lost and doubled ticks.

use super::*;

const TICK_BYTE: &[u8] = &[0xf8];
const S: f64 = 1e9;

/// A master that ticks, and whoever follows it.
struct Rig {
    clock: ClockIn,
    /// What is followed: the timeline with its corrections.
    line: Timeline,
    corrections: usize,
    /// The true time and place, in ticks, of the next tick.
    t_ns: f64,
    place: f64,
    jitter_ns: f64,
    seed: u64,
}

impl Rig {
    fn new(jitter_ms: f64) -> Rig {
        Rig::seeded(jitter_ms, 7)
    }

    fn seeded(jitter_ms: f64, seed: u64) -> Rig {
        let (clock, line) = (ClockIn::at(0), Timeline::from_the_beginning(90.0));
        Rig { clock, line, corrections: 0, t_ns: S, place: 0.0, jitter_ns: jitter_ms * 1e6, seed }
    }

    /// Even in -1..1.
    fn noise(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Ticks so often at a tempo, each as often as `copies` says.
    fn ticks(&mut self, count: usize, bpm: f64, copies: impl Fn(usize) -> usize) {
        for i in 0..count {
            let late = self.noise() * self.jitter_ns;
            for copy in 0..copies(i) {
                self.hear((self.t_ns + late) as u64 + 300_000 * copy as u64, TICK_BYTE);
            }
            self.t_ns += 60e9 / (bpm * PER_BEAT as f64);
            self.place += 1.0;
        }
    }

    fn hear(&mut self, t_ns: u64, message: &[u8]) {
        if self.clock.hear(t_ns, message) == Some(Said::Tick)
            && let Some(right) = self.clock.correction(&self.line)
        {
            (self.line, self.corrections) = (right, self.corrections + 1);
        }
    }

    /// How far the timeline is off from the truth at the next tick.
    fn off_ms(&self) -> f64 {
        (self.line.beats(self.t_ns as u64) - self.place / PER_BEAT as f64) * self.line.beat_ns() / 1e6
    }
}

#[test]
fn it_locks_within_two_beats_whatever_the_tempo_and_the_jitter() {
    for (bpm, jitter_ms, tempo_off, ms_off) in [
        (120.0, 0.0, 0.01, 0.1),
        (61.5, 0.0, 0.01, 0.1),
        (299.0, 0.0, 0.05, 0.1),
        (24.0, 0.0, 0.01, 0.1),
        (120.0, 1.0, 0.3, 1.0),
        (120.0, 5.0, 0.9, 4.0),
        (90.0, 5.0, 0.7, 4.0),
        (174.0, 3.0, 1.2, 3.0),
    ] {
        for seed in 0..50 {
            let mut rig = Rig::seeded(jitter_ms, seed);
            // The tempo and the place are told by the clock alone.
            rig.clock.hear(rig.t_ns as u64 - 1_000_000, &[0xfa]);
            rig.ticks(48, bpm, |_| 1);
            assert!(rig.clock.is_locked(), "{bpm} bpm, {jitter_ms} ms");
            let found = rig.clock.timeline().unwrap();
            assert!((found.bpm() - bpm).abs() < tempo_off, "{bpm} bpm, {jitter_ms} ms: {}", found.bpm());
            assert!(rig.off_ms().abs() < ms_off, "{bpm} bpm, {jitter_ms} ms: {} ms", rig.off_ms());
        }
    }
    // An even clock is known after a quarter of a beat.
    let mut rig = Rig::new(0.0);
    rig.ticks(6, 120.0, |_| 1);
    assert!(rig.clock.is_locked() && (rig.clock.timeline().unwrap().bpm() - 120.0).abs() < 0.01);
}

#[test]
fn ten_minutes_leave_less_than_a_tick_and_few_corrections() {
    for jitter_ms in [0.0, 1.0, 5.0] {
        let mut rig = Rig::new(jitter_ms);
        rig.clock.hear(0, &[0xfa]);
        rig.ticks(96, 123.4, |_| 1);
        let (mut worst, before) = (0.0f64, rig.corrections);
        for _ in 0..10 * 123 {
            rig.ticks(24, 123.4, |_| 1);
            worst = worst.max(rig.off_ms().abs());
        }
        // A tick is 20.3 ms.
        assert!(worst < 0.2 + 0.8 * jitter_ms, "{jitter_ms} ms of jitter: {worst} ms off");
        let many = rig.corrections - before;
        assert!(many <= 2 + (160.0 * jitter_ms) as usize, "{jitter_ms} ms of jitter: {many} corrections");
    }
}

#[test]
fn lost_and_doubled_ticks_move_no_beat() {
    for jitter_ms in [0.0, 1.0, 4.0] {
        for (copies, seed) in [0usize, 2, 3].into_iter().flat_map(|copies| (0..30).map(move |seed| (copies, seed))) {
            let mut rig = Rig::seeded(jitter_ms, seed);
            rig.clock.hear(0, &[0xfa]);
            rig.ticks(96, 120.0, |_| 1);
            rig.ticks(1, 120.0, |_| copies);
            rig.ticks(24, 120.0, |_| 1);
            let wrong = format!("{copies} times, {jitter_ms} ms of jitter: {} ms off", rig.off_ms());
            assert!(rig.off_ms().abs() < 1.0 + jitter_ms, "{wrong}");
            rig.ticks(96, 120.0, |i| if i == 20 { copies } else { 1 });
            assert!(rig.off_ms().abs() < 1.0 + jitter_ms, "then {}: {wrong}", rig.off_ms());
        }
    }
    // A cable that was out for a beat: the place is where the master has it.
    let mut rig = Rig::new(0.5);
    rig.clock.hear(0, &[0xfa]);
    rig.ticks(96, 120.0, |_| 1);
    rig.ticks(24, 120.0, |_| 0);
    rig.ticks(24, 120.0, |_| 1);
    assert!(rig.off_ms().abs() < 1.0, "{}", rig.off_ms());
}

#[test]
fn another_tempo_is_followed_within_two_beats() {
    for (from, to, jitter_ms) in
        [(120.0, 140.0, 0.0), (120.0, 123.0, 0.0), (60.0, 180.0, 0.0), (170.0, 85.0, 0.0), (120.0, 150.0, 2.0)]
    {
        let mut rig = Rig::new(jitter_ms);
        rig.clock.hear(0, &[0xfa]);
        rig.ticks(192, from, |_| 1);
        rig.ticks(48, to, |_| 1);
        let found = rig.clock.timeline().unwrap().bpm();
        assert!((found - to).abs() < 0.01 * to, "{from} to {to} with {jitter_ms} ms: {found}");
        assert!(rig.off_ms().abs() < 2.0 + jitter_ms, "{from} to {to} with {jitter_ms} ms: {} ms off", rig.off_ms());
        rig.ticks(96, to, |_| 1);
        let found = rig.clock.timeline().unwrap().bpm();
        assert!((found - to).abs() < 0.004 * to, "{from} to {to} with {jitter_ms} ms: {found} in the end");
    }
    // A slow glide, as by a hand.
    let mut rig = Rig::new(1.0);
    rig.clock.hear(0, &[0xfa]);
    for i in 0..400 {
        rig.ticks(6, 100.0 + f64::from(i) * 0.1, |_| 1);
        assert!(i < 20 || rig.off_ms().abs() < 8.0, "at {i}: {} ms off", rig.off_ms());
    }
}

#[test]
fn start_stop_continue_and_the_songs_place_move_the_beat() {
    let mut rig = Rig::new(0.0);
    rig.ticks(100, 120.0, |_| 1);
    assert_eq!(rig.clock.hear(rig.t_ns as u64 - 1, &[0xfa]), Some(Said::Start));
    rig.place = 0.0;
    rig.ticks(30, 120.0, |_| 1);
    assert!(rig.off_ms().abs() < 0.1, "{}", rig.off_ms());
    // Stopped, the clock ticks on, and the song stands where it was.
    assert_eq!(rig.clock.hear(rig.t_ns as u64 - 1, &[0xfc]), Some(Said::Stop));
    rig.ticks(77, 120.0, |_| 1);
    assert_eq!(rig.clock.hear(rig.t_ns as u64 - 1, &[0xfb]), Some(Said::Start));
    rig.place = 30.0;
    rig.ticks(10, 120.0, |_| 1);
    assert!(rig.off_ms().abs() < 0.1, "{}", rig.off_ms());
    // Sixteenth 129 is beat 32.25.
    rig.clock.hear(rig.t_ns as u64 - 1, &[0xfc]);
    assert_eq!(rig.clock.hear(rig.t_ns as u64 - 1, &[0xf2, 1, 1]), None);
    rig.clock.hear(rig.t_ns as u64 - 1, &[0xfb]);
    rig.place = 129.0 * 6.0;
    rig.ticks(10, 120.0, |_| 1);
    assert!(rig.off_ms().abs() < 0.1, "{}", rig.off_ms());
    // A master that is silent until it starts: its first tick is the beat, before its tempo is known.
    let mut rig = Rig::new(0.0);
    rig.clock.hear(rig.t_ns as u64 - 1, &[0xfa]);
    rig.ticks(1, 120.0, |_| 1);
    assert_eq!((rig.line.beats(1_000_000_000), rig.line.bpm()), (0.0, 90.0));
}

#[test]
fn silence_frees_it_and_nonsense_is_borne() {
    let mut rig = Rig::new(0.0);
    rig.ticks(48, 120.0, |_| 1);
    let last_ns = rig.clock.last_ns.unwrap();
    assert!(!rig.clock.is_silent(last_ns + 999_000_000) && rig.clock.is_silent(last_ns + 1_001_000_000));
    assert!((rig.line.bpm() - 120.0).abs() < 0.01, "the tempo stays");
    // Back, it is another clock.
    rig.t_ns += 5.0 * S;
    rig.ticks(3, 60.0, |_| 1);
    assert!(!rig.clock.is_locked());
    // All at once, back in time, never two at the same distance.
    let mut clock = ClockIn::default();
    let mut line = Timeline::from_the_beginning(90.0);
    for i in 0..2000u64 {
        clock.hear(if i % 100 < 50 { 5 } else { i * i * 1000 }, TICK_BYTE);
        line = clock.correction(&line).unwrap_or(line);
        assert!((20.0..=300.0).contains(&line.bpm()) && line.beats(0).is_finite());
    }
    for message in [&[][..], &[0xf2], &[0xf2, 255, 255], &[0xf8, 0xf8], &[0x90, 1, 1], &[0xff]] {
        assert_eq!(clock.hear(7, message), None);
        assert_eq!(is_clock(message), message.len() == 3 && message[0] == 0xf2);
    }
    assert!([0xf8, 0xfa, 0xfb, 0xfc].iter().all(|byte| is_clock(&[*byte])) && !is_clock(&[0xfe]));
}

#[test]
fn a_tempo_that_is_none_is_not_followed_and_a_flood_corrects_little() {
    for (bpm, jitter_ms) in [(400.0, 0.0), (310.0, 1.0), (12.0, 0.0), (19.0, 1.0), (25_000.0, 0.0), (1e9, 0.0)] {
        let mut rig = Rig::new(jitter_ms);
        rig.ticks(480, bpm, |_| 1);
        assert!(!rig.clock.is_locked() && rig.clock.timeline().is_none(), "{bpm} bpm");
        let outside = rig.clock.outside().unwrap();
        // Of ticks that fall together it is known only that they are too fast.
        assert!((outside - bpm).abs() < 0.01 * bpm || outside > 1e6, "{bpm} bpm: {outside}");
        assert!(rig.corrections == 0 && !rig.clock.is_silent(rig.clock.heard_ns + 300_000_000), "{bpm} bpm");
        // In range again, it is followed.
        rig.t_ns += 1e9;
        rig.ticks(96, 120.0, |_| 1);
        assert!(rig.clock.outside().is_none() && rig.off_ms().abs() < 1.0, "{bpm} bpm: {} ms off", rig.off_ms());
    }
    // At the bounds themselves it is followed, whatever the jitter.
    for bpm in [20.0, 300.0] {
        for seed in 0..50 {
            let mut rig = Rig::seeded(1.0, seed);
            rig.ticks(480, bpm, |_| 1);
            assert!(rig.clock.is_locked(), "{bpm} bpm");
        }
    }
    // One that starts anew before each of a thousand ticks in a second.
    let mut rig = Rig::new(0.0);
    for i in 0..1000 {
        rig.hear(i * 1_000_000, &[0xfa]);
        rig.hear(i * 1_000_000, TICK_BYTE);
    }
    assert!(rig.corrections <= 100, "{} corrections", rig.corrections);
}

#[test]
fn blocks_of_a_sound_server_are_borne() {
    // JACK hands ticks over at the beginning of its next block; half a block late is right.
    for (block_ms, bpm) in [(2.667, 120.0), (5.333, 120.0), (5.333, 171.0), (10.667, 120.0), (10.667, 97.0)] {
        let (mut rig, block_ns) = (Rig::new(0.0), block_ms * 1e6);
        let mut worst = (0.0f64, 0.0f64);
        for i in 0..2000 {
            let handed_ns = (rig.t_ns / block_ns).ceil() * block_ns;
            rig.hear(handed_ns as u64, TICK_BYTE);
            rig.t_ns += 60e9 / (bpm * PER_BEAT as f64);
            rig.place += 1.0;
            if i > 96 {
                let found = rig.clock.timeline().unwrap().bpm();
                worst = (worst.0.max((found - bpm).abs()), worst.1.max((rig.off_ms() + 0.5 * block_ms).abs()));
            }
        }
        assert!(worst.0 < 0.5 && worst.1 < 0.25 * block_ms, "blocks of {block_ms} ms at {bpm}: {worst:?}");
    }
}

#[test]
fn ticks_that_are_lost_close_together_move_no_beat() {
    for jitter_ms in [0.0, 2.0] {
        for (second, seed) in (1..14).flat_map(|second| (0..20).map(move |seed| (second, seed))) {
            let mut rig = Rig::seeded(jitter_ms, seed);
            rig.clock.hear(0, &[0xfa]);
            rig.ticks(96, 127.3, |_| 1);
            rig.ticks(60, 127.3, |i| usize::from(i != 0 && i != second));
            assert!(rig.off_ms().abs() < 3.0, "{second} behind it, {jitter_ms} ms of jitter: {} ms", rig.off_ms());
        }
    }
}

#[test]
fn a_master_that_stumbles_loses_no_tick() {
    // Its sound stood still for a moment; then all that it sends is later by as much.
    for (late_ms, seed) in
        [6.0, 9.0, 12.0, 15.0].into_iter().flat_map(|late_ms| (0..50).map(move |seed| (late_ms, seed)))
    {
        let mut rig = Rig::seeded(1.0, seed);
        rig.clock.hear(0, &[0xfa]);
        rig.ticks(96, 127.3, |_| 1);
        rig.t_ns += late_ms * 1e6;
        rig.ticks(60, 127.3, |_| 1);
        assert!(rig.off_ms().abs() < 3.0, "{late_ms} ms late: {} ms off", rig.off_ms());
    }
}
