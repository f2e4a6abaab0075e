//! Names the model's errors as they happen. Cheap: a few comparisons for each token.

use crate::score::{Flaw, FlawKind};

/// The longest run that counts as repeated.
const LONGEST: usize = 32;
/// A run is a flaw when it has come this often.
const TIMES: u32 = 3;
/// A token below this probability is a leap.
const LEAP: f32 = 0.001;

/// Watches one piece.
#[derive(Clone, Debug)]
pub struct Flaws {
    /// The last tokens, at `count % LONGEST`.
    recent: [u32; LONGEST],
    count: usize,
    /// For each period, how many tokens in a row equal the one a period before.
    matched: [u32; LONGEST + 1],
    script: Option<Script>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Han,
    Latin,
}

impl Default for Flaws {
    fn default() -> Flaws {
        Flaws { recent: [0; LONGEST], count: 0, matched: [0; LONGEST + 1], script: None }
    }
}

impl Flaws {
    /// Takes the piece's next token with its text, probability, and whether bytes were left that make no character.
    /// At most one flaw of each kind comes back.
    pub fn push(&mut self, id: u32, text: &str, p: f32, broken: bool) -> Vec<Flaw> {
        let index = self.count as u32;
        let mut flaws = Vec::new();
        let mut found = |kind, period| flaws.push(Flaw { kind, index, period });
        if let Some(period) = self.repeated(id) {
            found(FlawKind::Repetition, period);
        }
        if self.mixed(text) {
            found(FlawKind::ScriptMix, 1);
        }
        if p < LEAP {
            found(FlawKind::Leap, 1);
        }
        if broken {
            found(FlawKind::BrokenCharacter, 1);
        }
        flaws
    }

    /// The shortest period that has just been completed for the third time; each loop is named once.
    fn repeated(&mut self, id: u32) -> Option<u32> {
        let mut completed = None;
        for period in 1..=LONGEST.min(self.count) {
            let before = self.recent[(self.count - period) % LONGEST];
            self.matched[period] = if before == id { self.matched[period] + 1 } else { 0 };
            if self.matched[period] == (TIMES - 1) * period as u32 {
                // A loop of two is also one of four: only its shortest period counts.
                let shorter = (1..period).any(|p| period % p == 0 && self.matched[p] >= (TIMES - 1) * p as u32);
                completed = completed.or((!shorter).then_some(period as u32));
            }
        }
        self.recent[self.count % LONGEST] = id;
        self.count += 1;
        completed
    }

    fn mixed(&mut self, text: &str) -> bool {
        let mut mixed = false;
        for c in text.chars() {
            let script = match c {
                '\n' => {
                    self.script = None;
                    continue;
                }
                _ if is_han(c) => Script::Han,
                'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{24F}' => Script::Latin,
                _ => continue,
            };
            mixed |= self.script.is_some_and(|before| before != script);
            self.script = Some(script);
        }
        mixed
    }
}

/// Whether a character is a Han ideograph.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repetitions(ids: &[u32]) -> Vec<(u32, u32)> {
        let mut flaws = Flaws::default();
        let found = ids.iter().flat_map(|id| flaws.push(*id, "", 1.0, false)).collect::<Vec<_>>();
        found.iter().map(|f| (f.index, f.period)).collect()
    }

    #[test]
    fn a_loop_is_named_at_its_third_time_and_once() {
        assert_eq!(repetitions(&[5, 5, 5, 5, 5, 5, 5, 5]), [(2, 1)]);
        assert_eq!(repetitions(&[9, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]), [(6, 2)]);
        assert_eq!(repetitions(&[1, 2, 3, 1, 2, 3, 1, 2, 4]), []);
        let long: Vec<u32> = (0..32).cycle().take(96).collect();
        assert_eq!(repetitions(&long), [(95, 32)]);
        assert_eq!(repetitions(&[7, 7, 7, 8, 7, 7, 7]), [(2, 1), (6, 1)]);
    }

    #[test]
    fn scripts_may_change_only_at_a_line() {
        let kinds = |texts: &[&str]| -> Vec<u32> {
            let mut flaws = Flaws::default();
            let found = texts.iter().flat_map(|t| flaws.push(t.as_ptr() as u32, t, 1.0, false)).collect::<Vec<_>>();
            found.iter().filter(|f| f.kind == FlawKind::ScriptMix).map(|f| f.index).collect()
        };
        assert_eq!(kinds(&["春", "眠", "，", " moon", " x"]), [3]);
        assert_eq!(kinds(&["The", " moon", "\n", "春", "。\n", "A"]), [] as [u32; 0]);
        assert_eq!(kinds(&["a春"]), [0]);
    }

    #[test]
    fn leaps_and_broken_characters() {
        let mut flaws = Flaws::default();
        assert_eq!(flaws.push(1, "a", 0.0005, false)[0].kind, FlawKind::Leap);
        assert_eq!(flaws.push(2, "a", 0.5, true)[0].kind, FlawKind::BrokenCharacter);
        assert_eq!(flaws.push(3, "a", 0.5, false), []);
    }
}
