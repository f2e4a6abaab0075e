//! `MODEL.md`: the card as a page. Pure; what a model or a stranger's file says is quoted so that it stays text.

mod heard;
mod told;

use std::fmt::Write as _;

use super::Card;
use super::words::{grouped, megabytes, short};
use crate::terminal::clean;
use crate::train::Script;

/// The first line of every card: what xiao may overwrite.
pub const MARK: &str = "<!-- The card of a model, made by xiao. Made anew, it is overwritten. -->";

/// The whole page. `picture` is the learning curve's file, beside the card.
pub fn page(card: &Card, picture: Option<&str>) -> String {
    let mut out = format!("{MARK}\n# {}\n\n", inline(&name(card)));
    summary(&mut out, card);
    let file = argument(&card.file);
    let opening = if card.scripts().contains(&Script::English) { "\"The moon\"" } else { "春" };
    let _ = writeln!(out, "## To play it\n\n```\nxiao play --model {file}\nxiao say {opening} --model {file}\n```\n");
    if let Some(about) = &card.about {
        let _ = writeln!(out, "{}\n", clean::text(about).trim());
    }
    match &card.record {
        Some(record) => {
            told::data(&mut out, record);
            told::shape(&mut out, card);
            told::recipe(&mut out, record, picture);
            told::scores(&mut out, card, record);
        }
        None => {
            told::unknown(&mut out, card);
            told::shape(&mut out, card);
        }
    }
    heard::recitation(&mut out, card);
    heard::metre(&mut out, card);
    heard::flaws(&mut out, card);
    heard::samples(&mut out, card);
    if let Some(record) = &card.record {
        told::again(&mut out, record, &card.file);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn summary(out: &mut String, card: &Card) {
    let info = &card.info;
    let lineage = &info.lineage;
    let record = card.record.as_ref();
    let scripts: Vec<&str> = card.scripts().into_iter().map(super::words::language).collect();
    if let Some(record) = record {
        let knows = if record.base.is_none() { "; it knows nothing but those texts" } else { "" };
        let _ = writeln!(
            out,
            "A language model of {} parameters that writes {}, trained with xiao from the texts below. It goes on from \
             an opening, piece by piece{knows}.\n",
            short(info.parameters),
            scripts.join(" and ")
        );
    }
    let base = match record {
        Some(record) => {
            record.base.as_ref().map_or("nothing: it began as chance numbers".to_string(), |(name, sha256)| {
                let licence = record.base_licence.as_deref().unwrap_or("unknown");
                format!("{} (sha256 `{}`), licence {}", inline(name), short_hash(sha256), inline(licence))
            })
        }
        None => inline(&lineage.base_model),
    };
    let types: Vec<String> = info.types.iter().map(|sum| format!("{} in {} tensors", sum.kind, sum.tensors)).collect();
    let rows = [
        ("parameters", grouped(info.parameters)),
        ("file", format!("{}, {}, {}", inline(&card.file), megabytes(info.file_bytes), types.join(", "))),
        ("sha256", format!("`{}`", card.sha256)),
        ("licence", inline(record.map_or(&lineage.licence, |record| &record.licence))),
        ("author", inline(record.and_then(|record| record.author.as_ref()).unwrap_or(&lineage.author))),
        ("goes on from", base),
    ];
    table(out, &["", ""], rows.map(|(name, value)| vec![name.to_string(), value]));
}

/// A table; its cells are already fit to stand in one.
fn table(out: &mut String, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let rule: Vec<&str> = head.iter().enumerate().map(|(i, _)| if i == 0 { "---" } else { "---:" }).collect();
    let rule = if head.iter().all(|h| h.is_empty()) { vec!["---"; head.len()] } else { rule };
    let _ = writeln!(out, "| {} |\n|{}|", head.join(" | "), rule.join("|"));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
}

/// The model's name.
fn name(card: &Card) -> String {
    let told = card.record.as_ref().map_or(&card.info.name, |record| &record.name);
    if told.is_empty() || told == "unknown" { card.file.clone() } else { told.clone() }
}

/// A stranger's words within a line: no line break, and nothing that Markdown would take for its own.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in clean::line(text).chars().take(400) {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '!' | '~' | '>' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Text as it is, in a block that nothing in it can end.
fn block(out: &mut String, text: &str) {
    let text = clean::text(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let _ = writeln!(out, "{fence}text\n{}\n{fence}\n", text.trim_end());
}

/// An argument as a shell takes it.
fn argument(text: &str) -> String {
    let text = clean::line(text);
    let plain = |c: char| c.is_alphanumeric() || "._-/=+,:".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn short_hash(sha256: &str) -> String {
    sha256.chars().filter(char::is_ascii_hexdigit).take(16).collect()
}

#[cfg(test)]
mod tests;
