//! *page*: the text as a page being written. The last lines rise as new ones come, and a caret waits for the next word.

use super::brush::{Brush, Color, Look, faded, mixed, smooth};
use super::{Ceiling, Claim, Place, Scene, What};
use crate::score::{FlawKind, ParamId, SignalId};
use crate::visuals::page::{Cell, Line, Voice};
use crate::visuals::{FrameState, glyphs};

pub const SCENE: Scene = Scene {
    name: "page",
    help: "the text as a page being written, and beneath it the roads not taken",
    wgsl: None,
    draw,
    over: true,
    claims: &[
        Claim { what: What::Token, region: [0.05, 0.0, 0.95, 0.75] },
        Claim { what: What::Certainty, region: [0.05, 0.0, 0.95, 0.75] },
        Claim { what: What::Rejected, region: [0.05, 0.0, 0.95, 0.75] },
        Claim { what: What::Flaw, region: [0.05, 0.0, 0.95, 0.75] },
        Claim { what: What::Signal(SignalId::Waiting), region: [0.05, 0.0, 0.95, 0.75] },
        Claim { what: What::Signal(SignalId::Prefill), region: [0.05, 0.0, 0.95, 0.75] },
        Claim { what: What::Signal(SignalId::Load), region: [0.05, 0.0, 0.95, 0.75] },
    ],
};

/// The patch's shader by itself: the words are there for it to read, and it shows them or does not.
pub const SHADER: Scene = Scene {
    name: "shader",
    help: "the patch's shader alone, which sees the words as a texture",
    wgsl: None,
    draw,
    over: false,
    claims: &[],
};

/// How long a token takes to come up, and how long it glows after that.
const ATTACK_S: f32 = 0.15;
const GLOW_S: f32 = 0.9;
/// How long a new line takes to push the page up.
const RISE_S: f32 = 0.45;
/// How long forgotten text takes to dissolve.
const DISSOLVE_S: f32 = 2.5;
/// How many tokens keep a trace of what was not drawn, and for how long.
const GHOSTS: usize = 24;
const GHOST_S: f32 = 6.0;

/// How large the type is: each of its pixels takes so many of the frame's. Two lines fit above the foot even in a small
/// window.
pub fn scale(state: &FrameState, brush: &Brush, bottom: f32) -> f32 {
    let wanted = (state.params.get(ParamId::TextSize) * brush.height / 720.0).round();
    wanted.min((bottom / 44.0).floor()).max(1.0)
}

/// How far down the line being written can go, in pixels.
pub fn lowest(state: &FrameState, brush: &Brush, bottom: f32) -> f32 {
    bottom - (22.0 * scale(state, brush, bottom)).round()
}

/// A character where it stands on the page.
pub struct Letter<'a> {
    pub cell: &'a Cell,
    /// Its place among the page's cells.
    pub place: usize,
    /// Upper left corner, and pixels to one of its own.
    pub x: f32,
    pub y: f32,
    pub scale: f32,
    /// How much of it there is: higher up the eye lets go.
    pub alpha: f32,
    /// Whether its neighbours on the line are flawed as well, so that marks join.
    pub between: bool,
}

/// The page laid out for a frame.
struct Sheet {
    lines: Vec<Line>,
    scale: f32,
    margin: f32,
    leading: f32,
    /// Where the line that is being written comes to rest, and how far the lines still have to rise.
    rest: f32,
    risen: f32,
    /// The lower edge of what stands over the page.
    edge: f32,
    columns: f32,
}

impl Sheet {
    fn of(state: &FrameState, brush: &Brush, Place { bottom, ceiling }: Place) -> Sheet {
        let scale = scale(state, brush, bottom);
        let margin = (brush.width * 0.07).round();
        let columns = ((brush.width - 2.0 * margin) / (8.0 * scale)).floor().max(2.0);
        let lines = state.page.lines(columns as u32);
        let leading = (22.0 * scale).round();
        // The line being written stands a little below the middle, where a room looks; it comes to rest there while the
        // lines before it rise.
        let rest = (bottom * 0.74 - 16.0 * scale).max(8.0 * scale);
        // Under a ceiling they sink as far as it takes to show two more lines.
        let lowest = lowest(state, brush, bottom);
        let sunk = |c: Ceiling| rest + c.there * ((c.y + 2.0 * leading).min(lowest) - rest).max(0.0);
        let rest = ceiling.map_or(rest, sunk).round();
        let edge = ceiling.map_or(0.0, |c| c.y * c.there);
        let rising = |line: &Line| 1.0 - smooth(0.0, RISE_S, state.since(line.born_ns));
        let risen = lines.iter().rev().take(4).map(rising).sum();
        Sheet { lines, scale, margin, leading, rest, risen, edge, columns }
    }

    /// The lines in sight, the one that is being written first: each with its upper edge and how much of it there is.
    fn in_sight(&self) -> impl Iterator<Item = (&Line, f32, f32)> {
        let (leading, rest, edge) = (self.leading, self.rest, self.edge);
        self.lines.iter().rev().enumerate().map_while(move |(back, line)| {
            let y = rest - (back as f32 - self.risen.min(back as f32)) * leading;
            // What stands higher is older, and lets the eye go.
            let depth = smooth(edge - leading, (rest - 2.0 * leading).max(edge + leading), y);
            let (out, whole) =
                if edge > 0.0 { (edge - 0.1 * leading, edge + 0.3 * leading) } else { (-leading, leading * 0.5) };
            let alpha = if back == 0 { 1.0 } else { (0.16 + 0.84 * depth) * smooth(out, whole, y) };
            (y + leading >= 0.0).then_some((line, y.round(), alpha))
        })
    }
}

/// Goes through the letters of the page where they stand now.
pub fn letters(state: &FrameState, brush: &mut Brush, place: Place, each: &mut dyn FnMut(&mut Brush, Letter)) {
    let sheet = Sheet::of(state, brush, place);
    for (line, y, alpha) in sheet.in_sight() {
        line_letters(state, &sheet, line, y, alpha, &mut |letter| each(brush, letter));
    }
}

fn line_letters(state: &FrameState, sheet: &Sheet, line: &Line, y: f32, alpha: f32, each: &mut dyn FnMut(Letter)) {
    let (scale, mut x) = (sheet.scale, sheet.margin);
    let cells = || state.page.cells().range(line.start..line.end);
    let flawed = |cell: Option<&Cell>| cell.is_some_and(|c| c.flaw.is_some() && c.ch != ' ');
    let mut before = None;
    let mut cells = cells().enumerate().peekable();
    while let Some((i, cell)) = cells.next() {
        let wide = 8.0 * scale * glyphs::advance(cell.ch) as f32;
        let at = if wide == 0.0 { x - 8.0 * scale } else { x };
        let between = flawed(before) && flawed(cells.peek().map(|(_, c)| *c));
        each(Letter { cell, place: line.start + i, x: at, y, scale, alpha, between });
        before = Some(cell);
        x += wide;
    }
}

/// Paints the page above the foot and below the ceiling, where there is one.
fn draw(state: &FrameState, brush: &mut Brush, place: Place) {
    let gone = state.ended_ns.map_or(1.0, |t_ns| 1.0 - 0.6 * smooth(0.0, 4.0, state.since(t_ns)));
    let sheet = Sheet::of(state, brush, place);
    let scale = sheet.scale;
    for (line, y, alpha) in sheet.in_sight() {
        line_letters(state, &sheet, line, y, alpha * gone, &mut |letter| draw_letter(state, brush, &letter));
        draw_rejected(state, brush, &sheet, line, y, alpha * gone);
    }
    if state.ended_ns.is_none() {
        let last = sheet.lines.last().copied();
        let x = last.map_or(0, |l| state.page.cells().range(l.start..l.end).map(|c| glyphs::advance(c.ch)).sum());
        let x = sheet.margin + (x as f32).min(sheet.columns) * 8.0 * scale;
        draw_caret(state, brush, x, sheet.rest, scale);
        brush.focus = [x, sheet.rest + 8.0 * scale];
    }
    draw_prefill(state, brush, sheet.margin, sheet.rest + sheet.leading, scale);
}

fn draw_letter(state: &FrameState, brush: &mut Brush, letter: &Letter) {
    let Letter { cell, x, y, scale, .. } = *letter;
    let wide = 8.0 * scale * glyphs::advance(cell.ch) as f32;
    let (there, dissolved) = presence(state, cell, letter.place);
    let alpha = letter.alpha * there;
    let look = doubted(state, cell.p).dissolved(dissolved);
    brush.styled(x, y, scale, cell.ch, faded(color(state, cell), alpha), look);
    // A space is underlined only between two flawed words.
    if let Some((kind, t_ns)) = cell.flaw
        && (cell.ch != ' ' || letter.between)
    {
        let alpha = alpha * smooth(0.0, 0.3, state.since(t_ns)) * (1.0 - dissolved);
        draw_flaw(brush, kind, x, y + 17.0 * scale, wide, scale, faded(brush.palette.accent, alpha));
    }
}

/// The palimpsest: under each of the last tokens what could have stood there, likeliest first, sinking into the page.
fn draw_rejected(state: &FrameState, brush: &mut Brush, sheet: &Sheet, line: &Line, y: f32, alpha: f32) {
    let plain = state.params.get(ParamId::StageGhosts);
    if plain <= 0.0 {
        return;
    }
    let (scale, small) = (sheet.scale, (sheet.scale * 0.5).floor().max(1.0));
    let cells = || state.page.cells().range(line.start..line.end);
    let last = line.end == state.page.cells().len();
    let mut free = f32::MIN;
    for mark in state.marks.iter().rev().take(GHOSTS).rev() {
        let age_s = state.since(mark.t_ns);
        if age_s > GHOST_S || mark.left_ns.is_some() {
            continue;
        }
        let mine =
            |c: &Cell| c.voice == Voice::Model && c.left_ns.is_none() && c.index == mark.token.index && c.ch != ' ';
        let Some(at) = cells().position(mine) else { continue };
        let x = cells().take(at).map(|c| glyphs::advance(c.ch)).sum::<u32>() as f32 * 8.0 * scale + sheet.margin;
        // Beneath a line that is done there is room for a trace only.
        let most = if last { 3 } else { 1 };
        let old = smooth(0.25 * GHOST_S, GHOST_S, age_s);
        // Where the one before it still needs the room, it stands lower.
        let step = 17.0 * small;
        let from = if x < free && last { 1.5 * step } else { 0.0 };
        let mut reach = x;
        for (i, road) in mark.rejected().filter(|road| !road.text.trim().is_empty()).take(most).enumerate() {
            let come = smooth(0.04 * i as f32, 0.3 + 0.08 * i as f32, age_s);
            let alpha = alpha * plain * come * (1.0 - old) * (0.30 + 0.70 * road.p.sqrt());
            let color = faded(brush.palette.label, alpha);
            let below = y + 20.0 * scale + from + i as f32 * step + old * 6.0 * small;
            let look = Look::PLAIN.dissolved(old);
            let text = road.text.trim();
            reach = reach.max(brush.looking(x, below, small, text, color, look));
        }
        free = free.max(reach + 8.0 * small);
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
    mixed(mixed(palette.paper, palette.accent, warm), palette.ground, doubt * (0.26 - 0.16 * warm))
}

/// How doubt shows besides in the strokes of a word of this probability.
pub fn doubted(state: &FrameState, p: f32) -> Look {
    let doubt = 1.0 - p.clamp(0.0, 1.0).sqrt();
    match state.params.get(ParamId::Doubt) as u32 {
        1 => Look::PLAIN.weighted(0.75 - 1.6 * doubt),
        2 => Look::PLAIN.blurred(0.55 * smooth(0.35, 1.0, doubt)),
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

/// Each kind of flaw has its own line under the words: a repetition a double one, a leap a broken one, two scripts a
/// short stroke at each character, a broken character a thick one.
fn draw_flaw(brush: &mut Brush, kind: FlawKind, x: f32, y: f32, wide: f32, scale: f32, color: Color) {
    match kind {
        FlawKind::Repetition => {
            brush.rect(x, y, wide, scale, color);
            brush.rect(x, y + 2.0 * scale, wide, scale, color);
        }
        FlawKind::Leap => {
            let dashes = (wide / (4.0 * scale)) as u32;
            for i in 0..dashes {
                brush.rect(x + (4 * i + 1) as f32 * scale, y, 2.0 * scale, scale, color);
            }
        }
        FlawKind::ScriptMix => brush.rect(x + wide * 0.25, y, wide * 0.5, scale, color),
        FlawKind::BrokenCharacter => brush.rect(x, y, wide, 3.0 * scale, color),
        // A thin one that is not sure of itself, a step above where it should be at every other place.
        FlawKind::Hesitation => {
            let steps = (wide / (4.0 * scale)) as u32;
            for i in 0..steps {
                brush.rect(x + (4 * i) as f32 * scale, y + (i % 2) as f32 * scale, 4.0 * scale, scale, color);
            }
        }
        // A wall at the end.
        FlawKind::EarlyEnd => brush.rect(x + wide - 2.0 * scale, y - 4.0 * scale, 2.0 * scale, 7.0 * scale, color),
        // The seam shows.
        FlawKind::TemplateLeak => {
            brush.rect(x, y, wide, scale, color);
            brush.rect(x, y - 1.0 * scale, scale, 3.0 * scale, color);
        }
    }
}

/// Where the next word will be: a thin stroke that widens and breathes the longer nothing comes.
fn draw_caret(state: &FrameState, brush: &mut Brush, x: f32, y: f32, scale: f32) {
    let waiting_s = state.signals.get(SignalId::Waiting).unwrap_or(0.0);
    let long = 1.0 - (-(waiting_s - 0.4).max(0.0) / 5.0).exp();
    let breath = 0.5 - 0.5 * (waiting_s * std::f32::consts::TAU / 3.6).cos();
    let width = scale * (1.0 + 15.0 * long);
    let height = scale * (12.0 + 2.0 * long * breath);
    let alpha = (0.75 - 0.45 * long) + 0.4 * long * breath;
    let tint = mixed(brush.palette.paper, brush.palette.accent, long);
    brush.rect(x + 2.0 * scale, y + 8.0 * scale - height / 2.0, width, height, faded(tint, alpha));
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
mod tests {
    use super::super::{Glyph, SOLID, build};
    use super::*;
    use crate::score::{Event, Stamped, Token};
    use crate::visuals::palette::PALETTES;

    fn token(index: u32, text: &str, p: f32) -> Event {
        Event::Token(Token {
            id: 0,
            text: text.into(),
            index,
            latency_ms: 50.0,
            p,
            surprise_bits: -p.log2(),
            entropy_bits: 1.0,
            context_fill: 0.1,
            inside: Default::default(),
            top: vec![],
        })
    }

    fn stage(events: &[(u64, Event)], t_ms: u64) -> (FrameState, Vec<Glyph>) {
        let mut state = FrameState::new();
        for (seq, (t_ms, event)) in events.iter().enumerate() {
            let t_ns = t_ms * 1_000_000;
            state.advance(t_ns);
            state.apply(&Stamped { seq: seq as u64, t_ns, event: event.clone() });
        }
        state.advance(t_ms * 1_000_000);
        let mut glyphs = Vec::new();
        build(&state, [1280, 720], &mut glyphs);
        (state, glyphs)
    }

    fn find(glyphs: &[Glyph], c: char) -> Glyph {
        *glyphs.iter().find(|g| g.cell == c as u32 && g.size[1] > 16.0).unwrap_or_else(|| panic!("no {c:?}"))
    }

    fn light(glyph: &Glyph) -> u32 {
        glyph.color[..3].iter().map(|c| u32::from(*c)).sum::<u32>() * u32::from(glyph.color[3])
    }

    #[test]
    fn han_takes_twice_the_width_of_latin() {
        let (_, glyphs) = stage(&[(0, token(0, "小Q", 0.9))], 3000);
        let (han, latin) = (find(&glyphs, '小'), find(&glyphs, 'Q'));
        assert_eq!((han.size, latin.size), ([48.0, 48.0], [24.0, 48.0]));
        assert_eq!(latin.pos, [han.pos[0] + 48.0, han.pos[1]]);
    }

    #[test]
    fn the_certain_is_brighter_than_the_improbable_and_that_is_warm() {
        let (_, glyphs) = stage(&[(0, token(0, "Q", 0.95)), (10, token(1, "W", 0.001))], 3000);
        let (sure, leap) = (find(&glyphs, 'Q'), find(&glyphs, 'W'));
        assert!(light(&sure) > light(&leap));
        let warmth = |g: &Glyph| i32::from(g.color[0]) - i32::from(g.color[2]);
        assert!(warmth(&leap) > warmth(&sure) + 80);
    }

    #[test]
    fn every_settled_word_of_the_last_line_keeps_its_contrast() {
        let luminance = |c: &Color| {
            let linear = |v: u8| ((f32::from(v) / 255.0 + 0.055) / 1.055).powf(2.4);
            0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2])
        };
        for p in [1.0, 0.6, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-6] {
            let all = Event::Param { id: ParamId::Certainty, value: 1.0, by: crate::score::Hand::Patch };
            let (_, glyphs) = stage(&[(0, all), (0, token(0, "Q", p))], 5000);
            let glyph = find(&glyphs, 'Q');
            // 0.014 is the brightest that `field_frame.wgsl` lets the field be at stage.background 0.5.
            let contrast = (luminance(&glyph.color) + 0.05) / (0.014 + 0.05);
            assert!(contrast >= 7.0 && glyph.color[3] == 255, "p {p}: {contrast} {:?}", glyph.color);
        }
        let prompt = (luminance(&PALETTES[0].prompt) + 0.05) / 0.064;
        assert!(prompt >= 7.0, "{prompt}");
    }

    #[test]
    fn a_token_comes_up_in_its_attack() {
        let alpha = |t_ms| find(&stage(&[(0, token(0, "Q", 0.9))], t_ms).1, 'Q').color[3];
        assert!(alpha(10) < alpha(60) && alpha(60) < alpha(150));
        assert_eq!(alpha(150), 255);
    }

    #[test]
    fn the_last_word_is_in_sight_however_long_the_text() {
        let mut events: Vec<_> =
            (0..3000).map(|i| (u64::from(i), token(i, if i % 7 == 0 { "\n" } else { " leaf" }, 0.5))).collect();
        events.push((3000, token(3000, " Q", 0.5)));
        for t_ms in [3001, 3100, 9000] {
            let (_, glyphs) = stage(&events, t_ms);
            let last = find(&glyphs, 'Q');
            assert!(last.pos[1] > 0.0 && last.pos[1] + last.size[1] < 720.0 && last.pos[0] + last.size[0] < 1280.0);
            assert!(glyphs.len() < 2000);
        }
    }

    #[test]
    fn a_small_window_still_shows_the_last_word_plainly() {
        let mut state = stage(&[(0, token(0, "Q", 1.0))], 3000).0;
        state.advance(4_000_000_000);
        for size in [[320, 200], [640, 360], [200, 900], [3840, 2160]] {
            let mut glyphs = Vec::new();
            build(&state, size, &mut glyphs);
            let word = glyphs.iter().find(|g| g.cell == 'Q' as u32).unwrap();
            assert!(word.color[3] == 255 && word.pos[1] > 0.0 && word.size[1] >= 16.0, "{size:?} {word:?}");
            let foot = glyphs.iter().find(|g| g.cell == 't' as u32).unwrap();
            assert!(word.pos[1] + word.size[1] <= foot.pos[1], "{size:?}");
        }
    }

    #[test]
    fn an_older_line_rises_and_fades() {
        let events = [(0, token(0, "Q", 0.9)), (1000, token(1, "\nW", 0.9))];
        let old = |t_ms| find(&stage(&events, t_ms).1, 'Q');
        assert!(old(1100).pos[1] > old(1300).pos[1]);
        assert!(old(1300).pos[1] > old(2000).pos[1]);
        assert!(old(2000).color[3] <= find(&stage(&events, 2000).1, 'W').color[3]);
    }

    #[test]
    fn the_caret_grows_while_nothing_comes() {
        let caret = |t_ms| {
            let glyphs = stage(&[(0, token(0, "Q", 0.9))], t_ms).1;
            let right = find(&glyphs, 'Q');
            let x = right.pos[0] + right.size[0];
            *glyphs.iter().find(|g| g.cell == SOLID && g.pos[0] >= x && g.pos[1] < 500.0).unwrap()
        };
        assert!(caret(8000).size[0] > caret(2000).size[0] && caret(2000).size[0] > caret(100).size[0]);
    }

    #[test]
    fn what_was_forgotten_dissolves() {
        let prompt = Event::Prompt { name: None, text: "Q".into(), tokens: 1 };
        let events =
            [(0, prompt), (10, token(0, "W", 0.9)), (1000, Event::Forget { tokens: 1, kept: 1, text: String::new() })];
        assert!(stage(&events, 1001).1.iter().any(|g| g.cell == 'W' as u32));
        let (_, glyphs) = stage(&events, 6000);
        assert!(!glyphs.iter().any(|g| g.cell == 'W' as u32 && g.size[1] > 16.0));
        assert_eq!(find(&glyphs, 'Q').color, PALETTES[0].prompt);
    }
}
