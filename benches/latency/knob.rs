//! From a controller's control change to a change of level in `xiao play`.

use xiao::audio::bank::Banks;
use xiao::audio::render;
use xiao::score::{Event, Hand, Stamped};

use super::jackd::{BLOCK, RATE_HZ};
use super::{Listener, Random, Show, align, frames, tell, time_of};

/// Turns of the knob, down and up each.
const TURNS: usize = 100;
/// A level change is heard from here.
const HEARD_DB: f32 = 1.0;

/// The hum alone, steady, and a knob for the whole level.
const KNOB: &str = "
model = \"embedded\"
[prompts]
a = \"春\"
[params]
\"generator.hold\" = 1
\"sound.level_db\" = 0
\"sound.hum.level_db\" = -6
\"sound.hum.pitch\" = 60
\"sound.hum.brightness\" = 0.6
\"sound.hum.beating\" = 0
\"sound.breath.level_db\" = -60
\"sound.weight.level_db\" = -60
\"sound.tension.level_db\" = -60
\"sound.token.level_db\" = -60
\"sound.ghosts.level_db\" = -60
\"sound.reverb.mix\" = 0
\"sound.delay.mix\" = 0
[midi.\"*\"]
cc7 = { to = \"sound.level_db\", range = [-20, 0] }
cc8 = \"sound.mute\"
";

pub fn to_sound() -> anyhow::Result<()> {
    let mut listener = Listener::start()?;
    let show = Show::begin(KNOB, &mut listener)?;
    let mut random = Random(11);
    let mut turned = Vec::new();
    // Eight time constants of the level, so that it rests before the next turn.
    let mut turn = |listener: &mut Listener, cc: u8, value: u8| {
        turned.push((cc, value, listener.now_us() as f64));
        let _ = listener.turns.push([0xb0, cc, value]);
        random.wait_ms(320.0, 380.0);
        listener.drain();
    };
    for _ in 0..TURNS {
        turn(&mut listener, 7, 0);
        turn(&mut listener, 7, 127);
    }
    for _ in 0..TURNS / 2 {
        turn(&mut listener, 8, 127);
        turn(&mut listener, 8, 0);
    }
    let device_ms = 1e3 * f64::from(listener.device_frames()) / f64::from(RATE_HZ);
    let blocks = listener.stop()?;
    let events = show.end()?;

    // What was played, and what would have been had nobody touched the knob: the same but for the gain.
    let banks = Banks::default();
    let moved = |event: &Event| matches!(event, Event::Param { by: Hand::Midi, .. });
    let still: Vec<Stamped> = events.iter().filter(|e| !moved(&e.event)).cloned().collect();
    let (_, played) = render::to_samples(&events, &banks, 0.0)?;
    let (_, still) = render::to_samples(&still, &banks, 0.0)?;
    let captured = frames(&blocks);
    let over = still.iter().fold(0.0f32, |peak, x| peak.max(x.abs())) * 0.1;
    let heard = 10.0f32.powf(HEARD_DB / 20.0);
    let (mut down, mut up, mut mute, mut ways, mut disturbed) = (vec![], vec![], vec![], [vec![], vec![]], 0);
    let mut place = 0;
    for (cc, value, time) in turned {
        let first = blocks.partition_point(|block| (block.usecs as f64) < time) * BLOCK as usize;
        let span = first - RATE_HZ as usize / 50..first + RATE_HZ as usize / 5;
        // Found anew each time: where the machine stood still, the server left out a block for one of us.
        let Some(at) = align(&captured[span.clone()], &played, place) else {
            disturbed += 1;
            continue;
        };
        place = at;
        let gain = |frame: usize| {
            let still = still.get(2 * (frame - span.start + at)).copied().filter(|x| x.abs() > over)?;
            Some((captured[frame][0] / still).abs())
        };
        let Some(before) = (span.start..first).rev().find_map(gain) else { continue };
        let falls = (cc == 7) == (value == 0);
        let is_heard = |gain: f32| if falls { gain < before / heard } else { gain > before * heard };
        let moves = |gain: f32| (gain / before - 1.0).abs() > 0.005;
        let frame = |is: &dyn Fn(f32) -> bool| (first..span.end).find(|frame| gain(*frame).is_some_and(is));
        let (Some(begun), Some(frame)) = (frame(&moves), frame(&is_heard)) else {
            disturbed += 1;
            continue;
        };
        let ms = (time_of(&blocks, frame) - time) / 1e3;
        match (cc, falls) {
            (7, true) => down.push(ms),
            (7, false) => up.push(ms),
            (_, true) => mute.push(ms),
            _ => continue,
        }
        ways[usize::from(falls)].push(1e3 * (frame - begun) as f64 / f64::from(RATE_HZ));
    }
    println!("\na controller's CC to a change of {HEARD_DB} dB in `xiao play`, {disturbed} turns disturbed");
    let ten_ms = 10.0 / (1e3 * f64::from(BLOCK) / f64::from(RATE_HZ));
    tell("  level down (20 dB)", &down, Some([2.0 + ten_ms, f64::INFINITY]));
    tell("  level up (20 dB)", &up, Some([2.0 + ten_ms, f64::INFINITY]));
    tell("  mute", &mute, Some([2.0 + ten_ms, f64::INFINITY]));
    tell("    of it down, from 0.04 dB to 1 dB", &ways[1], None);
    tell("    of it up", &ways[0], None);
    println!("  the device adds its own {device_ms:.2} ms");
    Ok(())
}
