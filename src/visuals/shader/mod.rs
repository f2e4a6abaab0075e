//! Shaders: finding them by name, reading them, making them safe, and compiling them beside the one that runs.
//!
//! A field shader is a WGSL file that defines `fn field(uv: vec2<f32>) -> vec3<f32>`: the light behind the words at
//! `uv` (0,0 top left to 1,1 bottom right), in linear RGB; or a file of the interactive shader format (ISF), which is
//! GLSL with a header. [`program()`] makes a whole module of either that ends whatever the text says. Finding and
//! watching touch files and belong to the hands thread or the session; compiling belongs to the renderer.

mod bound;
mod check;
#[cfg(test)]
mod drawn;
mod find;
mod isf;
mod program;

pub use bound::TURNS;
pub use find::{DEFAULT, FindError, Shader, Watch, builtin, find, known};
pub use program::{Input, InputKind, Kind, Program, program};

use super::uniforms;

/// What stands after the user's text. It takes the field's light down to where words stay readable: at
/// `stage.background` 0.5 no brighter than a luminance of 0.014, so that text of luminance 0.4 keeps a contrast of 7:1,
/// and only from there up freely. The last term hides the steps of 8 bits in the dark.
const POSTLUDE: &str = include_str!("../field_frame.wgsl");

/// Why a shader was refused; the one before it runs on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("shader {name} line {line}: {message}")]
pub struct ShaderError {
    pub name: String,
    /// Counts from 1 in the user's own text.
    pub line: u32,
    pub message: String,
}

/// Compiles a field shader for a target of `format`, without touching what runs: prelude, user's text, postlude.
pub(super) fn compile(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    samples: u32,
    name: &str,
    text: &str,
) -> Result<wgpu::RenderPipeline, ShaderError> {
    let prelude = uniforms::prelude();
    let source = format!("{prelude}{text}\n{}{POSTLUDE}", encoding(format));
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(name),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(name),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("xiao_vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState { count: samples, ..Default::default() },
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("xiao_fragment"),
            compilation_options: Default::default(),
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    let Some(error) = pollster::block_on(scope.pop()) else {
        return Ok(pipeline);
    };
    let info = pollster::block_on(module.get_compilation_info());
    let found = info.messages.iter().find(|m| m.message_type == wgpu::CompilationMessageType::Error);
    let (line, message) = match found {
        Some(found) => (found.location.map(|l| l.line_number), one_line(&found.message)),
        None => (None, one_line(&error.to_string())),
    };
    Err(place(name, text, prelude.lines().count() as u32, line, message))
}

/// Whether the shader must encode its light itself: a target that is neither sRGB nor floating point stores it as is.
pub(super) fn encoding(format: wgpu::TextureFormat) -> &'static str {
    use wgpu::TextureFormat::{Rgba16Float, Rgba32Float};
    match format.is_srgb() || matches!(format, Rgba16Float | Rgba32Float) {
        true => "const xiao_encode: bool = false;\n",
        false => "const xiao_encode: bool = true;\n",
    }
}

/// Turns a line of the whole source into one of the user's text.
fn place(name: &str, text: &str, prelude_lines: u32, line: Option<u32>, message: String) -> ShaderError {
    let lines = (text.lines().count() as u32).max(1);
    let line = line.unwrap_or(prelude_lines + 1).saturating_sub(prelude_lines);
    let message = if line > lines || message.contains("`field`") || message.contains("'field'") {
        format!("{message}; the file must define `fn field(uv: vec2<f32>) -> vec3<f32>`")
    } else {
        message
    };
    ShaderError { name: name.to_string(), line: line.clamp(1, lines), message }
}

/// The first lines of a compiler's message that say something, as one.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).filter(|l| {
        !l.is_empty() && !l.starts_with(['│', '┌', '|', '=']) && !l.starts_with(|c: char| c.is_ascii_digit())
    });
    let line = lines.take(3).collect::<Vec<_>>().join(" ");
    // naga begins with the shader's name, which the error says anyway.
    let line = line.split_once(" parsing error: ").map_or(line.as_str(), |(_, rest)| rest);
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_in_the_users_own_text() {
        let at = |line| place("x", "a\nb\nc", 50, line, "wrong".into());
        assert_eq!(at(Some(52)).line, 2);
        assert_eq!(at(None).line, 1);
        let beyond = at(Some(70));
        assert_eq!(beyond.line, 3);
        assert!(beyond.message.contains("fn field"));
    }
}
