//! `score`: how well a model foresees a text.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::print_json;
use super::say::RoomArgs;
use crate::model::fit::Fit;
use crate::model::{Foreseen, Foresight, Line, Model, Piece, Source, THREADS, Tally, foresee_all, is_small, pieces};
use crate::terminal::paint::Paint;
use crate::terminal::palette::Role;

/// Columns that the most surprising word of a line may take.
const WORD: usize = 14;
/// As many cores as read at once.
const HANDS: usize = 64;
/// Bytes of pieces that are read before they are told of: a second or two for the model that comes with xiao.
const ROUND: usize = 64 << 10;
/// Between two lines about how far it has come.
const PROGRESS: Duration = Duration::from_millis(200);

/// Tell how well a model foresees texts, and show where it was surprised
///
/// Each piece (blank lines part them) is read from its own start as plain text, the way it is played: behind the tag of
/// its script or the BOS that the file asks for, and never in a chat model's template. Every token counts, and so does
/// the token that ends a piece, unless the model was taught to converse. A piece that outgrows the context is forgotten
/// as in play: the older half leaves.
///
/// Of each line are shown its number, its bits per character, and the word that surprised most with its bits; ⏎ is the
/// end of a line and ∎ that of a piece. Characters are Unicode's scalar values, with the newlines inside of a piece.
#[derive(Args)]
#[command(
    after_help = "Example:  xiao score embedded poems.txt\n          xiao score poet.gguf zh.txt en.txt --json | jq .bits_per_char\n          fortune | xiao score embedded - --json --lines"
)]
pub struct Score {
    /// A GGUF file, a name of `xiao models`, or `embedded`
    model: String,
    /// Text files; `-` reads stdin
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
    /// With --json, each line and each of its tokens too
    #[arg(long, requires = "json")]
    lines: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    room: RoomArgs,
}

/// A text and what it came to.
struct Scored {
    name: String,
    sum: Foresight,
    listing: Vec<Value>,
}

impl Score {
    pub fn run(self) -> anyhow::Result<()> {
        let source = super::inspect::source(&self.model)?;
        let texts: Vec<_> = self.texts.iter().map(|name| read(name)).collect::<Result<_, _>>()?;
        let mut models = self.models(&source)?;
        let model = &models[0];
        for warning in model.warnings() {
            crate::session::remark(warning);
        }
        if model.chat().is_some() {
            crate::session::remark("this model was taught to converse; the texts are scored as plain text");
        }
        let heading = json!({"model": self.model, "context": model.context(),
                             "piece_end": model.piece_end().map(|id| model.tokenizer().piece(id))});
        let paint = Paint::for_stdout();
        let mut progress = Progress::new(texts.iter().map(|(_, text)| text.len()).sum(), self.json);
        let mut scored = Vec::new();
        for (name, text) in &texts {
            let mut of = Scored { name: name.clone(), sum: Foresight::default(), listing: Vec::new() };
            if !self.json {
                say(if scored.is_empty() { "" } else { "\n" }, &header(paint, name))?;
            }
            let mut pieces = pieces(text).peekable();
            while pieces.peek().is_some() {
                let round = round(&mut pieces);
                let seen = foresee_all(&mut models, &round.iter().map(|p| p.text.as_str()).collect::<Vec<_>>())?;
                for (piece, seen) in round.iter().zip(seen) {
                    match (self.json, self.lines) {
                        (true, true) => of.listing.push(piece_json(piece.line, &seen)?),
                        (true, false) => {}
                        (false, _) => {
                            let gap = if of.sum.all.pieces > 0 { "\n" } else { "" };
                            say(gap, &listed(paint, piece.line, &seen))?;
                        }
                    }
                    of.sum.add(&seen);
                    progress.add(&seen);
                }
            }
            scored.push(of);
        }
        progress.end();
        if self.json { self.print_json(heading, scored) } else { say("\n", &table(paint, &scored)) }
    }

    /// A small model is read with by every core on its own, a larger one by all of them together: no sound waits for one.
    fn models(&self, source: &Source) -> anyhow::Result<Vec<Model>> {
        let asked = std::env::var(THREADS).ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
        let cores = asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let small = is_small(source);
        super::set_threads(if small { 1 } else { cores });
        Fit::read(source, self.room.context)?.check(self.room.force)?;
        let model = Model::load_with_context(source, self.room.context)?;
        let hands = if small && !model.info().opaque { cores.min(HANDS) } else { 1 };
        let mut models: Vec<_> = (1..hands).map(|_| model.fresh()).collect();
        models.push(model);
        Ok(models)
    }

    fn print_json(&self, heading: Value, scored: Vec<Scored>) -> anyhow::Result<()> {
        let mut value = heading;
        extend(&mut value, sums(&together(&scored))?);
        let texts = scored.into_iter().map(|of| {
            let mut value = json!({"text": of.name});
            extend(&mut value, sums(&of.sum)?);
            if self.lines {
                value["listing"] = Value::Array(of.listing);
            }
            Ok(value)
        });
        value["texts"] = texts.collect::<anyhow::Result<_>>()?;
        if self.lines { super::print(&value.to_string()) } else { print_json(&value) }
    }
}

/// The pieces that are read next.
fn round(pieces: &mut impl Iterator<Item = Piece>) -> Vec<Piece> {
    let (mut round, mut bytes) = (Vec::new(), 0);
    while bytes < ROUND
        && let Some(piece) = pieces.next()
    {
        bytes += piece.text.len();
        round.push(piece);
    }
    round
}

/// A named text; `-` is stdin.
fn read(name: &str) -> anyhow::Result<(String, String)> {
    let (name, text) = match name {
        "-" => ("stdin", super::text_of("stdin", std::io::stdin().lock())?),
        _ => {
            let there = std::path::Path::new(name).exists();
            ensure!(there, "{name}: there is no such file; give a file with the text, or - for stdin");
            (name, super::read_text(name.as_ref())?)
        }
    };
    ensure!(!text.contains('\0'), "{name} is no text: it has bytes of 0; give a file of plain text in UTF-8");
    ensure!(pieces(&text).next().is_some(), "{name} holds no text; give a file with some words in it");
    Ok((name.to_string(), text))
}

/// Prints what is clean already.
fn say(before: &str, text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{before}{text}")?)
}

// JSON

/// A tally in JSON.
#[derive(Serialize)]
struct Figures {
    bits_per_char: f64,
    bits_per_byte: f64,
    perplexity: f64,
    bits: f64,
    tokens: u64,
    characters: u64,
    bytes: u64,
    pieces: u64,
}

impl From<Tally> for Figures {
    fn from(tally: Tally) -> Figures {
        Figures {
            bits_per_char: tally.bits_per_character(),
            bits_per_byte: tally.bits_per_byte(),
            perplexity: tally.perplexity(),
            bits: tally.bits(),
            tokens: tally.tokens,
            characters: tally.characters,
            bytes: tally.bytes,
            pieces: tally.pieces,
        }
    }
}

fn sums(sum: &Foresight) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(Figures::from(sum.all))?;
    for (script, tally) in sum.scripts() {
        value["scripts"][script] = serde_json::to_value(Figures::from(tally))?;
    }
    Ok(value)
}

fn extend(value: &mut Value, with: Value) {
    if let (Some(value), Value::Object(with)) = (value.as_object_mut(), with) {
        value.extend(with);
    }
}

fn piece_json(number: usize, seen: &Foreseen) -> anyhow::Result<Value> {
    let lines = seen.lines().zip(number..).map(|(line, number)| {
        let tokens = line.words(&seen.text).into_iter();
        let tokens: Vec<_> = tokens.map(|(at, nats)| json!([&seen.text[at], nats / std::f64::consts::LN_2])).collect();
        let bits = line.tally.bits();
        json!({"line": number, "text": line.text, "bits_per_char": line.tally.bits_per_character(), "bits": bits,
               "tokens": tokens})
    });
    let lines: Vec<_> = lines.collect();
    let mut value = json!({"line": number, "script": seen.script, "lines": lines});
    extend(&mut value, serde_json::to_value(Figures::from(seen.tally()))?);
    Ok(value)
}

// for the eye

fn header(paint: Paint, name: &str) -> String {
    let heads = format!("{:>5} {:>9}  {:<width$}", "line", "bits/char", "most surprising, bits", width = WORD + 8);
    format!("{}\n{}", paint.text(Role::Strong, name), paint.text(Role::Quiet, heads.trim_end()))
}

/// The lines of a piece, of which the first has this number in its text.
fn listed(paint: Paint, number: usize, seen: &Foreseen) -> String {
    let lines: Vec<_> = seen.lines().zip(number..).map(|(line, number)| row(paint, number, &line, seen)).collect();
    lines.join("\n")
}

fn row(paint: Paint, number: usize, line: &Line, seen: &Foreseen) -> String {
    let words = line.words(&seen.text);
    let most = words.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let mut shown = String::new();
    for (at, nats) in &words {
        // The newline is seen only where it surprised most; what a line before it began is its own.
        let text = seen.text[at.clone()].replace('\n', "");
        shown.push_str(&paint.word((-nats).exp() as f32, most.is_some_and(|most| most.0 == *at), &text));
    }
    let begun = words.first().map_or(line.text.len(), |(at, _)| at.start - line.start);
    shown.insert_str(0, &paint.text(Role::Plain, &line.text[..begun.min(line.text.len())]));
    let word = most.map_or(String::new(), |(at, _)| word(&seen.text[at.clone()], at.start == seen.text.len()));
    let bits = most.map_or(String::new(), |(_, nats)| format!("{:.1}", nats / std::f64::consts::LN_2));
    let gap = " ".repeat(WORD - word.width());
    format!(
        "{} {:>7.2} {}  {}{gap} {bits:>5}  {shown}",
        paint.text(Role::Quiet, &format!("{number:>5}")),
        line.tally.bits_per_character(),
        paint.text(Role::Bar, bar(line.tally.bits_per_byte())),
        paint.text(Role::Improbable, &word),
    )
}

/// A word as it can be seen, in at most so many columns.
fn word(text: &str, end: bool) -> String {
    if end {
        return "∎".to_string();
    }
    let text = crate::terminal::clean::text(text).replace('\n', "⏎");
    let text = text.trim();
    match text.width() {
        0 => "␣".to_string(),
        width if width <= WORD => text.to_string(),
        _ => {
            let mut left = WORD - 1;
            let short = text.chars().take_while(|c| {
                let width = c.width().unwrap_or(0);
                let fits = width <= left;
                left = left.saturating_sub(width);
                fits
            });
            short.chain(['…']).collect()
        }
    }
}

/// Bits per byte as a bar: by bytes, the scripts can be compared.
fn bar(bits: f64) -> &'static str {
    ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"][((bits * 2.0) as usize).min(7)]
}

/// What it came to: each text and each script where there are several, and all together.
fn table(paint: Paint, scored: &[Scored]) -> String {
    let all = together(scored);
    let mut rows: Vec<(&str, Tally)> = Vec::new();
    if scored.len() > 1 {
        rows.extend(scored.iter().map(|of| (of.name.as_str(), of.sum.all)));
    }
    if all.scripts().count() > 1 {
        all.scripts().for_each(|row| rows.push(row));
    }
    rows.push(("all", all.all));
    let name = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let heads = ["bits/char", "bits/byte", "perplexity", "tokens", "characters", "bytes", "pieces"];
    let head: String = heads.map(|head| format!("{head:>11}")).concat();
    let mut lines = vec![paint.text(Role::Quiet, &format!("{:name$}{head}", ""))];
    for (of, t) in rows {
        let gap = " ".repeat(name - of.width());
        let (bits, tokens) = (format!("{:>11.3}{:>11.3}", t.bits_per_character(), t.bits_per_byte()), t.tokens);
        let rest = format!("{:>11.1}{tokens:>11}{:>11}{:>11}{:>11}", t.perplexity(), t.characters, t.bytes, t.pieces);
        lines.push(format!("{}{gap}{}{rest}", paint.text(Role::Plain, of), paint.text(Role::Strong, &bits)));
    }
    lines.join("\n")
}

fn together(scored: &[Scored]) -> Foresight {
    let mut all = Foresight::default();
    for Scored { sum, .. } in scored {
        all.all += sum.all;
        all.zh += sum.zh;
        all.en += sum.en;
    }
    all
}

/// How far it has come, on a terminal's stderr while stdout shows nothing.
struct Progress {
    bytes: usize,
    done: usize,
    tokens: usize,
    begun: Instant,
    said: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new(bytes: usize, silent: bool) -> Progress {
        let shown = std::io::stderr().is_terminal() && (silent || !std::io::stdout().is_terminal());
        Progress { bytes, done: 0, tokens: 0, begun: Instant::now(), said: None, shown }
    }

    fn add(&mut self, seen: &Foreseen) {
        self.done += seen.text.len();
        self.tokens += seen.tokens.len();
        let now = Instant::now();
        if self.shown && now.duration_since(self.said.unwrap_or(self.begun)) >= PROGRESS {
            self.said = Some(now);
            let share = 100.0 * self.done as f64 / self.bytes.max(1) as f64;
            let rate = self.tokens as f64 / self.begun.elapsed().as_secs_f64();
            let _ = write!(std::io::stderr(), "\r{share:>4.0} % read, {rate:.0} tokens a second ");
        }
    }

    fn end(&self) {
        if self.said.is_some() {
            let _ = write!(std::io::stderr(), "\r{:50}\r", "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_seen_and_fits() {
        for (text, end, seen) in [
            (" moon", false, "moon"),
            ("曉", false, "曉"),
            (",\n", false, ",⏎"),
            ("  ", false, "␣"),
            ("", true, "∎"),
            ("\x1b[2J", false, "[2J"),
            ("antidisestablishment", false, "antidisestabl…"),
            ("春江潮水連海平", false, "春江潮水連海平"),
            ("春江潮水連海平海", false, "春江潮水連海…"),
        ] {
            assert_eq!(word(text, end), seen);
            assert!(word(text, end).width() <= WORD);
        }
    }

    #[test]
    fn bars_never_leave_their_scale() {
        assert_eq!([0.0, 0.6, 3.9, 1e9, f64::NAN].map(bar), ["▁", "▂", "█", "█", "▁"]);
    }
}
