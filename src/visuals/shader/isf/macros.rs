//! The preprocessor of GLSL: `#define` with and without arguments, `#if` and its kin. Own, because what comes after
//! must see plain text, lines must stay known, and a macro that doubles thirty times must not fill the memory. Pure.

use std::collections::HashMap;

use super::token::Token;
use crate::visuals::shader::check::Fault;

/// Tokens that macros may make or be looked at in all; a large shader has 20,000.
const WORK: usize = 400_000;

/// Macros within macros.
const DEPTH: usize = 64;

/// Bytes of one word.
const WORD: usize = 1024;

struct Macro {
    /// `None` for one without brackets.
    arguments: Option<Vec<String>>,
    content: Vec<Token>,
}

struct Preprocessor {
    macros: HashMap<String, Macro>,
    work: usize,
}

/// The text as the compiler would see it.
pub fn expand(tokens: &[Token]) -> Result<Vec<Token>, Fault> {
    let mut preprocessor = Preprocessor { macros: HashMap::new(), work: 0 };
    for (name, value) in [("__VERSION__", "120"), ("ISF", "1")] {
        let content = vec![Token { text: value.into(), line: 1, row: 0, glued: false }];
        preprocessor.macros.insert(name.into(), Macro { arguments: None, content });
    }
    let mut made = Vec::new();
    let mut pending: Vec<Token> = Vec::new();
    // For each open `#if`: whether its present branch counts, and whether any branch of it has counted.
    let mut open: Vec<(bool, bool, u32)> = Vec::new();
    for row in tokens.chunk_by(|a, b| a.row == b.row) {
        let counts = open.iter().all(|(counts, ..)| *counts);
        if row[0].text != "#" {
            if counts {
                pending.extend_from_slice(row);
            }
            continue;
        }
        let Some(directive) = row.get(1) else { continue };
        let (line, rest) = (directive.line, &row[2..]);
        preprocessor.replace(&std::mem::take(&mut pending), &mut Vec::new(), &mut made)?;
        let named = || match rest.first() {
            Some(word) if word.is_word() => Ok(word.text.clone()),
            _ => Err(Fault::new(line, format!("`#{}` lacks a name", directive.text))),
        };
        match directive.text.as_str() {
            "ifdef" if counts => open.push(once(preprocessor.macros.contains_key(&named()?), line)),
            "ifndef" if counts => open.push(once(!preprocessor.macros.contains_key(&named()?), line)),
            "if" if counts => open.push(once(preprocessor.holds(rest, line)?, line)),
            "ifdef" | "ifndef" | "if" => open.push((false, true, line)),
            "elif" | "else" => {
                let (_, had, begun) = open.pop().ok_or_else(|| lonely(directive))?;
                let outer = open.iter().all(|(counts, ..)| *counts);
                let holds = outer && !had && (directive.text == "else" || preprocessor.holds(rest, line)?);
                open.push((holds, had || holds, begun));
            }
            "endif" => drop(open.pop().ok_or_else(|| lonely(directive))?),
            _ if !counts => {}
            "define" => preprocessor.define(rest, &named()?, line)?,
            "undef" => drop(preprocessor.macros.remove(&named()?)),
            "error" => {
                let said: Vec<&str> = rest.iter().map(|t| t.text.as_str()).collect();
                return Err(Fault::new(line, format!("the file itself says: {}", said.join(" "))));
            }
            "version" | "extension" | "pragma" | "line" => {}
            other => return Err(Fault::new(line, format!("`#{other}` is no directive of GLSL"))),
        }
    }
    if let Some((.., line)) = open.last() {
        return Err(Fault::new(*line, "this `#if` has no `#endif`"));
    }
    preprocessor.replace(&pending, &mut Vec::new(), &mut made)?;
    Ok(made)
}

fn once(holds: bool, line: u32) -> (bool, bool, u32) {
    (holds, holds, line)
}

fn lonely(directive: &Token) -> Fault {
    Fault::new(directive.line, format!("`#{}` without `#if`", directive.text))
}

impl Preprocessor {
    fn define(&mut self, rest: &[Token], name: &str, line: u32) -> Result<(), Fault> {
        let mut content = &rest[1..];
        let mut arguments = None;
        if content.first().is_some_and(|t| t.text == "(" && t.glued) {
            let end = content.iter().position(|t| t.text == ")");
            let end = end.ok_or_else(|| Fault::new(line, format!("the arguments of `{name}` are never closed")))?;
            let names = content[1..end].iter().filter(|t| t.is_word()).map(|t| t.text.clone());
            arguments = Some(names.collect());
            content = &content[end + 1..];
        }
        self.macros.insert(name.to_string(), Macro { arguments, content: content.to_vec() });
        Ok(())
    }

    fn spend(&mut self, line: u32) -> Result<(), Fault> {
        self.work += 1;
        match self.work > WORK {
            true => Err(Fault::new(line, "the macros here come to too much text; write them as functions")),
            false => Ok(()),
        }
    }

    /// Replaces every macro but those that are being replaced.
    fn replace(&mut self, tokens: &[Token], within: &mut Vec<String>, made: &mut Vec<Token>) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            self.spend(token.line)?;
            let known = self.macros.get(&token.text).filter(|_| !within.contains(&token.text));
            let Some(found) = known else {
                made.push(token.clone());
                continue;
            };
            let mut content: Vec<Token> = Vec::new();
            match &found.arguments {
                None => content.extend(found.content.iter().cloned()),
                Some(_) if tokens.get(at).is_none_or(|t| t.text != "(") => {
                    made.push(token.clone());
                    continue;
                }
                Some(names) => {
                    let names = names.clone();
                    let body = found.content.clone();
                    let (given, length) = arguments(&tokens[at..], token)?;
                    at += length;
                    let none = names.is_empty() && given.len() == 1 && given[0].is_empty();
                    if given.len() != names.len() && !none {
                        let (wants, has) = (names.len(), given.len());
                        return Err(Fault::new(
                            token.line,
                            format!("{} takes {wants} arguments, not {has}", token.text),
                        ));
                    }
                    let mut full = Vec::new();
                    for argument in &given {
                        let mut made = Vec::new();
                        if within.len() > DEPTH {
                            return Err(Fault::new(token.line, "macros nest too deeply here"));
                        }
                        self.replace(argument, within, &mut made)?;
                        full.push(made);
                    }
                    for (i, part) in body.iter().enumerate() {
                        let pasted = body.get(i + 1).is_some_and(|t| t.text == "##")
                            || i.checked_sub(1).is_some_and(|i| body[i].text == "##");
                        let source = if pasted { &given } else { &full };
                        match names.iter().position(|n| *n == part.text).and_then(|n| source.get(n)) {
                            Some(argument) => content.extend(argument.iter().cloned()),
                            None => content.push(part.clone()),
                        }
                        self.work += content.len() / 64;
                        self.spend(token.line)?;
                    }
                }
            }
            let mut content = paste(content);
            for part in &mut content {
                part.line = token.line;
            }
            if within.len() > DEPTH {
                return Err(Fault::new(token.line, "macros nest too deeply here"));
            }
            within.push(token.text.clone());
            self.replace(&content, within, made)?;
            within.pop();
        }
        Ok(())
    }

    /// Whether the condition of an `#if` holds. A name that is no macro counts as 0.
    fn holds(&mut self, tokens: &[Token], line: u32) -> Result<bool, Fault> {
        let mut plain = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            if token.text != "defined" {
                plain.push(token.clone());
                continue;
            }
            let bracket = tokens.get(at).is_some_and(|t| t.text == "(");
            let name = tokens.get(at + usize::from(bracket));
            let known = name.is_some_and(|name| self.macros.contains_key(&name.text));
            at += if bracket { 3 } else { 1 };
            plain.push(Token { text: i32::from(known).to_string(), ..token.clone() });
        }
        let mut made = Vec::new();
        self.replace(&plain, &mut Vec::new(), &mut made)?;
        let words: Vec<&str> = made.iter().map(|t| t.text.as_str()).collect();
        let mut at = 0;
        let value = sum(&words, &mut at, 0, 0);
        match value.filter(|_| at == words.len()) {
            Some(value) => Ok(value != 0),
            None => Err(Fault::new(line, format!("`#if {}` cannot be told", words.join(" ")))),
        }
    }
}

/// The arguments after a macro's name, and how many tokens they take with their brackets.
fn arguments(tokens: &[Token], name: &Token) -> Result<(Vec<Vec<Token>>, usize), Fault> {
    let (mut depth, mut given) = (0, vec![Vec::new()]);
    for (i, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok((given, i + 1));
        }
        match given.last_mut() {
            _ if token.text == "," && depth == 1 => given.push(Vec::new()),
            Some(last) if i > 0 => last.push(token.clone()),
            _ => {}
        }
    }
    Err(Fault::new(name.line, format!("the arguments of `{}` are never closed", name.text)))
}

/// Joins what stands around `##`.
fn paste(tokens: Vec<Token>) -> Vec<Token> {
    let mut made: Vec<Token> = Vec::new();
    let mut joins = false;
    for token in tokens {
        match made.last_mut() {
            _ if token.text == "##" => joins = true,
            // Joined to no end, words would double too.
            Some(last) if std::mem::take(&mut joins) && last.text.len() < WORD => last.text.push_str(&token.text),
            _ => made.push(token),
        }
    }
    made
}

/// Operators of `#if` from the loosest to the tightest.
const OPERATORS: [&[&str]; 8] =
    [&["||"], &["&&"], &["|"], &["^"], &["&"], &["==", "!="], &["<", ">", "<=", ">="], &["+", "-", "*", "/", "%"]];

fn sum(words: &[&str], at: &mut usize, level: usize, depth: usize) -> Option<i64> {
    let Some(operators) = OPERATORS.get(level) else {
        return single(words, at, depth);
    };
    let mut left = sum(words, at, level + 1, depth)?;
    while let Some(operator) = words.get(*at).filter(|w| operators.contains(w)) {
        *at += 1;
        let right = sum(words, at, level + 1, depth)?;
        left = match *operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => left.checked_div(right)?,
            _ => left.checked_rem(right)?,
        };
    }
    Some(left)
}

fn single(words: &[&str], at: &mut usize, depth: usize) -> Option<i64> {
    let word = *words.get(*at).filter(|_| depth < DEPTH)?;
    *at += 1;
    match word {
        "!" => Some(i64::from(single(words, at, depth + 1)? == 0)),
        "-" => single(words, at, depth + 1)?.checked_neg(),
        "+" => single(words, at, depth + 1),
        "(" => {
            let value = sum(words, at, 0, depth + 1)?;
            *at += 1;
            (words.get(*at - 1) == Some(&")")).then_some(value)
        }
        word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => Some(0),
        word => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visuals::shader::isf::token::{Language, read};

    fn text(glsl: &str) -> Result<String, Fault> {
        let made = expand(&read(glsl, Language::Glsl)?)?;
        Ok(made.iter().map(|t| t.text.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn macros_are_replaced() {
        let glsl = "#define PI 3.14\n#define TWO(x, y) ((x) * y + PI)\nTWO(TWO(a, 1), f(b, c)) PI TWO";
        assert_eq!(text(glsl).unwrap(), "( ( ( ( a ) * 1 + 3.14 ) ) * f ( b , c ) + 3.14 ) 3.14 TWO");
        assert_eq!(text("#define x x + y\n#define y x\nx").unwrap(), "x + x");
        assert_eq!(text("#define N(a) a##_1\n#define b c\nN(b) \n#undef b\nb").unwrap(), "b_1 b");
        assert_eq!(text("#define A (1)\nA").unwrap(), "( 1 )");
    }

    #[test]
    fn conditions_choose() {
        let glsl = "#define Q 2\n#if Q > 1 && !defined(NO)\na\n#elif 1\nb\n#else\nc\n#endif\n#ifdef GL_ES\nd\n#endif";
        assert_eq!(text(glsl).unwrap(), "a");
        assert_eq!(text("#if 0\n#if 1\na\n#else\nb\n#endif\n#else\nc\n#endif").unwrap(), "c");
        assert_eq!(text("#version 120\n#extension X : enable\nz").unwrap(), "z");
        assert_eq!(text("\n#if 1\n").unwrap_err().line, 2);
        assert_eq!(text("a\n#else").unwrap_err().line, 2);
    }

    #[test]
    fn a_macro_that_doubles_is_refused() {
        let mut glsl = String::from("#define M0 a a\n#define E0\n");
        for i in 0..40 {
            glsl += &format!("#define M{} M{i} M{i}\n#define E{} E{i} E{i}\n", i + 1, i + 1);
        }
        assert!(text(&format!("{glsl}M40")).unwrap_err().message.contains("too much"));
        assert!(text(&format!("{glsl}E40")).unwrap_err().message.contains("too much"));
    }
}
