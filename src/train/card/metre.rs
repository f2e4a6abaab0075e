//! The metre of Chinese verse: whether a piece keeps five or seven characters from verse to verse. Pure.

use crate::train::corpus::is_han;

/// The share of its verses that must be of one length; one slip in ten verses is forgiven.
const KEPT: f64 = 0.9;

/// The verses of a text: what stands between marks and line breaks, without spaces and quotation marks.
pub fn verses(text: &str) -> impl Iterator<Item = String> {
    text.split(ends_verse)
        .map(|verse| verse.chars().filter(|c| !is_silent(*c)).collect::<String>())
        .filter(|verse| !verse.is_empty())
}

/// How many characters each verse of a piece has, if at least nine in ten have five, or seven. A verse with anything
/// but Han characters in it has no metre, and one verse alone keeps none.
pub fn keeps_metre(text: &str) -> Option<usize> {
    let lengths: Vec<Option<usize>> =
        verses(text).map(|verse| verse.chars().all(is_han).then(|| verse.chars().count())).collect();
    let kept = |length: &usize| {
        let fitting = lengths.iter().filter(|l| **l == Some(*length)).count();
        lengths.len() > 1 && fitting as f64 >= KEPT * lengths.len() as f64
    };
    [5, 7].into_iter().find(kept)
}

/// The text up to its last verse's end: a piece that was stopped by its length is not to blame for how it breaks off.
pub fn whole_verses(text: &str) -> &str {
    text.rfind(ends_verse).map_or("", |at| &text[..at])
}

/// How a number of pieces kept their metre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metre {
    pub pieces: u64,
    /// Of five characters throughout.
    pub five: u64,
    /// Of seven.
    pub seven: u64,
}

impl Metre {
    /// Takes in a piece with its opening, and whether it came to its own end.
    pub fn count(&mut self, piece: &str, ended: bool) {
        self.pieces += 1;
        match keeps_metre(if ended { piece } else { whole_verses(piece) }) {
            Some(5) => self.five += 1,
            Some(_) => self.seven += 1,
            None => {}
        }
    }

    /// The share of the pieces that kept either; 0 of none.
    pub fn share(&self) -> f64 {
        (self.five + self.seven) as f64 / self.pieces.max(1) as f64
    }
}

fn ends_verse(c: char) -> bool {
    matches!(c, '\n' | '，' | '。' | '！' | '？' | '；' | '：' | '、' | ',' | '.' | '!' | '?' | ';' | ':' | '．' | '…')
}

/// What is written and not spoken.
fn is_silent(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '「' | '」' | '『' | '』' | '“' | '”' | '‘' | '’' | '《' | '》' | '（' | '）' | '·' | '—')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verses_stand_between_marks() {
        let found: Vec<String> = verses("小灯明一室，\n「夜雨」到三更。\n\n问：谁？　在").collect();
        assert_eq!(found, ["小灯明一室", "夜雨到三更", "问", "谁", "在"]);
        assert_eq!(verses("，。\n ").count(), 0);
    }

    #[test]
    fn five_and_seven_are_told_from_prose() {
        let five = "小灯明一室，夜雨到三更。\n机上无人语，窗前有叶声。";
        assert_eq!(keeps_metre(five), Some(5));
        let seven = "小小灯明一室间，沉沉夜雨到三更。\n";
        assert_eq!(keeps_metre(seven), Some(7));
        assert_eq!(keeps_metre(&format!("{five}\n{seven}")), None, "two metres are none");
        assert_eq!(keeps_metre("小灯明一室"), None, "one verse alone shows nothing");
        assert_eq!(keeps_metre("小灯明，夜雨到。"), None);
        assert_eq!(keeps_metre(""), None);
        assert_eq!(keeps_metre("小灯明a室，夜雨到三更。"), None, "a letter is no Han character");
    }

    #[test]
    fn one_slip_in_ten_is_forgiven_and_two_are_not() {
        let of = |good: usize, bad: usize| "小灯明一室，".repeat(good) + &"夜雨，".repeat(bad);
        assert_eq!(keeps_metre(&of(9, 1)), Some(5));
        assert_eq!(keeps_metre(&of(8, 2)), None);
        assert_eq!(keeps_metre(&of(8, 1)), None);
    }

    #[test]
    fn a_piece_that_was_stopped_is_measured_up_to_its_last_verse() {
        let mut metre = Metre::default();
        metre.count("小灯明一室，夜雨到三更。机上", false);
        metre.count("小灯明一室，夜雨到三更。机上", true);
        metre.count("小小灯明一室间，沉沉夜雨到三更", true);
        assert_eq!(metre, Metre { pieces: 3, five: 1, seven: 1 });
        assert!((metre.share() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(Metre::default().share(), 0.0);
    }
}
