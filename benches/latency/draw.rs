//! From a controller's CC to the first token that is drawn with what it set, in `xiao play`.
//!
//! A token itself tells what it was drawn with. The knob moves `top_k` between one and two tokens, and XTC leaves the least
//! likely of them: so the likeliest comes, or the second, and both stand in the token's event. Nothing is left to chance.
//!
//! The show stamps its events by a clock of its own. The sound brings that and the server's together: it took each event
//! with the first block after it, and is found again in what the ear heard, sample for sample.

use xiao::audio::bank::Banks;
use xiao::audio::render;
use xiao::score::{Event, Hand, ParamId, Stamped, Token};

use super::jackd::{BLOCK, RATE_HZ};
use super::{Block, Listener, Random, Show, align, frames, tell, time_of};

/// Turns of the knob, on and off each, and releases of the pedal.
const TURNS: usize = 100;

const PATCH: &str = "
model = \"embedded\"
controllers = false
[prompts]
a = \"The moon\"
[params]
\"generator.rest_s\" = 0
\"sampler.top_k\" = 1
\"sampler.top_p\" = 1
\"sampler.min_p\" = 0
\"sampler.typical_p\" = 1
\"sampler.repeat_penalty\" = 1
\"sampler.xtc_probability\" = 1
\"sampler.xtc_threshold\" = 0
\"sound.hum.level_db\" = -6
\"sound.hum.brightness\" = 0.6
\"sound.reverb.mix\" = 0
\"sound.delay.mix\" = 0
[midi.\"*\"]
cc20 = { to = \"sampler.top_k\", range = [1, 2] }
cc21 = \"generator.hold\"
cc22 = { to = \"generator.pace\", value = [0, 20] }
";

const TOP_K: u8 = 20;
const HOLD: u8 = 21;
const PACE: u8 = 22;

/// A CC as it was sent, by the server's clock.
struct Sent {
    cc: u8,
    value: u8,
    us: f64,
}

pub fn to_tokens() -> anyhow::Result<()> {
    let mut listener = Listener::start()?;
    let show = Show::begin(PATCH, &mut listener)?;
    let mut random = Random(13);
    let mut sent = Vec::new();
    let mut turn = |listener: &mut Listener, cc: u8, value: u8, rest_ms: [f64; 2]| {
        sent.push(Sent { cc, value, us: listener.now_us() as f64 });
        let _ = listener.turns.push([0xb0, cc, value]);
        random.wait_ms(rest_ms[0], rest_ms[1]);
        listener.drain();
    };
    let mut parts = Vec::new();
    for paced in [false, true] {
        let begun = listener.now_us() as f64;
        for _ in 0..TURNS {
            turn(&mut listener, TOP_K, 127, [180.0, 300.0]);
            turn(&mut listener, TOP_K, 0, [180.0, 300.0]);
        }
        parts.push((paced, [begun, listener.now_us() as f64]));
        if !paced {
            for _ in 0..TURNS {
                turn(&mut listener, HOLD, 127, [150.0, 250.0]);
                turn(&mut listener, HOLD, 0, [80.0, 150.0]);
            }
            turn(&mut listener, PACE, 127, [1000.0, 1000.0]);
        }
    }
    let blocks = listener.stop()?;
    let events = show.end()?;
    let (apart_us, sure_us) = apart_us(&events, &blocks)?;
    let score = Score { events, apart_us };

    println!("\na controller's CC to the first token that is drawn with what it set, in `xiao play`");
    println!("  the show's clock is known by its sound, to {:.2} ms", sure_us / 1e3);
    for (paced, [begun, ended]) in parts {
        let turns = sent.iter().filter(|turn| turn.cc == TOP_K && (begun..ended).contains(&turn.us));
        let times = score.tokens(begun, ended).map(|(us, _)| us).collect::<Vec<_>>();
        let mut periods: Vec<f64> = times.windows(2).map(|two| (two[1] - two[0]) / 1e3).collect();
        periods.sort_by(f64::total_cmp);
        let period_ms = periods.get(periods.len() / 2).copied().unwrap_or(f64::NAN);
        let pace = if paced { "at a pace of 20 a second" } else { "at the model's own pace" };
        println!("  {pace}: {} tokens, one each {period_ms:.2} ms (median)", times.len());
        score.tell_turns(turns, period_ms);
    }
    println!("  a pedal's release to the first token");
    score.tell_releases(sent.iter().filter(|turn| (turn.cc, turn.value) == (HOLD, 0)));
    Ok(())
}

/// What was recorded, by the server's clock.
struct Score {
    events: Vec<Stamped>,
    apart_us: f64,
}

impl Score {
    fn us(&self, stamped: &Stamped) -> f64 {
        stamped.t_ns as f64 / 1e3 + self.apart_us
    }

    fn between(&self, from_us: f64, to_us: f64) -> impl Iterator<Item = (f64, &Event)> {
        let timed = self.events.iter().map(|stamped| (self.us(stamped), &stamped.event));
        timed.filter(move |(us, _)| (from_us..to_us).contains(us))
    }

    fn tokens(&self, from_us: f64, to_us: f64) -> impl Iterator<Item = (f64, &Token)> {
        self.between(from_us, to_us).filter_map(|(us, event)| match event {
            Event::Token(token) => Some((us, token)),
            _ => None,
        })
    }

    /// When the parameter was set to this by MIDI.
    fn set(&self, wanted: ParamId, to: f32, from_us: f64, to_us: f64) -> Option<f64> {
        self.between(from_us, to_us).find_map(|(us, event)| match event {
            Event::Param { id, value, by: Hand::Midi } if (*id, *value) == (wanted, to) => Some(us),
            _ => None,
        })
    }

    fn tell_turns<'a>(&self, turns: impl Iterator<Item = &'a Sent>, period_ms: f64) {
        let (mut to_param, mut to_token, mut whole) = (vec![], vec![], vec![]);
        let (mut next, mut next_after_it, mut unclear) = (0, 0, 0);
        for Sent { value, us, .. } in turns {
            // Not long enough for another turn.
            let end = us + 175e3;
            let place = usize::from(*value > 0);
            let is = |token: &Token| token.top.get(place).is_some_and(|candidate| candidate.id == token.id);
            let set = self.set(ParamId::TopK, (place + 1) as f32, *us, end);
            let drawn = self.tokens(*us, end).find(|(_, token)| is(token));
            let (Some(set), Some((drawn, _))) = (set, drawn) else {
                unclear += 1;
                continue;
            };
            to_param.push((set - us) / 1e3);
            to_token.push((drawn - set) / 1e3);
            whole.push((drawn - us) / 1e3);
            next += usize::from(self.tokens(*us, end).next().is_some_and(|(first, _)| first == drawn));
            next_after_it += usize::from(self.tokens(set, end).next().is_some_and(|(first, _)| first == drawn));
        }
        tell("    CC to the token", &whole, None);
        tell("      of it, until the parameter is set", &to_param, None);
        tell("      of it, the token under way", &to_token, None);
        let count = whole.len().max(1) as f64;
        let part = |of: usize| 100.0 * of as f64 / count;
        let within = whole.iter().filter(|ms| **ms <= period_ms).count();
        println!(
            "      it is the next token after the CC {:.1} % of times, the next after the parameter is set {:.1} %, and \
             within one token's time {:.1} %; {unclear} unclear",
            part(next),
            part(next_after_it),
            part(within)
        );
    }

    fn tell_releases<'a>(&self, releases: impl Iterator<Item = &'a Sent>) {
        let (mut to_param, mut to_token, mut whole, mut unclear) = (vec![], vec![], vec![], 0);
        for Sent { us, .. } in releases {
            let end = us + 80e3;
            // Nothing may come while it is held.
            let silent = self.tokens(us - 100e3, *us).next().is_none();
            let set = self.set(ParamId::Hold, 0.0, *us, end);
            let token = set.and_then(|set| self.tokens(set, end).next());
            let (Some(set), Some((token, _)), true) = (set, token, silent) else {
                unclear += 1;
                continue;
            };
            to_param.push((set - us) / 1e3);
            to_token.push((token - set) / 1e3);
            whole.push((token - us) / 1e3);
        }
        tell("    CC to the token", &whole, None);
        tell("      of it, until the parameter is set", &to_param, None);
        tell("      of it, until the token comes", &to_token, None);
        println!("      {unclear} unclear");
    }
}

/// What the server's clock is before the show's, in µs, and to how much that is known.
///
/// Of many events at any moments the one in the middle comes half a block before the block that takes it. The first and
/// the last tell nothing: a block that is late by a stall of the machine takes what came after it was due.
fn apart_us(events: &[Stamped], blocks: &[Block]) -> anyhow::Result<(f64, f64)> {
    let (_, played) = render::to_samples(events, &Banks::default(), 0.0)?;
    let captured = frames(blocks);
    // Where each second of what was heard stands in what was played; where the machine stood still, a block is missing.
    let (mut places, mut place, second) = (Vec::new(), 0, RATE_HZ as usize);
    for begin in (0..captured.len().saturating_sub(second)).step_by(second) {
        let found = align(&captured[begin..begin + second / 20], &played, place);
        if let Some(at) = found {
            places.push((at, begin));
            place = at;
        }
    }
    let numbered: std::collections::HashMap<u64, u64> = events
        .iter()
        .filter(|e| matches!(e.event, Event::Token(_) | Event::Param { .. }))
        .map(|e| (e.seq, e.t_ns))
        .collect();
    let mut apart: Vec<f64> = Vec::new();
    for two in places.windows(2) {
        let [(from, begin), (to, end)] = [two[0], two[1]];
        if to - from != end - begin {
            continue;
        }
        for stamped in events {
            let Event::Heard { of, frame } = stamped.event else { continue };
            let (Some(t_ns), true) = (numbered.get(&of), (from..to).contains(&(frame as usize))) else { continue };
            let taken = time_of(blocks, begin + frame as usize - from);
            apart.push(taken - *t_ns as f64 / 1e3);
        }
    }
    anyhow::ensure!(apart.len() > 100, "only {} events were found in the sound", apart.len());
    apart.sort_by(f64::total_cmp);
    let block_us = 1e6 * f64::from(BLOCK) / f64::from(RATE_HZ);
    let by = |part: f64| apart[(part * (apart.len() - 1) as f64) as usize] - part * block_us;
    Ok((by(0.5), (by(0.1) - by(0.5)).abs().max((by(0.9) - by(0.5)).abs())))
}
