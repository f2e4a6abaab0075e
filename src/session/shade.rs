//! Shaders on their way to the stage: found, checked, and where their inputs stand at first.
//!
//! A shader is checked here, without a graphics device, so that a slip is told on every stage and a recording holds only
//! what can be drawn. On the hands' thread, or before the show on the main one.

use std::path::PathBuf;

use crate::score::{Event, ParamId};
use crate::visuals::shader::{self, Program, Shader};

/// A shader that can be drawn.
pub struct Shade {
    pub shader: Shader,
    pub program: Program,
}

/// Finds a shader by its name and checks it.
///
/// # Errors
/// There is none of that name, or its text does not hold together; in words, with the line.
pub fn find(name: &str, folders: &[PathBuf]) -> Result<Shade, String> {
    check(shader::find(name, folders).map_err(|e| e.to_string())?)
}

/// Checks a shader that was read.
///
/// # Errors
/// Its text does not hold together; in words, with the line.
pub fn check(shader: Shader) -> Result<Shade, String> {
    let program = shader::artist(&shader.name, &shader.text).map_err(|e| e.to_string())?;
    Ok(Shade { shader, program })
}

impl Shade {
    pub fn event(&self) -> Event {
        Event::Shader { name: self.shader.name.clone(), text: self.shader.text.clone() }
    }

    /// What there is to know of it that does not stop it.
    pub fn notices(&self) -> impl Iterator<Item = Event> + '_ {
        self.program.notes.iter().map(|note| Event::Notice { text: format!("shader {}: {note}", self.shader.name) })
    }

    /// Where its inputs stand at first.
    pub fn defaults(&self) -> Vec<(ParamId, f32)> {
        let inputs = self.program.inputs.iter().flat_map(|input| input.defaults());
        inputs.filter_map(|(slot, at)| Some((param(slot)?, at))).collect()
    }
}

/// How many inputs of a shader can be played.
const SLOTS: usize = 12;

/// The parameter of a slot, counted from 1.
pub fn param(slot: usize) -> Option<ParamId> {
    let first = ParamId::Shader1 as usize;
    (1..=SLOTS).contains(&slot).then(|| ParamId::ALL[first + slot - 1])
}

/// The slot of a parameter; none where it is no shader's.
pub fn slot(id: ParamId) -> Option<usize> {
    (id as usize + 1).checked_sub(ParamId::Shader1 as usize).filter(|slot| (1..=SLOTS).contains(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_begin_where_the_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let isf = r#"/*{ "INPUTS": [ { "NAME": "zoom", "TYPE": "float", "MIN": 1.0, "MAX": 5.0, "DEFAULT": 2.0 } ] }*/
            void main() { gl_FragColor = vec4(vec3(zoom), 1.0); }"#;
        std::fs::write(folder.path().join("mine.fs"), isf).unwrap();
        std::fs::write(folder.path().join("slip.wgsl"), "fn field(uv: vec2<f32>) -> vec3<f32> {\n  retrun uv;\n}")
            .unwrap();
        let folders = [folder.path().to_path_buf()];
        let shade = find("mine", &folders).ok().unwrap();
        assert_eq!(shade.defaults(), [(ParamId::Shader1, 0.25)]);
        assert!(find("slip", &folders).err().unwrap().contains("slip line 2"));
        assert!(find("none", &folders).err().unwrap().contains("there is no shader"));
        assert_eq!((param(12), param(13)), (Some(ParamId::Shader12), None));
        assert_eq!([ParamId::Plate, ParamId::Shader1, ParamId::Shader12].map(slot), [None, Some(1), Some(12)]);
    }
}
