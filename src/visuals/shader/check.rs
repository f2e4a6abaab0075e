//! Guards around the compiler of shaders: what a text may measure, and that no panic and no overflow of the stack gets
//! out of it.
//!
//! naga's front ends descend by recursion and now and then panic on hostile text. An overflow cannot be caught, so
//! depth is limited before they see the text, and they run on a thread with room to spare. Pure but for that thread.

use std::cell::Cell;
use std::sync::Once;

use naga::Span;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

/// Text beyond this is no shader that someone wrote.
const TEXT_BYTES: usize = 256 * 1024;

/// Brackets within brackets; people reach about 20. naga's own reader of WGSL stops at 127 braces and 256 statements within
/// each other, and at no expression.
const DEPTH: usize = 100;

/// Tokens between two commas or semicolons: a sum of half as many terms is written out as deep as that.
const RUN: usize = 400;

/// Brackets within brackets of the text that the driver's side reads again, on a thread without a guard: 200 levels fit
/// into a stack of 1 MiB, 900 overflow one of 2.
const WRITTEN_DEPTH: usize = 200;

/// Branches and loops within each other without a brace, and `else if` upon `else if`.
const CHAIN: usize = 128;

/// At the limits above 4 MiB overflow and 8 do, without optimisation; only touched pages count.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// A fault at a line of whatever text was looked at, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub line: u32,
    pub message: String,
}

impl Fault {
    pub fn new(line: u32, message: impl Into<String>) -> Fault {
        Fault { line, message: message.into() }
    }

    /// A fault at a span of `source`.
    pub fn at(span: Option<Span>, source: &str, message: String) -> Fault {
        let start = span.and_then(|s| s.to_range()).map_or(0, |r| r.start.min(source.len()));
        let line = source.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() as u32 + 1;
        Fault { line, message }
    }
}

/// Refuses text that is too long.
pub(super) fn size(text: &str) -> Result<(), Fault> {
    match text.len() > TEXT_BYTES {
        true => {
            Err(Fault::new(1, format!("{} KiB of text; a shader may have {}", text.len() / 1024, TEXT_BYTES / 1024)))
        }
        false => Ok(()),
    }
}

/// Refuses text that nests too deeply, given its tokens and their lines.
pub(super) fn depth<'a>(tokens: impl Iterator<Item = (&'a str, u32)>) -> Result<(), Fault> {
    // For each open bracket: the tokens since the last separator, the chain of branches, and whether it is a brace.
    let mut open = vec![(0usize, 0usize, true)];
    let mut ended = false;
    for (token, line) in tokens {
        let depth = open.len();
        let (run, chain, braced) = open.last_mut().expect("the outermost level is never closed");
        *run += 1;
        if ended && token != "else" {
            *chain = 0;
        }
        ended = false;
        match token {
            "(" | "[" | "{" if depth > DEPTH => {
                return Err(Fault::new(line, format!("brackets nest deeper than {DEPTH}; write it in steps")));
            }
            "(" | "[" => open.push((0, 0, false)),
            "{" => {
                *run = 0;
                open.push((0, 0, true));
            }
            ")" | "]" | "}" => {
                if depth > 1 {
                    open.pop();
                }
                if token == "}" {
                    let (run, ..) = open.last_mut().expect("the outermost level is never closed");
                    *run = 0;
                    ended = true;
                }
            }
            "," => *run = 0,
            ";" => {
                *run = 0;
                ended = *braced;
            }
            "if" | "else" | "for" | "while" | "do" | "switch" | "loop" => *chain += 1,
            _ => {}
        }
        let (run, chain, _) = open.last().expect("the outermost level is never closed");
        if *run > RUN {
            return Err(Fault::new(line, format!("an expression of more than {RUN} words; write it in steps")));
        }
        if *chain > CHAIN {
            return Err(Fault::new(line, format!("more than {CHAIN} branches or loops hang on each other")));
        }
    }
    Ok(())
}

/// Refuses written text that would overflow the stack of whoever reads it again.
pub(super) fn written(text: &str) -> Result<(), Fault> {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    match deepest > WRITTEN_DEPTH {
        true => Err(Fault::new(
            1,
            format!("an expression nests {deepest} deep, at most {WRITTEN_DEPTH}; write it in steps"),
        )),
        false => Ok(()),
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` where neither its panic nor its recursion can end the show. A panic is a fault of the text.
pub(super) fn guarded<T: Send>(work: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // The stage may be a terminal; the fault is told in words.
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    std::thread::scope(|scope| {
        let guarded = std::thread::Builder::new().name("xiao-shader".into()).stack_size(STACK_BYTES);
        let spawned = guarded.spawn_scoped(scope, || {
            GUARDED.set(true);
            work()
        });
        match spawned.map(|thread| thread.join()) {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
                Err(Fault::new(1, format!("the shader compiler gave up on this text ({}); simplify it", line(said))))
            }
            Err(error) => Err(Fault::new(1, format!("no thread to compile it on: {error}"))),
        }
    })
}

/// Whether the module is sound. Derivatives in branches are allowed: they give odd values, no harm.
pub(super) fn validate(module: &naga::Module, source: &str) -> Result<ModuleInfo, Fault> {
    let flags = ValidationFlags::all().difference(ValidationFlags::CONTROL_FLOW_UNIFORMITY);
    let mut validator = Validator::new(flags, Capabilities::default());
    validator.validate(module).map_err(|error| {
        let span = error.spans().map(|(span, _)| *span).find(|s| s.is_defined());
        let mut said = Vec::new();
        let mut next: Option<&dyn std::error::Error> = Some(error.as_inner());
        while let Some(error) = next {
            said.push(error.to_string());
            next = error.source();
        }
        // The outer ones name handles inside the compiler.
        let last = said.len().saturating_sub(1);
        let telling: Vec<&str> = (said.iter().enumerate())
            .filter(|(i, s)| *i == last || !s.ends_with("is invalid"))
            .map(|(_, s)| s.as_str())
            .collect();
        Fault::at(span, source, line(&telling.join(": ")))
    })
}

/// A message of the compiler as one readable line.
pub(super) fn line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(240).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(text: &str) -> bool {
        depth(text.split_whitespace().map(|t| (t, 1))).is_err()
    }

    #[test]
    fn depth_is_counted_in_all_its_forms() {
        assert!(deep(&"( ".repeat(101)) && !deep(&"( ".repeat(99)));
        assert!(deep(&"a + ".repeat(1001)) && !deep(&"a + b ; ".repeat(9999)));
        assert!(deep(&"f ( a , b ) + ".repeat(701)));
        assert!(deep(&"for ( a , b ; ; ) ".repeat(129)));
        assert!(deep(&"if ( a ) { b ; } else ".repeat(70)));
        assert!(!deep(&"if ( a ) { b ; } else { c ; } ".repeat(500)));
        assert!(!deep(&"1.0 , ".repeat(5000)));
    }

    #[test]
    fn a_panic_is_a_fault_that_says_so() {
        let fault = guarded::<()>(|| panic!("over {}", "there")).unwrap_err();
        assert!(fault.message.contains("over there"), "{}", fault.message);
        assert_eq!(guarded(|| Ok(3)), Ok(3));
    }
}
