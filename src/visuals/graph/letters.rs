//! The type layer: a frame's glyphs on the graphics card, drawn into the words' texture and, for what explains, over the
//! finished picture.

use super::resources::{self, Bound, WORDS};
use crate::visuals::scene::Glyph;
use crate::visuals::{glyphs, shader};

/// More than any frame has; what is beyond them is not drawn.
pub const MOST_GLYPHS: usize = 131_072;
/// As many are there from the beginning.
const FIRST_GLYPHS: usize = 8192;

/// Every glyph of a frame.
pub struct Letters {
    into_words: wgpu::RenderPipeline,
    over_picture: wgpu::RenderPipeline,
    bind: wgpu::BindGroup,
    screen: wgpu::Buffer,
    instances: wgpu::Buffer,
    count: u32,
}

impl Letters {
    /// The final target has this format and number of samples.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, samples: u32) -> Letters {
        let screen = resources::uniforms(device, "screen", 16);
        let atlas = upload_atlas(device, queue);
        let layout = resources::layout(device, "type", &[Bound::Uniform, Bound::Texture, Bound::Sampler]);
        let sampler = resources::smooth_sampler(device);
        let bind = resources::bind(
            device,
            &layout,
            &[
                screen.as_entire_binding(),
                wgpu::BindingResource::TextureView(&atlas),
                wgpu::BindingResource::Sampler(&sampler),
            ],
        );
        let layout = resources::pipeline_layout(device, &[&layout]);
        Letters {
            into_words: pipeline(device, &layout, WORDS, 1),
            over_picture: pipeline(device, &layout, format, samples),
            bind,
            screen,
            instances: buffer(device, FIRST_GLYPHS),
            count: 0,
        }
    }

    /// Takes a frame's glyphs for a picture of `size` pixels.
    pub fn upload(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, glyphs: &[Glyph], size: [u32; 2]) {
        let glyphs = &glyphs[..glyphs.len().min(MOST_GLYPHS)];
        let bytes: &[u8] = bytemuck::cast_slice(glyphs);
        if bytes.len() as u64 > self.instances.size() {
            self.instances = buffer(device, glyphs.len().next_power_of_two());
        }
        self.count = glyphs.len() as u32;
        queue.write_buffer(&self.screen, 0, bytemuck::cast_slice(&[size[0] as f32, size[1] as f32, 0.0, 0.0]));
        queue.write_buffer(&self.instances, 0, bytes);
    }

    /// Draws the first `count` into the words' texture.
    pub fn draw_words(&self, pass: &mut wgpu::RenderPass<'_>, count: usize) {
        self.draw(pass, &self.into_words, 0..(count as u32).min(self.count));
    }

    /// Draws the rest over the finished picture.
    pub fn draw_over(&self, pass: &mut wgpu::RenderPass<'_>, from: usize) {
        self.draw(pass, &self.over_picture, (from as u32).min(self.count)..self.count);
    }

    fn draw(&self, pass: &mut wgpu::RenderPass<'_>, pipeline: &wgpu::RenderPipeline, range: std::ops::Range<u32>) {
        if !range.is_empty() {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &self.bind, &[]);
            pass.set_vertex_buffer(0, self.instances.slice(..));
            pass.draw(0..4, range);
        }
    }
}

fn buffer(device: &wgpu::Device, glyphs: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("glyphs"),
        size: (glyphs * size_of::<Glyph>()) as u64,
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
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

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    samples: u32,
) -> wgpu::RenderPipeline {
    let source = format!("{}{}", shader::encoding(format), include_str!("type.wgsl"));
    let module = resources::module(device, "type", source);
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
                attributes: &wgpu::vertex_attr_array![
                    0 => Float32x2, 1 => Float32x2, 2 => Uint32, 3 => Unorm8x4, 4 => Unorm8x4
                ],
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
                blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
