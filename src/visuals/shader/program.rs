//! A shader's text as a whole module that can be drawn with: checked, bounded and in WGSL, whatever it came in.
//!
//! Pure, on whichever thread asks; no graphics device is needed. It never panics and its module always ends.

use std::ops::Range;

use super::check::{self, Fault};
use super::isf::token::{self, Token};
use super::{ShaderError, bound, isf};

/// Derivatives in branches give odd values and no harm; GLSL allows them, so all shaders may.
const LENIENT: &str = "diagnostic(off,derivative_uniformity); ";

const FIELD: &str = "the file must define `fn field(uv: vec2<f32>) -> vec3<f32>`";

/// A shader that can be drawn with.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub name: String,
    /// A whole module with the entry points `xiao_vertex` and `xiao_fragment`.
    pub wgsl: String,
    /// What of it can be played, in the order of its text.
    pub inputs: Vec<Input>,
    pub kind: Kind,
    /// What the artist should know and what did not stop it, one line each.
    pub notes: Vec<String>,
}

/// What the text was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Wgsl,
    Isf,
}

/// One input of an ISF shader.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub name: String,
    /// What people read; the name where the file gives none.
    pub label: String,
    pub kind: InputKind,
    /// Which of `shader.1` to `shader.12` move it, counted from 1; empty where none was left, then it keeps its default.
    pub slots: Range<usize>,
    /// One number for each component; a colour has four and a point two.
    pub min: [f32; 4],
    pub max: [f32; 4],
    pub default: [f32; 4],
}

#[derive(Clone, Debug, PartialEq)]
pub enum InputKind {
    Float,
    Bool,
    Event,
    /// Picks one of the values; the labels are as many.
    Long {
        values: Vec<i32>,
        labels: Vec<String>,
    },
    Color,
    Point,
}

impl Input {
    /// Where each of its slots stands by default, as 0..1.
    pub fn defaults(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        self.slots.clone().enumerate().map(|(i, slot)| {
            let position = match &self.kind {
                InputKind::Long { values, .. } => {
                    let at = values.iter().position(|v| *v as f32 == self.default[0]).unwrap_or(0);
                    (at as f32 + 0.5) / values.len() as f32
                }
                _ if self.max[i] == self.min[i] => 0.0,
                _ => (self.default[i] - self.min[i]) / (self.max[i] - self.min[i]),
            };
            (slot, position.clamp(0.0, 1.0))
        })
    }

    /// How a slot of it reads at `position`, 0..1: its name and its value.
    fn label(&self, slot: usize, position: f32) -> (String, String) {
        let part = slot - self.slots.start;
        let position = position.clamp(0.0, 1.0);
        let value = self.min[part] + position * (self.max[part] - self.min[part]);
        let name = match self.kind {
            InputKind::Color => format!("{} {}", self.label, ["red", "green", "blue", "alpha"][part.min(3)]),
            InputKind::Point => format!("{} {}", self.label, ["x", "y"][part.min(1)]),
            _ => self.label.clone(),
        };
        let value = match &self.kind {
            InputKind::Bool | InputKind::Event => if position >= 0.5 { "on" } else { "off" }.to_string(),
            InputKind::Long { values, labels } => {
                let at = ((position * values.len() as f32) as usize).min(values.len() - 1);
                labels[at].clone()
            }
            _ => number(value),
        };
        (name, value)
    }
}

/// A number as short as its size allows.
fn number(value: f32) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".into() } else { text.to_string() }
}

impl Program {
    /// How `shader.SLOT` reads for people at `position`, 0..1, such as ("zoom", "2.5"); nothing if it moves nothing.
    pub fn label(&self, slot: usize, position: f32) -> Option<(String, String)> {
        self.inputs.iter().find(|i| i.slots.contains(&slot)).map(|input| input.label(slot, position))
    }
}

/// Makes a whole module of a shader's text, WGSL or ISF, between what stands before and after every shader.
pub fn program(name: &str, text: &str, prelude: &str, postlude: &str) -> Result<Program, ShaderError> {
    let made = check::size(text).and_then(|()| {
        check::guarded(|| match isf::is_isf(text) {
            true => from_isf(text, prelude, postlude),
            false => from_wgsl(text, prelude, postlude),
        })
    });
    let lines = (text.lines().count() as u32).max(1);
    match made {
        Ok(made) => Ok(Program { name: name.to_string(), ..made }),
        Err(Fault { line, message }) => Err(ShaderError::new(name, line.clamp(1, lines), message)),
    }
}

fn from_wgsl(text: &str, prelude: &str, postlude: &str) -> Result<Program, Fault> {
    let tokens = token::read(text, token::Language::Wgsl)?;
    check::depth(tokens.iter().map(|t| (t.text.as_str(), t.line)))?;
    own_names(&tokens)?;
    if !tokens.windows(2).any(|w| w[0].text == "fn" && w[1].text == "field") {
        let glsl = tokens.windows(2).any(|w| w[0].text == "void" && w[1].text.starts_with("main"));
        let hint = if glsl { "; GLSL is taken with a header of ISF, `/*{ ... }*/`, at its beginning" } else { "" };
        return Err(Fault::new(1, format!("{FIELD}{hint}")));
    }
    let before = format!("{LENIENT}{prelude}");
    let source = format!("{before}{text}\n{postlude}");
    let first = before.lines().count() as u32;
    let lines = (text.lines().count() as u32).max(1);
    let user = before.len()..before.len() + text.len();
    let wgsl = whole(&source, Some(user)).map_err(|Fault { line, message }| match line.saturating_sub(first) {
        beyond if beyond > lines => Fault::new(lines, format!("{message}; {FIELD}")),
        line => Fault::new(line.max(1), message),
    })?;
    Ok(Program { name: String::new(), wgsl, inputs: Vec::new(), kind: Kind::Wgsl, notes: Vec::new() })
}

fn from_isf(text: &str, prelude: &str, postlude: &str) -> Result<Program, Fault> {
    let members = members(prelude)?;
    let translated = isf::translate(text, &members)?;
    let source = format!("{LENIENT}{prelude}{}\n{postlude}", translated.wgsl);
    // What the translation passed must pass here; where it does not, no line of the user's is to blame.
    let wgsl = whole(&source, None).map_err(|f| Fault::new(1, format!("the translation failed: {}", f.message)))?;
    Ok(Program { name: String::new(), wgsl, inputs: translated.inputs, kind: Kind::Isf, notes: translated.notes })
}

/// Parses, checks, bounds and writes a whole module. Faults are placed in `user` where they can be.
fn whole(source: &str, user: Option<Range<usize>>) -> Result<String, Fault> {
    let mut module = parse(source, user)?;
    bound::mend_loops(&mut module);
    let info = check::validate(&module, source)?;
    bound::bound(&mut module, &info, source)?;
    let info = check::validate(&module, source)?;
    let flags = naga::back::wgsl::WriterFlags::empty();
    let written = naga::back::wgsl::write_string(&module, &info, flags)
        .map_err(|e| Fault::new(1, format!("it cannot be written out: {}", check::line(&e.to_string()))))?;
    // The driver's side reads it again, on a thread without a guard.
    let written = format!("{LENIENT}\n{written}");
    check::written(&written)?;
    let again = parse(&written, None).and_then(|module| check::validate(&module, &written));
    match again {
        Ok(_) => Ok(written),
        Err(fault) => Err(Fault::new(1, format!("it does not survive being written out: {}", fault.message))),
    }
}

fn parse(source: &str, user: Option<Range<usize>>) -> Result<naga::Module, Fault> {
    naga::front::wgsl::parse_str(source).map_err(|error| {
        let spans: Vec<naga::Span> = error.labels().map(|(span, _)| span).filter(|s| s.is_defined()).collect();
        let inside = |s: &&naga::Span| {
            let start = s.to_range().map(|r| r.start);
            user.as_ref().zip(start).is_some_and(|(user, start)| user.contains(&start))
        };
        let span = spans.iter().find(inside).or(spans.first()).copied();
        let label = error.labels().map(|(_, label)| label.to_string()).next().unwrap_or_default();
        let message = match label.is_empty() || error.message().contains(&label) {
            true => error.message().to_string(),
            false => format!("{} ({label})", error.message()),
        };
        Fault::at(span, source, check::line(&message))
    })
}

/// Refuses what would collide with the text around it.
fn own_names(tokens: &[Token]) -> Result<(), Fault> {
    for pair in tokens.windows(2) {
        let (before, word) = (pair[0].text.as_str(), pair[1].text.as_str());
        let line = pair[1].line;
        match (before, word) {
            ("@", "vertex" | "fragment" | "compute") => {
                return Err(Fault::new(line, format!("`@{word}`: the entry points are xiao's; {FIELD}")));
            }
            ("@", "group" | "binding") => {
                return Err(Fault::new(
                    line,
                    format!("`@{word}`: a shader has no bindings of its own; it may read `u`"),
                ));
            }
            ("override", _) => {
                return Err(Fault::new(line, "`override`: nothing can set it here; write `const`"));
            }
            ("fn" | "const" | "struct" | "alias" | "var" | ">", word) if word.starts_with("xiao_") => {
                return Err(Fault::new(
                    line,
                    format!("{word}: names that begin with `xiao_` are xiao's; choose another"),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The members of `u` that are one number, in order.
fn members(prelude: &str) -> Result<Vec<String>, Fault> {
    let module = parse(prelude, None)?;
    let stage = module.global_variables.iter().find(|(_, v)| v.name.as_deref() == Some("u")).map(|(_, v)| v.ty);
    let Some(naga::TypeInner::Struct { members, .. }) = stage.map(|ty| &module.types[ty].inner) else {
        return Err(Fault::new(1, "what stands before the shaders has no struct `u`"));
    };
    let number = |m: &&naga::StructMember| matches!(module.types[m.ty].inner, naga::TypeInner::Scalar(_));
    Ok(members.iter().filter(number).filter_map(|m| m.name.clone()).collect())
}

#[cfg(test)]
#[path = "program_tests.rs"]
pub(super) mod tests;
