//! The sections on the left of the view, in the terminal's words and order. Pure.

use super::columns;
use super::row::{Ink, Piece, Row};
use crate::desk::State;
use crate::desk::signals::reading;
use crate::desk::words::{ago, clock, spelled, wrapped};
use crate::desk::{chain, clean};
use crate::score::SignalId;

/// Something on the desk.
pub struct Section {
    pub title: &'static str,
    pub rows: Vec<Row>,
    /// So many rows it keeps while others still have more.
    pub least: usize,
    /// The row that must be in sight.
    pub first: usize,
}

impl Section {
    fn new(title: &'static str, rows: Vec<Row>, least: usize) -> Section {
        let least = least.min(rows.len());
        Section { title, rows, least, first: 0 }
    }
}

/// All of them, for a column of so many columns.
pub fn all(desk: &State, width: usize) -> Vec<Section> {
    let mut all = Vec::new();
    all.extend(scene(desk, width));
    all.push(stage(desk));
    all.push(prompts(desk, width));
    all.push(roads(desk, width));
    all.push(sampler(desk, width));
    // Before what may be left out in a low window.
    all.push(faults(desk, width));
    all.push(controls(desk, width));
    all.extend(tempo(desk));
    all.push(sound(desk));
    all.push(energy(desk));
    all.push(roll(desk));
    all.extend(shader(desk, width));
    all
}

fn scene(desk: &State, width: usize) -> Option<Section> {
    let played_ns = desk.course.played_ns(desk.now_ns)?;
    let mut rows = vec![vec![
        Piece::text(&desk.scene, Ink::Prompt),
        Piece::text(format!("  for {}", clock(played_ns)), Ink::Plain),
    ]];
    let bar = width / 4;
    for ending in desk.course.endings(desk.now_ns) {
        let mut row = vec![Piece::fitted(&ending.text, width.saturating_sub(bar + 1), Ink::Plain)];
        row.extend(ending.part.map(|part| Piece::bar(part, bar)));
        rows.push(row);
    }
    rows.extend(desk.course.following().map(|next| vec![Piece::text(format!("then {next}"), Ink::Quiet)]));
    Some(Section::new("scene", rows, 2))
}

/// What the audience sees.
fn stage(desk: &State) -> Section {
    let shown = &desk.shown;
    let mut row = vec![Piece::text(shown.scene, Ink::Strong)];
    if let Some((from, part)) = shown.going {
        row.push(Piece::text(format!("  {part}% from {from}"), Ink::Plain));
    }
    row.push(Piece::text(format!("  {}", shown.palette), Ink::Quiet));
    Section::new("stage", vec![row], 1)
}

fn prompts(desk: &State, width: usize) -> Section {
    let mut first = 0;
    let waits = desk.queued.as_ref().and_then(|(name, _)| name.as_deref());
    let rows = desk.prompts.iter().enumerate().map(|(i, prompt)| {
        let playing = desk.playing.as_deref() == Some(prompt.name.as_str());
        if playing {
            first = i;
        }
        let mark = match () {
            () if playing => "▸",
            () if waits == Some(prompt.name.as_str()) => "»",
            () if desk.second.as_deref() == Some(prompt.name.as_str()) => "~",
            () => " ",
        };
        let ink = if playing { Ink::Strong } else { Ink::Plain };
        vec![
            Piece::fitted(mark, 2, ink),
            Piece::text(format!("{:>2} ", i + 1), ink),
            Piece::fitted(&prompt.name, 12.min(width / 3), ink),
            Piece::text(format!(" {}", clean::line(&prompt.text)), Ink::Prompt),
        ]
    });
    let mut rows: Vec<Row> = rows.collect();
    // Below the one that is played, so that both are in sight.
    if let Some((_, said)) = &desk.queued {
        rows.insert((first + 1).min(rows.len()), vec![Piece::text(format!("» {said}"), Ink::Strong)]);
    }
    Section { first, ..Section::new("prompts", rows, 3) }
}

/// The last token's candidates as bars, as the model gave them; an arrow before the one that was drawn.
fn roads(desk: &State, width: usize) -> Section {
    const P: usize = 6;
    let word = (width / 3).min(14);
    let bar = width.saturating_sub(2 + word + P + 1);
    let taken = desk.taken.as_ref();
    let mut roads: Vec<_> = desk.roads.iter().map(|road| (road, taken.is_some_and(|t| t.id == road.id))).collect();
    if let Some(taken) = taken.filter(|_| !roads.is_empty() && roads.iter().all(|(_, taken)| !taken)) {
        roads.push((taken, true));
    }
    let first = roads.iter().position(|(_, taken)| *taken).unwrap_or(0);
    let rows = roads.into_iter().map(|(road, taken)| {
        let (ink, bars, mark) = if taken { (Ink::Strong, Ink::Strong, "→") } else { (Ink::Plain, Ink::Bar, " ") };
        let p = match road.p * 100.0 {
            p if p < 9.95 => format!("{p:.1}%"),
            p => format!("{p:.0}%"),
        };
        vec![
            Piece::fitted(mark, 2, ink),
            Piece::fitted(&spelled(&road.text), word, ink),
            Piece::text(format!("{p:>P$} "), ink),
            Piece::Bar { part: road.p, tick: None, columns: bar, ink: bars },
        ]
    });
    let rows = rows.collect();
    Section { first, ..Section::new("last token, before the sampler", rows, 4) }
}

/// The chain from left to right, and on in the next row.
fn sampler(desk: &State, width: usize) -> Section {
    let mut rows: Vec<Row> = vec![Vec::new()];
    let mut x = 0;
    for (i, link) in chain::chain(desk).into_iter().enumerate() {
        let ink = if link.acts { Ink::Strong } else { Ink::Quiet };
        let name = format!("{}{} ", if i == 0 { "" } else { "→ " }, link.name);
        let wide = columns(&name) + columns(&link.setting);
        if x > 0 && x + 1 + wide > width {
            rows.push(Vec::new());
            x = 0;
        }
        let gap = if x > 0 { " " } else { "" };
        x += gap.len() + wide;
        if let Some(row) = rows.last_mut() {
            row.extend([Piece::text(format!("{gap}{name}"), Ink::Quiet), Piece::text(link.setting, ink)]);
        }
    }
    let title = if desk.order.is_some() { "sampler, in the patch's order" } else { "sampler" };
    let least = rows.len();
    Section::new(title, rows, least)
}

fn controls(desk: &State, width: usize) -> Section {
    let mut rows: Vec<Row> = desk
        .controls
        .iter()
        .map(|control| {
            let (lamp, ink) = if desk.lit(control) { ("●", Ink::Fault) } else { ("○", Ink::Quiet) };
            let port = control.port.split(':').next().unwrap_or_default();
            let mut row = vec![
                Piece::fitted(lamp, 2, ink),
                Piece::fitted(port, (width / 3 + 1).min(16), Ink::Quiet),
                Piece::text(format!(" {}", control.what), Ink::Plain),
            ];
            if width >= 46 {
                row.push(Piece::text(format!("  {}", ago(control.t_ns, desk.now_ns)), Ink::Quiet));
            }
            row
        })
        .collect();
    if rows.is_empty() {
        rows.push(vec![Piece::text("nothing has come yet", Ink::Quiet)]);
    }
    Section::new("MIDI", rows, 1)
}

/// The tempo and where it comes from.
fn tempo(desk: &State) -> Option<Section> {
    let (tempo, from) = desk.tempo.told()?;
    let row = vec![Piece::text(tempo, Ink::Plain), Piece::text(format!("  {from}"), Ink::Quiet)];
    Some(Section::new("tempo", vec![row], 1))
}

fn sound(desk: &State) -> Section {
    let (xruns, last) = desk.xruns;
    let load = desk.signals.get(SignalId::SoundLoad);
    let mut row = match (load, &desk.sound) {
        (Some(load), _) => {
            vec![Piece::bar(load, 6), Piece::text(format!(" load {}", reading(SignalId::SoundLoad, load)), Ink::Plain)]
        }
        (None, Some(output)) => vec![Piece::text(output, Ink::Plain)],
        (None, None) => vec![Piece::text("none", Ink::Quiet)],
    };
    match last {
        Some(t_ns) => {
            row.push(Piece::text(format!("  {xruns} xruns, {}", ago(t_ns, desk.now_ns)), Ink::Fault));
        }
        None if load.is_some() => row.push(Piece::text("  no xruns", Ink::Quiet)),
        None => {}
    }
    Section::new("sound", vec![row], 1)
}

fn energy(desk: &State) -> Section {
    let piece = match (desk.energy.total_j(), desk.energy.per_token_j(), desk.reason(SignalId::Power)) {
        (Some(total), Some((each, count)), _) => {
            Piece::text(format!("{total:.0} J, {each:.2} J a token (last {count})"), Ink::Plain)
        }
        (Some(total), None, _) => Piece::text(format!("{total:.0} J"), Ink::Plain),
        (None, _, Some(reason)) => Piece::text(format!("unavailable: {reason}"), Ink::Quiet),
        (None, ..) => Piece::text("not measured yet", Ink::Quiet),
    };
    Section::new("energy", vec![vec![piece]], 1)
}

fn roll(desk: &State) -> Section {
    let roll = desk.shown.roll;
    let mut row = vec![Piece::text(format!("{} of {} exposures left ", roll.left, roll.of), Ink::Plain)];
    if roll.full > 0 {
        row.push(Piece::text(format!(" {} full ", roll.full), Ink::Quiet));
    }
    row.push(Piece::bar((roll.of - roll.left) as f32 / roll.of.max(1) as f32, 6));
    Section::new("roll", vec![row], 1)
}

/// The artist's shader: its name, what it notes, and why another was refused. Its inputs stand among the parameters.
fn shader(desk: &State, width: usize) -> Option<Section> {
    let shader = desk.shown.shader.as_ref()?;
    let mut rows = vec![vec![
        Piece::text(&shader.name, if shader.is_shown { Ink::Strong } else { Ink::Plain }),
        Piece::text(if shader.is_shown { "" } else { "  not shown: stage.scene is another" }, Ink::Quiet),
    ]];
    if let Some(why) = &shader.refused {
        let said = wrapped(why, |_| width, 3, columns);
        rows.extend(said.into_iter().map(|line| vec![Piece::text(line, Ink::Fault)]));
    }
    rows.extend(shader.notes.iter().map(|note| vec![Piece::text(note, Ink::Quiet)]));
    let least = if shader.refused.is_some() { 3 } else { 1 };
    Some(Section::new("shader", rows, least))
}

/// The latest first, each in three lines at most: its remedy stands at its end.
fn faults(desk: &State, width: usize) -> Section {
    const AGE: usize = 11;
    const INDENT: usize = 2;
    let mut rows: Vec<Row> = Vec::new();
    let mut least = None;
    for fault in desk.faults.iter().rev() {
        let when = format!("{:<10} ", ago(fault.t_ns, desk.now_ns));
        let room = |line: usize| width.saturating_sub(if line == 0 { AGE } else { INDENT });
        for (i, line) in wrapped(&fault.text, room, 3, columns).into_iter().enumerate() {
            let before = if i == 0 { when.clone() } else { " ".repeat(INDENT) };
            rows.push(vec![Piece::text(before, Ink::Quiet), Piece::text(line, Ink::Fault)]);
        }
        least.get_or_insert(rows.len());
    }
    if rows.is_empty() {
        rows.push(vec![Piece::text("none", Ink::Quiet)]);
    }
    Section::new("faults", rows, least.unwrap_or(1))
}
