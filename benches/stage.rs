//! What a frame costs: the processor's time on the drawing thread without waiting for the graphics device, and whole
//! frames of each scene on whatever adapter there is.
//!
//! `cargo bench --bench stage` (add `--profile dev` to measure what `make play` builds). The peer is a frame that only copies as many glyphs into the same buffer: what any
//! renderer of instances must do.

use std::time::{Duration, Instant};

use xiao::score::{Candidate, Event, Hand, Inside, ParamId, Stamped, Token};
use xiao::visuals::scene::{Glyph, Look, SCENES};
use xiao::visuals::{FrameState, Offscreen};

/// Room for 2000 glyphs of small type, and for 5000.
const ROOMS: [(usize, [u32; 2]); 2] = [(2000, [1280, 720]), (5000, [2560, 720])];
const FRAMES: usize = 120;

fn token(index: u32, text: &str) -> Event {
    let p = 0.05 + 0.9 * (index * 37 % 100) as f32 / 100.0;
    let road = |i: u32| Candidate { id: 100 + i, text: format!(" road{i}"), p: 0.2 / (i + 1) as f32 };
    Event::Token(Token {
        id: index * 31 % 6000,
        text: text.into(),
        index,
        latency_ms: 20.0 + (index % 7) as f32,
        p,
        surprise_bits: -p.log2(),
        entropy_bits: 3.0,
        context_fill: 0.2,
        inside: Inside { layers_us: (0..8).map(|l| 900 + (index * 13 + l * 7) % 400).collect(), ..Inside::default() },
        top: (0..7).map(road).collect(),
    })
}

/// A stage that shows `glyphs` characters or more in this scene, and the next events for it.
fn stage(scene: usize, glyphs: usize) -> FrameState {
    let mut state = FrameState::new();
    let set = |id, value| Event::Param { id, value, by: Hand::Patch };
    let mut events = vec![
        set(ParamId::StageScene, scene as f32),
        set(ParamId::Crossfade, 0.0),
        set(ParamId::TextSize, 1.0),
        set(ParamId::Meters, 0.0),
        Event::Prompt { name: None, text: "春江".into(), tokens: 2 },
    ];
    events.extend((0..glyphs as u32).map(|i| token(i, if i % 3 == 0 { "江月" } else { "leaves" })));
    for (seq, event) in (0..).zip(events) {
        let t_ns = seq * 10_000_000;
        state.advance(t_ns);
        state.apply(&Stamped { seq, t_ns, event });
    }
    state
}

/// The median and the 99th of a hundred, in ms.
fn quantiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    (at(0.5), at(0.99))
}

fn main() {
    println!("{}", xiao::visuals::adapters().first().map_or(String::new(), |a| format!("{} {}", a.name, a.driver)));
    println!(
        "{:8} {:>7} {:>22} {:>22} {:>9}",
        "scene", "glyphs", "cpu ms (median, p99)", "frame ms (median, p99)", "of a copy"
    );
    for (glyphs, [width, height]) in ROOMS {
        let mut screen = match Offscreen::new(width, height) {
            Ok(screen) => screen,
            Err(error) => return println!("no frames: {error}"),
        };
        println!("{width}x{height}");
        for (place, scene) in SCENES.iter().enumerate() {
            let mut state = stage(place, glyphs);
            let begun_ns = 10_000_000 * (glyphs as u64 + 10);
            let (mut cpu, mut whole, mut copies, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
            for frame in 0..FRAMES as u64 {
                let t_ns = begun_ns + frame * 16_666_667;
                if frame % 6 == 0 {
                    let event = token(glyphs as u32 + frame as u32, " an");
                    state.apply(&Stamped { seq: 0, t_ns, event });
                }
                let since = Instant::now();
                state.advance(t_ns);
                let advanced = since.elapsed();
                let (encoded, drawn) = screen.timed(&state).expect("a frame");
                count = drawn;
                cpu.push(advanced + encoded);
                whole.push(since.elapsed());
                copies.push(copy(drawn));
            }
            let ((cpu, cpu_99), (whole, whole_99)) = (quantiles(&mut cpu), quantiles(&mut whole));
            let (copied, _) = quantiles(&mut copies);
            println!(
                "{:8} {count:>7} {cpu:>13.2} {cpu_99:>8.2} {whole:>13.1} {whole_99:>8.1} {:>8.1}x",
                scene.name,
                cpu / copied
            );
        }
    }
}

/// Writes as many glyphs as a frame has.
fn copy(count: usize) -> Duration {
    let since = Instant::now();
    let glyphs: Vec<Glyph> = (0..count)
        .map(|i| Glyph { pos: [i as f32; 2], size: [8.0, 16.0], cell: 65, color: [255; 4], look: Look::PLAIN })
        .collect();
    std::hint::black_box(bytemuck::cast_slice::<Glyph, u8>(&glyphs).to_vec());
    since.elapsed()
}
