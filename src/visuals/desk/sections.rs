//! The sections on the left of the view, in the terminal's words and order, and what only the stage has: what it shows
//! now, the roll, the shader. Pure.

use super::row::{Ink, Piece, Row};
use super::{Seen, columns};
use crate::desk::signals::reading;
use crate::desk::words::{ago, clock, spelled};
use crate::desk::{chain, clean};
use crate::score::{ParamId, SignalId};
use crate::visuals::scene::SCENES;
use crate::visuals::state::EXPOSURES;

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
pub fn all(seen: &Seen, width: usize) -> Vec<Section> {
    let mut all = Vec::new();
    all.extend(scene(seen, width));
    all.push(stage(seen));
    all.push(prompts(seen, width));
    all.push(roads(seen, width));
    all.push(sampler(seen, width));
    all.push(controls(seen, width));
    all.push(sound(seen));
    all.push(energy(seen));
    all.push(roll(seen));
    all.extend(shader(seen, width));
    all.push(faults(seen, width));
    all
}

fn scene(seen: &Seen, width: usize) -> Option<Section> {
    let desk = seen.desk;
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
fn stage(seen: &Seen) -> Section {
    let (stage, cross) = (seen.stage, &seen.stage.cross);
    let mut row = vec![Piece::text(SCENES[cross.to].name, Ink::Strong)];
    if let Some(from) = cross.going() {
        row.push(Piece::text(format!("  {:.0}% from {}", cross.part() * 100.0, SCENES[from].name), Ink::Plain));
    }
    let dark = stage.params.get(ParamId::Blackout);
    if dark > 0.0 {
        row.push(Piece::text(format!("  BLACKOUT {:.0}%", dark * 100.0), Ink::Fault));
    }
    if stage.frozen() {
        row.push(Piece::text("  FROZEN", Ink::Fault));
    }
    row.push(Piece::text(format!("  {}", stage.palette().name), Ink::Quiet));
    Section::new("stage", vec![row], 1)
}

fn prompts(seen: &Seen, width: usize) -> Section {
    let desk = seen.desk;
    let mut first = 0;
    let rows = desk.prompts.iter().enumerate().map(|(i, prompt)| {
        let playing = desk.playing.as_deref() == Some(prompt.name.as_str());
        if playing {
            first = i;
        }
        let mark = match () {
            () if playing => "▸",
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
    let rows = rows.collect();
    Section { first, ..Section::new("prompts", rows, 3) }
}

/// The last token's candidates as bars, as the model gave them; an arrow before the one that was drawn.
fn roads(seen: &Seen, width: usize) -> Section {
    const P: usize = 6;
    let desk = seen.desk;
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
fn sampler(seen: &Seen, width: usize) -> Section {
    let mut rows: Vec<Row> = vec![Vec::new()];
    let mut x = 0;
    for (i, link) in chain::chain(seen.desk).into_iter().enumerate() {
        let ink = if link.acts { Ink::Strong } else { Ink::Quiet };
        let name = format!("{}{} ", if i == 0 { "" } else { "→ " }, link.name);
        let setting = format!("{} ", link.setting);
        let wide = columns(&name) + columns(&setting);
        if x > 0 && x + wide > width + 1 {
            rows.push(Vec::new());
            x = 0;
        }
        x += wide;
        if let Some(row) = rows.last_mut() {
            row.extend([Piece::text(name, Ink::Quiet), Piece::text(setting, ink)]);
        }
    }
    let title = if seen.desk.order.is_some() { "sampler, in the patch's order" } else { "sampler" };
    let least = rows.len();
    Section::new(title, rows, least)
}

fn controls(seen: &Seen, width: usize) -> Section {
    let desk = seen.desk;
    let mut rows: Vec<Row> = desk
        .controls
        .iter()
        .map(|control| {
            let (lamp, ink) = if desk.lit(control) { ("●", Ink::Fault) } else { ("○", Ink::Quiet) };
            let port = control.port.split(':').next().unwrap_or_default();
            let mut row = vec![
                Piece::fitted(lamp, 2, ink),
                Piece::fitted(port, (width / 3).min(16), Ink::Quiet),
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

fn sound(seen: &Seen) -> Section {
    let desk = seen.desk;
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

fn energy(seen: &Seen) -> Section {
    let desk = seen.desk;
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

fn roll(seen: &Seen) -> Section {
    let roll = &seen.stage.roll;
    let used = roll.exposures().len();
    let mut row = vec![
        Piece::bar(used as f32 / EXPOSURES as f32, 6),
        Piece::text(format!(" {} of {EXPOSURES} exposures left", roll.left()), Ink::Plain),
    ];
    if roll.full > 0 {
        row.push(Piece::text(format!("  {} full", roll.full), Ink::Quiet));
    }
    Section::new("roll", vec![row], 1)
}

/// The artist's shader: its name, what it notes, and why another was refused. Its inputs stand among the parameters.
fn shader(seen: &Seen, width: usize) -> Option<Section> {
    let (name, _) = seen.stage.shader()?;
    let shown = SCENES[seen.stage.cross.to].wgsl.is_none();
    let mut rows = vec![vec![
        Piece::text(clean::line(name), if shown { Ink::Strong } else { Ink::Plain }),
        Piece::text(if shown { "" } else { "  not shown: stage.scene is another" }, Ink::Quiet),
    ]];
    if let Some(error) = seen.refused {
        let said = format!("{} line {}: {}; {}", error.name, error.line, error.message, error.instead);
        rows.extend(wrapped(&clean::line(&said), width, 3).into_iter().map(|line| vec![Piece::text(line, Ink::Fault)]));
    }
    for note in seen.program.iter().flat_map(|program| &program.notes) {
        rows.push(vec![Piece::text(clean::line(note), Ink::Quiet)]);
    }
    let least = if seen.refused.is_some() { 3 } else { 1 };
    Some(Section::new("shader", rows, least))
}

fn faults(seen: &Seen, width: usize) -> Section {
    let desk = seen.desk;
    let mut rows: Vec<Row> = Vec::new();
    for fault in desk.faults.iter().rev() {
        let when = Piece::text(format!("{:<10} ", ago(fault.t_ns, desk.now_ns)), Ink::Quiet);
        let lines = wrapped(&fault.text, width.saturating_sub(11), 3);
        let mut lines = lines.into_iter().map(|line| Piece::text(line, Ink::Fault));
        rows.push(std::iter::once(when).chain(lines.next()).collect());
        rows.extend(lines.map(|line| vec![Piece::text(" ".repeat(11), Ink::Quiet), line]));
    }
    if rows.is_empty() {
        rows.push(vec![Piece::text("none", Ink::Quiet)]);
    }
    Section::new("faults", rows, 1)
}

/// The text in lines of so many columns, at spaces where there are any; what is beyond `most` lines is cut.
fn wrapped(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if columns(line) + 1 + columns(word) <= width || last + 1 == most {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}
