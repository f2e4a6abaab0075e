//! *page*: the text as a page being written. The last lines rise as new ones come, or give way to the right where text
//! runs in columns, and a caret waits for the next word.

mod palimpsest;

use super::brush::{Brush, Color, Look, faded, mixed, smooth};
use super::{Ceiling, Claim, Place, Scene, What};
use crate::score::{FlawKind, ParamId, SignalId};
use crate::visuals::FrameState;
use crate::visuals::text::{Cell, Direction, Line, Order, Placed, Setting, Voice, place};

pub const SCENE: Scene = Scene {
    name: "page",
    help: "the text as a page being written, and beneath it the roads not taken",
    wgsl: None,
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: [0.05, 0.0, 0.95, 0.92] },
        Claim { what: What::Certainty, region: [0.05, 0.0, 0.95, 0.92] },
        Claim { what: What::Rejected, region: [0.05, 0.0, 0.95, 0.92] },
        Claim { what: What::Flaw, region: [0.05, 0.0, 0.95, 0.92] },
        Claim { what: What::Signal(SignalId::Waiting), region: [0.05, 0.0, 0.95, 0.92] },
        Claim { what: What::Signal(SignalId::Prefill), region: [0.05, 0.0, 0.95, 0.92] },
        Claim { what: What::Signal(SignalId::Load), region: [0.05, 0.0, 0.95, 0.92] },
    ],
    drift: "the caret breathes while a word is awaited; behind the page the patch's shader does what it does",
    drift_most: 3.0,
};

/// The patch's shader by itself: the words are there for it to read, and it shows them or does not.
pub const SHADER: Scene = Scene {
    name: "shader",
    help: "the patch's shader alone, which sees the words as a texture",
    wgsl: None,
    draw,
    over: false,
    claims: &[],
    drift: "what the patch's shader does by itself",
    drift_most: 6.0,
};

/// How long a token takes to come up, and how long it glows after that.
const ATTACK_S: f32 = 0.15;
const GLOW_S: f32 = 0.9;
/// How long a new line takes to push the page up.
const RISE_S: f32 = 0.45;
/// How long forgotten text takes to dissolve.
const DISSOLVE_S: f32 = 2.5;

/// A line holds at least so many half cells: five Han, the shortest line of classical verse.
const LEAST: f32 = 10.0;

/// How large the type is: each of its pixels takes so many of the frame's. Two lines of five Han fit above the foot even
/// in a small window, and a column of five.
pub fn scale(state: &FrameState, brush: &Brush, bottom: f32) -> f32 {
    let wanted = (state.params.get(ParamId::TextSize) * brush.height / 720.0).round();
    let most = match vertical(state) {
        false => (bottom / 44.0).min((brush.width - 2.0 * margin(brush)) / (8.0 * LEAST)),
        true => (bottom - head(brush)) / (8.0 * LEAST + HANG),
    };
    wanted.min(most.floor()).max(1.0)
}

fn vertical(state: &FrameState) -> bool {
    state.params.get(ParamId::Vertical) >= 0.5
}

fn margin(brush: &Brush) -> f32 {
    (brush.width * 0.07).round()
}

/// Where columns begin while nothing stands over them, and what they leave free below for a stop that hangs, in pixels of
/// the type.
fn head(brush: &Brush) -> f32 {
    (0.07 * brush.height).round()
}
const HANG: f32 = 16.0;

/// How far down the line being written can go, in pixels.
pub fn lowest(state: &FrameState, brush: &Brush, bottom: f32) -> f32 {
    bottom - (22.0 * scale(state, brush, bottom)).round()
}

/// A character where it stands on the page.
pub struct Letter<'a> {
    pub cell: &'a Cell,
    pub at: Placed,
    pub scale: f32,
    /// How much of it there is: further back the eye lets go.
    pub alpha: f32,
}

/// The page laid out for a frame. Lines lie along one axis and follow each other across the other, whichever way the text
/// runs.
struct Sheet {
    /// The last lines.
    lines: Vec<Line>,
    direction: Direction,
    scale: f32,
    /// Where a line begins, and how many half cells it holds.
    start: f32,
    columns: u32,
    leading: f32,
    /// Where the line that is being written comes to rest, and how far the others still have to move on.
    rest: f32,
    risen: f32,
    /// From there to where lines go out of sight.
    reach: f32,
}

/// More lines than any frame has room for.
const MOST_LINES: usize = 256;

impl Sheet {
    fn of(state: &FrameState, brush: &mut Brush, Place { bottom, ceiling }: Place) -> Sheet {
        let scale = scale(state, brush, bottom);
        let leading = (22.0 * scale).round();
        let margin = margin(brush);
        let edge = ceiling.map_or(0.0, |c| c.y * c.there);
        let vertical = vertical(state);
        let (direction, start, long) = match vertical {
            false => (Direction::Across, margin, brush.width - 2.0 * margin),
            true => {
                let top = ceiling.map_or(0.0, |c| c.there * (c.y + 0.5 * leading)).max(head(brush)).round();
                (Direction::Down, top, bottom - HANG * scale - top)
            }
        };
        let columns = (long / (8.0 * scale)).floor().max(2.0) as u32;
        // The line being written stands a little below the middle, where a room looks, and the lines before it rise; under
        // a ceiling it sinks as far as it takes to show two more. A column stands at the left, and those before it give way.
        let (rest, reach) = if vertical {
            let rest = (brush.width * 0.24).round();
            (rest, brush.width - 0.4 * margin - 16.0 * scale - rest)
        } else {
            let rest = (bottom * 0.74 - 16.0 * scale).max(8.0 * scale);
            let lowest = lowest(state, brush, bottom);
            let sunk = |c: Ceiling| rest + c.there * ((c.y + 2.0 * leading).min(lowest) - rest).max(0.0);
            let rest = ceiling.map_or(rest, sunk).round();
            (rest, rest - edge)
        };
        let lines = brush.typesetter.lines(&state.page, columns, direction);
        let lines = lines[lines.len().saturating_sub(MOST_LINES)..].to_vec();
        let rising = |line: &Line| 1.0 - smooth(0.0, RISE_S, state.since(line.born_ns));
        // A new line begins beneath the last one and rises with it; when lines come faster than that, none lies on another.
        let room = if vertical { 1.0 } else { (lowest(state, brush, bottom) - rest) / leading };
        let risen = lines.iter().rev().take(4).map(rising).sum::<f32>().min(room.clamp(0.0, 1.0));
        Sheet { lines, direction, scale, start, columns, leading, rest, risen, reach }
    }

    /// The lines in sight, the one that is being written first: each with where it begins and how much of it there is.
    fn in_sight(&self) -> impl Iterator<Item = (&Line, Setting, f32)> {
        let leading = self.leading;
        self.lines.iter().rev().enumerate().map_while(move |(back, line)| {
            let away = (back as f32 - self.risen) * leading;
            let left = self.reach - away;
            // What stands further back is older, and lets the eye go.
            let depth = smooth(-leading, (self.reach - 2.0 * leading).max(leading), left);
            // A line is gone before the edge would cut it.
            let whole = smooth(0.0, 0.3 * leading, left);
            let alpha = if back == 0 { 1.0 } else { (0.16 + 0.84 * depth) * whole };
            let indent = 8.0 * self.scale * line.indent(self.columns);
            let origin = match self.direction {
                Direction::Across => [self.start + indent, (self.rest - away).round()],
                Direction::Down => [(self.rest + away).round(), self.start + indent],
            };
            let setting = Setting { direction: self.direction, scale: self.scale, origin };
            (left + leading >= 0.0).then_some((line, setting, alpha))
        })
    }
}

/// Goes through the letters of the page where they stand now.
pub fn letters(state: &FrameState, brush: &mut Brush, place: Place, each: &mut dyn FnMut(&mut Brush, Letter)) {
    let sheet = Sheet::of(state, brush, place);
    for (line, setting, alpha) in sheet.in_sight() {
        line_letters(state, line, &setting, alpha, &mut |letter| each(brush, letter));
    }
}

fn line_letters(state: &FrameState, line: &Line, setting: &Setting, alpha: f32, each: &mut dyn FnMut(Letter)) {
    place(&state.page, line, setting, &mut |at| {
        if let Some(cell) = state.page.cells().get(at.cell) {
            each(Letter { cell, at, scale: setting.scale, alpha });
        }
    });
}

/// Paints the page above the foot and below the ceiling, where there is one.
fn draw(state: &FrameState, brush: &mut Brush, place: Place) {
    let gone = state.ended_ns.map_or(1.0, |t_ns| 1.0 - 0.6 * smooth(0.0, 4.0, state.since(t_ns)));
    let sheet = Sheet::of(state, brush, place);
    let scale = sheet.scale;
    let mut caret = None;
    for (back, (line, setting, alpha)) in sheet.in_sight().enumerate() {
        let alpha = alpha * gone;
        let mut tokens = Vec::new();
        line_letters(state, line, &setting, alpha, &mut |letter| {
            draw_letter(state, brush, &letter, sheet.direction);
            if letter.cell.voice == Voice::Model && letter.cell.ch != ' ' && letter.cell.left_ns.is_none() {
                tokens.push((letter.cell.index, letter.at));
            }
        });
        palimpsest::draw(state, brush, &tokens, &sheet, (back == 0, place.bottom), alpha);
        if back == 0 {
            // In a line that runs from right to left the next word comes at its left.
            let along = match line.order {
                Order::Rtl => -1.0,
                _ => (line.width as f32).min(sheet.columns as f32),
            };
            let [dx, dy] = along_line(sheet.direction, along * 8.0 * scale);
            caret = Some([setting.origin[0] + dx, setting.origin[1] + dy]);
        }
    }
    if let (Some([x, y]), None) = (caret, state.ended_ns) {
        draw_caret(state, brush, [x, y], scale, sheet.direction);
        let [dx, dy] = across_line(sheet.direction, 8.0 * scale);
        brush.focus = [x + dx, y + dy];
    }
    let margin = margin(brush);
    let below =
        if sheet.direction == Direction::Across { sheet.rest + sheet.leading } else { place.bottom - 2.0 * scale };
    draw_prefill(state, brush, margin, below, scale);
}

/// A step along the line in pixels, and one across it, towards where marks stand.
fn along_line(direction: Direction, step: f32) -> [f32; 2] {
    match direction {
        Direction::Across => [step, 0.0],
        Direction::Down => [0.0, step],
    }
}

fn across_line(direction: Direction, step: f32) -> [f32; 2] {
    match direction {
        Direction::Across => [0.0, step],
        Direction::Down => [step, 0.0],
    }
}

fn draw_letter(state: &FrameState, brush: &mut Brush, letter: &Letter, direction: Direction) {
    let Letter { cell, at, scale, .. } = letter;
    let (there, dissolved) = presence(state, cell, at.cell);
    let alpha = letter.alpha * there;
    let look = doubted(state, cell.p).dissolved(dissolved);
    brush.placed(at, *scale, faded(color(state, cell), alpha), look);
    let neighbour = |i: usize| state.page.cells().get(i).is_some_and(|c| c.flaw.is_some() && c.ch != ' ');
    // A space is marked only between two flawed words.
    let joins = cell.ch != ' ' || (at.cell > 0 && neighbour(at.cell - 1) && neighbour(at.cell + 1));
    if let (Some((kind, t_ns)), true, false) = (cell.flaw, joins, at.mark) {
        let alpha = alpha * smooth(0.0, 0.3, state.since(t_ns)) * (1.0 - dissolved);
        let color = faded(brush.palette.accent, alpha);
        let [long, high] = at.size(*scale);
        let wide = if direction == Direction::Across { long } else { high };
        draw_flaw(brush, kind, [at.x, at.y], wide, *scale, color, direction);
    }
}

/// How much of the cell is there as it comes up in its attack, and how much of it has dissolved since it left.
fn presence(state: &FrameState, cell: &Cell, place: usize) -> (f32, f32) {
    let come = smooth(-0.02, ATTACK_S, state.since(cell.born_ns));
    let Some(left_ns) = cell.left_ns else { return (come, 0.0) };
    // Each character starts to go at a moment of its own, from its code and place: not by chance, so always the same.
    let grain = (cell.ch as usize).wrapping_mul(2_654_435_761).wrapping_add(place.wrapping_mul(40_503)) >> 7 & 255;
    let delay = grain as f32 / 255.0 * DISSOLVE_S;
    (come, smooth(delay, delay + 0.8, state.since(left_ns)))
}

/// The colour of a word of this probability: certain words are bright paper; doubt dims them, and what is improbable
/// turns to the accent.
pub fn toned(state: &FrameState, p: f32) -> Color {
    let palette = state.palette();
    let shown = state.params.get(ParamId::Certainty);
    let surprise = SignalId::Surprise.spec().position(-p.max(1e-9).log2());
    let doubt = shown * (1.0 - p.clamp(0.0, 1.0).sqrt());
    let warm = shown * smooth(0.25, 0.75, surprise);
    // The accent is nearer to the ground than paper by itself, and both must stay readable.
    mixed(mixed(palette.paper, palette.accent, warm), palette.ground, doubt * (0.26 + (palette.doubt - 0.26) * warm))
}

/// How doubt shows besides in the strokes of a word of this probability.
pub fn doubted(state: &FrameState, p: f32) -> Look {
    let doubt = 1.0 - p.clamp(0.0, 1.0).sqrt();
    match state.params.get(ParamId::Doubt) as u32 {
        1 => Look::PLAIN.weighted(0.75 - 1.6 * doubt),
        2 => Look::PLAIN.blurred(0.42 * smooth(0.4, 1.0, doubt)),
        _ => Look::PLAIN,
    }
}

/// The performer's words are in their own colour; new ones glow.
fn color(state: &FrameState, cell: &Cell) -> Color {
    if cell.voice == Voice::Performer {
        return state.palette().prompt;
    }
    let settled = toned(state, cell.p);
    let glow = 1.0 - smooth(0.0, GLOW_S, state.since(cell.born_ns));
    mixed(settled, mixed(settled, state.palette().lit, 0.35), glow)
}

/// Each kind of flaw has its own line under the words, or beside a column: a repetition a double one, a leap a broken one,
/// two scripts a short stroke at each character, a broken character a thick one, a hesitation one that steps up and down,
/// an early end a wall at its end; where a template leaks, the seam shows. Each is a list of strokes: from where to where along
/// the character, how far below it, and how thick, in pixels of the type.
fn draw_flaw(brush: &mut Brush, kind: FlawKind, [x, y]: [f32; 2], wide: f32, scale: f32, color: Color, run: Direction) {
    let mut stroke = |from: f32, long: f32, below: f32, thick: f32| match run {
        Direction::Across => brush.rect(x + from, y + (17.0 + below) * scale, long, thick * scale, color),
        Direction::Down => brush.rect(x + (17.0 + below) * scale, y + from, thick * scale, long, color),
    };
    match kind {
        FlawKind::Repetition => {
            stroke(0.0, wide, 0.0, 1.0);
            stroke(0.0, wide, 2.0, 1.0);
        }
        FlawKind::Leap => {
            let dashes = (wide / (4.0 * scale)) as u32;
            (0..dashes).for_each(|i| stroke((4 * i + 1) as f32 * scale, 2.0 * scale, 0.0, 1.0));
        }
        FlawKind::ScriptMix => stroke(wide * 0.25, wide * 0.5, 0.0, 1.0),
        FlawKind::BrokenCharacter => stroke(0.0, wide, 0.0, 3.0),
        FlawKind::Hesitation => {
            let steps = (wide / (4.0 * scale)) as u32;
            (0..steps).for_each(|i| stroke((4 * i) as f32 * scale, 4.0 * scale, (i % 2) as f32, 1.0));
        }
        FlawKind::EarlyEnd => stroke(wide - 2.0 * scale, 2.0 * scale, -4.0, 7.0),
        FlawKind::TemplateLeak => {
            stroke(0.0, wide, 0.0, 1.0);
            stroke(0.0, scale, -1.0, 3.0);
        }
    }
}

/// Where the next word will be: a thin stroke that widens and breathes the longer nothing comes.
fn draw_caret(state: &FrameState, brush: &mut Brush, [x, y]: [f32; 2], scale: f32, direction: Direction) {
    let waiting_s = state.signals.get(SignalId::Waiting).unwrap_or(0.0);
    let long = 1.0 - (-(waiting_s - 0.4).max(0.0) / 5.0).exp();
    let breath = 0.5 - 0.5 * (state.waiting_turn(3.6) * std::f32::consts::TAU).cos();
    let width = scale * (1.0 + 15.0 * long);
    let height = scale * (12.0 + 2.0 * long * breath);
    let alpha = (0.75 - 0.45 * long) + 0.4 * long * breath;
    let color = faded(mixed(brush.palette.paper, brush.palette.accent, long), alpha);
    match direction {
        Direction::Across => brush.rect(x + 2.0 * scale, y + 8.0 * scale - height / 2.0, width, height, color),
        Direction::Down => brush.rect(x + 8.0 * scale - height / 2.0, y + 2.0 * scale, height, width, color),
    }
}

/// While the model is brought into memory or the prompt is being read, a line under the words says how far.
fn draw_prefill(state: &FrameState, brush: &mut Brush, left: f32, y: f32, scale: f32) {
    if state.reading || state.loading {
        let measure = if state.loading { SignalId::Load } else { SignalId::Prefill };
        let done = state.signals.get(measure).unwrap_or(0.0);
        let (wide, thick) = (brush.width - 2.0 * left, scale.max(2.0));
        brush.rect(left, y, wide, thick, brush.palette.track);
        brush.rect(left, y, wide * done.clamp(0.0, 1.0), thick, brush.palette.prompt);
    }
}

#[cfg(test)]
mod tests;
