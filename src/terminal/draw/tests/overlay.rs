//! The help and the plate over the page, read on screens of many sizes.

use super::*;

pub fn help() -> Vec<HelpPage> {
    let page = |title: &str, rows: &[(&str, &str)]| HelpPage {
        title: title.into(),
        lines: rows.iter().map(|(left, right)| (left.to_string(), right.to_string())).collect(),
    };
    let long = vec![("name", "words that go on and on and on and on and on"); 40];
    vec![page("keys", &[("q", "end the performance"), ("t", "warmer")]), page("parameters", &long)]
}

#[test]
fn the_help_lies_over_everything() {
    let mut stage = Stage::new();
    assert!(!has(&stage.screen(80, 24), "end the performance"));
    stage.take(Event::Help { on: true, page: 0 });
    for (width, height) in [(80, 24), (40, 12), (200, 60)] {
        let screen = stage.screen(width, height);
        assert!(has(&screen, "│ q  end the performance"), "{screen:#?}");
        assert!(has(&screen, "  keys ") && has(&screen, "?, PgDn, PgUp turn  Esc closes"), "{screen:#?}");
    }
    stage.take(Event::Help { on: false, page: 0 });
    assert!(!has(&stage.screen(80, 24), "end the performance"));
}

#[test]
fn the_help_has_as_many_pages_as_the_screen_asks_for() {
    let mut stage = Stage::new();
    for (width, height) in [(80, 24), (40, 12), (60, 15), (20, 5), (200, 60)] {
        let mut seen = Vec::new();
        for page in 0..99 {
            // Not as an event, so that the clock stands still.
            stage.state.help = Some(page);
            let screen = stage.screen(width, height);
            if page > 0 && screen == seen[0] {
                break;
            }
            seen.push(screen);
        }
        let last = format!("{}/{}", seen.len(), seen.len());
        assert!(has(seen.last().unwrap(), &last), "{width}x{height} lacks {last}: {:#?}", seen.last());
        // Without frames and the ends of lines, every word is there.
        let letters = |text: &String| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let all: String = seen.iter().flatten().map(letters).collect();
        let count = |words| all.matches(words).count();
        assert_eq!((count("endtheperformance"), count("wordsthatgoon")), (1, 40), "{width}x{height}: {seen:#?}");
        stage.state.help = None;
        assert!(!has(&stage.screen(width, height), "end the performance"));
    }
    stage.take(Event::Help { on: true, page: 3 });
    for (width, height) in [(7, 2), (2, 9), (1, 1)] {
        stage.screen(width, height);
    }
}

#[test]
fn what_is_read_stays_in_sight_when_the_screen_changes() {
    let mut stage = Stage::new();
    for page in 0..5 {
        stage.take(Event::Help { on: true, page });
        stage.screen(40, 12);
    }
    let before = stage.screen(40, 12);
    assert!(has(&before, "help 5/9"), "{before:#?}");
    assert!(has(&stage.screen(80, 24), "help 2/3  parameters"), "{:#?}", stage.screen(80, 24));
    assert_eq!(stage.screen(40, 12), before);
    stage.take(Event::Help { on: true, page: 3 });
    assert!(has(&stage.screen(40, 12), "help 4/9"));
    stage.take(Event::Help { on: false, page: 0 });
    stage.screen(80, 24);
    // After the last comes the first, and the other way round.
    for (page, shown) in [(5, "help 3/3"), (6, "help 1/3"), (5, "help 3/3")] {
        stage.take(Event::Help { on: true, page });
        assert!(has(&stage.screen(80, 24), shown), "{:#?}", stage.screen(80, 24));
    }
}

#[test]
fn the_plate_stands_in_the_corner_when_it_is_wanted() {
    let mut stage = Stage::new();
    stage.prompt("春");
    stage.say("江潮水", 0.9);
    stage.take(Event::Card { text: "A voice 小声\n3 M parameters\nlicence CC0".into() });
    assert!(!has(&stage.screen(100, 30), "A voice"));
    stage.take(Event::Param { id: ParamId::Plate, value: 1.0, by: Hand::Key });
    let screen = stage.screen(100, 30);
    assert!(has(&screen, "│ A voice 小声   │") && has(&screen, "│ licence CC0    │"), "{screen:#?}");
    for (width, height) in [(80, 24), (40, 12), (20, 5), (6, 4), (3, 2)] {
        stage.take(Event::Card { text: format!("{}\n", "long ".repeat(40)).repeat(40) });
        let screen = stage.screen(width, height);
        assert!(screen.iter().all(|line| Span::raw(line.as_str()).width() <= usize::from(width)), "{screen:#?}");
    }
    stage.take(Event::Param { id: ParamId::Plate, value: 0.0, by: Hand::Key });
    assert!(!has(&stage.screen(100, 30), "long"));
}

#[test]
fn the_whole_plate_can_be_read_part_after_part() {
    let mut stage = Stage::new();
    let lines = (0..12).map(|i| format!("line {i} goes on until the last of its sixty columns ends{i}"));
    stage.take(Event::Card { text: lines.collect::<Vec<_>>().join("\n") });
    for (width, height) in [(80, 24), (60, 15), (40, 12), (20, 5), (120, 40)] {
        stage.take(Event::Param { id: ParamId::Plate, value: 0.0, by: Hand::Key });
        stage.take(Event::Param { id: ParamId::Plate, value: 1.0, by: Hand::Key });
        assert!(has(&stage.screen(width, height), "line 0"), "it begins with its beginning");
        let mut seen = Vec::new();
        for _ in 0..30 {
            seen.extend(stage.screen(width, height));
            stage.t_ns += 6 * SECOND;
            stage.state.tick(stage.t_ns);
        }
        for i in 0..12 {
            assert!(has(&seen, &format!("line {i} ")) && has(&seen, &format!("ends{i}")), "{width}x{height} {i}");
        }
        assert!(!seen.iter().any(|line| line.contains("line") && line.contains('…')), "{width}x{height}: {seen:#?}");
    }
}
