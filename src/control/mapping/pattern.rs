//! Patterns for the names of ports. Pure.

/// Whether a port's name matches a pattern: `*` stands for any run of characters, and case does not matter.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and up to where of the name it reaches so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && pattern[p] == name[n] {
            p += 1;
            n += 1;
        } else if let Some((at, reach)) = star {
            star = Some((at, reach + 1));
            p = at + 1;
            n = reach + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run_and_case_does_not_matter() {
        for (pattern, name, yes) in [
            ("*", "", true),
            ("nanoKONTROL2*", "NANOkontrol2:nanoKONTROL2 MIDI 1 20:0", true),
            ("nanoKONTROL2", "nanoKONTROL2 1", false),
            ("*midi*1*", "a MIDI thing 21", true),
            ("*midi*1", "midi 1 2", false),
            ("a*b*c", "abbbcbc", true),
            ("", "x", false),
            ("箫*", "箫 one", true),
        ] {
            assert_eq!(matches(pattern, name), yes, "{pattern:?} {name:?}");
        }
    }
}
