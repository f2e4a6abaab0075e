//! The interactive shader format (ISF, version 2): GLSL with a header of JSON, translated into WGSL functions. Pure.
//!
//! What a file names is given to it as a plain variable of its own name and range, which `field` sets before it calls
//! the file's `main`: inputs from `shader.1` to `shader.12`, the time, the size, the place. `xiao.NAME` is any signal
//! or parameter, with `_` for `.`. Pictures are the words, the frame before and the spectrum of the sound; words are
//! premultiplied. Nothing here looks at a clock: DATE is the year 2000, its seconds are TIME.
//!
//! What a file writes is a colour as displays show it; alpha multiplies its light. One pass is drawn, its target may
//! persist. Vertex shaders, imported pictures and cubes are not read.
//!
//! ```text
//! text ─► header ─► inputs, pictures
//!    └──► token ─► macros ─► rewrite ─► naga's GLSL ─► WGSL functions ─► glue
//! ```

mod body;
mod glue;
pub(super) mod header;
mod macros;
mod names;
mod rewrite;
pub(super) mod token;

use std::collections::HashSet;

use naga::front::glsl::{ErrorKind, Frontend, Options};

use super::bound;
use super::check::{self, Fault};
use super::program::Input;
use rewrite::Rewritten;

/// An ISF shader as WGSL functions, `field` among them.
#[derive(Debug)]
pub struct Translated {
    pub wgsl: String,
    pub inputs: Vec<Input>,
    pub notes: Vec<String>,
}

/// Whether the text has the header of ISF.
pub fn is_isf(text: &str) -> bool {
    header::find(text).is_some()
}

/// Translates a file; `members` are those of `u` that are one number.
pub fn translate(text: &str, members: &[String]) -> Result<Translated, Fault> {
    let mut header = header::read(text)?;
    for input in &mut header.inputs {
        if input.slots.clone().any(|slot| !members.contains(&format!("shader_{slot}"))) {
            input.slots = 0..0;
            header.notes.push(format!("{}: nothing moves it here; it keeps its default", input.name));
        }
    }
    let tokens = token::read(text, token::Language::Glsl)?;
    check::depth(tokens.iter().map(|t| (t.text.as_str(), t.line)))?;
    let tokens = macros::expand(&tokens)?;
    check::depth(tokens.iter().map(|t| (t.text.as_str(), t.line)))?;
    let dated = tokens.iter().any(|t| t.text == "DATE");
    let given: HashSet<String> = glue::given(&header).collect();
    let rewritten = rewrite::rewrite(tokens, &given, members)?;
    let mut notes = std::mem::take(&mut header.notes);
    notes.extend(rewritten.notes.iter().cloned());
    if dated {
        notes.push("DATE: is the year 2000, its seconds are TIME; no clock is read".into());
    }
    let module = compile(&glue::head(&header, &rewritten.members), &rewritten)?;
    let wgsl = glue::wgsl(module, &header, &rewritten.members, members)?;
    Ok(Translated { wgsl, inputs: header.inputs, notes })
}

/// Compiles the GLSL between what stands before and after it.
fn compile(head: &str, rewritten: &Rewritten) -> Result<naga::Module, Fault> {
    let source = format!("{head}{}\n{}", rewritten.glsl, glue::TAIL);
    let above = head.matches('\n').count();
    let placed = |fault: Fault| {
        let line = (fault.line as usize).checked_sub(above + 1).and_then(|line| rewritten.lines.get(line));
        let message = match line {
            Some(_) => fault.message,
            None => format!("{} (in what xiao puts around the file)", fault.message),
        };
        Fault::new(line.copied().unwrap_or(1), message)
    };
    let parsed = Frontend::default().parse(&Options::from(naga::ShaderStage::Fragment), &source);
    let mut module = parsed.map_err(|errors| {
        let Some(first) = errors.errors.first() else { return Fault::new(1, "the GLSL is not understood") };
        placed(Fault::at(Some(first.meta), &source, check::line(&said(&first.kind))))
    })?;
    module.entry_points.clear();
    bound::mend_returns(&mut module);
    check::validate(&module, &source).map_err(placed)?;
    Ok(module)
}

/// The compiler's complaint in the file's own words.
fn said(kind: &ErrorKind) -> String {
    use naga::front::glsl::TokenValue;
    let text = match kind {
        ErrorKind::InvalidToken(TokenValue::Identifier(name), _) => {
            format!("`{name}` is not expected here; is something missing before it?")
        }
        other => other.to_string(),
    };
    text.replace("xiao_colour", "gl_FragColor").replace("xiao_frag", "gl_FragCoord").replace("xr_", "")
}

#[cfg(test)]
#[path = "isf_tests.rs"]
mod tests;
