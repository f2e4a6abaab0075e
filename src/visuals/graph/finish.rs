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
/// Pixels of the guard's verdict.
const VERDICT: [u32; 2] = [2, 1];

/// The passes that are another for each kind of picture.
struct Kind {
    measure: wgpu::RenderPipeline,
    post: wgpu::RenderPipeline,
}

/// What stands before `picture.wgsl`.
fn kind(crossing: bool, paper: bool) -> String {
    format!("const xiao_crossing: bool = {crossing};\nconst xiao_paper: bool = {paper};\n{PICTURE}")
}

const PICTURE: &str = include_str!("picture.wgsl");
const GUARD: &str = include_str!("guard.wgsl");

pub struct Finish {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    picture: wgpu::Buffer,
    /// Of each kind of picture, made when one is first shown.
    kinds: [Option<Kind>; 4],
    /// Which of them is shown.
    kind: usize,
    judge: wgpu::RenderPipeline,
    measuring: wgpu::PipelineLayout,
    showing: wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    samples: u32,
    measured: wgpu::TextureView,
    /// The guard's verdict of this frame and of the one before, by turns.
    verdicts: [wgpu::TextureView; 2],
    /// The measured picture and the verdicts, each to be read.
    read_measured: wgpu::BindGroup,
    read_verdicts: [wgpu::BindGroup; 2],
    turn: usize,
    /// What a picture is made of, for each turn of the two fields; made when it is first needed.
    pictures: [[Option<wgpu::BindGroup>; 2]; 2],
    /// Which of them is shown.
    shown: [usize; 2],
}

impl Finish {
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat, samples: u32) -> Finish {
        let kinds = [Bound::Uniform, Bound::Sampler, Bound::Texture, Bound::Texture, Bound::Texture];
        let layout = resources::layout(device, "picture", &kinds);
        let one = resources::layout(device, "measured", &[Bound::Texture]);
        let guard = resources::module(device, "guard", kind(false, false) + GUARD);
        let measuring = resources::pipeline_layout(device, &[&layout]);
        let judging = resources::pipeline_layout(device, &[&layout, &one, &one]);
        let showing = resources::pipeline_layout(device, &[&layout, &one]);
        let measured = resources::target_view(device, "measured", [MEASURED; 2], LIGHT);
        let verdicts = [0, 1].map(|_| resources::target_view(device, "verdict", VERDICT, LIGHT));
        let read = |view| resources::bind(device, &one, &[wgpu::BindingResource::TextureView(view)]);
        Finish {
            sampler: resources::smooth_sampler(device),
            picture: resources::uniforms(device, "picture", size_of::<Picture>()),
            judge: resources::whole(device, &judging, &guard, ["whole", "judge"], LIGHT, 1),
            kinds: Default::default(),
            kind: 0,
            measuring,
            showing,
            format,
            samples,
            read_measured: read(&measured),
            read_verdicts: verdicts.each_ref().map(read),
            measured,
            verdicts,
            layout,
            turn: 0,
            pictures: Default::default(),
            shown: [0, 0],
        }
    }

    /// Takes what the picture is to be.
    pub fn write(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, picture: &Picture) {
        queue.write_buffer(&self.picture, 0, bytemuck::bytes_of(picture));
        let (crossing, paper) = (picture.part < 1.0, picture.light > 0.5);
        self.kind = usize::from(crossing) + 2 * usize::from(paper);
        self.kinds[self.kind].get_or_insert_with(|| {
            let picture = kind(crossing, paper);
            let guard = resources::module(device, "guard", format!("{picture}{GUARD}"));
            let post = format!("{}{picture}{}", shader::encoding(self.format), include_str!("post.wgsl"));
            let post = resources::module(device, "post", post);
            Kind {
                measure: resources::whole(device, &self.measuring, &guard, ["whole", "measure"], LIGHT, 1),
                post: resources::whole(device, &self.showing, &post, ["whole", "post"], self.format, self.samples),
            }
        });
    }

    /// The fields or the words lie in other textures from now on.
    pub fn forget(&mut self) {
        self.pictures = Default::default();
    }

    /// Measures and judges the picture of these words and fields, each field in its two textures by turns; `turns` says
    /// which of them to take.
    pub fn judge(
        &mut self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        fields: [[&wgpu::TextureView; 2]; 2],
        turns: [usize; 2],
        words: &wgpu::TextureView,
    ) {
        self.turn = 1 - self.turn;
        self.shown = turns;
        let [a, b] = turns;
        let picture = self.pictures[a][b].get_or_insert_with(|| {
            let view = wgpu::BindingResource::TextureView;
            let resources = [
                self.picture.as_entire_binding(),
                wgpu::BindingResource::Sampler(&self.sampler),
                view(fields[0][a]),
                view(fields[1][b]),
                view(words),
            ];
            resources::bind(device, &self.layout, &resources)
        });
        if let Some(kind) = &self.kinds[self.kind] {
            let mut pass = resources::pass(encoder, "measure", &self.measured);
            pass.set_pipeline(&kind.measure);
            pass.set_bind_group(0, &*picture, &[]);
            pass.draw(0..3, 0..1);
        }
        let mut pass = resources::pass(encoder, "judge", &self.verdicts[self.turn]);
        pass.set_pipeline(&self.judge);
        pass.set_bind_group(0, &*picture, &[]);
        pass.set_bind_group(1, &self.read_measured, &[]);
        pass.set_bind_group(2, &self.read_verdicts[1 - self.turn], &[]);
        pass.draw(0..3, 0..1);
    }

    /// Draws the picture into its part of the target.
    pub fn post(&self, pass: &mut wgpu::RenderPass<'_>) {
        let [a, b] = self.shown;
        if let (Some(kind), Some(picture)) = (&self.kinds[self.kind], &self.pictures[a][b]) {
            pass.set_pipeline(&kind.post);
            pass.set_bind_group(0, picture, &[]);
            pass.set_bind_group(1, &self.read_verdicts[self.turn], &[]);
            pass.draw(0..3, 0..1);
        }
    }
}
