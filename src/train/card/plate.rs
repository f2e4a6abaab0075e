//! The short card: what stands on the plate beside the model, stored in its file. Pure.

use super::words::{grouped, language, number, short, time};
use crate::model::plate::fitted;
use crate::train::{Record, Script};

/// The plate of a trained model: at most 12 lines of 60 columns, made of the record alone.
pub fn plate(record: &Record) -> String {
    let shape = &record.shape;
    let mut lines = vec![
        record.name.lines().next().unwrap_or_default().to_string(),
        format!("{} parameters, {} layers of {}", short(record.parameters), shape.layers, shape.width),
        format!("{} tokens known, {} in mind", grouped(shape.vocabulary as u64), shape.context),
    ];
    let read: Vec<String> = record
        .corpus
        .training
        .iter()
        .filter(|(_, counts)| counts.pieces > 0)
        .map(|(script, counts)| format!("{} {} pieces", grouped(counts.pieces), language(*script)))
        .collect();
    if !read.is_empty() {
        lines.push(format!("made of {}", read.join(" and ")));
    }
    let cores = if record.threads == 1 { "core" } else { "cores" };
    lines.push(format!(
        "read {} tokens in {} on {} {cores}, seed {}",
        short(record.tokens),
        time(record.seconds),
        record.threads,
        record.recipe.seed
    ));
    for score in record.held_out.iter().filter(|score| score.tokens > 0) {
        let (bits, per) = match score.script {
            Script::Chinese => (score.bits_per_character(), "character"),
            Script::English => (score.bits_per_byte(), "byte"),
        };
        lines.push(format!("{} bits a {per} of unseen {}", number(bits, 2), language(score.script)));
    }
    if let Some((name, _)) = &record.base {
        let licence = record.base_licence.as_deref().map(|licence| format!(", licence {licence}"));
        lines.push(format!("goes on from {name}{}", licence.unwrap_or_default()));
    }
    let author = record.author.as_deref().unwrap_or("unknown");
    lines.push(format!("licence {}, author {author}", record.licence));
    lines.push(format!("texts {}", record.corpus.sha256.chars().take(16).collect::<String>()));
    fitted(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::example::record;
    use super::*;

    #[test]
    fn a_plate_says_what_it_is_made_of_and_how_good_it_is() {
        let text = plate(&record(10));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "Little <voice> & friends");
        assert!(text.contains("\nmade of 74,000 Chinese pieces and 11,800 English pieces\n"), "{text}");
        assert!(text.contains("\nread 19.2 M tokens in 40 min on 2 cores, seed 7\n"), "{text}");
        assert!(text.contains("\n6.31 bits a character of unseen Chinese\n"), "{text}");
        assert!(!text.contains('…') && lines.len() <= 12, "{text}");
    }

    #[test]
    fn an_endless_record_still_fits() {
        let mut record = record(0);
        record.name = "长\n".repeat(50);
        record.base = Some(("b".repeat(500), String::new()));
        record.held_out = vec![record.held_out[0]; 40];
        let text = plate(&record);
        assert!(text.lines().count() <= 12 && text.lines().all(|line| line.chars().count() <= 60), "{text}");
        (record.base, record.name) = (None, "short".into());
        record.held_out.truncate(1);
        record.held_out[0].characters = 0;
        assert!(plate(&record).contains("\n– bits a character"), "{}", plate(&record));
    }
}
