//! What two texts have in common: runs of eight units, a unit being a Han character or a word. Punctuation, blanks,
//! line ends and capitals do not count. Pure; the same hashes on every machine.

use super::is_han;

/// Units in a run.
pub(super) const RUN: usize = 8;
/// A shorter line is no line that one would know again.
const LINE: usize = 4;

/// The units of a text in their order, each as a hash.
fn units(text: &str, units: &mut Vec<u64>) {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    units.clear();
    let mut word = START;
    for c in text.chars() {
        if is_han(c) {
            close(&mut word, units);
            units.push(mix(START, u64::from(c)));
        } else if c.is_ascii() {
            match c {
                'A'..='Z' | 'a'..='z' | '0'..='9' => word = mix(word, u64::from(c.to_ascii_lowercase())),
                // "lov'd" is one word.
                '\'' => {}
                _ => close(&mut word, units),
            }
        } else if c.is_alphanumeric() {
            c.to_lowercase().for_each(|c| word = mix(word, u64::from(c)));
        } else if c != '’' {
            close(&mut word, units);
        }
    }
    close(&mut word, units);

    fn close(word: &mut u64, units: &mut Vec<u64>) {
        if *word != START {
            units.push(std::mem::replace(word, START));
        }
    }
}

fn mix(hash: u64, with: u64) -> u64 {
    let mixed = (hash ^ with).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

fn hash(units: &[u64]) -> u64 {
    units.iter().fold(units.len() as u64, |hash, unit| mix(hash, *unit))
}

/// Every run of eight in a text, as hashes in their order; none in a text of fewer units.
pub(super) fn runs(text: &str, space: &mut Vec<u64>, mut each: impl FnMut(u64)) {
    units(text, space);
    space.windows(RUN).for_each(|run| each(hash(run)));
}

/// Every line of at least four units, as hashes in their order.
pub(super) fn lines(text: &str, space: &mut Vec<u64>, mut each: impl FnMut(u64)) {
    for line in text.lines() {
        units(line, space);
        if space.len() >= LINE {
            each(hash(space));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        let mut space = Vec::new();
        units(text, &mut space);
        space.len()
    }

    #[test]
    fn a_unit_is_a_han_character_or_a_word() {
        assert_eq!(count("春眠不觉晓，\n处处 moon闻。"), 9);
        assert_eq!((count("The lov'd moon's — pale"), count("—，。 \n"), count("Été")), (4, 0, 1));
    }

    #[test]
    fn runs_see_through_points_and_capitals() {
        let all = |text: &str| {
            let (mut found, mut space) = (Vec::new(), Vec::new());
            runs(text, &mut space, |run| found.push(run));
            found
        };
        let moon = all("The moon is up, and over the hill he goes");
        assert_eq!(moon.len(), 3);
        assert_eq!(moon, all("the MOON is up\nAnd over — the hill? He goes."));
        assert_eq!(all("moon is up and over the hill he goes")[..], moon[1..]);
        assert!(all("春眠不觉晓，处处").is_empty() && all("春眠不觉晓，处处闻").len() == 1);
        assert_ne!(all("a b c d e f g h"), all("a b c d e f h g"));
    }
}
