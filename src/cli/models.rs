//! `models`: what lies on this machine, and what is worth looking for.

use clap::Args;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{print, print_json};
use crate::model::fit::{self, Plays};
use crate::model::library::{self, CONTEXT, Entry, Listing, RECOMMENDED, Surroundings};

/// List the models on this machine and whether they fit, and those that suit the stage
#[derive(Args)]
#[command(
    after_help = "Example:  xiao models\n          xiao models --json | jq -r '.models[].name'\n          xiao play --model NAME"
)]
pub struct Models {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A row fits into 80 columns with a name of so many; longer ones stand on a line of their own.
const NAME: usize = 28;

impl Models {
    pub fn run(self) -> anyhow::Result<()> {
        let listing = library::list(&Surroundings::here());
        if self.json {
            let mut value = serde_json::to_value(&listing)?;
            let recommended = RECOMMENDED.iter().map(|row| {
                let mut value = serde_json::to_value(row)?;
                value["memory_bytes"] = json!(row.memory_bytes());
                Ok(value)
            });
            value["recommended"] = json!(recommended.collect::<anyhow::Result<Vec<_>>>()?);
            return print_json(&value);
        }
        found(&listing)?;
        recommended()
    }
}

fn found(listing: &Listing) -> anyhow::Result<()> {
    let memory = listing.available_bytes.map_or("unknown".to_string(), fit::size);
    print(&format!("models on this machine; memory available for one: {memory}"))?;
    if listing.models.is_empty() {
        print("  none in the working folder, models/ and ~/models, nor of LM Studio, Ollama,")?;
        print("  llama.cpp and Hugging Face")?;
    } else {
        let name = listing.models.iter().map(|m| m.name.width()).filter(|w| *w <= NAME).max().unwrap_or(4).max(4);
        print(&format!(
            "  {:<name$} {:<7} {:>6} {:>8} {:<7} {:>8} {}",
            "name", "family", "params", "size", "quant", "needs", "plays"
        ))?;
        let mut place = "";
        for model in &listing.models {
            if model.place != place {
                place = model.place;
                print(place)?;
            }
            row(model, name, listing.available_bytes)?;
        }
    }
    for left_out in &listing.left_out {
        print(&format!("left out: {} ({})", left_out.name, left_out.what))?;
    }
    print("")
}

fn row(model: &Entry, name: usize, available: Option<u64>) -> anyhow::Result<()> {
    let plays = match (model.plays, model.fits) {
        (Plays::Not, _) => "no",
        (_, Some(false)) => "too big",
        (Plays::Own, _) => "own",
        (Plays::Opaque, _) => "opaque",
    };
    let mut shown = format!("  {}", model.name);
    match model.name.width() {
        width if width <= name => shown.extend(std::iter::repeat_n(' ', name - width)),
        _ => {
            print(&shown)?;
            shown = " ".repeat(2 + name);
        }
    }
    let needs = model.needed_bytes.map_or("-".into(), fit::size);
    let (family, size) = (&model.family, fit::size(model.bytes));
    let known = |text: String| if model.parameters == 0 { "-".to_string() } else { text };
    let (parameters, quant) = (known(parameters(model.parameters as f64)), known(model.quantization.clone()));
    print(&format!("{shown} {family:<7} {parameters:>6} {size:>8} {quant:<7} {needs:>8} {plays}"))?;
    if let Some(why) = &model.why {
        print(&wrapped(why))?;
    }
    if let (Some(false), Some(needed), Some(available)) = (model.fits, model.needed_bytes, available) {
        let (needed, available) = (fit::size(needed), fit::size(available));
        print(&wrapped(&format!("needs {needed} of {available} available; try a smaller --context, or --force")))?;
    }
    Ok(())
}

fn recommended() -> anyhow::Result<()> {
    print("recommended, figures approximate; memory at Q4_K_M and 4096 tokens")?;
    let gb = |gb: Option<f64>| {
        gb.map_or("-".into(), |gb| if gb < 0.1 { format!("{:.0} MB", gb * 1e3) } else { format!("{gb:.1} GB") })
    };
    print(&format!("  {:<15} {:>6} {:>7} {:>7} {:>8}  {}", "name", "params", "Q4_K_M", "Q8_0", "memory", "suits"))?;
    for model in RECOMMENDED {
        let (parameters, memory) = (parameters(model.parameters_b * 1e9), fit::size(model.memory_bytes()));
        print(&format!(
            "  {:<15} {parameters:>6} {:>7} {:>7} {memory:>8}  {}",
            model.name,
            gb(model.q4_k_m_gb),
            gb(model.q8_0_gb),
            model.suits
        ))?;
    }
    debug_assert_eq!(CONTEXT, 4096);
    print("")?;
    print("xiao downloads nothing. People get such files, as GGUF, with Ollama or LM Studio")?;
    print("or from Hugging Face. Then: xiao play --model NAME, or model = \"NAME\" in a patch")
}

/// Lines of at most 80 columns that stand a little in.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from("   ")];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.width());
        if line + 1 + word.width() > 80 && line > 3 {
            lines.push(String::from("   "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// `1.24 B`, `135 M`.
fn parameters(n: f64) -> String {
    let (n, unit) = if n >= 999.5e6 { (n / 1e9, 'B') } else { (n / 1e6, 'M') };
    match n {
        n if n >= 99.95 => format!("{n:.0} {unit}"),
        n if n >= 9.995 => format!("{n:.1} {unit}"),
        n => format!("{n:.2} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_wrapped() {
        let text = wrapped(&format!("{} and {} ends", "word ".repeat(30), "x".repeat(90)));
        let widths: Vec<_> = text.lines().map(|line| line.width()).collect();
        assert!(text.lines().all(|line| line.starts_with("    ") && !line.ends_with(' ')), "{text}");
        assert!(widths.iter().filter(|w| **w > 80).eq([&94]), "only what cannot be broken is longer: {widths:?}");
        assert_eq!(text.split_whitespace().count(), 33);
    }

    #[test]
    fn parameters_take_six_columns_at_most() {
        let said = [2.8e6, 134.5e6, 999.6e6, 1.24e9, 13.0e9, 70.6e9, 671e9].map(parameters);
        assert_eq!(said, ["2.80 M", "134 M", "1.00 B", "1.24 B", "13.0 B", "70.6 B", "671 B"]);
        assert!(said.iter().all(|s| s.len() <= 6));
    }
}
