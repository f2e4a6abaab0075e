//! The line that the performer types a prompt in. Pure: keys in, what is to be done with the line out.

use crate::score::Key;

/// Characters that a line takes at most.
const MOST: usize = 4096;
/// Earlier lines that are kept.
const EARLIER: usize = 100;

/// What a key did to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It reads otherwise, or the cursor stands elsewhere.
    Changed,
    /// It is closed, and its text is to be played, put into the piece, or nothing.
    Play(String),
    Layer(String),
    Dropped,
    Nothing,
}

/// The line, where one is open, and those before it.
#[derive(Debug, Default)]
pub struct Line {
    open: bool,
    chars: Vec<char>,
    at: usize,
    earlier: Vec<String>,
    /// How far back the line was recalled from; 0 is the one that is new, and this is what stood in it.
    back: usize,
    new: String,
}

impl Line {
    pub fn open(&mut self) {
        (self.open, self.at, self.back) = (true, 0, 0);
        self.chars.clear();
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// How many characters stand before the cursor.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn key(&mut self, key: Key) -> Typed {
        let before = (self.chars.len(), self.at, self.back);
        match key {
            // A terminal pastes the end of a line as the key that ends one.
            Key::Written('\r') => self.insert('\n'),
            Key::Written(c) if c == '\n' || !c.is_control() => self.insert(c),
            Key::Char(c) if !c.is_control() => self.insert(c),
            Key::Backspace if self.at > 0 => {
                self.at -= 1;
                self.chars.remove(self.at);
            }
            Key::Left => self.at = self.at.saturating_sub(1),
            Key::Right => self.at = (self.at + 1).min(self.chars.len()),
            Key::Home => self.at = 0,
            Key::End => self.at = self.chars.len(),
            Key::Up => self.recall(self.back + 1),
            Key::Down if self.back > 0 => self.recall(self.back - 1),
            Key::Escape => {
                self.open = false;
                return Typed::Dropped;
            }
            Key::Enter => return self.close(Typed::Play),
            Key::Tab => return self.close(Typed::Layer),
            _ => {}
        }
        match before == (self.chars.len(), self.at, self.back) {
            true => Typed::Nothing,
            false => Typed::Changed,
        }
    }

    fn insert(&mut self, c: char) {
        if self.chars.len() < MOST {
            self.chars.insert(self.at, c);
            self.at += 1;
        }
    }

    /// Brings back the line that was typed so many lines ago; none, the new one.
    fn recall(&mut self, back: usize) {
        if back > self.earlier.len() {
            return;
        }
        if self.back == 0 {
            self.new = self.text();
        }
        let text = match back {
            0 => &self.new,
            back => &self.earlier[self.earlier.len() - back],
        };
        self.chars = text.chars().collect();
        (self.at, self.back) = (self.chars.len(), back);
    }

    fn close(&mut self, with: fn(String) -> Typed) -> Typed {
        self.open = false;
        let text = self.text();
        if text.trim().is_empty() {
            return Typed::Dropped;
        }
        self.earlier.retain(|line| *line != text);
        self.earlier.push(text.clone());
        let surplus = self.earlier.len().saturating_sub(EARLIER);
        self.earlier.drain(..surplus);
        with(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types keys, `<` being the left arrow, `^` and `_` up and down, `~` Backspace, `!` Enter, `>` Tab and `#` Esc.
    fn typed(line: &mut Line, keys: &str) -> Typed {
        let key = |c| match c {
            '<' => Key::Left,
            '^' => Key::Up,
            '_' => Key::Down,
            '~' => Key::Backspace,
            '!' => Key::Enter,
            '>' => Key::Tab,
            '#' => Key::Escape,
            c => Key::Char(c),
        };
        line.open();
        keys.chars().map(|c| line.key(key(c))).last().unwrap()
    }

    #[test]
    fn a_line_is_written_mended_and_closed() {
        let mut line = Line::default();
        for (keys, done) in [
            ("The moon!", Typed::Play("The moon".into())),
            ("moon<<<<a !", Typed::Play("a moon".into())),
            ("春江~潮>", Typed::Layer("春潮".into())),
            ("ab<~~x!", Typed::Play("xb".into())),
            ("moon#", Typed::Dropped),
            ("  !", Typed::Dropped),
            ("~", Typed::Nothing),
            ("a<<", Typed::Nothing),
            ("a<", Typed::Changed),
        ] {
            assert_eq!(typed(&mut line, keys), done, "{keys}");
        }
        line.open();
        for key in [Key::Char('b'), Key::Home, Key::Char('a'), Key::End, Key::Char('c'), Key::PageUp, Key::BackTab] {
            line.key(key);
        }
        assert_eq!((line.text().as_str(), line.at(), line.is_open()), ("abc", 3, true));
        assert_eq!(line.key(Key::Enter), Typed::Play("abc".into()));
        assert!(!line.is_open());
    }

    #[test]
    fn what_is_pasted_is_text_whatever_it_holds() {
        let mut line = Line::default();
        line.open();
        "q\r\u{1b}x\t".chars().for_each(|c| drop(line.key(Key::Written(c))));
        assert_eq!(line.text(), "q\nx");
        (0..2 * MOST).for_each(|_| drop(line.key(Key::Written('月'))));
        assert_eq!(line.text().chars().count(), MOST);
    }

    #[test]
    fn earlier_lines_come_back() {
        let mut line = Line::default();
        for keys in ["one!", "two>", "one!"] {
            typed(&mut line, keys);
        }
        for (keys, text) in [("^!", "one"), ("^^!", "one"), ("new^^_!", "two"), ("new^__!", "new"), ("^^^^^^!", "one")]
        {
            assert_eq!(typed(&mut line, keys), Typed::Play(text.into()), "{keys}");
        }
        assert_eq!(typed(&mut line, "_"), Typed::Nothing);
    }
}
