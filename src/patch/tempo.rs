//! Reads the `[tempo]` table of a patch: whose tempo is played. Pure.

use toml_edit::{Item, TableLike};

use super::error::Problems;
use super::reader::Reader;
use super::value::{key_span, text};

/// Whose tempo is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tempo {
    pub from: TempoFrom,
    /// The port whose clock is followed: its name with `*` for any run of characters. Of several the first that ticks.
    pub device: String,
    /// Whether no token comes while the followed clock stands.
    pub hold: bool,
}

/// Where the tempo comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TempoFrom {
    /// `sound.tempo.bpm`.
    #[default]
    Internal,
    /// A MIDI clock, while one ticks.
    Midi,
    /// Ableton Link: whoever shares it on the network, while there is anybody.
    Link,
}

const FROM: [(&str, TempoFrom); 3] =
    [("internal", TempoFrom::Internal), ("midi", TempoFrom::Midi), ("link", TempoFrom::Link)];

impl Default for Tempo {
    fn default() -> Tempo {
        Tempo { from: TempoFrom::Internal, device: "*".into(), hold: false }
    }
}

/// The `[tempo]` table.
pub(super) fn tempo(table: &dyn TableLike, problems: &mut Problems) -> Tempo {
    let mut read = Reader { place: "[tempo]".into(), table, span: None, problems };
    read.keys(&["from", "device", "stop"], &[]);
    let from = read.word("from", &FROM).unwrap_or_default();
    let hold = read.word("stop", &[("go_on", false), ("hold", true)]).unwrap_or(false);
    let device = table.get("device").and_then(|item| text(item, "[tempo] device", problems));
    if from == TempoFrom::Link && !cfg!(feature = "link") {
        let message = "[tempo] from: this xiao was built without Link; `cargo build --features link` makes one with it";
        problems.add(table.get("from").and_then(Item::span), message.into());
    }
    if from != TempoFrom::Midi {
        for key in ["device", "stop"].into_iter().filter(|key| table.contains_key(key)) {
            problems.add(key_span(table, key), format!("[tempo] {key} goes with from = \"midi\""));
        }
    }
    Tempo { from, device: device.unwrap_or("*".into()), hold }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tempo, String> {
        let text = format!("[prompts]\nmoon = \"The moon\"\n[tempo]\n{text}");
        super::super::parse("p.toml", &text).map(|patch| patch.tempo).map_err(|error| error.to_string())
    }

    #[test]
    fn the_tempo_is_the_instruments_own_until_another_is_asked_for() {
        assert_eq!(read(""), Ok(Tempo::default()));
        assert_eq!(read("from = \"internal\""), Ok(Tempo::default()));
        let followed = Tempo { from: TempoFrom::Midi, ..Tempo::default() };
        assert_eq!(read("from = \"midi\""), Ok(followed.clone()));
        let one = Tempo { device: "volca*".into(), hold: true, ..followed };
        assert_eq!(read("from = \"midi\"\ndevice = \"volca*\"\nstop = \"hold\""), Ok(one));
    }

    #[test]
    fn link_is_there_where_it_was_built_in() {
        let read = read("from = \"link\"");
        if cfg!(feature = "link") {
            assert_eq!(read.map(|tempo| tempo.from), Ok(TempoFrom::Link));
        } else {
            assert!(read.unwrap_err().contains("p.toml:4:8: [tempo] from: this xiao was built without Link"));
        }
    }

    #[test]
    fn slips_are_explained_with_their_place() {
        for (text, wanted) in [
            ("from = \"mid\"", "p.toml:4:8: [tempo] from: there is no \"mid\"; did you mean \"midi\"?"),
            ("from = 120", "takes text in quotes"),
            ("bpm = 120", "[tempo] has no \"bpm\""),
            ("device = \"volca*\"", "p.toml:4:1: [tempo] device goes with from = \"midi\""),
            ("from = \"midi\"\nstop = \"now\"", "it is one of go_on, hold"),
            ("from = \"midi\"\ndevice = 3", "takes text in quotes"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
