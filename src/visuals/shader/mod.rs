//! Shaders: finding them by name, reading them, making them safe, and compiling them beside the one that runs.
//!
//! A field shader is a WGSL file that defines `fn field(uv: vec2<f32>) -> vec3<f32>`: the light behind the words at
//! `uv` (0,0 top left to 1,1 bottom right), in linear RGB; or a file of the interactive shader format (ISF), which is
//! GLSL with a header. [`program()`] makes a whole module of either that ends whatever the text says. Finding and
//! watching touch files and belong to the hands thread or the session; compiling belongs to the renderer.

mod bound;
mod branch;
mod check;
mod cost;
#[cfg(test)]
mod drawn;
mod find;
mod isf;
mod program;

pub use bound::TURNS;
pub use find::{DEFAULT, ENDINGS, FindError, Shader, Watch, builtin, find, known};
pub use program::{Input, InputKind, Kind, Program, program};

use super::uniforms;

/// What stands after the text: the whole target is covered with what `field` gives.
const POSTLUDE: &str = include_str!("../field_frame.wgsl");

/// Why a shader was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("shader {name} line {line}: {message}")]
pub struct ShaderError {
    pub name: String,
    /// Counts from 1 in the user's own text.
    pub line: u32,
    pub message: String,
    /// What runs in its place.
    pub instead: &'static str,
}

impl ShaderError {
    /// Refused before it ran.
    pub fn new(name: &str, line: u32, message: impl Into<String>) -> ShaderError {
        ShaderError { name: name.into(), line, message: message.into(), instead: "the last good one runs on" }
    }

    /// Let go while it ran.
    pub fn let_go(name: &str, message: impl Into<String>) -> ShaderError {
        ShaderError { instead: "the default shader runs in its place", ..ShaderError::new(name, 1, message) }
    }
}

/// The shader as a whole module: an artist's own, checked and bounded.
pub fn artist(name: &str, text: &str) -> Result<Program, ShaderError> {
    program(name, text, &uniforms::prelude(), POSTLUDE)
}

/// The whole module of a shader inside the program, which needs no bound.
pub(super) fn own(text: &str) -> String {
    format!("{}{text}\n{POSTLUDE}", uniforms::prelude())
}

/// Compiles a whole module into a pipeline that draws into `format`, without touching what runs.
pub(super) fn compile(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    name: &str,
    wgsl: &str,
) -> Result<wgpu::RenderPipeline, ShaderError> {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(name),
        source: wgpu::ShaderSource::Wgsl(wgsl.into()),
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
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("xiao_fragment"),
            compilation_options: Default::default(),
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    match pollster::block_on(scope.pop()) {
        None => Ok(pipeline),
        // What the checks let through and the driver does not: where in the text it lies is not known.
        Some(error) => {
            let message = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
            Err(ShaderError::new(name, 1, message.chars().take(200).collect::<String>()))
        }
    }
}

/// Whether the shader must encode its light itself: a target that is neither sRGB nor floating point stores it as is.
pub(super) fn encoding(format: wgpu::TextureFormat) -> &'static str {
    use wgpu::TextureFormat::{Rgba16Float, Rgba32Float};
    match format.is_srgb() || matches!(format, Rgba16Float | Rgba32Float) {
        true => "const xiao_encode: bool = false;\n",
        false => "const xiao_encode: bool = true;\n",
    }
}
