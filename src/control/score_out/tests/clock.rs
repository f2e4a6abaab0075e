//! The clock that a synthesiser is sent.

use super::*;

#[test]
fn a_tempo_ticks_on_a_grid_that_begins_with_the_performance() {
    let mut player = Player::new("clock = { bpm = 120 }");
    player.now_ns = 130 * MS;
    player.go(60_000 * MS);
    assert_eq!(player.sent[0], (130 * MS, START));
    let ticks = player.times(TICK);
    assert_eq!(ticks[0], 500 * MS, "the start is followed by a beat");
    let wanted = |i: usize| 500 * MS + (i as f64 * 60e9 / 120.0 / 24.0).ceil() as u64;
    assert!(ticks.iter().enumerate().all(|(i, t)| t.abs_diff(wanted(i)) <= 1), "no drift");
    assert_eq!(ticks.len(), 2857, "59.5 s of 48 ticks, with both ends");
    // After a stall there is no burst.
    player.now_ns += 10_000 * MS;
    let before = ticks.len();
    player.act(ScoreOut::tick);
    assert!(player.times(TICK).len() <= before + 2);
    player.act(|score, _, out| score.stop(out));
    assert!(player.sent.iter().any(|(_, m)| *m == STOP));
}

/// A master's timeline, told at the present time.
fn told(player: &mut Player, beat: f64, bpm: f64) {
    let timeline = Timeline::new(player.now_ns, beat, bpm);
    player.event(timeline.event(Hand::Clock, "").1);
}

#[test]
fn the_clock_ticks_on_the_instruments_beats_for_ten_minutes_without_drift() {
    let mut player = Player::new("clock = \"tempo\"");
    player.now_ns = 30 * MS;
    player.go(100 * MS);
    assert!(player.sent.is_empty(), "the beats are not known yet");
    told(&mut player, 0.25, 133.0);
    player.go(600_100 * MS);
    let ticks = player.times(TICK);
    // Beat 1 is three quarters of a beat later.
    let wanted = |i: usize| 100 * MS + ((0.75 + i as f64 / 24.0) * 60e9 / 133.0) as u64;
    assert!(ticks.iter().enumerate().all(|(i, t)| t.abs_diff(wanted(i)) <= 2), "no drift");
    assert_eq!(ticks.len(), 24 * 1330 + 6 - 24 + 1);
    assert_eq!((player.times(START).len(), player.times(STOP).len()), (1, 0));
}

#[test]
fn a_corrected_timeline_moves_ticks_and_one_that_leaps_starts_anew() {
    let mut player = Player::new("clock = \"tempo\"");
    told(&mut player, 0.0, 120.0);
    // Corrected by a millisecond here and there: no tick is lost, and none comes twice.
    for i in 0..100u64 {
        let off = [0.002, -0.002, 0.001][i as usize % 3];
        let beat = player.now_ns as f64 / 500e6 + off;
        told(&mut player, beat, 120.0);
        player.go(player.now_ns + 190 * MS);
    }
    let ticks = player.times(TICK);
    assert!(ticks.len().abs_diff(19 * 48) <= 1, "{}", ticks.len());
    assert!(ticks[1..].windows(2).all(|w| (w[1] - w[0]).abs_diff(20_833_333) < 3 * MS));
    // Another tempo goes on from where it is.
    let beat = player.now_ns as f64 / 500e6;
    told(&mut player, beat, 240.0);
    player.go(player.now_ns + 1000 * MS);
    assert_eq!((player.times(START).len(), player.times(STOP).len()), (1, 0));
    // The master begins anew, and that is heard 2 ms later: whoever follows begins with the same beat.
    let at_ns = player.now_ns;
    player.now_ns += 2 * MS;
    told(&mut player, 0.004 * 2.0, 240.0);
    player.go(player.now_ns + 1000 * MS);
    let (starts, ticks) = (player.times(START), player.times(TICK));
    assert_eq!((starts.len(), player.times(STOP).len()), (2, 1));
    let after: Vec<u64> = ticks.iter().filter(|t| **t > starts[1]).copied().collect();
    assert!(after[0] - starts[1] >= MS, "the start is heard first");
    assert!(after[4].abs_diff(at_ns + 4 * 10_416_667) < 2 * MS, "{} {at_ns}", after[4]);
}

#[test]
fn the_clock_follows_the_pace_of_the_tokens_and_rests_with_them() {
    let mut player = Player::new("clock = { per_token = 6 }");
    let mut random = 1u64;
    let mut play = |player: &mut Player, tokens: u32, step_ms: f64| {
        for _ in 0..tokens {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let shake = 0.8 + 0.4 * (random >> 40) as f64 / (1u64 << 24) as f64;
            player.event(token(1.0, 1.0));
            player.go(player.now_ns + (step_ms * shake * 1e6) as u64);
        }
    };
    play(&mut player, 400, 125.0);
    let ticks = player.times(TICK);
    assert!((ticks.len() as i64 - 6 * 399).abs() <= 6, "each token has its share: {}", ticks.len());
    let settled: Vec<f64> = ticks[100..].windows(2).map(|w| (w[1] - w[0]) as f64 / 1e6).collect();
    assert!(settled.iter().all(|ms| (125.0 / 6.0 / ms).log2().abs() < 0.5), "{settled:?}");
    assert_eq!(player.times(START).len(), 1);
    // Twice as fast.
    play(&mut player, 100, 62.5);
    let ticks = player.times(TICK);
    let tail = &ticks[ticks.len() - 200..];
    let mean_ms = (tail[199] - tail[0]) as f64 / 199e6;
    assert!((mean_ms - 62.5 / 6.0).abs() < 0.6, "{mean_ms}");
    // A rest, and on again.
    player.go(player.now_ns + 5000 * MS);
    let (stopped, last) = (player.times(STOP), *player.times(TICK).last().unwrap());
    assert!(stopped.len() == 1 && last <= stopped[0]);
    play(&mut player, 10, 62.5);
    assert_eq!((player.times(CONTINUE).len(), player.times(START).len()), (1, 1));
    // A thousand a second: halved until a sequencer can follow.
    play(&mut player, 3000, 1.0);
    let ticks = player.times(TICK);
    let late = ticks.iter().filter(|t| **t > player.now_ns - 1000 * MS).count();
    assert!((12..=120).contains(&late), "{late}");
}
