//! The patch's own keys as the help lists them. Pure.

use super::{Binding, Kind, Play, Target};
use crate::patch::Patch;
use crate::score::{HelpPage, reading};

/// Keys on one page.
const KEYS: usize = 20;

impl Patch {
    /// The keys that the patch binds, as pages of the help; none where it binds none.
    pub fn own_keys(&self) -> Vec<HelpPage> {
        let keys = self.controllers.iter().filter(|c| c.kind == Kind::Keyboard).flat_map(|c| &c.bindings);
        let lines: Vec<_> = keys.map(|binding| (binding.source.to_string(), does(binding))).collect();
        if lines.is_empty() {
            return Vec::new();
        }
        HelpPage { title: "keys of the patch, before all others".into(), lines }.paged(KEYS)
    }
}

/// What a key does, in words.
fn does(binding: &Binding) -> String {
    let target = &binding.target;
    match (target, &binding.play) {
        (Target::Param { .. }, Play::Toggle) => format!("{target}: there and back"),
        (Target::Param { id, to, .. }, Play::Momentary) => {
            format!("{target}: {} while it is held", reading::param(*id, *to))
        }
        (_, Play::Hold) => format!("{target} while it is held"),
        (_, Play::Step(step)) => format!("{target} {} of its travel", percent(*step)),
        (_, Play::Speed(speed)) => format!("{target} {} of its travel a second", percent(*speed)),
        (Target::Param { id, .. }, Play::Press(values)) => {
            let values: Vec<String> = values.iter().map(|value| reading::param(*id, *value)).collect();
            format!("{target}: {}", values.join(", "))
        }
        _ => target.to_string(),
    }
}

/// A part as a percentage with its sign, to two places.
fn percent(part: f32) -> String {
    format!("{:+} %", (f64::from(part) * 1e4).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use crate::patch::parse;

    #[test]
    fn every_key_has_a_line() {
        let pages = |keys: &str| parse("p.toml", &format!("[prompts]\nmoon = \"m\"\n{keys}")).unwrap().own_keys();
        assert_eq!(pages("[midi.\"*\"]\ncc1 = \"prompt.moon\""), []);
        let keys = "[keys]\no = \"stage.freeze\"\nspace = { to = \"prompt.moon\", mode = \"hold\" }\n\
                    f5 = { to = \"stage.hue\", step = -0.05 }\nf6 = { to = \"stage.palette\", value = [\"ink\", \"paper\"] }\n\
                    f7 = \"prompt.next\"\nf8 = { to = \"stage.hue\", step = -0.069 }\n\
                    f9 = { to = \"generator.hold\", mode = \"momentary\" }\n";
        let lines = pages(keys).remove(0).lines;
        let told: Vec<(&str, &str)> = lines.iter().map(|(key, does)| (key.as_str(), does.as_str())).collect();
        assert_eq!(
            told,
            [
                ("o", "stage.freeze: there and back"),
                ("space", "prompt.moon while it is held"),
                ("f5", "stage.hue -5 % of its travel"),
                ("f6", "stage.palette: ink, paper"),
                ("f7", "prompt.next"),
                ("f8", "stage.hue -6.9 % of its travel"),
                ("f9", "generator.hold: on while it is held"),
            ]
        );
        let many: String = ('a'..='e').chain('g'..='z').map(|c| format!("{c} = \"prompt.moon\"\n")).collect();
        assert_eq!(pages(&format!("[keys]\n{many}")).len(), 2);
    }
}
