//! The parts of the page that the record tells: data, shape, recipe, scores, and how to make the model again.

use std::fmt::Write as _;

use super::super::Card;
use super::super::words::{grouped, language, megabytes, number, percent, rate, short, time};
use super::{argument, inline, table};
use crate::train::{HeldOut, Recipe, Record, Script, Shape};

pub fn data(out: &mut String, record: &Record) {
    let corpus = &record.corpus;
    out.push_str("## What it read\n\n");
    let row = |source: &crate::train::SourceReport| {
        vec![inline(&source.name), megabytes(source.bytes), grouped(source.pieces), format!("{}", source.weight)]
    };
    table(out, &["file", "size", "pieces", "weight"], corpus.sources.iter().map(row));
    let parts = [("training", &corpus.training), ("held out", &corpus.held_out)];
    let rows = parts.into_iter().flat_map(|(part, counts)| {
        counts.iter().map(move |(script, counts)| {
            vec![
                format!("{part}, {}", language(*script)),
                grouped(counts.pieces),
                grouped(counts.characters),
                grouped(counts.bytes),
            ]
        })
    });
    table(out, &["part", "pieces", "characters", "bytes"], rows);
    out.push_str(
        "A piece with a Han character counts as Chinese, any other as English. Pieces are parted by the hash of their \
         text; the held-out part is never learnt from. A weight says how often a file's pieces are read beside the others.",
    );
    for (script, overlap) in &corpus.overlap {
        let _ = write!(
            out,
            " {}: {} pieces that shared too much with the training part were put there; of the runs of eight {} that are \
             left in the held-out part the training part has {} (before: {}), of its lines {}, refrains and formulas.",
            language(*script),
            grouped(overlap.moved),
            if *script == Script::Chinese { "characters" } else { "words" },
            percent(overlap.shared_runs, overlap.runs),
            percent(overlap.shared_runs_before, overlap.runs_before),
            percent(overlap.shared_lines, overlap.lines)
        );
    }
    out.push('\n');
    let dropped: Vec<String> =
        corpus.dropped.iter().map(|(why, count)| format!("{} ({})", inline(why), grouped(*count))).collect();
    let dropped = if dropped.is_empty() { "none".to_string() } else { dropped.join(", ") };
    let _ = writeln!(out, "Pieces left out: {dropped}. SHA-256 of the texts: `{}`.\n", inline(&corpus.sha256));
}

pub fn unknown(out: &mut String, card: &Card) {
    let lineage = &card.info.lineage;
    out.push_str(
        "## What is not known\n\nThe file holds no record of a training with xiao. What it read, how it was trained and \
         how well it foresees a text it never saw are not told here.",
    );
    let rows = [
        ("data sets", &lineage.datasets),
        ("languages", &lineage.languages),
        ("organization", &lineage.organization),
        ("source", &lineage.source),
        ("description", &lineage.description),
    ];
    let said: Vec<_> = rows.into_iter().filter(|(_, value)| *value != "unknown").collect();
    out.push_str(if said.is_empty() { "\n\n" } else { " In the file's own words:\n\n" });
    if !said.is_empty() {
        table(out, &["", ""], said.into_iter().map(|(name, value)| vec![name.to_string(), inline(value)]));
    }
}

pub fn shape(out: &mut String, card: &Card) {
    let info = &card.info;
    let rows = [
        ("architecture", inline(&info.architecture)),
        ("layers", info.layers.to_string()),
        ("width", format!("{}; feed-forward {}", info.width, info.ffn)),
        ("heads", format!("{} of {}, {} for keys and values", info.heads, info.head_dim, info.kv_heads)),
        ("vocabulary", format!("{} tokens; {}", grouped(info.vocabulary as u64), inline(&info.tokenizer))),
        ("output", if info.tied_output { "the embedding table" } else { "a matrix of its own" }.to_string()),
        ("holds in mind", format!("{} tokens; what is older is forgotten", grouped(info.context as u64))),
    ];
    out.push_str("## Its shape\n\n");
    table(out, &["", ""], rows.map(|(name, value)| vec![name.to_string(), value]));
}

pub fn recipe(out: &mut String, record: &Record, picture: Option<&str>) {
    let recipe = &record.recipe;
    // With weights, nothing is read as often as the whole.
    let even = record.corpus.sources.iter().all(|source| source.weight == 1.0);
    let passes = record.tokens as f64 / record.corpus_tokens.max(1) as f64;
    let times = if even { format!(": {passes:.1} times over") } else { ", by the weights above".to_string() };
    let limits: Vec<String> = [
        recipe.minutes.map(|minutes| format!("{minutes} minutes")),
        recipe.tokens.map(|tokens| format!("{} tokens", grouped(tokens))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let cores = if record.threads == 1 { "core" } else { "cores" };
    let rows = [
        (
            "read",
            format!(
                "{} tokens in all, of a training part of {}{times}",
                short(record.tokens),
                short(record.corpus_tokens)
            ),
        ),
        ("time", format!("{} on {} {cores}", time(record.seconds), record.threads)),
        ("limit", if limits.is_empty() { "none".to_string() } else { limits.join(" or ") }),
        ("batch", format!("{} tokens a step", grouped(recipe.batch_tokens as u64))),
        (
            "optimizer",
            format!(
                "Muon for the matrices at {}, AdamW for embedding and norms at {}",
                rate(recipe.matrix_rate),
                rate(recipe.learning_rate)
            ),
        ),
        (
            "learning rate",
            format!("rises for {} of the training, falls to {}", share(recipe.warmup), share(recipe.floor)),
        ),
        ("weight decay", rate(recipe.weight_decay)),
        ("left out by chance", share(recipe.dropout)),
        ("gradients", format!("clipped at {}", rate(recipe.clip))),
        ("seed", recipe.seed.to_string()),
        ("weights", if record.taken.is_empty() { "the last ones".to_string() } else { inline(&record.taken) }),
    ];
    out.push_str("## How it was trained\n\n");
    table(out, &["", ""], rows.map(|(name, value)| vec![name.to_string(), value]));
    if let Some(file) = picture {
        let _ = writeln!(
            out,
            "![The learning curve: loss of the training text and of the held-out part]({})\n",
            link(file)
        );
    }
    let last = record.curve.iter().rev().find(|mark| mark.loss.is_finite());
    let held_out = record.curve.iter().rev().find_map(|mark| mark.held_out.filter(|nats| nats.is_finite()));
    if let (Some(mark), Some(held_out)) = (last, held_out) {
        let _ = writeln!(
            out,
            "On the way a part of what is held out is looked at: at the end it cost {held_out:.3} nats a token, with the \
             last weights and before they were quantized, and the training text {:.3}{}.\n",
            mark.loss,
            if recipe.dropout > 0.0 {
                format!(", with {} of the inside left out by chance", share(recipe.dropout))
            } else {
                String::new()
            }
        );
    }
}

pub fn scores(out: &mut String, card: &Card, record: &Record) {
    out.push_str("## How well it foresees what it never read\n\n");
    if record.held_out.iter().all(|score| score.tokens == 0) {
        out.push_str("This has not been measured.\n\n");
        return;
    }
    let mut rows = Vec::new();
    for score in record.held_out.iter().filter(|score| score.tokens > 0) {
        let perplexity = number(score.nats_per_token().exp(), 1);
        rows.push(vec![
            language(score.script).to_string(),
            "**this model**".to_string(),
            number(score.bits_per_character(), 3),
            number(score.bits_per_byte(), 3),
            perplexity,
        ]);
        for other in card.yardsticks.iter().filter(|other| other.script == score.script) {
            rows.push(vec![
                String::new(),
                inline(&other.name),
                number(other.bits_per_character, 3),
                number(other.bits_per_byte, 3),
                String::new(),
            ]);
        }
    }
    table(out, &["held out", "by", "bits a character", "bits a byte", "perplexity a token"], rows);
    let all = record.held_out.iter().fold((0.0, 0), |sum: (f64, u64), s: &HeldOut| (sum.0 + s.nats, sum.1 + s.tokens));
    let pieces: u64 = record.held_out.iter().map(|score| score.pieces).sum();
    let _ = write!(
        out,
        "Measured with the file as it is, quantized: {} pieces, {} tokens with the end of each piece, every piece from \
         its own beginning; fewer bits are better.",
        grouped(pieces),
        grouped(all.1)
    );
    // Of a model that begins anew it is the same wherever it looks.
    if let Some(untrained) = record.untrained.filter(|nats| nats.is_finite() && record.base.is_none()) {
        let _ = write!(
            out,
            " Before its first step it needed {untrained:.3} nats a token, now {}.",
            number(all.0 / all.1 as f64, 3)
        );
    }
    if record.base.is_some() {
        out.push_str(" What the model that it goes on from had read was not compared: it may have known some of this.");
    }
    if card.yardsticks.is_empty() {
        out.push_str(" No yardsticks were measured beside it.");
    }
    out.push_str("\n\n");
}

pub fn again(out: &mut String, record: &Record, file: &str) {
    let _ = writeln!(
        out,
        "## To make it again\n\n```\n{}\n```\n\nThe files are named without their folders{}. With the same texts in the same \
         order, seed and threads, and without interruption on other threads, `--tokens` gives the same weights on the same \
         kind of processor; `--minutes` ends where the machine is by then. With `--from` your own texts go on from it.\n",
        command(record, file),
        match &record.base {
            Some((name, sha256)) => format!("; BASE.gguf is {} (sha256 `{}`)", inline(name), super::short_hash(sha256)),
            None => String::new(),
        }
    );
}

/// The command line that makes a model of this record, and calls it `file` if that is a file's name.
pub fn command(record: &Record, file: &str) -> String {
    let (shape, recipe) = (&record.shape, &record.recipe);
    let mut words = vec!["xiao train".to_string()];
    words.extend(record.corpus.sources.iter().map(|source| argument(&source.name)));
    for source in record.corpus.sources.iter().filter(|source| source.weight != 1.0) {
        words.push(format!("--weight {}", argument(&format!("{}={}", source.name, source.weight))));
    }
    let output = if file.ends_with(".gguf") { file.to_string() } else { format!("{}.gguf", file_stem(&record.name)) };
    words.push(format!("-o {}", argument(&output)));
    match &record.base {
        Some(_) => words.push("--from BASE.gguf".to_string()),
        None => words.push(size(shape)),
    }
    words.extend(recipe.minutes.map(|minutes| format!("--minutes {minutes}")));
    words.extend(recipe.tokens.map(|tokens| format!("--tokens {tokens}")));
    words.push(format!("--seed {} --threads {}", recipe.seed, record.threads));
    let usual = Recipe::default();
    if recipe.batch_tokens != usual.batch_tokens {
        words.push(format!("--batch {}", recipe.batch_tokens));
    }
    if recipe.learning_rate != usual.learning_rate {
        words.push(format!("--learning-rate {}", rate(recipe.learning_rate)));
    }
    if recipe.weight_decay != usual.weight_decay {
        words.push(format!("--weight-decay {}", rate(recipe.weight_decay)));
    }
    // Left to itself it follows the length of the texts.
    words.push(format!("--dropout {}", rate(recipe.dropout)));
    if !matches!(record.kind.as_str(), "" | "Q8_0") {
        words.push(format!("--kind {}", argument(&record.kind)));
    }
    words.push(format!("--name {} --licence {}", argument(&record.name), argument(&record.licence)));
    words.extend(record.author.iter().map(|author| format!("--author {}", argument(author))));
    words.join(" ")
}

fn size(shape: &Shape) -> String {
    for (name, named) in [("nano", Shape::NANO), ("micro", Shape::MICRO), ("small", Shape::SMALL)] {
        if *shape == named {
            return format!("--size {name}");
        }
    }
    format!(
        "--vocabulary {} --width {} --layers {} --heads {} --kv-heads {} --ffn {} --context {}",
        shape.vocabulary, shape.width, shape.layers, shape.heads, shape.kv_heads, shape.ffn, shape.context
    )
}

fn share(part: f64) -> String {
    format!("{} %", (part * 1000.0).round() / 10.0)
}

/// A name as the stem of a file.
fn file_stem(name: &str) -> String {
    let stem: String = name.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).take(64).collect();
    let stem = stem.trim_matches(['-', '.']).to_lowercase();
    if stem.is_empty() { "model".to_string() } else { stem }
}

/// A file's name as the target of a link.
fn link(file: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    let mut out = String::new();
    for c in file.chars() {
        match c {
            c if plain(c) => out.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                let _ = write!(out, "%{byte:02X}");
            }),
        }
    }
    out
}
