//! The sections of the desk: scene, stage, prompts, the last token's roads, sampler, faults, controllers, tempo, sound, energy,
//! roll, shader. Pure.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{cut, fitted};
use crate::desk::chain;
use crate::desk::clean;
use crate::desk::signals::reading;
use crate::desk::state::State;
use crate::desk::words::{ago, clock, spelled, wrapped};
use crate::score::SignalId;
use crate::terminal::meters;
use crate::terminal::palette::{Palette, Role};

/// Something on the desk.
pub struct Section {
    pub title: String,
    pub lines: Vec<Line<'static>>,
    /// So many lines, from `first` on, it keeps while others still have more.
    pub least: usize,
    /// The line that must be in sight.
    pub first: usize,
}

impl Section {
    fn new(title: &str, lines: Vec<Line<'static>>, least: usize) -> Section {
        Section { title: title.to_string(), lines, least, first: 0 }
    }
}

/// All of them in their order, for a column of `width`.
pub fn sections(state: &State, palette: Palette, width: usize) -> Vec<Section> {
    let mut all = Vec::new();
    all.extend(scene(state, palette, width));
    all.push(stage(state, palette));
    all.push(prompts(state, palette, width));
    all.push(roads(state, palette, width));
    all.push(chain(state, palette, width));
    // Before what may be left out on a low screen.
    all.push(faults(state, palette, width));
    all.push(controls(state, palette, width));
    all.extend(tempo(state, palette));
    all.push(sound(state, palette));
    all.push(energy(state, palette));
    all.push(roll(state, palette));
    all.extend(shader(state, palette, width));
    for section in &mut all {
        section.lines = std::mem::take(&mut section.lines).into_iter().map(|line| cut(line, width)).collect();
    }
    all
}

fn scene(state: &State, palette: Palette, width: usize) -> Option<Section> {
    let played_ns = state.course.played_ns(state.now_ns)?;
    let mut lines = vec![Line::from(vec![
        Span::styled(state.scene.clone(), palette.of(Role::Prompt)),
        Span::styled(format!("  for {}", clock(played_ns)), palette.of(Role::Plain)),
    ])];
    let bar = width / 4;
    for ending in state.course.endings(state.now_ns) {
        let mut spans =
            vec![Span::styled(fitted(&ending.text, width.saturating_sub(bar + 1)), palette.of(Role::Plain))];
        if let Some(part) = ending.part {
            spans.push(Span::styled(format!(" {}", meters::bar(part, bar)), palette.of(Role::Bar)));
        }
        lines.push(Line::from(spans));
    }
    if let Some(next) = state.course.following() {
        lines.push(Line::styled(format!("then {next}"), palette.of(Role::Quiet)));
    }
    Some(Section::new("scene", lines, 2))
}

fn prompts(state: &State, palette: Palette, width: usize) -> Section {
    let mut first = 0;
    let waits = state.queued.as_ref().and_then(|(name, _)| name.as_deref());
    let lines = state.prompts.iter().enumerate().map(|(i, prompt)| {
        let playing = state.playing.as_deref() == Some(prompt.name.as_str());
        if playing {
            first = i;
        }
        let mark = match () {
            () if playing => "▸",
            () if waits == Some(prompt.name.as_str()) => "»",
            () if state.second.as_deref() == Some(prompt.name.as_str()) => "~",
            () => " ",
        };
        let name = fitted(&prompt.name, 12.min(width / 3));
        let role = if playing { Role::Strong } else { Role::Plain };
        Line::from(vec![
            Span::styled(format!("{mark}{:>2} {name} ", i + 1), palette.of(role)),
            Span::styled(clean::line(&prompt.text), palette.of(Role::Prompt)),
        ])
    });
    let mut lines: Vec<Line> = lines.collect();
    // Below the one that is played, so that both are in sight.
    if let Some((_, said)) = &state.queued {
        lines.insert((first + 1).min(lines.len()), Line::styled(format!("» {said}"), palette.of(Role::Strong)));
    }
    Section { first, ..Section::new("prompts", lines, 3) }
}

/// The last token's candidates as bars, as the model gave them.
fn roads(state: &State, palette: Palette, width: usize) -> Section {
    const P: usize = 5;
    let word = (width / 3).min(14);
    let bar = width.saturating_sub(1 + word + 1 + P);
    let taken = state.taken.as_ref();
    let mut roads: Vec<_> = state.roads.iter().map(|road| (road, taken.is_some_and(|t| t.id == road.id))).collect();
    // One that was not among the likeliest comes after them.
    if let Some(taken) = taken.filter(|_| !roads.is_empty() && roads.iter().all(|(_, taken)| !taken)) {
        roads.push((taken, true));
    }
    let lines = roads.into_iter().map(|(road, taken)| {
        let (role, mark) = if taken { (Role::Strong, "→") } else { (Role::Plain, " ") };
        let bars = if taken { Role::Strong } else { Role::Bar };
        let p = match road.p * 100.0 {
            p if p < 9.95 => format!("{p:.1}%"),
            p => format!("{p:.0}%"),
        };
        Line::from(vec![
            Span::styled(format!("{mark}{}{p:>P$} ", fitted(&spelled(&road.text), word)), palette.of(role)),
            Span::styled(meters::fine_bar(road.p, bar), palette.of(bars)),
        ])
    });
    Section::new("last token, before the sampler", lines.collect(), 4)
}

/// The chain from left to right, and on in the next line.
fn chain(state: &State, palette: Palette, width: usize) -> Section {
    let links = chain::chain(state).into_iter().enumerate().map(|(i, link)| {
        let role = if link.acts { Role::Strong } else { Role::Quiet };
        let arrow = if i == 0 { "" } else { "→ " };
        vec![
            Span::styled(format!("{arrow}{} ", link.name), palette.of(Role::Quiet)),
            Span::styled(link.setting, palette.of(role)),
        ]
    });
    let title = if state.order.is_some() { "sampler, in the patch's order" } else { "sampler" };
    let lines = meters::flow_by(" ", links.collect(), width, 9);
    let least = lines.len();
    Section::new(title, lines, least)
}

fn controls(state: &State, palette: Palette, width: usize) -> Section {
    let quiet = palette.of(Role::Quiet);
    let mut lines: Vec<Line> = state
        .controls
        .iter()
        .map(|control| {
            let (lamp, role) = if state.lit(control) { ("●", Role::Improbable) } else { ("○", Role::Quiet) };
            let port = control.port.split(':').next().unwrap_or_default();
            let mut spans = vec![
                Span::styled(format!("{lamp} "), palette.of(role)),
                Span::styled(fitted(port, (width / 3 + 1).min(16)), quiet),
                Span::styled(format!(" {}", control.what), palette.of(Role::Plain)),
            ];
            // In a narrow column the lamp has to do.
            if width >= 46 {
                spans.push(Span::styled(format!("  {}", ago(control.t_ns, state.now_ns)), quiet));
            }
            Line::from(spans)
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled("nothing has come yet", quiet));
    }
    Section::new("MIDI", lines, 1)
}

/// The tempo and where it comes from.
fn tempo(state: &State, palette: Palette) -> Option<Section> {
    let (tempo, from) = state.tempo.told()?;
    let from = Span::styled(format!("  {from}"), palette.of(Role::Quiet));
    Some(Section::new("tempo", vec![Line::from(vec![Span::styled(tempo, palette.of(Role::Plain)), from])], 1))
}

fn sound(state: &State, palette: Palette) -> Section {
    let (xruns, last) = state.xruns;
    let load = state.signals.get(SignalId::SoundLoad);
    let mut spans = match (load, &state.sound) {
        (Some(load), _) => vec![
            Span::styled(meters::bar(load, 6), palette.of(Role::Bar)),
            Span::styled(format!(" load {}", reading(SignalId::SoundLoad, load)), palette.of(Role::Plain)),
        ],
        (None, Some(output)) => vec![Span::styled(output.clone(), palette.of(Role::Plain))],
        (None, None) => vec![Span::styled("none", palette.of(Role::Quiet))],
    };
    match last {
        Some(t_ns) => {
            let text = format!("  {xruns} xruns, {}", ago(t_ns, state.now_ns));
            spans.push(Span::styled(text, palette.of(Role::Fault)));
        }
        None if load.is_some() => spans.push(Span::styled("  no xruns", palette.of(Role::Quiet))),
        None => {}
    }
    Section::new("sound", vec![Line::from(spans)], 1)
}

fn energy(state: &State, palette: Palette) -> Section {
    let plain = palette.of(Role::Plain);
    let line = match (state.energy.total_j(), state.energy.per_token_j(), state.reason(SignalId::Power)) {
        (Some(total), Some((each, count)), _) => {
            Line::styled(format!("{total:.0} J, {each:.2} J a token (last {count})"), plain)
        }
        (Some(total), None, _) => Line::styled(format!("{total:.0} J"), plain),
        (None, _, Some(reason)) => Line::styled(format!("unavailable: {reason}"), palette.of(Role::Quiet)),
        (None, ..) => Line::styled("not measured yet", palette.of(Role::Quiet)),
    };
    Section::new("energy", vec![line], 1)
}

/// What the audience sees.
fn stage(state: &State, palette: Palette) -> Section {
    let shown = &state.shown;
    let mut spans = vec![Span::styled(shown.scene, palette.of(Role::Strong))];
    if let Some((from, part)) = shown.going {
        spans.push(Span::styled(format!("  {part}% from {from}"), palette.of(Role::Plain)));
    }
    spans.push(Span::styled(format!("  {}", shown.palette), palette.of(Role::Quiet)));
    Section::new("stage", vec![Line::from(spans)], 1)
}

fn roll(state: &State, palette: Palette) -> Section {
    let roll = state.shown.roll;
    let text = format!("{} of {} exposures left ", roll.left, roll.of);
    let mut spans = vec![Span::styled(text, palette.of(Role::Plain))];
    if roll.full > 0 {
        spans.push(Span::styled(format!(" {} full ", roll.full), palette.of(Role::Quiet)));
    }
    let used = (roll.of - roll.left) as f32 / roll.of.max(1) as f32;
    spans.push(Span::styled(meters::bar(used, 6), palette.of(Role::Bar)));
    Section::new("roll", vec![Line::from(spans)], 1)
}

/// The artist's shader: its name, what it notes, and why another was refused. Its inputs stand among the parameters.
fn shader(state: &State, palette: Palette, width: usize) -> Option<Section> {
    let shader = state.shown.shader.as_ref()?;
    let (role, beside) = match shader.is_shown {
        true => (Role::Strong, ""),
        false => (Role::Plain, "  not shown: stage.scene is another"),
    };
    let name = Span::styled(shader.name.clone(), palette.of(role));
    let mut lines = vec![Line::from(vec![name, Span::styled(beside, palette.of(Role::Quiet))])];
    if let Some(why) = &shader.refused {
        let said = wrapped(why, |_| width, 3, UnicodeWidthStr::width);
        lines.extend(said.into_iter().map(|line| Line::styled(line, palette.of(Role::Fault))));
    }
    lines.extend(shader.notes.iter().map(|note| Line::styled(note.clone(), palette.of(Role::Quiet))));
    Some(Section::new("shader", lines, 1))
}

/// The latest first, each in three lines at most.
fn faults(state: &State, palette: Palette, width: usize) -> Section {
    const AGE: usize = 11;
    const INDENT: usize = 2;
    let (mut lines, mut least) = (Vec::new(), None);
    for fault in state.faults.iter().rev() {
        let when = format!("{:<10} ", ago(fault.t_ns, state.now_ns));
        let room = |line: usize| width.saturating_sub(if line == 0 { AGE } else { INDENT });
        for (i, line) in wrapped(&fault.text, room, 3, UnicodeWidthStr::width).into_iter().enumerate() {
            let before = if i == 0 { when.clone() } else { " ".repeat(INDENT) };
            let before = Span::styled(before, palette.of(Role::Quiet));
            lines.push(Line::from(vec![before, Span::styled(line, palette.of(Role::Fault))]));
        }
        least.get_or_insert(lines.len());
    }
    if lines.is_empty() {
        lines.push(Line::styled("none", palette.of(Role::Quiet)));
    }
    Section::new("faults", lines, least.unwrap_or(1))
}
