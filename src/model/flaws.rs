//! Names the model's errors as they happen. Cheap: a few comparisons for each token, nothing allocated but the words
//! of a flaw that was found.

use crate::score::{Flaw, FlawKind};

/// The longest run that counts as repeated.
const LONGEST: usize = 32;
/// A run is a flaw when it has come this often, and again each time that has doubled.
const TIMES: u32 = 3;
/// Tokens that are heard before "usual" means anything.
const WARM: u32 = 8;
/// A leap has at least so many bits of surprise, and so many deviations more than usual.
const LEAP_BITS: f32 = 7.0;
const LEAP_DEVIATIONS: f32 = 3.0;
/// Before anything is usual, a leap is a token below one in a thousand.
const LEAP_AT_ONCE_BITS: f32 = 10.0;
/// The same for the entropy of a hesitation.
const HESITATION_BITS: f32 = 4.0;
const HESITATION_DEVIATIONS: f32 = 2.5;
/// A piece that ends before this many tokens, or against these odds, ends early.
const EARLY_TOKENS: u32 = 4;
const EARLY_P: f32 = 0.02;

/// Text that belongs to the form of a conversation and not into it.
const MARKERS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "### Instruction",
    "### Response",
    "</s>",
];
/// Bytes of text that are kept to look for markers in: more than the longest.
const TAIL: usize = 24;

/// Watches one piece.
#[derive(Clone, Debug)]
pub struct Flaws {
    /// The last tokens, at `count % LONGEST`.
    recent: [u32; LONGEST],
    count: usize,
    /// For each period, how many tokens in a row equal the one a period before.
    matched: [u32; LONGEST + 1],
    script: Option<Script>,
    surprise: Usual,
    entropy: Usual,
    /// The token at which the model last hesitated.
    hesitated: Option<u32>,
    tail: String,
}

/// A token as it was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Drawn<'a> {
    pub id: u32,
    pub text: &'a str,
    pub surprise_bits: f32,
    pub entropy_bits: f32,
    /// Bytes were left that make no character.
    pub broken: bool,
    /// It steers the model and is no text, and does not end the piece either.
    pub control: bool,
}

/// What a measure usually is: its mean and deviation over the last few dozen tokens.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    heard: u32,
    mean: f32,
    variance: f32,
}

impl Usual {
    /// Whether `x` is so many deviations above what is usual; takes it in afterwards.
    fn exceeded(&mut self, x: f32, deviations: f32) -> Option<f32> {
        let mean = self.mean;
        let deviation = self.variance.sqrt().max(1.0);
        let above = self.heard >= WARM && x > mean + deviations * deviation;
        if x.is_finite() {
            self.heard = self.heard.saturating_add(1);
            // At first the plain mean, later one that forgets over some 32 tokens.
            let share = (1.0 / self.heard as f32).max(1.0 / 32.0);
            let off = x - self.mean;
            self.mean += share * off;
            self.variance = (1.0 - share) * (self.variance + share * off * off);
        }
        above.then_some(mean)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Han,
    Kana,
    Hangul,
    Latin,
    Greek,
    Cyrillic,
    Arabic,
    Hebrew,
    Indic,
}

impl Script {
    fn of(c: char) -> Option<Script> {
        Some(match c {
            _ if is_han(c) => Script::Han,
            'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{24F}' => Script::Latin,
            '\u{370}'..='\u{3FF}' => Script::Greek,
            '\u{400}'..='\u{52F}' => Script::Cyrillic,
            '\u{590}'..='\u{5FF}' => Script::Hebrew,
            '\u{600}'..='\u{6FF}' => Script::Arabic,
            '\u{900}'..='\u{DFF}' => Script::Indic,
            '\u{3040}'..='\u{30FF}' => Script::Kana,
            '\u{AC00}'..='\u{D7A3}' => Script::Hangul,
            _ => return None,
        })
    }

    /// Japanese and Korean are written in two.
    fn goes_with(self, other: Script) -> bool {
        let of_han = |s| matches!(s, Script::Han | Script::Kana | Script::Hangul);
        self == other || (self == Script::Han || other == Script::Han) && of_han(self) && of_han(other)
    }
}

impl Default for Flaws {
    fn default() -> Flaws {
        Flaws {
            recent: [0; LONGEST],
            count: 0,
            matched: [0; LONGEST + 1],
            script: None,
            surprise: Usual::default(),
            entropy: Usual::default(),
            hesitated: None,
            tail: String::new(),
        }
    }
}

impl Flaws {
    /// Takes the piece's next token. At most one flaw of each kind comes back.
    pub fn push(&mut self, drawn: Drawn) -> Vec<Flaw> {
        let index = self.count as u32;
        let mut flaws = Vec::new();
        let mut found = |kind, period, count, cause: String| flaws.push(Flaw { kind, index, period, count, cause });
        if let Some((period, count)) = self.repeated(drawn.id) {
            let cause = format!("the same {period} tokens {count} times");
            found(FlawKind::Repetition, period, count, cause);
        }
        if let Some((before, after)) = self.mixed(drawn.text) {
            found(FlawKind::ScriptMix, 1, 1, format!("{after:?} after {before:?}"));
        }
        let bits = drawn.surprise_bits;
        let warm = self.surprise.heard >= WARM;
        match self.surprise.exceeded(bits, LEAP_DEVIATIONS) {
            Some(usual) if bits >= LEAP_BITS => {
                found(FlawKind::Leap, 1, 1, format!("a surprise of {bits:.1} bits where {usual:.1} are usual"));
            }
            None if !warm && bits >= LEAP_AT_ONCE_BITS => {
                found(FlawKind::Leap, 1, 1, format!("a surprise of {bits:.1} bits at the beginning"));
            }
            _ => {}
        }
        let undecided = self.entropy.exceeded(drawn.entropy_bits, HESITATION_DEVIATIONS);
        if let Some(usual) = undecided.filter(|_| drawn.entropy_bits >= HESITATION_BITS)
            && self.hesitated.is_none_or(|at| index - at >= WARM)
        {
            self.hesitated = Some(index);
            let cause = format!("an entropy of {:.1} bits where {usual:.1} are usual", drawn.entropy_bits);
            found(FlawKind::Hesitation, 1, 1, cause);
        }
        if drawn.broken {
            found(FlawKind::BrokenCharacter, 1, 1, "bytes that make no character".to_string());
        }
        if drawn.control {
            found(FlawKind::TemplateLeak, 1, 1, format!("the control token {} amid the text", drawn.id));
        } else if let Some(marker) = self.leaked(drawn.text) {
            found(FlawKind::TemplateLeak, 1, 1, format!("{marker} written out"));
        }
        flaws
    }

    /// Takes a token that the performer put into the piece: no error of the model's, but what comes after may repeat it.
    pub fn given(&mut self, id: u32) {
        self.repeated(id);
        self.script = None;
        self.tail.clear();
    }

    /// The piece has ended here, with this probability of ending.
    pub fn end(&self, p: f32) -> Option<Flaw> {
        let tokens = self.count as u32;
        let cause = match () {
            _ if tokens < EARLY_TOKENS => format!("it ended after {tokens} tokens"),
            _ if p < EARLY_P => format!("it ended where that had a probability of {:.1} %", p * 100.0),
            _ => return None,
        };
        Some(Flaw { kind: FlawKind::EarlyEnd, index: tokens.saturating_sub(1), period: 1, count: 1, cause })
    }

    /// The period of the loop that the piece is in now: the shortest run that has come three times and goes on.
    pub fn looping(&self) -> Option<u32> {
        (1..=LONGEST as u32).find(|p| self.matched[*p as usize] >= (TIMES - 1) * p)
    }

    /// The shortest period that has just been completed for the third time (or the sixth, the twelfth …), and how
    /// often it has come.
    fn repeated(&mut self, id: u32) -> Option<(u32, u32)> {
        let mut completed = None;
        for period in 1..=LONGEST.min(self.count) {
            let before = self.recent[(self.count - period) % LONGEST];
            self.matched[period] = if before == id { self.matched[period] + 1 } else { 0 };
            let (matched, length) = (self.matched[period], period as u32);
            if matched > 0 && matched % length == 0 {
                let times = matched / length + 1;
                let doubled = times % TIMES == 0 && (times / TIMES).is_power_of_two();
                // A loop of two is also one of four: only its shortest period counts.
                let shorter = (1..period).any(|p| period % p == 0 && self.matched[p] >= (TIMES - 1) * p as u32);
                completed = completed.or((doubled && !shorter).then_some((length, times)));
            }
        }
        self.recent[self.count % LONGEST] = id;
        self.count += 1;
        completed
    }

    fn mixed(&mut self, text: &str) -> Option<(Script, Script)> {
        let mut mixed = None;
        for c in text.chars() {
            if c == '\n' {
                self.script = None;
            }
            let Some(script) = Script::of(c) else { continue };
            if let Some(before) = self.script.filter(|before| !before.goes_with(script)) {
                mixed = mixed.or(Some((before, script)));
            }
            self.script = Some(script);
        }
        mixed
    }

    fn leaked(&mut self, text: &str) -> Option<&'static str> {
        self.tail.push_str(text);
        let found = MARKERS.iter().find(|marker| self.tail.contains(**marker)).copied();
        if found.is_some() {
            self.tail.clear();
        }
        if self.tail.len() > TAIL {
            let mut cut = self.tail.len() - TAIL;
            while !self.tail.is_char_boundary(cut) {
                cut += 1;
            }
            self.tail.drain(..cut);
        }
        found
    }
}

/// Whether a character is a Han ideograph.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(id: u32, text: &str) -> Drawn<'_> {
        Drawn { id, text, surprise_bits: 1.0, entropy_bits: 1.0, broken: false, control: false }
    }

    fn repetitions(ids: &[u32]) -> Vec<(u32, u32, u32)> {
        let mut flaws = Flaws::default();
        let found = ids.iter().flat_map(|id| flaws.push(drawn(*id, ""))).collect::<Vec<_>>();
        found.iter().map(|f| (f.index, f.period, f.count)).collect()
    }

    #[test]
    fn a_loop_is_named_at_its_third_time_and_when_that_doubles() {
        assert_eq!(repetitions(&[5, 5, 5, 5, 5]), [(2, 1, 3)]);
        assert_eq!(repetitions(&[5; 13]), [(2, 1, 3), (5, 1, 6), (11, 1, 12)]);
        assert_eq!(repetitions(&[9, 1, 2, 1, 2, 1, 2, 1, 2]), [(6, 2, 3)]);
        assert_eq!(repetitions(&[1, 2, 3, 1, 2, 3, 1, 2, 4]), []);
        let long: Vec<u32> = (0..32).cycle().take(96).collect();
        assert_eq!(repetitions(&long), [(95, 32, 3)]);
        assert_eq!(repetitions(&[7, 7, 7, 8, 7, 7, 7]), [(2, 1, 3), (6, 1, 3)]);
        let mut flaws = Flaws::default();
        for id in [9, 1, 2, 1, 2, 1, 2] {
            flaws.push(drawn(id, ""));
        }
        assert_eq!(flaws.looping(), Some(2));
        flaws.push(drawn(9, ""));
        assert_eq!(flaws.looping(), None);
    }

    #[test]
    fn scripts_may_change_only_at_a_line() {
        let kinds = |texts: &[&str]| -> Vec<u32> {
            let mut flaws = Flaws::default();
            let found: Vec<Flaw> = texts.iter().zip(0..).flat_map(|(t, i)| flaws.push(drawn(i, t))).collect();
            found.iter().filter(|f| f.kind == FlawKind::ScriptMix).map(|f| f.index).collect()
        };
        assert_eq!(kinds(&["春", "眠", "，", " moon", " x"]), [3]);
        assert_eq!(kinds(&["The", " moon", "\n", "春", "。\n", "A"]), [] as [u32; 0]);
        assert_eq!(kinds(&["a春"]), [0]);
        assert_eq!(kinds(&["日本", "の", "春", " слово"]), [3]);
    }

    #[test]
    fn a_leap_is_far_above_what_is_usual() {
        let leaps = |bits: &[f32]| -> Vec<u32> {
            let mut flaws = Flaws::default();
            let found = bits.iter().zip(0..).flat_map(|(bits, i)| {
                flaws.push(Drawn { surprise_bits: *bits, ..drawn(i, "a") }).into_iter().collect::<Vec<_>>()
            });
            found.filter(|f| f.kind == FlawKind::Leap).map(|f| f.index).collect()
        };
        let calm: Vec<f32> = (0..20).map(|i| 1.0 + (i % 3) as f32).collect();
        assert_eq!(leaps(&[&calm[..], &[9.0]].concat()), [20]);
        // Where every token is a surprise, none is a leap.
        let wild: Vec<f32> = (0..20).map(|i| 9.0 + (i % 4) as f32).collect();
        assert_eq!(leaps(&[&wild[..], &[12.0]].concat()), [1, 2, 3, 5, 6, 7]);
        assert_eq!(leaps(&[11.0]), [0]);
        assert_eq!(leaps(&[&calm[..], &[f32::INFINITY, 1.0]].concat()), [20]);
    }

    #[test]
    fn hesitations_ends_leaks_and_broken_characters() {
        let mut flaws = Flaws::default();
        let mut kinds = |d: Drawn| flaws.push(d).iter().map(|f| f.kind).collect::<Vec<_>>();
        for i in 0..20 {
            assert_eq!(kinds(Drawn { entropy_bits: 2.0, ..drawn(i, "a") }), []);
        }
        assert_eq!(kinds(Drawn { entropy_bits: 9.0, ..drawn(50, "a") }), [FlawKind::Hesitation]);
        assert_eq!(kinds(Drawn { entropy_bits: 9.0, ..drawn(51, "a") }), [], "one hesitation is one event");
        assert_eq!(kinds(Drawn { broken: true, ..drawn(52, "a") }), [FlawKind::BrokenCharacter]);
        assert_eq!(kinds(Drawn { control: true, ..drawn(53, "") }), [FlawKind::TemplateLeak]);
        assert_eq!(kinds(drawn(54, "so <|im_")), []);
        assert!(kinds(drawn(55, "end|> 春春春春春春春春春春春春")).contains(&FlawKind::TemplateLeak));
        assert_eq!(kinds(drawn(56, "春")), []);
        assert!(flaws.end(0.5).is_none());
        assert!(flaws.end(0.001).unwrap().cause.contains("0.1 %"));
        assert_eq!(Flaws::default().end(0.9).unwrap().kind, FlawKind::EarlyEnd);
    }
}
