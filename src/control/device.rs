//! What a device is called, whatever numbers the system gives its port. Pure.
//!
//! A mapping is for a device and not for a place on the machine: it must play when the device is plugged in again, and
//! after the show has begun anew.

use std::borrow::Cow;

/// A port's name without the numbers that are others when the device is plugged in again: ALSA's ("volca MIDI 1 20:0"),
/// and those by which a2jmidid names ALSA's devices to JACK ("volca [20] (capture): volca MIDI 1").
pub(super) fn device(name: &str) -> Cow<'_, str> {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if let Some((device, address)) = name.rsplit_once(' ')
        && address.split_once(':').is_some_and(|(client, port)| is_number(client) && is_number(port))
    {
        return Cow::Borrowed(device);
    }
    for way in ["] (capture):", "] (playback):"] {
        if let Some((head, port)) = name.split_once(way)
            && let Some((device, number)) = head.rsplit_once(" [")
            && is_number(number)
        {
            return Cow::Owned(format!("{device} {}{port}", &way[2..]));
        }
    }
    Cow::Borrowed(name)
}

/// The same without the two digits that JACK gives to a client while there is another of its name ("synth-01:out").
/// Elsewhere a device may be called so itself.
pub(super) fn unnumbered(name: &str) -> Cow<'_, str> {
    let device = device(name);
    let numbered = match device.split_once(':') {
        Some((client, port)) if cfg!(feature = "midi-jack") => client.rsplit_once('-').and_then(|(client, number)| {
            let is_jacks = number.len() == 2 && number != "00" && number.chars().all(|c| c.is_ascii_digit());
            (is_jacks && !client.is_empty()).then(|| format!("{client}:{port}"))
        }),
        _ => None,
    };
    numbered.map_or(device, Cow::Owned)
}

/// What a port is called beside those that have a name already. Of several devices of one name the others keep JACK's
/// number, or are told apart by a number of ours.
pub(super) fn free_name(port: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let name = unnumbered(port).into_owned();
    let numbered = (2..).map(|n| format!("{name} #{n}"));
    let mut names = [name.clone(), device(port).into_owned()].into_iter().chain(numbered);
    names.find(|name| !is_taken(name)).expect("numbers do not end")
}

/// What each of these ports is called, as the patterns of a patch see it.
pub(super) fn called(ports: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for port in ports {
        names.push(free_name(&port, |name| names.iter().any(|taken| taken == name)));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_again_by_its_name() {
        for (name, wanted) in [
            ("volca:volca MIDI 1 20:0", "volca:volca MIDI 1"),
            ("volca:volca MIDI 2 20:1", "volca:volca MIDI 2"),
            ("TB-03:TB-03 MIDI 1 128:0", "TB-03:TB-03 MIDI 1"),
            ("a2j:nanoKONTROL2 [20] (capture): nanoKONTROL2 MIDI 1", "a2j:nanoKONTROL2 (capture): nanoKONTROL2 MIDI 1"),
            ("a2j:volca [128] (playback): volca MIDI 1", "a2j:volca (playback): volca MIDI 1"),
            // These numbers are the device's own.
            ("IAC Driver Bus 1", "IAC Driver Bus 1"),
            ("Midi Through:Midi Through Port-0", "Midi Through:Midi Through Port-0"),
            ("system:midi_playback_1", "system:midi_playback_1"),
            ("a [b] (capture): c", "a [b] (capture): c"),
            ("x :0", "x :0"),
            ("", ""),
        ] {
            assert_eq!(device(name), wanted);
        }
    }

    #[test]
    fn a_number_of_jacks_is_no_part_of_the_name() {
        for (name, wanted) in [
            ("synth-01:out", "synth:out"),
            ("my-synth-12:out-01", "my-synth:out-01"),
            ("synth-1:out", "synth-1:out"),
            ("synth-00:out", "synth-00:out"),
            ("synth-101:out", "synth-101:out"),
            ("-01:out", "-01:out"),
            ("synth-01", "synth-01"),
        ] {
            let wanted = if cfg!(feature = "midi-jack") { wanted } else { name };
            assert_eq!(unnumbered(name), wanted);
        }
    }

    #[test]
    fn devices_of_one_name_are_told_apart() {
        let named = |ports: &[&str]| called(ports.iter().map(|port| port.to_string()));
        assert_eq!(
            named(&["k:k MIDI 1 20:0", "k:k MIDI 1 24:0", "k:k MIDI 1 28:0"]),
            ["k:k MIDI 1", "k:k MIDI 1 #2", "k:k MIDI 1 #3"]
        );
        if cfg!(feature = "midi-jack") {
            assert_eq!(named(&["k:out", "k-01:out", "k-02:out"]), ["k:out", "k-01:out", "k-02:out"]);
            // Back under another number, and the first of them again.
            assert_eq!(named(&["k-01:out", "k:out"]), ["k:out", "k:out #2"]);
        }
    }
}
