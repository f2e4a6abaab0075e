//! The renderer: a field shader over the whole frame, then every glyph and bar in one draw.
//!
//! Knows a device, a target's format and a [`FrameState`]; not whether it is a window or a picture. Everything is
//! allocated at its making but the pipeline of a new shader. Belongs to the thread that draws.

use super::scene::{self, Glyph};
use super::shader::{self, ShaderError};
use super::{FrameState, glyphs, uniforms};
use crate::visuals::state::ShaderText;

/// More than a frame with full text, foot and help has; what is beyond it is not drawn.
const MAX_GLYPHS: usize = 16_384;

/// The renderer of one target.
pub struct Renderer {
    format: wgpu::TextureFormat,
    samples: u32,
    field: wgpu::RenderPipeline,
    field_layout: wgpu::PipelineLayout,
    field_bind: wgpu::BindGroup,
    field_uniforms: wgpu::Buffer,
    type_pipeline: wgpu::RenderPipeline,
    type_bind: wgpu::BindGroup,
    screen: wgpu::Buffer,
    instances: wgpu::Buffer,
    glyphs: Vec<Glyph>,
    /// The shader of the state that was last tried, whether it compiled or not.
    tried: Option<ShaderText>,
    fault: Option<ShaderError>,
}

impl Renderer {
    /// For targets of this format and number of samples (1 is without multisampling).
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, samples: u32) -> Renderer {
        let field_uniforms = uniform_buffer(device, "field", uniforms::COUNT * 4);
        let (field_bind_layout, field_bind) = bind(device, &[(&field_uniforms).into_entry()]);
        let field_layout = pipeline_layout(device, &field_bind_layout);
        let field = shader::builtin(shader::DEFAULT).expect("the default shader is inside the program");
        let field = shader::compile(device, &field_layout, format, samples, shader::DEFAULT, field)
            .expect("the shader inside the program compiles; a test holds it to that");

        let screen = uniform_buffer(device, "screen", 16);
        let atlas = upload_atlas(device, queue);
        let (type_bind_layout, type_bind) = bind(device, &[(&screen).into_entry(), (&atlas).into_entry()]);
        let type_pipeline = type_pipeline(device, &pipeline_layout(device, &type_bind_layout), format, samples);
        let instances = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("glyphs"),
            size: (MAX_GLYPHS * size_of::<Glyph>()) as u64,
            usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Renderer {
            format,
            samples,
            field,
            field_layout,
            field_bind,
            field_uniforms,
            type_pipeline,
            type_bind,
            screen,
            instances,
            glyphs: Vec::with_capacity(MAX_GLYPHS),
            tried: None,
            fault: None,
        }
    }

    /// Takes up a field shader; one that does not compile is refused and the last good one runs on.
    pub fn set_shader(&mut self, device: &wgpu::Device, name: &str, wgsl: &str) -> Result<(), ShaderError> {
        self.field = shader::compile(device, &self.field_layout, self.format, self.samples, name, wgsl)?;
        Ok(())
    }

    /// Why the shader that the state last brought was refused; told once.
    pub fn take_fault(&mut self) -> Option<ShaderError> {
        self.fault.take()
    }

    /// Makes the frame ready: takes up the state's shader if it is another, and uploads what it shows.
    pub fn prepare(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, size: [u32; 2], state: &FrameState) {
        if let Some(wanted) = state.shader_text()
            && self.tried.as_ref() != Some(wanted)
        {
            self.fault = self.set_shader(device, &wanted.name, &wanted.text).err();
            self.tried = Some(wanted.clone());
        }
        scene::build(state, size, &mut self.glyphs);
        self.glyphs.truncate(MAX_GLYPHS);
        queue.write_buffer(&self.field_uniforms, 0, bytemuck::cast_slice(&uniforms::pack(state, size)));
        queue.write_buffer(&self.screen, 0, bytemuck::cast_slice(&[size[0] as f32, size[1] as f32, 0.0, 0.0]));
        queue.write_buffer(&self.instances, 0, bytemuck::cast_slice(&self.glyphs));
    }

    /// Draws what was prepared. The field covers the whole target, so it need not be cleared.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'_>) {
        pass.set_pipeline(&self.field);
        pass.set_bind_group(0, &self.field_bind, &[]);
        pass.draw(0..3, 0..1);
        if !self.glyphs.is_empty() {
            pass.set_pipeline(&self.type_pipeline);
            pass.set_bind_group(0, &self.type_bind, &[]);
            pass.set_vertex_buffer(0, self.instances.slice(..));
            pass.draw(0..4, 0..self.glyphs.len() as u32);
        }
    }

    /// Prepares and draws a frame into a view of `size` pixels that is not multisampled.
    pub fn draw(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        view: &wgpu::TextureView,
        size: [u32; 2],
        state: &FrameState,
    ) {
        self.prepare(device, queue, size, state);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("stage"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view,
                resolve_target: None,
                depth_slice: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
            })],
            ..Default::default()
        });
        self.paint(&mut pass);
    }
}

fn uniform_buffer(device: &wgpu::Device, label: &str, bytes: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn upload_atlas(device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::TextureView {
    let side = glyphs::ATLAS_SIDE as u32;
    let size = wgpu::Extent3d { width: side, height: side, depth_or_array_layers: 1 };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("unifont"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let rows = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(side), rows_per_image: Some(side) };
    queue.write_texture(texture.as_image_copy(), &glyphs::atlas(), rows, size);
    texture.create_view(&Default::default())
}

/// One resource of a bind group, in the order of its bindings.
struct Entry<'a> {
    kind: wgpu::BindingType,
    resource: wgpu::BindingResource<'a>,
}

trait IntoEntry<'a> {
    fn into_entry(self) -> Entry<'a>;
}

impl<'a> IntoEntry<'a> for &'a wgpu::Buffer {
    fn into_entry(self) -> Entry<'a> {
        let kind = wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: None,
        };
        Entry { kind, resource: self.as_entire_binding() }
    }
}

impl<'a> IntoEntry<'a> for &'a wgpu::TextureView {
    fn into_entry(self) -> Entry<'a> {
        let kind = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        Entry { kind, resource: wgpu::BindingResource::TextureView(self) }
    }
}

fn bind(device: &wgpu::Device, entries: &[Entry<'_>]) -> (wgpu::BindGroupLayout, wgpu::BindGroup) {
    let layout_entries: Vec<_> = (0..)
        .zip(entries)
        .map(|(binding, entry)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
            ty: entry.kind,
            count: None,
        })
        .collect();
    let layout =
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &layout_entries });
    let group_entries: Vec<_> = (0..)
        .zip(entries)
        .map(|(binding, entry)| wgpu::BindGroupEntry { binding, resource: entry.resource.clone() })
        .collect();
    let group =
        device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &group_entries });
    (layout, group)
}

fn pipeline_layout(device: &wgpu::Device, layout: &wgpu::BindGroupLayout) -> wgpu::PipelineLayout {
    device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    })
}

fn type_pipeline(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    samples: u32,
) -> wgpu::RenderPipeline {
    let source = format!("{}{}", shader::encoding(format), include_str!("glyph.wgsl"));
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("type"),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("type"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("glyph_vertex"),
            compilation_options: Default::default(),
            buffers: &[wgpu::VertexBufferLayout {
                array_stride: size_of::<Glyph>() as u64,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x2, 2 => Uint32, 3 => Unorm8x4],
            }],
        },
        primitive: wgpu::PrimitiveState { topology: wgpu::PrimitiveTopology::TriangleStrip, ..Default::default() },
        depth_stencil: None,
        multisample: wgpu::MultisampleState { count: samples, ..Default::default() },
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("glyph_fragment"),
            compilation_options: Default::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: Some(wgpu::BlendState::ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
