//! Columns: which characters stand upright, which lie on their side, and the forms of punctuation for columns.

use super::{Text, glyphs};

/// How many characters after one have a say in how it stands.
pub const AHEAD: usize = 2;

/// How a character stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Upright in a whole cell, as this character.
    Upright(char),
    /// Turned a quarter clockwise.
    Turned,
    /// The first or second of two digits that stand upright side by side in a cell.
    First,
    Second,
}

impl Stance {
    /// How far `c` moves the pen down the column in half cells.
    pub fn along(self, c: char) -> u32 {
        match self {
            Stance::Upright(_) => 2,
            Stance::Turned => glyphs::advance(c),
            Stance::First | Stance::Second => 1,
        }
    }
}

/// Full-width punctuation and its form for columns (U+FE10..FE19, U+FE30..FE48), by code point.
const FORMS: [(char, char); 36] = [
    ('‥', '︰'),
    ('、', '︑'),
    ('。', '︒'),
    ('〈', '︿'),
    ('〉', '﹀'),
    ('《', '︽'),
    ('》', '︾'),
    ('「', '﹁'),
    ('」', '﹂'),
    ('『', '﹃'),
    ('』', '﹄'),
    ('【', '︻'),
    ('】', '︼'),
    ('〔', '︹'),
    ('〕', '︺'),
    ('〖', '︗'),
    ('〗', '︘'),
    ('！', '︕'),
    ('（', '︵'),
    ('）', '︶'),
    ('，', '︐'),
    ('：', '︓'),
    ('；', '︔'),
    ('？', '︖'),
    ('［', '﹇'),
    ('］', '﹈'),
    ('＿', '︳'),
    ('｛', '︷'),
    ('｝', '︸'),
    ('–', '︲'),
    ('—', '︱'),
    ('‘', '﹃'),
    ('’', '﹄'),
    ('“', '﹁'),
    ('”', '﹂'),
    ('…', '︙'),
];

/// These are of Latin too, and take the column's form only beside what stands.
const SHARED: &str = "‥–—‘’“”…";
/// Long strokes, which follow the column.
const STROKES: &str = "ー〜～－＝〰";

fn form(c: char) -> Option<char> {
    FORMS.iter().find(|(from, _)| *from == c).map(|(_, to)| *to)
}

/// How the character `c` at `i` stands. Depends on two characters before and [`AHEAD`] after it.
pub fn stance<T: Text + ?Sized>(text: &T, i: usize, c: char) -> Stance {
    if c.is_ascii() {
        return if c.is_ascii_digit() { of_digit(text, i, c) } else { Stance::Turned };
    }
    // Most of what stands: kana, Han, Hangul.
    if matches!(c, '\u{3041}'..='\u{30fa}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}') && glyphs::is_upright(c)
    {
        return Stance::Upright(c);
    }
    if STROKES.contains(c) {
        return Stance::Turned;
    }
    if SHARED.contains(c) {
        // An ellipsis and a dash come in twos.
        let other = |near: Option<char>, far: Option<char>| if near == Some(c) { far } else { near };
        let before = other(text.before(i, 1), text.before(i, 2));
        let after = other(text.at(i + 1), text.at(i + 2));
        let stands = |c: Option<char>| c.is_some_and(glyphs::is_upright);
        let beside = stands(before) || stands(after) && !before.is_some_and(char::is_alphanumeric);
        return form(c).filter(|_| beside).map_or(Stance::Turned, Stance::Upright);
    }
    if glyphs::is_upright(c) { Stance::Upright(form(c).unwrap_or(c)) } else { Stance::Turned }
}

/// One or two digits among what stands do so too; longer numbers and those in Latin lie.
fn of_digit<T: Text + ?Sized>(text: &T, i: usize, c: char) -> Stance {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let (before, after) = (text.before(i, 1), text.at(i + 1));
    let (before, after, stance) = match (is_digit(before), is_digit(after)) {
        (true, true) => return Stance::Turned,
        (true, false) => (text.before(i, 2), after, Stance::Second),
        (false, true) => (before, text.at(i + 2), Stance::First),
        (false, false) => (before, after, Stance::Upright(c)),
    };
    let stands = |c: Option<char>| c.is_some_and(glyphs::is_upright);
    let lets = |c: Option<char>| c.is_none_or(|c| c == ' ' || c == '\n') || stands(c);
    if lets(before) && lets(after) && (stands(before) || stands(after)) { stance } else { Stance::Turned }
}

/// Whether the character at `i` is the second of two digits side by side.
pub fn is_second<T: Text + ?Sized>(text: &T, i: usize) -> bool {
    text.at(i).is_some_and(|c| stance(text, i, c) == Stance::Second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stances(text: &str) -> Vec<Stance> {
        let text: Vec<char> = text.chars().collect();
        text.iter().enumerate().map(|(i, c)| stance(&text[..], i, *c)).collect()
    }

    #[test]
    fn every_form_is_in_the_type_and_a_whole_cell() {
        for (from, to) in FORMS {
            assert!(glyphs::shown(to) == to && glyphs::advance(to) == 2, "{from} {to}");
        }
    }

    #[test]
    fn han_stands_and_latin_lies() {
        use Stance::*;
        assert_eq!(stances("春a。"), [Upright('春'), Turned, Upright('︒')]);
        assert_eq!(stances("か한ー"), [Upright('か'), Upright('한'), Turned]);
        assert_eq!(stances("f(x)"), [Turned; 4]);
        assert_eq!(stances("（x）"), [Upright('︵'), Turned, Upright('︶')]);
    }

    #[test]
    fn marks_shared_with_latin_go_by_their_neighbours() {
        use Stance::*;
        assert_eq!(stances("“好”"), [Upright('﹁'), Upright('好'), Upright('﹂')]);
        assert_eq!(stances("春……"), [Upright('春'), Upright('︙'), Upright('︙')]);
        assert_eq!(stances("——春"), [Upright('︱'), Upright('︱'), Upright('春')]);
        assert_eq!(stances("I’m好")[1], Turned);
        assert_eq!(stances("so…"), [Turned; 3]);
    }

    #[test]
    fn one_or_two_digits_stand_among_han() {
        use Stance::*;
        assert_eq!(stances("第3章"), [Upright('第'), Upright('3'), Upright('章')]);
        assert_eq!(stances("12月")[..2], [First, Second]);
        assert_eq!(stances("第12"), [Upright('第'), First, Second]);
        assert_eq!(stances("123月")[..3], [Turned; 3]);
        assert_eq!(stances("3.5元")[..3], [Turned; 3]);
        assert_eq!(stances("a12月")[1..3], [Turned; 2]);
        assert_eq!(stances("12"), [Turned; 2]);
    }
}
