//! Reads the view's glyphs back as rows of text.

use super::*;
use crate::score::{Candidate, Event, Hand, MachineSample, SignalId, Stamped, Token};
use crate::visuals::FrameState;
use crate::visuals::scene::SOLID;
use crate::visuals::shader::ShaderError;

/// A desk and a stage that took the same events, a second apart.
fn seen(events: Vec<Event>) -> (State, FrameState) {
    let (mut desk, mut stage) = (State::new(), FrameState::new());
    let end_ns = events.len() as u64 * 1_000_000_000;
    for (i, event) in events.into_iter().enumerate() {
        let stamped = Stamped { seq: i as u64, t_ns: i as u64 * 1_000_000_000, event };
        desk.take(&stamped);
        stage.apply(&stamped);
    }
    desk.tick(end_ns);
    stage.advance(end_ns);
    (desk, stage)
}

fn events() -> Vec<Event> {
    let patch = "title = \"t\"\n[prompts]\ndawn = \"春\"\nmoon = \"The moon\"\n";
    let top = |id, text: &str, p| Candidate { id, text: text.into(), p };
    vec![
        Event::Begin { xiao: "0".into(), title: "First light".into(), model: "m".into(), sha256: "".into(), seed: 7 },
        Event::Patch { name: "p.toml".into(), text: patch.into() },
        Event::Prompt { name: Some("moon".into()), text: "The moon".into(), tokens: 2 },
        Event::Token(Token {
            id: 1,
            text: " rises".into(),
            index: 0,
            latency_ms: 12.5,
            p: 0.5,
            surprise_bits: 1.0,
            entropy_bits: 2.0,
            context_fill: 0.5,
            inside: Default::default(),
            top: vec![top(1, " rises", 0.5), top(2, " falls", 0.25)],
        }),
        Event::Machine(MachineSample {
            values: vec![(SignalId::Cpu, 0.75)],
            absent: vec![(SignalId::Fan, "no fan sensor here".into())],
            ..Default::default()
        }),
        Event::Param { id: ParamId::TopK, value: 12.0, by: Hand::Midi },
        Event::Select { id: ParamId::TopK },
        Event::Param { id: ParamId::Blackout, value: 1.0, by: Hand::Key },
        Event::Control { port: "nanoKONTROL2:0".into(), what: "cc7 = 64".into() },
        Event::Fault { place: "sound".into(), what: "the device is gone".into(), remedy: "plug it in".into() },
    ]
}

/// The rows of the view, without blanks, and its bars.
fn read(size: [u32; 2], events: Vec<Event>, refused: Option<&ShaderError>) -> (Vec<String>, usize, Vec<Glyph>) {
    let (mut desk, stage) = seen(events);
    desk.shown = shown(&stage, None, refused);
    let (mut glyphs, mut typesetter) = (Vec::new(), Typesetter::default());
    let seen = Seen { desk: &desk, palette: stage.palette(), help: &[] };
    paint(&seen, size, &mut glyphs, &mut typesetter);
    let bars = glyphs.iter().filter(|g| g.cell == SOLID).count();
    (lines(&glyphs), bars, glyphs)
}

/// The letters of each row without what is between them, from top to bottom.
fn lines(glyphs: &[Glyph]) -> Vec<String> {
    let mut rows: Vec<(f32, Vec<(f32, char)>)> = Vec::new();
    for glyph in glyphs.iter().filter(|g| g.cell != SOLID) {
        let Some(c) = char::from_u32(glyph.cell) else { continue };
        match rows.iter_mut().find(|(y, _)| *y == glyph.pos[1]) {
            Some((_, row)) => row.push((glyph.pos[0], c)),
            None => rows.push((glyph.pos[1], vec![(glyph.pos[0], c)])),
        }
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let text = rows.into_iter().map(|(_, mut row)| {
        row.sort_by(|a, b| a.0.total_cmp(&b.0));
        row.into_iter().map(|(_, c)| c).collect()
    });
    text.collect()
}

fn has(rows: &[String], text: &str) -> bool {
    rows.iter().any(|row| row.contains(text))
}

#[test]
fn everything_that_is_played_is_there_at_both_sizes() {
    for size in [[1280, 800], [900, 600]] {
        let (rows, ..) = read(size, events(), None);
        for text in [
            "Firstlight",
            "▸2moonThemoon",
            "→·rises50%",
            "·falls25%",
            "▸top_k",
            "midi",
            "BLACKOUT",
            "nanoKONTROL2",
            "cc7=64",
            "sound:thedevice",
            "fan:nofansensorhere",
            "35of36exposuresleft",
            "cpu",
            "75%",
        ] {
            assert!(has(&rows, text), "{text}: {rows:#?}");
        }
    }
}

#[test]
fn an_absent_signal_has_no_curve_and_a_refused_shader_has_its_line() {
    let shader = Event::Shader { name: "mine".into(), text: "nonsense".into() };
    let error = ShaderError::new("mine", 3, "expected an expression");
    let (rows, ..) = read([1280, 800], [events(), vec![shader]].concat(), Some(&error));
    assert!(has(&rows, "mineline3:expectedanexpression"), "{rows:#?}");
    assert!(has(&rows, "fanunavailable"), "{rows:#?}");
}

#[test]
fn nothing_leaves_the_window_and_no_size_fails() {
    let sizes = [[1280, 800], [900, 600], [640, 360], [560, 700], [500, 700], [300, 1000], [200, 100], [7680, 4320]];
    for size in sizes {
        let (.., glyphs) = read(size, events(), None);
        let [width, height] = size.map(|side| side as f32);
        for glyph in glyphs {
            let [right, bottom] = [0, 1].map(|i| glyph.pos[i] + glyph.size[i]);
            assert!(right <= width + 0.5 && bottom <= height + 0.5, "{size:?} {glyph:?}");
            assert!(glyph.size.iter().all(|side| *side >= 0.0), "{size:?} {glyph:?}");
        }
    }
    // Smaller than a letter.
    read([1, 1], events(), None);
}

#[test]
fn the_page_knows_how_wide_it_stands() {
    assert_eq!(page_width([1280, 800]), Some(160 - 2 - 66 - 1 - 48 - 3));
    assert_eq!(page_width([7680, 4320]).unwrap(), 160 - 2 - 66 - 1 - 48 - 3);
    assert_eq!((page_width([600, 800]), page_width([1, 1])), (None, None));
}

#[test]
fn the_ground_is_dark_whatever_the_stage_has() {
    for value in 0..PALETTES.len() {
        let set = Event::Param { id: ParamId::Palette, value: value as f32, by: Hand::Key };
        let (_, _, glyphs) = read([900, 600], vec![set], None);
        assert!(glyphs[0].color[..3].iter().all(|v| *v < 40), "{:?}", glyphs[0]);
        assert_eq!(glyphs[0].size, [900.0, 600.0]);
    }
}

#[test]
fn states_stand_before_the_sound_devices_name() {
    let output = "HDA Intel PCH, ALC257 Analog, Front left and right, ".repeat(3);
    let sound = Event::Sound { rate_hz: 48_000, seed: 0, output, layout: Default::default() };
    let on = [ParamId::Mute, ParamId::Blackout, ParamId::Freeze, ParamId::Hold].map(|id| Event::Param {
        id,
        value: 1.0,
        by: Hand::Key,
    });
    for width in [640, 900, 1280] {
        let (rows, ..) = read([width, 600], [events(), vec![sound.clone()], on.to_vec()].concat(), None);
        assert!(rows[0].ends_with("MUTEDBLACKOUTFROZENHELD00:15"), "{}", rows[0]);
        assert!(rows[0].contains("HDA"), "{}", rows[0]);
    }
}

#[test]
fn a_full_row_of_the_sampler_keeps_its_end() {
    let (rows, ..) = read([1280, 800], events(), None);
    // 48 columns, as many as there are.
    assert!(has(&rows, "penaltiesrepeat1.10in64→dryoff→top_k12"), "{rows:#?}");
}

#[test]
fn the_help_cuts_no_name_beside_it() {
    let lines = (0..30).map(|i| (format!("key {i}  "), "what it does, in a line of words".into())).collect();
    let pages = [HelpPage { title: "keys".into(), lines }];
    for size in [[1280, 800], [1600, 960], [1920, 1080], [900, 600], [500, 400]] {
        let (mut desk, stage) = seen(events());
        let (mut glyphs, mut typesetter) = (Vec::new(), Typesetter::default());
        let mut paint = |desk: &State| {
            let seen = Seen { desk, palette: stage.palette(), help: &pages };
            super::paint(&seen, size, &mut glyphs, &mut typesetter);
            glyphs.clone()
        };
        let without = paint(&desk).len();
        desk.help = Some(0);
        let with = paint(&desk);
        let panel = with[without];
        assert!(panel.cell == SOLID && panel.color[3] == 255, "{size:?} {panel:?}");
        // From the left edge on, whole characters of the parameters or none.
        let right = panel.pos[0] + panel.size[0];
        assert_eq!(panel.pos[0], 0.0, "{size:?}");
        let lies = |g: &&Glyph| (panel.pos[1]..panel.pos[1] + panel.size[1]).contains(&g.pos[1]);
        let beside: Vec<_> = with[..without].iter().filter(lies).filter(|g| g.pos[0] >= right).collect();
        let first = beside.iter().map(|g| g.pos[0]).fold(f32::MAX, f32::min);
        assert!(beside.is_empty() || first < right + 40.0, "{size:?} {right} {first}");
    }
}

#[test]
fn a_long_help_is_turned_and_a_long_message_has_more_rows() {
    let keys: Vec<_> = (0..60).map(|i| (format!("k{i:02}  "), "what it does".to_string())).collect();
    let pages = [HelpPage { title: "keys".into(), lines: keys }];
    for size in [[1280, 800], [900, 400], [500, 160]] {
        let (mut desk, stage) = seen(events());
        let (mut glyphs, mut typesetter) = (Vec::new(), Typesetter::default());
        let mut paint = |desk: &State| {
            let seen = Seen { desk, palette: stage.palette(), help: &pages };
            super::paint(&seen, size, &mut glyphs, &mut typesetter);
            glyphs.clone()
        };
        let without = paint(&desk).len();
        let mut found = std::collections::BTreeSet::new();
        for page in 0..60 {
            desk.help = Some(page);
            let glyphs = paint(&desk);
            let rows = lines(&glyphs[without..]);
            found.extend((0..60).filter(|i| has(&rows, &format!("k{i:02}whatitdoes"))));
            assert!(glyphs.iter().all(|g| g.pos[1] + g.size[1] <= size[1] as f32 + 0.5), "{size:?}");
        }
        assert_eq!(found.len(), 60, "{size:?}");
    }
    let long = Event::Notice { text: format!("first {}last", "word ".repeat(30)) };
    let (rows, ..) = read([900, 600], [events(), vec![long]].concat(), None);
    let at = rows.iter().position(|row| row.contains("firstword")).unwrap();
    assert!(!rows[at].contains("last") && has(&rows[at + 1..], "wordlast"), "{rows:#?}");
}
