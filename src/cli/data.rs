//! `check`, `params`, `signals` and `uniforms`: patches and shaders, and the tables.

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;

use super::{print, print_json};
use crate::control::keyboard;
use crate::patch::{Kind, Patch, PatchError, Problem, Source};
use crate::score::{Key, ParamId, SignalId};
use crate::visuals::shader;
use crate::{patch, session};

/// Check a patch or a shader and say what is wrong with it, with its line
#[derive(Args)]
#[command(
    after_help = "Example:  xiao check patches/first.toml\n          xiao check shaders/ink.wgsl\n          xiao check plasma.fs"
)]
pub struct Check {
    /// A patch file, the name of a patch that comes with xiao, or a shader: a .wgsl file, or ISF as .fs, .isf or .frag
    patch: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn run(self) -> anyhow::Result<()> {
        if shader::ENDINGS.iter().any(|ending| self.patch.ends_with(&format!(".{ending}"))) {
            return check_shader(&self.patch, self.json);
        }
        let found = patch::find(&self.patch)?;
        let patch = match patch::parse(&found.file, &found.text) {
            Ok(patch) => patch,
            Err(error) => return Err(told_whole(&error, self.json)?),
        };
        session::live::check_files(&patch, found.path.as_deref()).with_context(|| found.file.clone())?;
        let controls: usize = patch.controllers.iter().map(|device| device.bindings.len()).sum();
        if self.json {
            return print_json(&json!({
                "file": found.file, "title": patch.title, "prompts": patch.prompts.len(), "params": patch.params.len(),
                "controls": controls, "routes": patch.matrix.routes.len(),
                "scenes": patch.plan.scenes.len(), "plan_s": patch.plan.length_s(),
            }));
        }
        print(&format!(
            "{}: \"{}\" holds together: {} prompts, {} parameters, {} controls, {} matrix routes{}",
            found.file,
            patch.title,
            patch.prompts.len(),
            patch.params.len(),
            controls,
            patch.matrix.routes.len(),
            scenes(&patch.plan)
        ))?;
        let taken = taken(&patch);
        if taken.is_empty() {
            return Ok(());
        }
        print(&format!(
            "  [keys] takes {} from what they do otherwise; Ctrl-C ends the show and Ctrl-G panics in any case",
            taken.join(" ")
        ))
    }
}

/// Everything that is wrong with a patch, for whoever asked; as JSON on stdout too.
fn told_whole(error: &PatchError, json: bool) -> anyhow::Result<anyhow::Error> {
    if json {
        let problem =
            |p: &Problem| json!({"line": p.at.map(|at| at.0), "column": p.at.map(|at| at.1), "message": p.message});
        let problems: Vec<_> = error.problems.iter().map(problem).collect();
        print_json(&json!({"file": error.file, "problems": problems}))?;
    }
    Ok(anyhow!(error.lines().collect::<Vec<_>>().join("\n")))
}

/// The keys that a patch takes for its own.
fn taken(patch: &Patch) -> Vec<String> {
    let own = patch.controllers.iter().filter(|c| c.kind == Kind::Keyboard).flat_map(|c| &c.bindings);
    let taken = own.filter(|b| matches!(b.source, Source::Key(c) if keyboard::action(Key::Char(c)).is_some()));
    taken.map(|binding| binding.source.to_string()).collect()
}

/// What a check leaves open.
const NOT_JUDGED: &str = "its speed is not judged here: play it on the machine that will show it, at that size";

/// Says whether a shader holds together, what of it can be played, and what there is to know.
fn check_shader(file: &str, json: bool) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let program = shader::artist(file, &text)?;
    if json {
        let input =
            |i: &shader::Input| json!({"name": i.name, "label": i.label, "slots": [i.slots.start, i.slots.end]});
        let inputs: Vec<_> = program.inputs.iter().map(input).collect();
        return print_json(&json!({"file": file, "inputs": inputs, "notes": program.notes, "not_judged": NOT_JUDGED}));
    }
    print(&format!("{file} holds together"))?;
    for input in &program.inputs {
        let slots: Vec<_> = input.slots.clone().map(|slot| format!("shader.{slot}")).collect();
        let slots = if slots.is_empty() { "no parameter is left for it".to_string() } else { slots.join(", ") };
        print(&format!("  {:<24} {slots}", input.label))?;
    }
    program.notes.iter().try_for_each(|note| print(&format!("  {note}")))?;
    print(&format!("  {NOT_JUDGED}"))
}

/// Print what a shader may read: the struct `u` and the functions that stand before it
#[derive(Args)]
#[command(after_help = "Example:  xiao uniforms\n          xiao uniforms | grep machine")]
pub struct Uniforms {}

impl Uniforms {
    pub fn run(self) -> anyhow::Result<()> {
        print(crate::visuals::uniforms::prelude().trim_end())
    }
}

/// How many scenes a plan has and how long they take, as far as time alone leads them on.
fn scenes(plan: &patch::Plan) -> String {
    let count = match plan.scenes.len() {
        0 => return String::new(),
        1 => ", 1 scene".to_string(),
        n => format!(", {n} scenes"),
    };
    let most = if plan.may_be_shorter() { "at most " } else { "" };
    let then = if plan.round { "a round" } else { "and then the last" };
    match plan.length_s() {
        Some(s) if s > 0.0 => {
            let s = s.round() as u64;
            format!("{count} ({most}{}:{:02} min {then})", s / 60, s % 60)
        }
        _ => count,
    }
}

/// List everything that can be played: names, ranges, defaults
#[derive(Args)]
#[command(after_help = "Example:  xiao params\n          xiao params --json | jq '.[].name'")]
pub struct Params {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Params {
    pub fn run(self) -> anyhow::Result<()> {
        let specs = ParamId::ALL.iter().map(|id| id.spec());
        if self.json {
            let rows: Vec<_> = specs
                .map(|p| {
                    json!({"name": p.name, "unit": p.unit, "min": p.min, "max": p.max, "default": p.default,
                           "curve": p.curve.name(), "names": p.names(), "help": p.help})
                })
                .collect();
            return print_json(&rows);
        }
        print(&format!("{:<26} {:>18} {:>8}  {}", "parameter", "range", "default", "what it does"))?;
        for p in specs {
            let range = format!("{} .. {} {}", p.min, p.max, p.unit);
            print(&format!("{:<26} {:>18} {:>8}  {}", p.name, range.trim_end(), p.default, p.help))?;
        }
        Ok(())
    }
}

/// List everything that is measured: names, units, ranges
#[derive(Args)]
#[command(after_help = "Example:  xiao signals")]
pub struct Signals {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Signals {
    pub fn run(self) -> anyhow::Result<()> {
        let specs = SignalId::ALL.iter().map(|id| id.spec());
        if self.json {
            let rows: Vec<_> = specs
                .map(|s| json!({"name": s.name, "unit": s.unit, "min": s.min, "max": s.max, "help": s.help}))
                .collect();
            return print_json(&rows);
        }
        print(&format!("{:<26} {:>18}  {}", "signal", "0 .. 1 of a route", "what it measures"))?;
        for s in specs {
            let range = format!("{} .. {} {}", s.min, s.max, s.unit);
            print(&format!("{:<26} {:>18}  {}", s.name, range.trim_end(), s.help))?;
        }
        Ok(())
    }
}
