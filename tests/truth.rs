//! Truth: what a scene claims to show is seen there, it shows nothing else, and without input it stands.

#[path = "common/stage.rs"]
mod stage;

use stage::{LANGUAGES, frames, performance};
use stage::{at, crash, difference, no_adapter, picture, pictures, set, shown_in};
use xiao::score::{Candidate, Event, Flaw, FlawKind, MachineSample, ParamId, SignalId, Stamped, Token};
use xiao::visuals::Offscreen;
use xiao::visuals::scene::{Claim, FAULT, Frame, SCENES, Scene, What};

const SIZE: [u32; 2] = [640, 360];

/// The difference within a claimed region that is seen: as much light as so many white pixels on black have. The same
/// state drawn twice differs by none at all, which is tested too, so that nothing but the claim can reach it.
const SEEN: f64 = 10.0;

/// One state of a performance of twelve tokens, and what of it a claim moves.
#[derive(Clone)]
struct Play {
    tokens: u32,
    p: f32,
    roads: bool,
    /// When the last token came, before the moment.
    ago_s: f64,
    entropy_bits: f32,
    latency_ms: f32,
    /// From token to token.
    gap_s: f64,
    /// The time of the second of four layers in the last tokens, the others' being 200.
    layer_us: u32,
    cores: [f32; 4],
    machine: Vec<(SignalId, f32)>,
    more: Vec<Stamped>,
    /// The scene fault has its crash.
    crash: bool,
}

/// The moment that is looked at.
const AT_S: f64 = 14.0;

impl Play {
    fn of(scene: usize) -> Play {
        Play {
            tokens: 12,
            p: 0.6,
            roads: false,
            // What comes after the crash is no part of it.
            ago_s: if scene == FAULT { 2.0 } else { 1.0 },
            entropy_bits: 2.0,
            latency_ms: 40.0,
            gap_s: 0.3,
            layer_us: 200,
            cores: [0.5; 4],
            machine: vec![(SignalId::Cpu, 0.5), (SignalId::Memory, 0.4)],
            more: Vec::new(),
            crash: scene == FAULT,
        }
    }

    fn events(&self, scene: usize) -> Vec<Stamped> {
        let mut events = shown_in(scene);
        events.push(set(ParamId::FlashGuard, 0.0));
        events.push(set(ParamId::StageGhosts, 1.0));
        let sample = MachineSample { values: self.machine.clone(), cores: self.cores.to_vec(), absent: Vec::new() };
        events.push(at(0.0, Event::Machine(sample)));
        events.push(at(0.0, Event::Prompt { name: None, text: "Over the water,".into(), tokens: 4 }));
        let words =
            [" the", " pale", " moon", " 春", "江", " goes", " on", " and", " on", "，", " with", " it", " still"];
        let first_s = AT_S - self.ago_s - 11.0 * self.gap_s;
        for (i, text) in words.iter().enumerate().take(self.tokens as usize) {
            let road = |n: u32, text: &str| Candidate { id: 5000 + n, text: text.into(), p: 0.2 / (n + 1) as f32 };
            let top = if self.roads { vec![road(0, "sun"), road(1, "road"), road(2, "stone")] } else { Vec::new() };
            let mut token = Token {
                id: 77 * i as u32 + 5,
                text: text.to_string(),
                index: i as u32,
                latency_ms: self.latency_ms,
                p: self.p,
                surprise_bits: -self.p.log2(),
                entropy_bits: self.entropy_bits,
                context_fill: 0.1,
                inside: Default::default(),
                top,
            };
            token.inside.layers_us = vec![200, if i > 8 { self.layer_us } else { 200 }, 200, 200];
            events.push(at(first_s + self.gap_s * i as f64, Event::Token(token)));
        }
        if self.crash {
            events.push(crash(AT_S - 1.0));
        }
        events.extend(self.more.clone());
        events.sort_by_key(|e| e.t_ns);
        events
    }
}

/// Two states that differ by what is claimed, and by nothing else.
fn pair(scene: usize, what: What) -> [Play; 2] {
    let [mut a, mut b] = [Play::of(scene), Play::of(scene)];
    let low_high = |id: SignalId, a: &mut Play, b: &mut Play| {
        let spec = id.spec();
        for (play, part) in [(a, 0.05), (b, 0.95)] {
            play.machine.retain(|(other, _)| *other != id);
            play.machine.push((id, spec.min + part * (spec.max - spec.min)));
        }
    };
    match what {
        What::Token => b.tokens += 1,
        What::Certainty => (a.p, b.p) = (0.95, 0.02),
        What::Rejected => b.roads = true,
        What::Crash => {
            (a.crash, b.crash) = (false, true);
        }
        What::Cores => (a.cores, b.cores) = ([0.1; 4], [0.1, 0.95, 0.1, 0.95]),
        What::Layers => b.layer_us = 800,
        What::Flaw => {
            // What the foot says of it is gone by then, and the last token with it.
            (a.ago_s, b.ago_s) = (7.0, 7.0);
            let flaw = Flaw { kind: FlawKind::Leap, index: 11, period: 1, count: 1, cause: String::new() };
            b.more.push(at(AT_S - 6.5, Event::Flaw(flaw)));
        }
        What::Signal(SignalId::Waiting) => (a.ago_s, b.ago_s) = (0.8, 6.0),
        What::Signal(SignalId::Entropy) => (a.entropy_bits, b.entropy_bits) = (0.5, 8.0),
        What::Signal(SignalId::Latency) => (a.latency_ms, b.latency_ms) = (20.0, 400.0),
        What::Signal(SignalId::Energy) => {
            // At 20 W, what a token took longer for has taken more.
            for (play, gap_s) in [(&mut a, 0.2), (&mut b, 0.6)] {
                play.gap_s = gap_s;
                play.machine.push((SignalId::Power, 20.0));
            }
        }
        What::Signal(SignalId::Load) => {
            for (play, done) in [(&mut a, 10), (&mut b, 90)] {
                play.more.push(at(AT_S - 0.5, Event::Load { done, total: 100 }));
            }
        }
        What::Signal(SignalId::Prefill) => {
            for (play, done) in [(&mut a, 1), (&mut b, 9)] {
                play.more.push(at(AT_S - 0.6, Event::Prompt { name: None, text: "Again".into(), tokens: 10 }));
                play.more.push(at(AT_S - 0.5, Event::Prefill { done, total: 10 }));
            }
        }
        What::Signal(id) => low_high(id, &mut a, &mut b),
    }
    [a, b]
}

/// The summed difference inside any of the regions, and outside.
fn inside(a: &[u8], b: &[u8], regions: &[[f32; 4]]) -> (f64, f64) {
    let mut sums = [0.0; 2];
    for (i, (a, b)) in a.chunks(4).zip(b.chunks(4)).enumerate() {
        let at = [i as u32 % SIZE[0], i as u32 / SIZE[0]];
        let [x, y] = [0, 1].map(|k| (at[k] as f32 + 0.5) / SIZE[k] as f32);
        let within = regions.iter().any(|[l, t, r, b]| (*l..*r).contains(&x) && (*t..*b).contains(&y));
        sums[usize::from(!within)] += stage::apart(a, b) as f64;
    }
    (sums[0], sums[1])
}

#[test]
fn what_is_claimed_is_seen_where_it_is_claimed() {
    if no_adapter() {
        return;
    }
    let mut screen = Offscreen::new(SIZE[0], SIZE[1]).unwrap();
    let mut wrong = Vec::new();
    for (number, scene) in SCENES.iter().enumerate() {
        for Claim { what, region } in scene.claims {
            let [a, b] = pair(number, *what).map(|play| picture(&mut screen, &play.events(number), AT_S));
            let light = inside(&a, &b, &[*region]).0 / (3.0 * 255.0);
            let of_it: Vec<_> = scene.claims.iter().filter(|c| c.what == *what).map(|c| c.region).collect();
            let (all, out) = inside(&a, &b, &of_it);
            let share = all / (all + out).max(1.0);
            println!("{:7} {what:?}: {light:.0} there, {:.0} % of it all", scene.name, share * 100.0);
            if light < SEEN || share < 0.5 {
                wrong.push(format!("{}: {what:?} in {region:?}: {light:.1}, {share:.2}", scene.name));
            }
        }
        let play = Play::of(number).events(number);
        let twice = [0, 1].map(|_| picture(&mut screen, &play, AT_S));
        assert_eq!(difference(&twice[0], &twice[1]), 0.0, "{}", scene.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_input_nothing_moves_but_the_declared_drift() {
    if no_adapter() {
        return;
    }
    let mut screen = Offscreen::new(SIZE[0], SIZE[1]).unwrap();
    for (number, scene) in SCENES.iter().enumerate() {
        let mut play = Play::of(number);
        play.ago_s = 2.0;
        let events = play.events(number);
        let seen = pictures(&mut screen, &events, &[AT_S + 60.0, AT_S + 61.0]);
        let moved = difference(&seen[0], &seen[1]);
        println!("{:7} moves by {moved:.3} a second, at most {}: {}", scene.name, scene.drift_most, scene.drift);
        assert!(!scene.drift.is_empty() && moved <= f64::from(scene.drift_most), "{}: {moved}", scene.name);
        // A bound of which not a tenth is used promises too little.
        assert!(moved >= 0.1 * f64::from(scene.drift_most), "{}: {moved} of {}", scene.name, scene.drift_most);
    }
}

/// The text of a scene's file, without its tests.
fn source(name: &str, end: &str) -> String {
    let path = format!("{}/src/visuals/scene/{name}.{end}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.split("#[cfg(test)]").next().unwrap().to_string()
}

/// The words after each `before` in a text.
fn words_after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let end = |rest: &'a str| {
        let long = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..long]
    };
    text.split(before).skip(1).map(end).collect()
}

fn claims(scene: &Scene, what: What) -> bool {
    scene.claims.iter().any(|c| c.what == what)
}

/// What a member of the shaders' struct shows, where that is not the signal of its name.
const SHOWN: [(&str, Option<What>); 16] = [
    ("token_age", Some(What::Token)),
    ("tokens", Some(What::Token)),
    ("flow", Some(What::Token)),
    ("spread", Some(What::Certainty)),
    ("token_surprise", Some(What::Certainty)),
    ("token_probability", Some(What::Certainty)),
    ("flaw_age", Some(What::Flaw)),
    ("fault_age", Some(What::Crash)),
    ("crashed", Some(What::Crash)),
    // No signals: where and when it is, and the performer's colours.
    ("resolution", None),
    ("focus", None),
    ("paper", None),
    ("accent", None),
    ("lamp", None),
    ("time", None),
    ("dt", None),
];

#[test]
fn what_a_scene_reads_is_claimed() {
    let field = SCENES.iter().filter(|s| s.wgsl.is_some());
    for scene in field.clone() {
        for member in words_after(scene.wgsl.unwrap(), "u.") {
            let signal = SignalId::ALL.iter().find(|id| id.name().replace('.', "_") == member);
            let what = match SHOWN.iter().find(|(name, _)| *name == member) {
                Some((_, None)) => continue,
                Some((_, Some(what))) => *what,
                None => What::Signal(*signal.unwrap_or_else(|| panic!("{}.wgsl: what is u.{member}?", scene.name))),
            };
            assert!(claims(scene, what), "{}.wgsl reads u.{member}, and no claim says {what:?}", scene.name);
        }
    }
    for scene in SCENES.iter().filter(|s| s.name != "shader") {
        for name in words_after(&source(scene.name, "rs"), "SignalId::") {
            let signal = SignalId::ALL.iter().find(|id| format!("{id:?}") == name);
            let what = match signal {
                None | Some(SignalId::Rate) => continue,
                Some(SignalId::Surprise) => What::Certainty,
                Some(id) => What::Signal(*id),
            };
            assert!(claims(scene, what), "{}.rs reads {name}, and no claim says {what:?}", scene.name);
        }
    }
    assert_eq!(field.count(), 6);
}

#[test]
fn nothing_stands_outside_the_frame_or_over_the_foot() {
    let sizes = [[640, 360], [1024, 768], [1280, 720], [1920, 1080], [3840, 1080], [400, 700]];
    let mut wrong = Vec::new();
    for (language, vertical) in LANGUAGES.into_iter().flat_map(|l| [(l, 0.0), (l, 1.0)]) {
        for (number, scene) in SCENES.iter().enumerate() {
            let mut events = vec![set(ParamId::Vertical, vertical)];
            events.extend(shown_in(number).into_iter().filter(|e| !is_meters(e)));
            events.extend(performance(language));
            if number == FAULT {
                events.push(crash(6.0));
                events.sort_by_key(|e| e.t_ns);
            }
            let mut frame = Frame::default();
            frames(&events, 11.5, |count, state| {
                for size in sizes.iter().filter(|_| count % 5 == 4) {
                    frame.paint(state, *size);
                    let (scenes, foot) = frame.glyphs.split_at(frame.scene);
                    let foot_y = foot.iter().map(|g| g.pos[1]).fold(f32::MAX, f32::min);
                    if *size == [1280, 720] && scenes.len() > 6000 {
                        wrong.push(format!("{}: {} glyphs", scene.name, scenes.len()));
                    }
                    // What fades is on its way out; the river's words come and go at its ends.
                    for glyph in scenes.iter().filter(|g| g.cell <= 0xffff && g.color[3] > 60) {
                        let middle = [0, 1].map(|k| glyph.pos[k] + 0.5 * glyph.size[k]);
                        let aside = scene.name != "river" && !(0.0..=size[0] as f32).contains(&middle[0]);
                        let below = glyph.pos[1] + glyph.size[1] > foot_y + 1.0 || middle[1] < 0.0;
                        if aside || below {
                            let c = char::from_u32(glyph.cell).unwrap_or_default();
                            wrong.push(format!("{} {language} {vertical} {size:?} {c:?} at {middle:?}", scene.name));
                        }
                    }
                }
            });
        }
    }
    wrong.dedup_by(|a, b| a.split(']').next() == b.split(']').next());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_meters(event: &Stamped) -> bool {
    matches!(event.event, Event::Param { id: ParamId::Meters, .. })
}
