//! Functions of old GLSL as naga takes them. Pure.

use super::names::TYPES;
use super::rewrite::word;
use super::token::Token;

/// Rewrites one function, its head included.
pub fn rewrite(name: &str, tokens: Vec<Token>) -> Vec<Token> {
    let open = tokens.iter().position(|t| t.text == "{").unwrap_or(tokens.len());
    let (head, body) = tokens.split_at(open);
    let bracket = head.iter().position(|t| t.text == "(").unwrap_or(0);
    let kind = head.get(bracket.wrapping_sub(2)).map_or("", |t| t.text.as_str());
    let mut made: Vec<Token> = Vec::with_capacity(tokens.len() + 16);
    for (i, token) in head.iter().enumerate() {
        match token.text.as_str() {
            // `const in` is `in`, which is what an argument is anyway; `f(void)` is `f()`.
            "const" => {}
            "void" if i > bracket => {}
            "main" if name == "main" => made.push(word("xiao_main", token)),
            _ => made.push(token.clone()),
        }
    }
    let mut at = 0;
    while let Some(token) = body.get(at) {
        at += 1;
        let next = |ahead: usize| body.get(at + ahead).map_or("", |t| t.text.as_str());
        match token.text.as_str() {
            "const" if !constant(&body[at..]) => {}
            // naga converts no whole number to a float on its way out of a function.
            "return" if kind == "float" && next(0) != ";" => {
                let end = body[at..].iter().position(|t| t.text == ";").map_or(body.len(), |end| at + end);
                made.push(token.clone());
                made.extend([word("float", token), word("(", token)]);
                made.extend_from_slice(&body[at..end]);
                made.push(word(")", token));
                at = end;
            }
            "discard" if name == "main" => {
                made.push(word("{ xiao_colour = vec4(0.0); return; }", token));
                at += usize::from(next(0) == ";");
            }
            _ => made.push(token.clone()),
        }
    }
    made
}

/// Whether a local constant is one in the strict sense, which the length of an array may need.
fn constant(declaration: &[Token]) -> bool {
    let end = declaration.iter().position(|t| t.text == ";").unwrap_or(declaration.len());
    let Some(equals) = declaration[..end].iter().position(|t| t.text == "=") else { return false };
    let whole = declaration.first().is_some_and(|t| matches!(t.text.as_str(), "int" | "uint"));
    whole && !declaration[equals..end].iter().any(|t| t.is_word() && !TYPES.contains(&t.text.as_str()))
}
