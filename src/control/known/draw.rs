//! A controller drawn as it lies before the performer: each control with its word and with what it plays, as SVG.

use std::fmt::Write;

use super::{Known, Row, Shape, word};
use crate::patch::{Binding, Controller};

/// A column and a row, in pixels.
const COLUMN: f64 = 118.0;
const ROW: f64 = 120.0;
/// A row of faders is higher.
const FADERS: f64 = 186.0;
const MARGIN: f64 = 34.0;
/// Room for the title, and for the label above a row.
const HEAD: f64 = 76.0;

const GROUND: &str = "#101319";
const PLATE: &str = "#1a1f29";
const EDGE: &str = "#566073";
const INK: &str = "#f2ede1";
const QUIET: &str = "#a3acbb";
const AMBER: &str = "#f0b35a";

/// Draws a controller with what these bindings make of it: its own map's, or a patch's before them.
pub fn draw(known: &Known, controllers: &[Controller]) -> String {
    let lines = lines(&known.rows);
    let columns = known.rows.iter().map(|row| row.at[0] + row.controls.len() as f64).fold(8.0, f64::max);
    let (width, height) = (2.0 * MARGIN + columns * COLUMN, HEAD + lines.last().map_or(0.0, |l| l.1) + MARGIN);
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"ui-sans-serif, 'DejaVu Sans', Helvetica, Arial, sans-serif\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{GROUND}\"/>\n\
         <rect x=\"10\" y=\"10\" width=\"{:.0}\" height=\"{:.0}\" rx=\"14\" fill=\"{PLATE}\" stroke=\"{EDGE}\"/>\n\
         <text x=\"{MARGIN}\" y=\"46\" font-size=\"22\" fill=\"{INK}\">{title}</text>\n",
        width - 20.0,
        height - 20.0,
        title = escaped(&known.title),
    );
    for row in &known.rows {
        draw_row(&mut svg, row, HEAD + top(&lines, row.at[1]), controllers);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Each line of controls: its place in the map, and where it ends from the first one's top.
fn lines(rows: &[Row]) -> Vec<(f64, f64)> {
    let mut places: Vec<f64> = rows.iter().map(|row| row.at[1]).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let mut end = 0.0;
    let height = |place: f64| {
        // One that stands beside the others, as a master fader does, goes over the lines below it.
        let of = rows.iter().filter(|row| row.at[1] == place && row.at[0] < 8.0);
        if of.clone().any(|row| row.shape == Shape::Fader) { FADERS } else { ROW }
    };
    places
        .into_iter()
        .map(|place| {
            end += height(place);
            (place, end)
        })
        .collect()
}

fn top(lines: &[(f64, f64)], place: f64) -> f64 {
    lines.iter().rev().find(|(other, _)| *other < place).map_or(0.0, |(_, end)| *end)
}

fn draw_row(svg: &mut String, row: &Row, top: f64, controllers: &[Controller]) {
    if !row.label.is_empty() {
        let x = MARGIN + row.at[0] * COLUMN;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"12\" fill=\"{QUIET}\" letter-spacing=\"1\">{}</text>",
            top + 4.0,
            escaped(&row.label)
        );
    }
    for (i, control) in row.controls.iter().enumerate() {
        let x = MARGIN + (row.at[0] + i as f64 + 0.5) * COLUMN;
        let below = shape(svg, row.shape, x, top);
        let plays = controllers.iter().flat_map(|c| &c.bindings).find(|b| plays(b, control));
        let [first, second] = plays.map_or_else(Default::default, |binding| words(&binding.target.to_string()));
        for (line, (text, size, colour)) in
            [(control.clone(), 11, QUIET), (first, 13, INK), (second, 13, AMBER)].into_iter().enumerate()
        {
            let _ = writeln!(
                svg,
                "<text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"{size}\" text-anchor=\"middle\" fill=\"{colour}\">{}</text>",
                below + 15.0 * line as f64,
                escaped(&text)
            );
        }
    }
}

/// Whether a binding is of this control; one without a channel is of every channel.
fn plays(binding: &Binding, control: &str) -> bool {
    let any = control.strip_prefix("ch").and_then(|rest| rest.split_once('-')).map_or(control, |(_, source)| source);
    word(binding) == control || (binding.channel.is_none() && binding.source.to_string() == any)
}

/// Draws a control; returns the base line of the words below it.
fn shape(svg: &mut String, shape: Shape, x: f64, top: f64) -> f64 {
    let pen = format!("fill=\"{GROUND}\" stroke=\"{EDGE}\" stroke-width=\"2\"");
    match shape {
        Shape::Knob => {
            let y = top + 30.0;
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"19\" {pen}/><path d=\"M{x:.0} {:.0}v-13\" stroke=\"{AMBER}\" stroke-width=\"3\"/>",
                y - 4.0
            );
            y + 35.0
        }
        Shape::Fader => {
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.0} {:.0}v92\" stroke=\"{EDGE}\" stroke-width=\"4\"/><rect x=\"{:.0}\" y=\"{:.0}\" \
                 width=\"34\" height=\"18\" rx=\"3\" {pen}/><path d=\"M{:.0} {:.0}h26\" stroke=\"{AMBER}\" stroke-width=\"2\"/>",
                top + 14.0,
                x - 17.0,
                top + 44.0,
                x - 13.0,
                top + 53.0
            );
            top + 128.0
        }
        Shape::Button | Shape::Pad => {
            let (w, h) = if shape == Shape::Pad { (56.0, 38.0) } else { (48.0, 22.0) };
            let _ = writeln!(
                svg,
                "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{w}\" height=\"{h}\" rx=\"5\" {pen}/>",
                x - w / 2.0,
                top + 49.0 - h
            );
            top + 65.0
        }
    }
}

/// A target in two short lines: where it belongs, and what it is.
fn words(target: &str) -> [String; 2] {
    let parts: Vec<&str> = target.split('.').collect();
    let plain = |text: &str| {
        ["_db", "_s", "_ms", "_lufs"].iter().fold(text, |t, u| t.strip_suffix(u).unwrap_or(t)).replace('_', " ")
    };
    match parts.as_slice() {
        [of, "nth", n] => [plain(of), (*n).to_string()],
        ["sound", of, rest @ ..] if !rest.is_empty() => [plain(of), plain(&rest.join(" "))],
        [of, rest @ ..] => [plain(of), plain(&rest.join(" "))],
        [] => Default::default(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
