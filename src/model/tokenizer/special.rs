//! Finds the tokens that are taken out of a text before anything else: control tokens where they are asked for, and
//! texts that are always one token.
//!
//! In llama.cpp's order: the longest token first, everywhere in the text, then the next. So `<|a|>` is found before
//! `<|a` although that begins earlier in another place.

use std::ops::Range;

use super::vocabulary::{TokenKind, Vocabulary};

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(Range<usize>),
    Token(u32, Range<usize>),
}

/// What in a text is not to become a token, although it reads like one.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct Forbidden<'a> {
    /// No control token may lie in one of these runs of bytes, not even in part.
    pub texts: &'a [Range<usize>],
    /// No token may have one of these places inside it.
    pub cuts: &'a [usize],
}

impl Forbidden<'_> {
    fn forbids(&self, at: &Range<usize>, kind: TokenKind) -> bool {
        let cut = self.cuts.iter().any(|cut| at.start < *cut && *cut < at.end);
        cut || kind != TokenKind::UserDefined && self.texts.iter().any(|t| t.start < at.end && at.start < t.end)
    }
}

/// The special tokens of a vocabulary, longest first.
pub(super) struct Specials {
    ids: Vec<u32>,
    /// Whether the blanks that follow a token belong to it (Phi-3), in ascending order of ids.
    strips: Vec<u32>,
}

impl Specials {
    pub fn new(vocabulary: &Vocabulary, phi3: bool) -> Specials {
        let is_special =
            |id: &u32| matches!(vocabulary.kind(*id), TokenKind::Control | TokenKind::UserDefined | TokenKind::Unknown);
        let ids = (0..vocabulary.len() as u32).filter(is_special).filter(|id| !vocabulary.text(*id).is_empty());
        let mut ids: Vec<u32> = ids.collect();
        let keeps = ["<unk>", "<s>", "<|endoftext|>"];
        let mut strips: Vec<u32> = Vec::new();
        if phi3 {
            strips.extend(ids.iter().filter(|id| !keeps.contains(&vocabulary.text(**id))));
            strips.extend(vocabulary.find("</s>"));
            strips.sort_unstable();
        }
        ids.sort_by_key(|id| (std::cmp::Reverse(vocabulary.text(*id).len()), *id));
        Specials { ids, strips }
    }

    /// Every token whose text could be in this one.
    fn candidates<'a>(&'a self, text: &str, vocabulary: &'a Vocabulary) -> impl Iterator<Item = (u32, &'a str)> {
        // Gemma has 6,500 of them: those whose first two bytes are nowhere in the text are passed over.
        let mut seen = vec![0u64; 1024];
        let bytes = text.as_bytes();
        let pair = |bytes: &[u8]| bytes[0] as usize | (bytes.get(1).copied().unwrap_or(0) as usize) << 8;
        for i in 0..bytes.len() {
            for place in [pair(&bytes[i..]), bytes[i] as usize] {
                seen[place / 64] |= 1 << (place % 64);
            }
        }
        let ids = self.ids.iter().map(|id| (*id, vocabulary.text(*id)));
        ids.filter(move |(_, token)| {
            let place = pair(token.as_bytes());
            seen[place / 64] >> (place % 64) & 1 == 1
        })
    }

    /// Cuts a text into tokens and what lies between them. Control tokens are text unless `control` is set.
    pub fn cut(&self, text: &str, vocabulary: &Vocabulary, control: bool, forbidden: Forbidden) -> Vec<Part> {
        let is_there = |part: &Part| !matches!(part, Part::Text(range) if range.is_empty());
        let mut parts = vec![Part::Text(0..text.len())];
        for (id, token) in self.candidates(text, vocabulary) {
            let kind = vocabulary.kind(id);
            if !control && kind != TokenKind::UserDefined || !text.contains(token) {
                continue;
            }
            let mut cut = Vec::with_capacity(parts.len() + 2);
            for part in parts {
                let Part::Text(mut rest) = part else {
                    cut.push(part);
                    continue;
                };
                let mut from = rest.start;
                while let Some(at) = text[from..rest.end].find(token).map(|at| from + at..from + at + token.len()) {
                    if forbidden.forbids(&at, kind) {
                        from = at.start + token.chars().next().map_or(1, char::len_utf8);
                        continue;
                    }
                    cut.push(Part::Text(rest.start..at.start));
                    rest.start = at.end;
                    if self.strips.binary_search(&id).is_ok() {
                        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0B;
                        rest.start += text.as_bytes()[at.end..rest.end].iter().take_while(|b| blank(b)).count();
                    }
                    cut.push(Part::Token(id, at));
                    from = rest.start;
                }
                cut.push(Part::Text(rest));
            }
            parts = cut;
            parts.retain(is_there);
        }
        parts.retain(is_there);
        parts
    }

    /// Where control tokens are written out in a text (and, with `user_defined`, the texts that it accepts), each place
    /// by its bytes, in no order; they may overlap.
    pub fn written_out(
        &self,
        text: &str,
        vocabulary: &Vocabulary,
        user_defined: impl Fn(&str) -> bool,
    ) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (id, token) in self.candidates(text, vocabulary) {
            if vocabulary.kind(id) == TokenKind::UserDefined && !user_defined(token) {
                continue;
            }
            let mut from = 0;
            while let Some(at) = text[from..].find(token).map(|at| from + at) {
                found.push(at..at + token.len());
                from = at + token.chars().next().map_or(1, char::len_utf8);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let texts: Vec<String> = ["<|a|>", "|>", "<<", "x y", "</s>"].map(String::from).into();
        let kind = |i: usize| if i == 3 { TokenKind::UserDefined } else { TokenKind::Control };
        Vocabulary::new(texts.iter(), kind, true)
    }

    fn cut(text: &str, phi3: bool, control: bool, forbidden: Forbidden) -> Vec<String> {
        let vocabulary = vocabulary();
        let parts = Specials::new(&vocabulary, phi3).cut(text, &vocabulary, control, forbidden);
        let shown = |part: Part| match part {
            Part::Text(range) => text[range].to_string(),
            Part::Token(id, _) => format!("#{id}"),
        };
        parts.into_iter().map(shown).collect()
    }

    #[test]
    fn the_longest_goes_first() {
        let free = Forbidden::default();
        assert_eq!(cut("<<|a|>|>q", false, true, free), ["<", "#0", "#1", "q"]);
        assert_eq!(cut("<<|a|>x yq", false, false, free), ["<<|a|>", "#3", "q"]);
        assert_eq!(cut("", false, true, free), Vec::<String>::new());
    }

    #[test]
    fn phi3_swallows_the_blanks_behind_a_token() {
        let free = Forbidden::default();
        assert_eq!(cut("<|a|>\n x</s> \u{b} y", true, true, free), ["#0", "x", "#4", "y"]);
        assert_eq!(cut("<|a|>\n x", false, true, free), ["#0", "\n x"]);
    }

    #[test]
    fn what_is_forbidden_stays_text() {
        let inside = Forbidden { texts: std::slice::from_ref(&(2..7)), cuts: &[] };
        assert_eq!(cut("..<|a|>x y|>", false, true, inside), ["..<|a|>", "#3", "#1"]);
        let cuts = Forbidden { texts: &[], cuts: &[3, 8] };
        assert_eq!(cut("..<|a|>x y", false, true, cuts), ["..<|a", "#1", "x y"]);
    }
}
