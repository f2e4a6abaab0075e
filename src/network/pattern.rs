//! Address patterns of OSC 1.0: `?`, `*`, `[a-z]`, `[!a-z]` and `{one,other}`, each within one part of an address.
//!
//! Pure. rosc has a matcher of its own, but it goes wrong at letters beyond ASCII, which prompts may be called by, and
//! takes `[1-3]` for any number of them. Here the places where a match may stand go along together, so that no pattern
//! takes longer than its length times the address's.

/// A pattern longer than this is nobody's.
const LONGEST: usize = 256;

/// A pattern, read and ready to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Vec<Piece>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    One(char),
    /// `?`
    Any,
    /// `*`
    Run,
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
    Choice(Vec<Vec<char>>),
}

/// Whether an address has anything of a pattern.
pub fn is_pattern(address: &str) -> bool {
    address.contains(['?', '*', '[', ']', '{', '}'])
}

impl Pattern {
    /// Reads a pattern; none where a bracket is not closed, or the like.
    pub fn read(text: &str) -> Option<Pattern> {
        let parts = text.strip_prefix('/').filter(|_| text.len() <= LONGEST)?;
        parts.split('/').map(part).collect::<Option<_>>().map(Pattern)
    }

    /// Whether the pattern means this address.
    pub fn means(&self, address: &str) -> bool {
        let Some(parts) = address.strip_prefix('/') else { return false };
        let mut parts = parts.split('/');
        self.0.iter().all(|pieces| parts.next().is_some_and(|part| fits(pieces, part))) && parts.next().is_none()
    }
}

fn part(text: &str) -> Option<Vec<Piece>> {
    let (mut pieces, mut chars) = (Vec::new(), text.chars());
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '?' => Piece::Any,
            '*' => Piece::Run,
            '[' => {
                let (inside, rest) = chars.as_str().split_once(']')?;
                chars = rest.chars();
                class(inside)?
            }
            '{' => {
                let (inside, rest) = chars.as_str().split_once('}')?;
                chars = rest.chars();
                Piece::Choice(inside.split(',').map(|word| word.chars().collect()).collect())
            }
            ']' | '}' => return None,
            c => Piece::One(c),
        });
    }
    Some(pieces)
}

fn class(inside: &str) -> Option<Piece> {
    let not = inside.starts_with('!');
    let chars: Vec<char> = inside.chars().skip(usize::from(not)).collect();
    let (mut ranges, mut rest) = (Vec::new(), &chars[..]);
    while let [first, after @ ..] = rest {
        // A minus at the end stands for itself.
        let (last, after) = match after {
            ['-', last, after @ ..] => (last, after),
            after => (first, after),
        };
        ranges.push((*first, *last));
        rest = after;
    }
    (!ranges.is_empty()).then_some(Piece::Class { not, ranges })
}

fn fits(pieces: &[Piece], part: &str) -> bool {
    let part: Vec<char> = part.chars().collect();
    // Where in the part a match of the pieces so far may end.
    let mut here = vec![false; part.len() + 1];
    here[0] = true;
    for piece in pieces {
        let mut next = vec![false; part.len() + 1];
        for at in (0..=part.len()).filter(|at| here[*at]) {
            match piece {
                Piece::Run => next[at..].fill(true),
                Piece::Choice(words) => {
                    for word in words.iter().filter(|word| part[at..].starts_with(word)) {
                        next[at + word.len()] = true;
                    }
                }
                one if at < part.len() => next[at + 1] |= fits_one(one, part[at]),
                _ => {}
            }
        }
        here = next;
    }
    here[part.len()]
}

fn fits_one(piece: &Piece, c: char) -> bool {
    match piece {
        Piece::One(wanted) => *wanted == c,
        Piece::Class { not, ranges } => ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *not,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_the_specification_says() {
        for (pattern, address, means) in [
            ("/a/b", "/a/b", true),
            ("/a/b", "/a/b/c", false),
            ("/a/b/c", "/a/b", false),
            ("/*/b", "/a/b", true),
            ("/*", "/a/b", false),
            ("/a*c", "/abbc", true),
            ("/a*", "/a", true),
            ("/*e*e*", "/sleeves", true),
            ("/*e*e*e*", "/sleeves", true),
            ("/*e*e*e*e*", "/sleeves", false),
            ("/a?c", "/abc", true),
            ("/a?c", "/ac", false),
            ("/*??", "/ab", true),
            ("/*??", "/a", false),
            ("/shader/[1-3]", "/shader/2", true),
            ("/shader/[1-3]", "/shader/12", false),
            ("/[!1-3]", "/4", true),
            ("/[!1-3]", "/2", false),
            ("/[ab-]", "/-", true),
            ("/{foo,foobar}x", "/foobarx", true),
            ("/{hum,breath}/*", "/breath/level_db", true),
            ("/{hum,breath}", "/weight", false),
            ("/{,x}y", "/y", true),
            ("/春*", "/春風", true),
            ("/[一-龥]風", "/春風", true),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap().means(address), means, "{pattern} {address}");
        }
        for nonsense in ["", "a", "/[a", "/{a", "/a]", "/a}", "/[]", "/[!]"] {
            assert_eq!(Pattern::read(nonsense), None, "{nonsense}");
        }
        assert!(Pattern::read(&format!("/{}", "x".repeat(LONGEST))).is_none());
        assert!(is_pattern("/a/[1]") && !is_pattern("/a/1"));
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        // With steps back, this one would try more ways than there are seconds in a life.
        let pattern = Pattern::read(&format!("/{}b", "*a".repeat(100))).unwrap();
        assert!(!pattern.means(&format!("/{}", "a".repeat(200))));
    }
}
