//! The stage in the desk's words: from the frame state that draws it, or from one that only follows. Pure.

use crate::desk::clean;
use crate::desk::shown::{Follow, Input, Roll, Shader, Shown};
use crate::score::{Event, ParamId, Stamped};
use crate::visuals::FrameState;
use crate::visuals::scene::SCENES;
use crate::visuals::shader::{self, Program, ShaderError};
use crate::visuals::state::EXPOSURES;

/// What `stage` shows with this shader; `refused` says why another one was not taken.
pub fn shown(stage: &FrameState, program: Option<&Program>, refused: Option<&ShaderError>) -> Shown {
    let cross = &stage.cross;
    let shader = stage.shader().map(|(name, _)| Shader {
        name: clean::line(name),
        is_shown: SCENES[cross.to].wgsl.is_none(),
        refused: refused.map(|error| {
            clean::line(&format!("{} line {}: {}; {}", error.name, error.line, error.message, error.instead))
        }),
        notes: program.iter().flat_map(|program| &program.notes).map(|note| clean::line(note)).collect(),
    });
    let input = |id: &ParamId| {
        let slot = (*id as usize + 1).checked_sub(ParamId::Shader1 as usize)?;
        let read = |value: f32| program?.label(slot, id.spec().position(value));
        let (name, value) = read(stage.base.get(*id))?;
        let (_, played) = read(stage.params.get(*id))?;
        let [name, value, played] = [name, value, played].map(|text| clean::line(&text));
        Some(Input { id: *id, name, value, played })
    };
    Shown {
        scene: SCENES[cross.to].name,
        going: cross.going().map(|from| (SCENES[from].name, (cross.part() * 100.0).round() as u32)),
        palette: stage.palette().name,
        roll: Roll { left: stage.roll.left(), of: EXPOSURES, full: stage.roll.full },
        shader,
        inputs: ParamId::ALL.iter().filter_map(input).collect(),
    }
}

/// A stage that is not drawn, for the terminal's page.
pub struct Follower {
    stage: FrameState,
    program: Option<Program>,
}

impl Default for Follower {
    fn default() -> Follower {
        Follower::of(FrameState::new())
    }
}

impl Follower {
    /// Goes on from what a stage has taken in.
    pub fn of(stage: FrameState) -> Follower {
        let program = stage.shader().and_then(|(name, text)| shader::artist(name, text).ok());
        Follower { stage, program }
    }
}

impl Follow for Follower {
    fn take(&mut self, stamped: &Stamped) {
        self.stage.apply(stamped);
        if let Event::Shader { name, text } = &stamped.event
            && let Ok(program) = shader::artist(name, text)
        {
            self.program = Some(program);
        }
    }

    fn shown(&mut self, now_ns: u64) -> Shown {
        self.stage.advance(now_ns);
        shown(&self.stage, self.program.as_ref(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Hand;

    #[test]
    fn a_follower_says_what_the_stage_shows() {
        let mut follower = Follower::default();
        let mut take = |t_ns, event| follower.take(&Stamped { seq: 0, t_ns, event });
        let text = r#"/*{ "INPUTS": [ { "NAME": "zoom", "TYPE": "float", "MIN": 1.0, "MAX": 5.0 } ] }*/
            void main() { gl_FragColor = vec4(vec3(zoom), 1.0); }"#;
        take(0, Event::Shader { name: "mine".into(), text: text.into() });
        take(0, Event::Param { id: ParamId::Shader1, value: 0.25, by: Hand::Key });
        take(0, Event::Param { id: ParamId::Crossfade, value: 2.0, by: Hand::Patch });
        follower.shown(0);
        follower.take(&Stamped {
            seq: 0,
            t_ns: 0,
            event: Event::Param { id: ParamId::StageScene, value: 7.0, by: Hand::Key },
        });
        follower.shown(1);
        let shown = follower.shown(1_000_000_000);
        assert_eq!((shown.scene, shown.going, shown.palette), ("shader", Some(("page", 50)), "ink"));
        assert_eq!(shown.roll, Roll { left: EXPOSURES, of: EXPOSURES, full: 0 });
        assert!(shown.shader.as_ref().is_some_and(|shader| shader.name == "mine" && shader.is_shown));
        let zoom = shown.input(ParamId::Shader1).unwrap();
        assert_eq!((zoom.name.as_str(), zoom.value.as_str(), shown.inputs.len()), ("zoom", "2", 1));
    }
}
