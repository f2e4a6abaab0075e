//! The finish: fields and words become the picture, the guard judges it, and it is encoded for its target.

use bytemuck::{Pod, Zeroable};

use super::resources::{self, Bound, LIGHT};
use crate::visuals::shader;

/// What the last passes are told; `struct Picture` of `picture.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Picture {
    /// Linear.
    pub ground: [f32; 4],
    /// Left, top, width and height of the picture in its target, in pixels.
    pub inner: [f32; 4],
    pub part: f32,
    pub over: f32,
    pub background: f32,
    pub light: f32,
    pub open: [f32; 2],
    pub blackout: f32,
    pub guard: f32,
    pub dt_s: f32,
    pub first: f32,
    pub unused: [f32; 2],
}

/// Pixels of a side of the picture that is measured.
const MEASURED: u32 = 16;

pub struct Finish {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    picture: wgpu::Buffer,
    measure: wgpu::RenderPipeline,
    judge: wgpu::RenderPipeline,
    post: wgpu::RenderPipeline,
    measured: wgpu::TextureView,
    /// The guard's verdict of this frame and of the one before, by turns.
    verdicts: [wgpu::TextureView; 2],
    before: [wgpu::BindGroup; 2],
    turn: usize,
    bind: Option<wgpu::BindGroup>,
}

impl Finish {
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat, samples: u32) -> Finish {
        let kinds = [Bound::Uniform, Bound::Sampler, Bound::Texture, Bound::Texture, Bound::Texture, Bound::Texture];
        let layout = resources::layout(device, "picture", &kinds);
        let before_layout = resources::layout(device, "verdict before", &[Bound::Texture]);
        let picture_wgsl = include_str!("picture.wgsl");
        let guard = resources::module(device, "guard", format!("{picture_wgsl}{}", include_str!("guard.wgsl")));
        let post = format!("{}{picture_wgsl}{}", shader::encoding(format), include_str!("post.wgsl"));
        let post = resources::module(device, "post", post);
        let alone = resources::pipeline_layout(device, &[&layout]);
        let judging = resources::pipeline_layout(device, &[&layout, &before_layout]);
        let verdicts = [0, 1].map(|_| resources::target_view(device, "verdict", [1, 1], LIGHT));
        let before = [0, 1].map(|turn: usize| {
            resources::bind(device, &before_layout, &[wgpu::BindingResource::TextureView(&verdicts[1 - turn])])
        });
        Finish {
            sampler: resources::smooth_sampler(device),
            picture: resources::uniforms(device, "picture", size_of::<Picture>()),
            measure: resources::whole(device, &alone, &guard, ["whole", "measure"], LIGHT, 1),
            judge: resources::whole(device, &judging, &guard, ["whole", "judge"], LIGHT, 1),
            post: resources::whole(device, &alone, &post, ["whole", "post"], format, samples),
            measured: resources::target_view(device, "measured", [MEASURED; 2], LIGHT),
            verdicts,
            before,
            layout,
            turn: 0,
            bind: None,
        }
    }

    pub fn write(&self, queue: &wgpu::Queue, picture: &Picture) {
        queue.write_buffer(&self.picture, 0, bytemuck::bytes_of(picture));
    }

    /// Measures and judges the picture of these fields and words.
    pub fn judge(
        &mut self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        fields: [&wgpu::TextureView; 2],
        words: &wgpu::TextureView,
    ) {
        self.turn = 1 - self.turn;
        // Made anew for each frame, since the fields take turns: some microseconds.
        let bind = |small: &wgpu::TextureView| {
            let view = wgpu::BindingResource::TextureView;
            let resources = [
                self.picture.as_entire_binding(),
                wgpu::BindingResource::Sampler(&self.sampler),
                view(fields[0]),
                view(fields[1]),
                view(words),
                view(small),
            ];
            resources::bind(device, &self.layout, &resources)
        };
        {
            let unread = bind(&self.verdicts[1 - self.turn]);
            let mut pass = resources::pass(encoder, "measure", &self.measured);
            pass.set_pipeline(&self.measure);
            pass.set_bind_group(0, &unread, &[]);
            pass.draw(0..3, 0..1);
        }
        {
            let measured = bind(&self.measured);
            let mut pass = resources::pass(encoder, "judge", &self.verdicts[self.turn]);
            pass.set_pipeline(&self.judge);
            pass.set_bind_group(0, &measured, &[]);
            pass.set_bind_group(1, &self.before[self.turn], &[]);
            pass.draw(0..3, 0..1);
        }
        self.bind = Some(bind(&self.verdicts[self.turn]));
    }

    /// Draws the picture into its part of the target.
    pub fn post(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some(bind) = &self.bind {
            pass.set_pipeline(&self.post);
            pass.set_bind_group(0, bind, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}
