//! Turns GLSL as ISF's artists write it, of version 1.20 or ES, into what naga reads of version 4.50.
//!
//! Works on words after the preprocessor: storage qualifiers go, functions come before their callers, initial values
//! that must be computed move into `xiao_begin`, and names that have since become the language's own are renamed. Pure.

use std::collections::HashSet;

use super::body;
use super::names::{NEWER, QUALIFIERS, RENAMED, RESERVED, TYPES};
use super::token::Token;
use crate::visuals::shader::check::Fault;

/// GLSL 4.50 without its beginning.
#[derive(Debug, Default)]
pub struct Rewritten {
    pub glsl: String,
    /// The line of the user's file that each line of `glsl` comes from.
    pub lines: Vec<u32>,
    /// Members of `u` that the text reads as `xiao.NAME`.
    pub members: Vec<String>,
    pub notes: Vec<String>,
}

impl Rewritten {
    fn push(&mut self, token: &Token) {
        if self.lines.last() != Some(&token.line) {
            if !self.lines.is_empty() {
                self.glsl.push('\n');
            }
            self.lines.push(token.line);
        }
        self.glsl.push_str(&number(token));
        self.glsl.push(' ');
    }

    fn extend(&mut self, tokens: &[Token]) {
        tokens.iter().for_each(|t| self.push(t));
    }
}

/// A float with digits on both sides of its point and no suffix.
fn number(token: &Token) -> String {
    let text = &token.text;
    let hex = text.starts_with("0x") || text.starts_with("0X");
    if !token.is_number() || hex || !text.contains(['.', 'e', 'E', 'f', 'F']) {
        return text.clone();
    }
    let text = text.trim_end_matches(['f', 'F', 'l', 'L']).to_ascii_lowercase();
    let (mantissa, exponent) =
        text.split_once('e').map_or((text.as_str(), String::new()), |(m, e)| (m, format!("e{e}")));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let or_zero = |digits: &'static str, given: &str| if given.is_empty() { digits.into() } else { given.to_string() };
    format!("{}.{}{exponent}", or_zero("0", whole), or_zero("0", part))
}

/// One word that stands where `at` does.
pub fn word(text: &str, at: &Token) -> Token {
    Token { text: text.to_string(), ..at.clone() }
}

/// Something at the outermost level.
enum Item {
    Function { name: String, tokens: Vec<Token> },
    Other(Vec<Token>),
}

/// Rewrites the text. `given` are names that it finds declared; `members` are those of `u` that are numbers.
pub fn rewrite(tokens: Vec<Token>, given: &HashSet<String>, members: &[String]) -> Result<Rewritten, Fault> {
    let mut made = Rewritten::default();
    let tokens = rename(tokens, members, &mut made)?;
    let mut items = split(tokens)?;
    let taken: HashSet<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Function { name, .. } if NEWER.contains(&name.as_str()) => Some(name.clone()),
            _ => None,
        })
        .collect();
    for item in &mut items {
        let (Item::Function { tokens, .. } | Item::Other(tokens)) = item;
        for token in tokens.iter_mut().filter(|t| taken.contains(&t.text)) {
            token.text.insert_str(0, "xr_");
        }
        if let Item::Function { name, .. } = item
            && taken.contains(name)
        {
            name.insert_str(0, "xr_");
        }
    }
    let mut begin = Vec::new();
    let mut globals = Globals { given, fixed: HashSet::new(), structs: HashSet::new() };
    let mut functions = Vec::new();
    let mut colour = None;
    for item in items {
        match item {
            Item::Function { name, tokens } => functions.push((name, tokens)),
            Item::Other(tokens) => globals.declare(tokens, &mut made, &mut begin, &mut colour)?,
        }
    }
    if !functions.iter().any(|(name, _)| name == "main") {
        return Err(Fault::new(1, "the file must define `void main()`"));
    }
    for (name, tokens) in ordered(functions) {
        let tokens: Vec<Token> = tokens
            .into_iter()
            .map(|t| if Some(&t.text) == colour.as_ref() { word("xiao_colour", &t) } else { t })
            .collect();
        made.extend(&body::rewrite(&name, tokens));
    }
    let last = Token { text: String::new(), line: made.lines.last().copied().unwrap_or(1), row: 0, glued: false };
    made.push(&word("void xiao_begin() {", &last));
    made.extend(&begin);
    made.push(&word("}", &last));
    Ok(made)
}

/// Renames what has another name here, and drops precision.
fn rename(tokens: Vec<Token>, members: &[String], made: &mut Rewritten) -> Result<Vec<Token>, Fault> {
    let mut renamed: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let next = |ahead: usize| tokens.get(at + ahead).map_or("", |t| t.text.as_str());
        let text = token.text.as_str();
        if !token.is_word() {
            renamed.push(token.clone());
            continue;
        }
        let of_something = renamed.last().is_some_and(|t| t.text == ".");
        match text {
            "precision" => at += tokens[at..].iter().position(|t| t.text == ";").map_or(0, |end| end + 1),
            "lowp" | "mediump" | "highp" | "invariant" => {}
            "xiao" if next(0) == "." && !of_something => {
                let member = next(1).to_string();
                if !members.contains(&member) {
                    let message =
                        format!("xiao has no {member:?}; it has the signals and parameters, with `_` for `.`");
                    return Err(Fault::new(token.line, message));
                }
                renamed.push(word(&format!("xiao_u_{member}"), token));
                made.members.push(member);
                at += 2;
            }
            "gl_FragData" if next(0) == "[" && next(2) == "]" => {
                renamed.push(word("xiao_colour", token));
                at += 3;
            }
            _ if text.starts_with("xiao_") => {
                return Err(Fault::new(token.line, format!("{text}: names that begin with `xiao_` are xiao's")));
            }
            _ if RESERVED.contains(&text) => renamed.push(word(&format!("xr_{text}"), token)),
            _ => match RENAMED.iter().find(|(old, _)| *old == text && !of_something) {
                Some((_, new)) => renamed.push(word(new, token)),
                None => renamed.push(token.clone()),
            },
        }
    }
    made.members.sort();
    made.members.dedup();
    Ok(renamed)
}

/// Splits the text into functions and what ends in a semicolon; prototypes fall away.
fn split(tokens: Vec<Token>) -> Result<Vec<Item>, Fault> {
    let (mut items, mut item, mut depth): (Vec<Item>, Vec<Token>, usize) = (Vec::new(), Vec::new(), 0);
    let mut function = false;
    for token in tokens {
        let before = item.last().map_or("", |t| t.text.as_str()).to_string();
        let line = token.line;
        let text = token.text.clone();
        item.push(token);
        match text.as_str() {
            "{" | "(" | "[" => {
                function |= depth == 0 && text == "{" && before == ")";
                depth += 1;
            }
            "}" | ")" | "]" => {
                let Some(outer) = depth.checked_sub(1) else {
                    return Err(Fault::new(line, format!("this `{text}` closes nothing")));
                };
                depth = outer;
            }
            _ => {}
        }
        let ended = depth == 0 && (text == ";" || function && text == "}");
        if !ended {
            continue;
        }
        let tokens = std::mem::take(&mut item);
        let bracket = tokens.iter().position(|t| t.text == "(").filter(|at| *at > 0);
        if std::mem::take(&mut function) {
            let name = bracket.map(|at| tokens[at - 1].text.clone()).unwrap_or_default();
            items.push(Item::Function { name, tokens });
        } else if !is_prototype(&tokens, bracket) && tokens.len() > 1 {
            items.push(Item::Other(tokens));
        }
    }
    match item.first() {
        Some(first) => Err(Fault::new(first.line, "what begins here never ends; a `;` or a bracket is missing")),
        None => Ok(items),
    }
}

fn is_prototype(tokens: &[Token], bracket: Option<usize>) -> bool {
    let Some(bracket) = bracket else { return false };
    let head = &tokens[..bracket];
    let layout = head.last().is_some_and(|t| t.text == "layout");
    !layout && head.len() >= 2 && head.iter().all(Token::is_word) && tokens[0].text != "struct"
}

/// Functions with those that they call before them.
fn ordered(functions: Vec<(String, Vec<Token>)>) -> Vec<(String, Vec<Token>)> {
    let calls = |tokens: &[Token]| -> Vec<usize> {
        let words: HashSet<&str> = tokens.iter().map(|t| t.text.as_str()).collect();
        (0..functions.len()).filter(|i| words.contains(functions[*i].0.as_str())).collect()
    };
    let calls: Vec<Vec<usize>> = functions.iter().map(|(_, tokens)| calls(tokens)).collect();
    let (mut order, mut seen) = (Vec::new(), vec![false; functions.len()]);
    for start in 0..functions.len() {
        // Depth first without recursion: each entry is a function and how many of its calls have been followed.
        let mut path = vec![(start, 0)];
        while let Some((at, followed)) = path.pop() {
            if followed == 0 && std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match calls[at].get(followed) {
                Some(callee) => path.extend([(at, followed + 1), (*callee, 0)]),
                None => order.push(at),
            }
        }
    }
    let mut functions: Vec<Option<(String, Vec<Token>)>> = functions.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| functions[at].take()).collect()
}

struct Globals<'a> {
    given: &'a HashSet<String>,
    /// Constants whose values the compiler knows.
    fixed: HashSet<String>,
    structs: HashSet<String>,
}

impl Globals<'_> {
    /// Writes a declaration at the outermost level as one that naga takes.
    fn declare(
        &mut self,
        tokens: Vec<Token>,
        made: &mut Rewritten,
        begin: &mut Vec<Token>,
        colour: &mut Option<String>,
    ) -> Result<(), Fault> {
        let mut rest = &tokens[..];
        let mut storage = None;
        while let Some(first) = rest.first() {
            let text = first.text.as_str();
            if text == "layout" {
                let end = rest.iter().position(|t| t.text == ")").unwrap_or(0);
                rest = &rest[end + 1..];
            } else if QUALIFIERS.contains(&text) {
                storage = storage.or(Some(text).filter(|t| !matches!(*t, "flat" | "smooth")));
                rest = &rest[1..];
            } else {
                break;
            }
        }
        let Some(kind) = rest.first() else { return Ok(()) };
        if kind.text == "struct" {
            self.structs.extend(rest.get(1).map(|t| t.text.clone()));
            made.extend(rest);
            return Ok(());
        }
        // A type may have its array before the name.
        let array = match rest.get(1).is_some_and(|t| t.text == "[") {
            true => rest.iter().position(|t| t.text == "]").map_or(0, |end| end),
            false => 0,
        };
        let (kind, declared) = rest.split_at((1 + array).min(rest.len()));
        for declarator in declarators(declared) {
            let Some(name) = declarator.first().filter(|t| t.is_word()) else {
                return Err(Fault::new(kind[0].line, "this is no declaration and no function"));
            };
            let equals = declarator.iter().position(|t| t.text == "=");
            let (head, value) = declarator.split_at(equals.unwrap_or(declarator.len()));
            match storage {
                Some("out") => {
                    *colour = colour.take().or(Some(name.text.clone()));
                    continue;
                }
                Some("const") | None => {}
                Some(_) if self.given.contains(&name.text) => continue,
                Some(qualifier) => {
                    let note = format!("{}: nothing sets this {qualifier}; it is 0", name.text);
                    made.notes.push(note);
                }
            }
            let computed = value.iter().any(|t| t.is_word() && !self.is_fixed(&t.text));
            let whole: Vec<Token> = match computed {
                true => kind.iter().chain(head).cloned().collect(),
                false => {
                    let constant = (storage == Some("const")).then(|| word("const", name));
                    self.fixed.extend(constant.is_some().then(|| name.text.clone()));
                    constant.into_iter().chain(kind.iter().chain(declarator).cloned()).collect()
                }
            };
            made.extend(&whole);
            made.push(&word(";", name));
            if computed {
                begin.push(name.clone());
                begin.extend_from_slice(value);
                begin.push(word(";", name));
            }
        }
        Ok(())
    }

    fn is_fixed(&self, word: &str) -> bool {
        TYPES.contains(&word) || self.fixed.contains(word) || self.structs.contains(word)
    }
}

/// The parts between the commas, without the last semicolon.
fn declarators(tokens: &[Token]) -> Vec<&[Token]> {
    let end = tokens.iter().rposition(|t| t.text == ";").unwrap_or(tokens.len());
    let mut depth = 0;
    tokens[..end]
        .split(|t| {
            match t.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            depth == 0 && t.text == ","
        })
        .collect()
}
