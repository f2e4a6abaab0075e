//! Small words that every desk says alike: times, tokens, hands, names. Pure.

use super::clean;
use crate::score::{Hand, ParamId};

/// Minutes and seconds, with hours once there are any.
pub fn clock(t_ns: u64) -> String {
    let s = t_ns / 1_000_000_000;
    match s / 3600 {
        0 => format!("{:02}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// How long ago something was.
pub fn ago(t_ns: u64, now_ns: u64) -> String {
    let s = now_ns.saturating_sub(t_ns) / 1_000_000_000;
    match s {
        0..60 => format!("{s} s ago"),
        60..3600 => format!("{} min ago", s / 60),
        _ => format!("{} h ago", s / 3600),
    }
}

/// A token's text as it can be read by itself.
pub fn spelled(text: &str) -> String {
    let text = clean::text(text).replace('\n', "⏎").replace('\t', "⇥").replace(' ', "·");
    if text.is_empty() { "□".to_string() } else { text }
}

/// A text in lines, at spaces where there are any: `room` says how many columns a line has, and `wide` how many a text
/// takes. What is beyond `most` lines stands in the last, to be cut.
pub fn wrapped(text: &str, room: impl Fn(usize) -> usize, most: usize, wide: impl Fn(&str) -> usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if wide(line) + 1 + wide(word) <= room(last) || last + 1 == most {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

/// A parameter's name without its group.
pub fn short(id: ParamId) -> &'static str {
    id.name().split_once('.').map_or(id.name(), |(_, rest)| rest)
}

/// Who moved a parameter, in a word.
pub fn hand(by: Hand) -> &'static str {
    match by {
        Hand::Model => "model",
        Hand::Patch => "patch",
        Hand::Plan => "plan",
        Hand::Key => "key",
        Hand::Midi => "midi",
        Hand::CommandLine => "start",
        Hand::Osc => "osc",
        Hand::Clock => "clock",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(clock(61_000_000_000), "01:01");
        assert_eq!(ago(0, 59_900_000_000), "59 s ago");
        assert_eq!((ago(0, 61_000_000_000).as_str(), ago(5, 0).as_str()), ("1 min ago", "0 s ago"));
    }

    #[test]
    fn a_long_text_goes_on_in_further_lines() {
        let wrapped = |most| wrapped("one two three four", |line| [7, 10][line.min(1)], most, str::len);
        assert_eq!(wrapped(3), ["one two", "three four"]);
        assert_eq!(wrapped(1), ["one two three four"]);
    }
}
