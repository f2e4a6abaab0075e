//! The learning curve as a picture: the loss of the training text and of the held-out part over the tokens read.
//!
//! Pure: a record in, SVG out, the same bytes for the same record. No script, no font of its own, no background, and
//! colours in the middle, so that it can be read on white paper and on a dark page.

use std::fmt::Write as _;

use super::Record;

/// The first line of every picture: what xiao may overwrite.
pub const MARK: &str = "<!-- The learning curve of a model, drawn by xiao. Drawn anew, it is overwritten. -->";

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// The field of the plot: left, right, top, bottom. On its right the lines' ends are written out.
const FIELD: [f64; 4] = [64.0, 690.0, 84.0, 360.0];
/// A line of more points is one that no eye can follow.
const MOST_POINTS: usize = 240;
/// What is shown of the fall begins after this share of the tokens: before it a model only learns what letters are.
const HEAD: f64 = 0.02;

/// Each on white and on `#0d1117` with a contrast above 3 to 1, words above 4 to 1.
const TRAINING: &str = "#2f86c9";
const HELD_OUT: &str = "#d9691e";
const WORDS: &str = "#7a7a7a";
const RULE: &str = "#8a8a8a";

/// Tokens read, and nats a token.
type Point = (f64, f64);

/// Draws the curve of a record. Values that are no numbers are left out; without any mark an empty field says so.
pub fn picture(record: &Record) -> String {
    let marks = || record.curve.iter();
    let training = thinned(marks().map(|m| (m.tokens as f64, m.loss)).filter(sound).collect());
    let untrained = record.untrained.map(|nats| (0.0, nats)).filter(sound);
    let measured = marks().filter_map(|m| Some((m.tokens as f64, m.held_out?))).filter(sound);
    let held_out = thinned(untrained.filter(|_| !record.curve.is_empty()).into_iter().chain(measured).collect());
    let last = training.iter().chain(&held_out).map(|p| p.0).fold(0.0, f64::max).max(1.0);
    let across = Scale::new(0.0, last, [FIELD[0], FIELD[1]], 6);
    let (low, high, above) = heights(&training, &held_out, last);
    let up = Scale::new(low, high, [FIELD[3], FIELD[2]], 6);

    let mut svg = String::new();
    head(&mut svg, record);
    let (divisor, unit) = unit(last);
    if !(training.is_empty() && held_out.is_empty()) {
        axes(&mut svg, &across, &up, divisor, unit);
    }
    let mut ends = Vec::new();
    for (points, name, color) in [(&training, "training text", TRAINING), (&held_out, "held out", HELD_OUT)] {
        if let Some(end) = points.last() {
            line(&mut svg, points, &across, &up, color);
            ends.push((up.at(end.1), name, end.1, color));
        }
    }
    if ends.is_empty() {
        let (x, y) = ((FIELD[0] + FIELD[1]) / 2.0, (FIELD[2] + FIELD[3]) / 2.0);
        text(&mut svg, [x, y], "middle", WORDS, 14, "nothing has been measured yet");
    } else if let Some(nats) = above {
        let says = format!("it begins above, at {nats:.2}");
        text(&mut svg, [FIELD[1], FIELD[2] - 6.0], "end", WORDS, 12, &says);
    }
    legend(&mut svg, &ends);
    label_ends(&mut svg, ends);
    svg.push_str("</svg>\n");
    svg
}

fn sound(point: &Point) -> bool {
    point.1.is_finite()
}

/// At most [`MOST_POINTS`], each the mean of its neighbours but for the first and the last, which stay what they are.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let inner = &points[1..points.len() - 1];
    let bins = MOST_POINTS - 2;
    let bin = |i: usize| &inner[i * inner.len() / bins..(i + 1) * inner.len() / bins];
    let mean = |of: &[Point]| {
        let sum = of.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
        (sum.0 / of.len() as f64, sum.1 / of.len() as f64)
    };
    let means = (0..bins).map(|i| mean(bin(i)));
    std::iter::once(first).chain(means).chain([last]).collect()
}

/// The range of losses to show, and the first loss where it lies above that.
fn heights(training: &[Point], held_out: &[Point], last: f64) -> (f64, f64, Option<f64>) {
    let all = || training.iter().chain(held_out);
    let lowest = all().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let highest = all().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    if lowest > highest {
        return (0.0, 1.0, None);
    }
    let later = all().filter(|p| p.0 >= HEAD * last).map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    // A short curve is shown whole; so is one whose beginning would take no more than a third of the height.
    let shown = if training.len() < 20 || (highest - later) * 2.0 < later - lowest { highest } else { later };
    let room = ((shown - lowest) * 0.08).max(0.02);
    (lowest - room, shown + room, (shown < highest).then_some(highest))
}

/// Values onto pixels, with marks at round values.
struct Scale {
    values: [f64; 2],
    pixels: [f64; 2],
    step: f64,
}

impl Scale {
    /// From `from` to `to` with about so many marks.
    fn new(from: f64, to: f64, pixels: [f64; 2], marks: usize) -> Scale {
        let rough = (to - from).max(1e-9) / marks as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|s| *s >= rough).unwrap_or(10.0 * power);
        Scale { values: [from, to], pixels, step }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value - self.values[0]) / (self.values[1] - self.values[0]);
        self.pixels[0] + part * (self.pixels[1] - self.pixels[0])
    }

    fn marks(&self) -> impl Iterator<Item = f64> {
        let first = (self.values[0] / self.step).ceil() as i64;
        let last = (self.values[1] / self.step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * self.step)
    }

    /// Decimals that tell two marks apart.
    fn decimals(&self, divisor: f64) -> usize {
        (-(self.step / divisor).log10().floor()).clamp(0.0, 6.0) as usize
    }
}

/// What the tokens are counted in.
fn unit(last: f64) -> (f64, &'static str) {
    match last {
        ..10_000.0 => (1.0, "tokens read"),
        ..2_000_000.0 => (1e3, "thousand tokens read"),
        ..4e9 => (1e6, "million tokens read"),
        _ => (1e9, "billion tokens read"),
    }
}

fn head(svg: &mut String, record: &Record) {
    let name = escaped(&record.name);
    let _ = write!(
        svg,
        "{MARK}\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', sans-serif\" \
         role=\"img\">\n<title>Learning curve of {name}</title>\n<clipPath id=\"field\"><rect x=\"{}\" y=\"{}\" \
         width=\"{}\" height=\"{}\"/></clipPath>\n",
        FIELD[0],
        FIELD[2],
        FIELD[1] - FIELD[0],
        FIELD[3] - FIELD[2]
    );
    text(svg, [FIELD[0], 34.0], "start", WORDS, 18, &format!("How {} learnt", cut(&record.name, 48)));
}

fn axes(svg: &mut String, across: &Scale, up: &Scale, divisor: f64, unit: &str) {
    for value in up.marks() {
        let y = up.at(value);
        rule(svg, [FIELD[0], FIELD[1]], [y, y], 0.3);
        text(svg, [FIELD[0] - 10.0, y + 4.0], "end", WORDS, 12, &format!("{value:.*}", up.decimals(1.0)));
    }
    rule(svg, [FIELD[0], FIELD[1]], [FIELD[3], FIELD[3]], 0.9);
    for value in across.marks() {
        let x = across.at(value);
        rule(svg, [x, x], [FIELD[3], FIELD[3] + 5.0], 0.9);
        let number = format!("{:.*}", across.decimals(divisor), value / divisor);
        text(svg, [x, FIELD[3] + 20.0], "middle", WORDS, 12, &number);
    }
    text(svg, [FIELD[1], FIELD[3] + 42.0], "end", WORDS, 13, unit);
    text(svg, [FIELD[0], 62.0], "start", WORDS, 13, "loss, nats a token");
}

fn rule(svg: &mut String, [x1, x2]: [f64; 2], [y1, y2]: [f64; 2], alpha: f64) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{RULE}\" stroke-opacity=\"{alpha}\"/>"
    );
}

fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, color: &str, size: u32, words: &str) {
    let words = escaped(words);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{color}\">{words}</text>"
    );
}

fn line(svg: &mut String, points: &[Point], across: &Scale, up: &Scale, color: &str) {
    let at = |p: &Point| (across.at(p.0), up.at(p.1));
    if points.len() > 1 {
        let path: Vec<String> = points.iter().map(at).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-linejoin=\"round\" \
             clip-path=\"url(#field)\"/>",
            path.join(" ")
        );
    }
    if let Some((x, y)) = points.last().map(at) {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{color}\"/>");
    }
}

/// A stroke in each line's colour with its name, right of the title's foot.
fn legend(svg: &mut String, ends: &[(f64, &str, f64, &str)]) {
    let mut x = FIELD[1];
    for (_, name, _, color) in ends.iter().rev() {
        x -= name.len() as f64 * 7.0;
        text(svg, [x, 62.0], "start", color, 13, name);
        x -= 26.0;
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"57.5\" x2=\"{:.1}\" y2=\"57.5\" stroke=\"{color}\" stroke-width=\"3\"/>",
            x + 20.0
        );
        x -= 20.0;
    }
}

/// The last value of each line behind its end, moved apart where they would touch.
fn label_ends(svg: &mut String, mut ends: Vec<(f64, &str, f64, &str)>) {
    const APART: f64 = 18.0;
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let [upper, lower] = &mut ends[..] {
        let close = (APART - (lower.0 - upper.0)).max(0.0) / 2.0;
        upper.0 -= close;
        lower.0 += close;
    }
    for (y, _, value, color) in ends {
        text(svg, [FIELD[1] + 10.0, y + 4.5], "start", color, 13, &format!("{value:.3}"));
    }
}

/// As many characters as there is room for.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_string(),
    }
}

/// Text as XML takes it: control characters have no place in it at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Mark;
    use crate::train::card::example::record;

    /// Whether every tag is closed, every attribute quoted and every character one that may stand there.
    fn well_formed(svg: &str) -> bool {
        let mut open = Vec::new();
        let Some(svg) = svg.strip_prefix(MARK) else { return false };
        for tag in svg.split('<').skip(1) {
            let Some((tag, words)) = tag.split_once('>') else { return false };
            let entity = |rest: &str| ["amp;", "lt;", "gt;", "quot;"].iter().any(|e| rest.starts_with(e));
            if words.contains(|c: char| c.is_control() && c != '\n') || !words.split('&').skip(1).all(entity) {
                return false;
            }
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
            match (tag.starts_with('/'), tag.ends_with('/')) {
                (true, _) if open.pop() != Some(name) => return false,
                (true, _) => {}
                (_, closed) if tag.matches('"').count() % 2 != 0 || closed && name.is_empty() => return false,
                (_, true) => {}
                _ => open.push(name),
            }
        }
        open.is_empty()
    }

    fn polylines(svg: &str) -> Vec<usize> {
        svg.split("points=\"").skip(1).map(|rest| rest.split('"').next().unwrap().split(' ').count()).collect()
    }

    #[test]
    fn a_curve_of_any_length_is_a_picture() {
        for (marks, lines) in [(0, vec![]), (1, vec![2]), (2, vec![2, 2]), (100, vec![100, 11]), (5000, vec![240, 240])]
        {
            let svg = picture(&record(marks));
            assert!(well_formed(&svg), "{marks}: {svg}");
            assert_eq!(polylines(&svg), lines, "{marks}");
            assert_eq!(svg.contains("nothing has been measured"), marks == 0);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(svg.contains("How Little &lt;voice&gt; &amp; friends learnt"));
            assert!(svg.len() < 20_000, "{}", svg.len());
        }
    }

    #[test]
    fn the_ends_are_written_out_and_do_not_touch() {
        let mut record = record(100);
        let last = record.curve.last_mut().unwrap();
        (last.loss, last.held_out) = (3.9, Some(3.9012));
        let svg = picture(&record);
        let y = |words: &str| -> f64 {
            let line = svg.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {svg}"));
            line.split("y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        assert!((y(">3.900<") - y(">3.901<")).abs() >= 17.9);
    }

    #[test]
    fn the_fall_from_the_untrained_start_does_not_flatten_the_rest() {
        let svg = picture(&record(200));
        assert!(svg.contains("it begins above, at 8.72"), "{svg}");
        assert!(!picture(&record(10)).contains("it begins above"));
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let mut record = record(40);
        record.curve[5].loss = f64::NAN;
        record.curve[39].held_out = Some(f64::INFINITY);
        record.untrained = Some(f64::NAN);
        let svg = picture(&record);
        assert!(well_formed(&svg) && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(polylines(&svg), [39, 3]);
        record.curve = vec![Mark { tokens: 0, seconds: 0.0, loss: f64::NAN, held_out: None }];
        assert!(picture(&record).contains("nothing has been measured"));
    }

    #[test]
    fn a_flat_curve_and_a_single_token_are_drawn() {
        let mut record = record(30);
        record.untrained = None;
        for (i, mark) in record.curve.iter_mut().enumerate() {
            (mark.tokens, mark.loss, mark.held_out) = (i as u64 / 29, 2.0, Some(2.0));
        }
        let svg = picture(&record);
        assert!(well_formed(&svg) && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn names_that_are_no_xml_become_xml() {
        let mut record = record(3);
        record.name = format!("\"a\u{1b}[2J\u{0}b\" </svg>{}", "长".repeat(80));
        let svg = picture(&record);
        assert!(well_formed(&svg) && svg.matches("</svg>").count() == 1, "{svg}");
        assert!(svg.contains("…"));
    }
}
