//! Shaders that are saved, broken, mended and taken up while hands have moved their inputs.

use std::path::Path;

use crate::score::{Event, Hand, ParamId};
use crate::session::hands::scenes::tests::Rig;
use crate::visuals::shader::Watch;

/// An ISF shader whose inputs begin at these places of their ranges.
fn write(folder: &Path, name: &str, inputs: &[(&str, f32)]) {
    let input = |(name, at): &(&str, f32)| format!(r#"{{ "NAME": "{name}", "TYPE": "float", "DEFAULT": {at} }}"#);
    let inputs: Vec<String> = inputs.iter().map(input).collect();
    let text =
        format!("/*{{ \"INPUTS\": [ {} ] }}*/\nvoid main() {{ gl_FragColor = vec4(1.0); }}\n", inputs.join(", "));
    std::fs::write(folder.join(name), text).unwrap();
}

fn rig(folder: &Path, patch: &str) -> Rig {
    let mut rig = Rig::new(&format!("[prompts]\nmoon = \"The moon\"\n{patch}"));
    rig.state.hands.shader_folders = vec![folder.to_path_buf()];
    rig.state.hands.shader = Watch::new("none", &[]);
    rig
}

/// The first inputs as they stand.
fn inputs<const N: usize>(rig: &Rig) -> [f32; N] {
    std::array::from_fn(|i| rig.state.hands.params.get(ParamId::ALL[ParamId::Shader1 as usize + i]))
}

#[test]
fn a_saved_shader_keeps_its_inputs_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mine.fs", &[("zoom", 0.25), ("turn", 0.75)]);
    let mut rig = rig(folder.path(), "");
    rig.state.shade("mine");
    assert_eq!(inputs(&rig), [0.25, 0.75]);
    rig.state.set(ParamId::Shader2, 0.9, Hand::Midi);
    write(folder.path(), "mine.fs", &[("haze", 0.125), ("zoom", 0.25), ("turn", 0.75), ("glow", 1.0)]);
    rig.state.look_at_shader();
    assert_eq!(inputs(&rig), [0.125, 0.25, 0.9, 1.0], "two are new, and two have moved with their values");
    // A slip changes nothing, and what is good again goes on from what was good before.
    std::fs::write(folder.path().join("mine.fs"), "/*{}*/ nonsense").unwrap();
    rig.state.look_at_shader();
    write(folder.path(), "mine.fs", &[("turn", 0.75)]);
    rig.state.look_at_shader();
    assert_eq!(inputs(&rig), [0.9]);
}

#[test]
fn a_shader_that_comes_later_brings_its_defaults() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mine.fs", &[("zoom", 0.25), ("turn", 0.75)]);
    let mut rig = rig(folder.path(), "[params]\n\"shader.2\" = 0.125\n");
    rig.state.shade("mine");
    rig.state.set(ParamId::Shader1, 0.9, Hand::Midi);
    rig.state.set(ParamId::Shader2, 0.9, Hand::Midi);
    rig.state.shade("other");
    assert!(rig.events().iter().any(|event| matches!(event, Event::Fault { .. })));
    write(folder.path(), "other.fs", &[("zoom", 0.5), ("turn", 0.75), ("glow", 1.0)]);
    rig.state.look_at_shader();
    assert_eq!(inputs(&rig), [0.5, 0.9, 1.0], "zoom is another shader's, and shader.2 is the patch's");
    write(folder.path(), "other.fs", &[("zoom", 0.5), ("haze", 0.0), ("turn", 0.75), ("glow", 1.0)]);
    rig.state.look_at_shader();
    assert_eq!(inputs(&rig), [0.5, 0.125, 0.9, 1.0], "what is new in the patch's slot stands where the patch wants it");
}
