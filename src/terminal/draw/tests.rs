//! Draws whole screens on ratatui's test backend and reads them.

mod desk;
mod overlay;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::score::{Candidate, Event, Flaw, FlawKind, Hand, MachineSample, SignalId, Stamped, Token};
use crate::terminal::palette::Depth;

const SECOND: u64 = 1_000_000_000;

/// A stage whose events come a second apart.
struct Stage {
    state: State,
    face: Face,
    kept: Kept,
    t_ns: u64,
    index: u32,
}

impl Stage {
    fn new() -> Stage {
        let mut stage = Stage { state: State::new(), face: Face::Stage, kept: Kept::default(), t_ns: 0, index: 0 };
        stage.take(Event::Begin {
            xiao: "0.1.0".into(),
            title: "First light".into(),
            model: "starter.gguf".into(),
            sha256: String::new(),
            seed: 7,
        });
        stage
    }

    fn take(&mut self, event: Event) {
        self.state.take(&Stamped { seq: 0, t_ns: self.t_ns, event });
        self.t_ns += SECOND;
        self.state.tick(self.t_ns);
    }

    fn prompt(&mut self, text: &str) {
        self.take(Event::Prompt { name: None, text: text.into(), tokens: 1 });
        self.index = 0;
    }

    fn say(&mut self, text: &str, p: f32) {
        let top = vec![
            Candidate { id: 1, text: text.into(), p },
            Candidate { id: 2, text: " sea".into(), p: 0.25 },
            Candidate { id: 3, text: "\n".into(), p: 0.1 },
        ];
        self.take(Event::Token(Token {
            id: 1,
            text: text.into(),
            index: self.index,
            latency_ms: 12.5,
            p,
            surprise_bits: -p.log2(),
            entropy_bits: 2.0,
            context_fill: 0.5,
            inside: Default::default(),
            top,
        }));
        self.index += 1;
    }

    fn machine(&mut self) {
        self.take(Event::Machine(MachineSample {
            values: vec![
                (SignalId::Cpu, 0.75),
                (SignalId::Memory, 0.5),
                (SignalId::OwnMemory, 210.0),
                (SignalId::Swap, 0.0),
            ],
            cores: vec![1.0, 0.5],
            absent: vec![
                (SignalId::Fan, "no fan sensor in /sys/class/hwmon".into()),
                (SignalId::Power, "no power meter".into()),
            ],
        }));
    }

    fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let (pages, face) = (overlay::help(), self.face);
        let palette = Palette(Depth::Many);
        let (state, kept) = (&mut self.state, &mut self.kept);
        terminal.draw(|f| show(state, &pages, palette, face, kept, f.area(), f.buffer_mut())).unwrap();
        terminal.backend().buffer().clone()
    }

    /// The screen as lines of text; the hidden half of a wide character is left out.
    fn screen(&mut self, width: u16, height: u16) -> Vec<String> {
        let buffer = self.buffer(width, height);
        (0..height)
            .map(|y| {
                let (mut line, mut x) = (String::new(), 0);
                while x < width {
                    let symbol = buffer[(x, y)].symbol();
                    line.push_str(symbol);
                    x += (Span::raw(symbol).width() as u16).max(1);
                }
                line.trim_end().to_string()
            })
            .collect()
    }
}

fn has(screen: &[String], text: &str) -> bool {
    screen.iter().any(|line| line.contains(text))
}

#[test]
fn chinese_and_english_are_wrapped_and_the_latest_line_stays_in_sight() {
    let mut stage = Stage::new();
    stage.prompt("春");
    for _ in 0..40 {
        stage.say("江潮水連海平", 0.9);
        stage.say(" the moon over the river", 0.9);
    }
    stage.say("。", 0.9);
    stage.say("\nlast words", 0.9);
    for (width, height) in [(80, 24), (40, 12), (132, 50), (20, 5)] {
        let screen = stage.screen(width, height);
        assert!(screen.iter().all(|line| Span::raw(line.as_str()).width() <= usize::from(width)));
        assert!(has(&screen, "last words"), "{width}x{height} {screen:#?}");
        assert!(has(&screen, "江潮水"));
        assert!(!screen.iter().any(|line| line.trim_start().starts_with('。')), "{screen:#?}");
    }
}

#[test]
fn what_is_absent_is_said_with_its_reason_and_is_not_zero() {
    let mut stage = Stage::new();
    stage.machine();
    let screen = stage.screen(100, 24);
    assert!(has(&screen, "fan unavailable"), "{screen:#?}");
    assert!(has(&screen, "power unavailable"));
    assert!(has(&screen, "fan: no fan sensor in /sys/class/hwmon  ·  power: no power meter"));
    assert!(has(&screen, "swap 0%"));
    assert!(has(&screen, "cpu █▄ 75%"));
    // Nothing is known of heat yet, so nothing is said.
    assert!(!has(&screen, "heat"));
    let narrower = stage.screen(64, 24);
    let cut = |line: &String| line.starts_with(" unavailable  fan: no fan") && line.ends_with('…');
    assert!(narrower.iter().any(cut), "{narrower:#?}");
}

#[test]
fn flaws_do_not_push_a_fault_away() {
    let mut stage = Stage::new();
    stage.take(Event::Fault { place: "sound".into(), what: "the device is gone".into(), remedy: "plug it in".into() });
    for index in 0..6 {
        let cause = "surprise of 14 bits where 4 are usual".into();
        stage.take(Event::Flaw(crate::score::Flaw {
            kind: crate::score::FlawKind::Leap,
            index,
            period: 1,
            count: 1,
            cause,
        }));
    }
    for (width, height) in [(80, 24), (60, 15)] {
        let screen = stage.screen(width, height);
        assert!(has(&screen, "sound: the device is gone; plug it in"), "{screen:#?}");
    }
}

#[test]
fn a_message_is_read_to_its_end_and_what_is_always_the_same_gives_way() {
    let mut stage = Stage::new();
    stage.machine();
    stage.take(Event::Fault {
        place: "shader".into(),
        what: format!("mine line 2: {}", "one thing was wanted and another stands here ".repeat(3)),
        remedy: "the last good one runs on; mend the file and save it".into(),
    });
    for (width, height) in [(80, 24), (60, 15), (40, 12), (120, 40)] {
        let screen = stage.screen(width, height);
        let words: Vec<&str> = screen.iter().flat_map(|line| line.split_whitespace()).collect();
        assert!(words.join(" ").contains("shader: mine line 2:") && has(&screen, "save it"), "{screen:#?}");
    }
    assert!(!has(&stage.screen(80, 24), "fan: no fan sensor"));
    let tall = stage.screen(80, 24).len();
    stage.t_ns += 9 * SECOND;
    stage.state.tick(stage.t_ns);
    let screen = stage.screen(80, 24);
    assert!(has(&screen, "unavailable  fan: no fan sensor") && screen.len() == tall, "{screen:#?}");
    // How the model errs is no news that a small screen gives its line to.
    let cause = "the same run twice".to_string();
    stage.take(Event::Flaw(Flaw { kind: FlawKind::Repetition, index: 3, period: 1, count: 1, cause }));
    assert!(stage.screen(40, 12)[11].starts_with("00:1"), "{:#?}", stage.screen(40, 12));
}

#[test]
fn a_small_screen_has_only_words_and_one_line() {
    let mut stage = Stage::new();
    stage.machine();
    stage.prompt("春");
    stage.say("風", 0.9);
    stage.take(Event::Select { id: ParamId::Temperature });
    let screen = stage.screen(40, 12);
    assert!(screen[0].starts_with(" 春風"), "{screen:#?}");
    assert!(screen[1..10].iter().all(String::is_empty));
    assert!(screen[10].starts_with("→風 90%   ·sea 25%"), "{screen:#?}");
    assert!(stage.screen(40, 8)[6].is_empty());
    assert!(screen[11].starts_with("00:05   temperature 0.80   waiting 2.0 s"), "{screen:#?}");
    stage.take(Event::Fault { place: "generator".into(), what: "it fell".into(), remedy: String::new() });
    assert!(stage.screen(40, 12)[11].starts_with("generator: it fell"));
    for width in 1..12 {
        for height in 1..8 {
            stage.state.help = Some(1);
            stage.screen(width, height);
        }
    }
}

#[test]
fn no_control_character_reaches_the_screen() {
    let evil = "\x1b]0;mine\x07\x1b[2J\u{9b}31m\r\x08春\u{202e}";
    let mut stage = Stage::new();
    stage.take(Event::Begin {
        xiao: String::new(),
        title: evil.into(),
        model: evil.into(),
        sha256: String::new(),
        seed: 0,
    });
    stage.take(Event::Sound { rate_hz: 48000, seed: 0, output: evil.into(), layout: Default::default() });
    stage.take(Event::Card { text: evil.into() });
    stage.take(Event::Param { id: ParamId::Plate, value: 1.0, by: Hand::Patch });
    stage.prompt(evil);
    stage.say(evil, 0.5);
    stage.take(Event::Fault { place: evil.into(), what: evil.into(), remedy: evil.into() });
    stage.take(Event::Note { text: evil.into() });
    stage.take(Event::Machine(MachineSample { absent: vec![(SignalId::Fan, evil.into())], ..Default::default() }));
    stage.take(Event::End { reason: evil.into() });
    for (width, height) in [(120, 40), (40, 12)] {
        let buffer = stage.buffer(width, height);
        for cell in buffer.content() {
            assert!(!cell.symbol().contains(|c: char| c.is_control() || c == '\u{202e}'), "{:?}", cell.symbol());
        }
        assert!(has(&stage.screen(width, height), "]0;mine[2J31m春"));
    }
}

#[test]
fn roads_pauses_parameters_and_losses_are_shown() {
    let mut stage = Stage::new();
    stage.prompt("春");
    stage.take(Event::Prefill { done: 32, total: 128 });
    assert!(has(&stage.screen(100, 40), "reading  █████░░░░░░░░░░░░░░░  32 of 128 tokens"));
    stage.say("風", 0.5);
    stage.take(Event::Param { id: ParamId::Meters, value: 1.0, by: Hand::Midi });
    stage.take(Event::Select { id: ParamId::Meters });
    stage.state.losses = vec![("journal", 0, 0), ("stage", 3, 12)];
    let screen = stage.screen(100, 40);
    assert!(has(&screen, "→風 50%   ·sea 25%   ⏎ 10%"), "{screen:#?}");
    assert!(has(&screen, "waiting  ······  3.0 s"));
    assert!(has(&screen, "▸meters                    on midi"));
    assert!(has(&screen, "events lost: stage 3   events merged: stage 12"));
    assert!(has(&screen, "First light  starter.gguf  seed 7"));
    assert!(screen[0].ends_with("● REC  00:06"));
    // The chosen parameter, last in the table, is in sight on a low screen too.
    assert!(has(&stage.screen(80, 20), "▸meters"));
    stage.take(Event::Param { id: ParamId::Meters, value: 0.0, by: Hand::Midi });
    assert!(!has(&stage.screen(100, 40), "latency"));
}

#[test]
fn certainty_improbable_tokens_and_flaws_can_be_told_apart() {
    let mut stage = Stage::new();
    for (text, p) in [("a", 1.0), ("b", 0.1), ("c", 0.001), ("d", 1.0)] {
        stage.say(text, p);
    }
    stage.take(Event::Flaw(Flaw { kind: FlawKind::Repetition, index: 3, period: 1, count: 1, cause: String::new() }));
    let buffer = stage.buffer(80, 24);
    let styles: Vec<_> = ["a", "b", "c", "d"]
        .iter()
        .map(|letter| (0..8).map(|x| &buffer[(x, 1)]).find(|cell| cell.symbol() == *letter).unwrap().style())
        .collect();
    for (i, style) in styles.iter().enumerate() {
        assert!(styles[..i].iter().all(|other| other != style), "{styles:#?}");
    }
}

#[test]
fn a_scene_stands_beside_the_title() {
    let mut stage = Stage::new();
    assert!(!has(&stage.screen(80, 24), "/3"));
    stage.take(Event::Scene { name: "黄昏".into(), index: 1, of: 3 });
    assert!(stage.screen(80, 24)[0].contains("First light  黄昏 2/3  starter.gguf"));
}

#[test]
fn a_replay_says_that_it_is_one() {
    let mut stage = Stage::new();
    for (width, height) in [(80, 24), (40, 12), (120, 40)] {
        stage.state.replayed = false;
        assert!(!has(&stage.screen(width, height), "REPLAY"));
        stage.state.replayed = true;
        assert!(has(&stage.screen(width, height), "REPLAY"), "{width}x{height}");
    }
}

#[test]
fn no_half_of_a_wide_character_shows_beside_a_frame() {
    let mut stage = Stage::new();
    stage.prompt(&"春江潮水連海平".repeat(200));
    stage.take(Event::Help { on: true, page: 0 });
    for width in 60..90 {
        let screen = stage.screen(width, 24);
        let framed = screen.iter().filter(|line| line.contains("│ q  end") || line.contains("│ t  warmer")).count();
        assert_eq!(framed, 2, "{width}: {screen:#?}");
        assert!(screen.iter().all(|line| Span::raw(line.as_str()).width() <= usize::from(width)));
    }
}

#[test]
fn black_out_and_freeze_are_the_audiences() {
    let mut stage = Stage::new();
    let set = |stage: &mut Stage, id, value| stage.take(Event::Param { id, value, by: Hand::Key });
    stage.prompt("春");
    stage.say("風", 0.9);
    set(&mut stage, ParamId::Freeze, 1.0);
    let frozen = stage.screen(80, 24);
    assert!(has(&frozen, "春風") && has(&frozen, "FROZEN"), "{frozen:#?}");
    stage.say("吹", 0.9);
    assert_eq!(stage.screen(80, 24), frozen);
    // What the performer types is seen all the same, and gone with its line.
    let typing = |on| Event::Typing { on, text: "moon".into(), at: 4 };
    stage.take(typing(true));
    let typed = stage.screen(80, 24);
    assert!(typed[23].contains("moon") && typed[..23] == frozen[..23], "{typed:#?}");
    stage.take(typing(false));
    assert_eq!(stage.screen(80, 24), frozen);
    // One of another size has to be drawn, and is kept from there.
    assert!(has(&stage.screen(100, 30), "春風吹"));
    set(&mut stage, ParamId::Blackout, 1.0);
    for (width, height) in [(80, 24), (40, 12), (200, 60)] {
        stage.take(typing(true));
        assert!(stage.screen(width, height).iter().all(String::is_empty), "black is black");
        stage.take(typing(false));
        assert!(stage.screen(width, height).iter().all(String::is_empty));
        stage.face = Face::Desk;
        let screen = stage.screen(width, height);
        assert!(has(&screen, "BLACKOUT") && has(&screen, "FROZEN") && has(&screen, "春風吹"), "{screen:#?}");
        stage.face = Face::Stage;
    }
    set(&mut stage, ParamId::Blackout, 0.0);
    set(&mut stage, ParamId::Freeze, 0.0);
    set(&mut stage, ParamId::Hold, 1.0);
    let screen = stage.screen(80, 24);
    assert!(has(&screen, "春風吹") && screen[0].contains("HELD  00:") && !has(&screen, "FROZEN"), "{screen:#?}");
}

#[test]
fn a_long_device_name_gives_way_to_what_matters() {
    let mut stage = Stage::new();
    let output = "HDA Intel PCH, ALC257 Analog, Front left and right, ".repeat(3);
    stage.take(Event::Sound { rate_hz: 48_000, seed: 0, output, layout: Default::default() });
    for id in [ParamId::Mute, ParamId::Blackout, ParamId::Freeze, ParamId::Hold] {
        stage.take(Event::Param { id, value: 1.0, by: Hand::Key });
    }
    stage.state.losses = vec![("journal", 1, 0)];
    stage.face = Face::Desk;
    for width in [60, 80, 120, 200] {
        let screen = stage.screen(width, 40);
        assert!(screen[0].ends_with("MUTED  BLACKOUT  FROZEN  HELD  ● REC BROKEN  00:06"), "{}", screen[0]);
        assert!(screen[0].contains("♪ HDA") == (width >= 80), "{}", screen[0]);
    }
}

#[test]
fn no_colour_is_the_terminals_where_ours_are_used() {
    let mut stage = Stage::new();
    stage.machine();
    stage.prompt("春");
    stage.say("風", 0.9);
    stage.take(Event::Help { on: true, page: 1 });
    for (width, height) in [(30, 6), (80, 24), (200, 60)] {
        let buffer = stage.buffer(width, height);
        // The hidden half of a wide character is not written.
        let wide = |i: usize| i > 0 && Span::raw(buffer.content()[i - 1].symbol()).width() > 1;
        let theirs = (0..buffer.content().len()).filter(|i| {
            let cell = &buffer.content()[*i];
            !wide(*i) && (cell.bg == Color::Reset || cell.fg == Color::Reset)
        });
        assert_eq!(theirs.count(), 0, "{width}x{height}");
    }
}
