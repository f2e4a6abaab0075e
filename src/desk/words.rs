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

/// A text in at most `most` lines, broken at spaces where there are any: `room` says how many columns a line has, and
/// `wide` how many a text takes. What does not fit loses its middle, since what is to be done stands at a message's end.
pub fn wrapped(text: &str, room: impl Fn(usize) -> usize, most: usize, wide: impl Fn(&str) -> usize) -> Vec<String> {
    let mut lines = broken(text, &room, &wide);
    if lines.len() > most {
        let chars: Vec<char> = text.chars().collect();
        let mut kept = chars.len().min((0..most).map(&room).sum());
        while lines.len() > most && kept > 0 {
            kept -= 1;
            let (head, tail) = (kept.div_ceil(2), chars.len() - kept / 2);
            let ends: String = chars[..head].iter().chain(&['…']).chain(&chars[tail..]).collect();
            lines = broken(&ends, &room, &wide);
        }
        lines.truncate(most);
    }
    lines
}

/// The whole text in as many lines as it takes; a word longer than its line goes on in the next.
fn broken(text: &str, room: &impl Fn(usize) -> usize, wide: &impl Fn(&str) -> usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if wide(line) + 1 + wide(word) <= room(last) {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_string());
        }
        loop {
            let last = lines.len() - 1;
            let ends = lines[last].char_indices().skip(1).map(|(at, _)| at);
            let over = ends.chain([lines[last].len()]).find(|at| wide(&lines[last][..*at]) > room(last));
            let cut = over.and_then(|over| lines[last][..over].char_indices().next_back()).map_or(0, |(at, _)| at);
            // A character that is wider than the line is left to be cut.
            if cut == 0 {
                break;
            }
            let rest = lines[last].split_off(cut);
            lines.push(rest);
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
        Hand::Settings => "recall",
        Hand::Key => "key",
        Hand::Midi => "midi",
        Hand::Gamepad => "pad",
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
        let wrapped = |text, most| wrapped(text, |line| [7, 10][line.min(1)], most, str::len);
        assert_eq!(wrapped("one two three four", 3), ["one two", "three four"]);
        assert_eq!(wrapped("/a/long/path/that/has no spaces", 9), ["/a/long", "/path/that", "/has no", "spaces"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(super::wrapped("春江", |_| 1, 9, |text| 2 * text.chars().count()), ["春江"], "to be cut");
    }

    #[test]
    fn what_is_too_long_keeps_its_end() {
        let wrapped = |most| wrapped("it fell over; mend it", |_| 9, most, |text| text.chars().count());
        assert_eq!(wrapped(3), ["it fell", "over;", "mend it"]);
        assert_eq!(wrapped(2), ["it fell …", "mend it"]);
        assert_eq!(wrapped(1), ["it f…d it"]);
    }
}
