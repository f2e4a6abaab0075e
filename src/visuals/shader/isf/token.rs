//! Words of WGSL and GLSL with the lines that they stand on; comments and white space fall away. Pure.

use crate::visuals::shader::check::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Its block comments nest.
    Wgsl,
    Glsl,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub text: String,
    /// Of the user's file, counted from 1.
    pub line: u32,
    /// The line as the preprocessor counts: one that ends in `\` goes on in the next.
    pub row: u32,
    /// Nothing stands between it and the token before, which tells a macro's arguments from its content.
    pub glued: bool,
}

impl Token {
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    pub fn is_number(&self) -> bool {
        let rest = self.text.strip_prefix('.').unwrap_or(&self.text);
        rest.starts_with(|c: char| c.is_ascii_digit())
    }
}

/// Longer ones first.
const PUNCTUATION: [&str; 24] = [
    "<<=", ">>=", "##", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "==", "!=", "<=", ">=", "&&", "||",
    "^^", "<<", ">>", "->", "::",
];

/// All tokens of the text.
pub fn read(text: &str, language: Language) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let (mut rest, mut line, mut row, mut glued) = (text, 1u32, 1u32, false);
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\n' => {
                line += 1;
                row += 1;
                (1, false)
            }
            '\\' if language == Language::Glsl && (rest.starts_with("\\\n") || rest.starts_with("\\\r\n")) => {
                line += 1;
                (rest.find('\n').map_or(1, |at| at + 1), false)
            }
            c if c.is_whitespace() || c == '\u{feff}' => (c.len_utf8(), false),
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => {
                let length = comment(rest, language)
                    .ok_or_else(|| Fault::new(line, "this comment never ends; close it with `*/`"))?;
                line += rest[..length].matches('\n').count() as u32;
                (length, false)
            }
            c => {
                let length = match c {
                    c if c.is_alphabetic() || c == '_' => {
                        rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
                    }
                    c if c.is_ascii_digit() => number(rest),
                    '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest),
                    c => PUNCTUATION.iter().find(|p| rest.starts_with(*p)).map_or(c.len_utf8(), |p| p.len()),
                };
                tokens.push(Token { text: rest[..length].to_string(), line, row, glued });
                (length, true)
            }
        };
        rest = &rest[taken.0..];
        glued = taken.1;
    }
    Ok(tokens)
}

/// How long a block comment is.
fn comment(text: &str, language: Language) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    loop {
        let ahead = &text.as_bytes()[at..];
        if ahead.starts_with(b"/*") && (depth == 0 || language == Language::Wgsl) {
            (depth, at) = (depth + 1, at + 2);
        } else if ahead.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
        } else if ahead.is_empty() {
            return None;
        } else {
            at += 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// How long a number is, with its sign of exponent and its suffix.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let sign = matches!(byte, b'+' | b'-') && !hex && at > 0 && matches!(bytes[at - 1], b'e' | b'E');
        if !(byte.is_ascii_alphanumeric() || *byte == b'.' || sign) {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keep_their_lines() {
        let tokens = read("a.b /* x\n*/ += 1.5e-3;\n#define F(x) \\\n x##1 // end\n.5", Language::Glsl).unwrap();
        let told: Vec<(&str, u32, u32)> = tokens.iter().map(|t| (t.text.as_str(), t.line, t.row)).collect();
        assert_eq!(&told[..6], [("a", 1, 1), (".", 1, 1), ("b", 1, 1), ("+=", 2, 1), ("1.5e-3", 2, 1), (";", 2, 1)]);
        assert_eq!(&told[8..9], [("F", 3, 2)]);
        assert_eq!(told[12..], [("x", 4, 2), ("##", 4, 2), ("1", 4, 2), (".5", 5, 3)]);
        assert!(tokens[9].glued && !tokens[12].glued);
    }

    #[test]
    fn comments_nest_in_wgsl_only() {
        let count = |language| read("/* a /* b */ c */ d", language).unwrap().len();
        assert_eq!((count(Language::Wgsl), count(Language::Glsl)), (1, 4));
        assert_eq!(read("a\n/* b", Language::Wgsl).unwrap_err().line, 2);
    }
}
