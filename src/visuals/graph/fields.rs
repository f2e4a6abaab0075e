//! The fields: the light behind the words, one for each scene that is shown, with what each gave in the frame before.
//!
//! A field of ours is soft, so it is drawn at half the picture's resolution, which a processor that draws thanks with three
//! quarters of its time; an artist's own is drawn at the whole, unless it is the processor that draws.

use std::time::{Duration, Instant};

use super::resources::{self, Bound, LIGHT};
use super::watchdog;
use crate::visuals::scene::SCENES;
use crate::visuals::shader::{self, Program, ShaderError};
use crate::visuals::state::ShaderText;
use crate::visuals::uniforms;

/// The field of one scene on its way: the one that comes or is there, or the one that goes.
struct Slot {
    scene: usize,
    /// What it draws into and what it drew before, by turns.
    views: [wgpu::TextureView; 2],
    binds: [wgpu::BindGroup; 2],
    uniforms: wgpu::Buffer,
    turn: usize,
    size: [u32; 2],
}

/// Why a shader was not taken up.
pub enum Refused {
    /// It never will be.
    Bad(ShaderError),
    /// It takes too long here and now.
    Slow(ShaderError),
}

impl From<ShaderError> for Refused {
    fn from(error: ShaderError) -> Refused {
        Refused::Bad(error)
    }
}

/// Every field's pipeline and the slots in which they are drawn.
pub struct Fields {
    layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
    sampler: wgpu::Sampler,
    /// One for each scene with a field of its own, made when it is first shown.
    own: [Option<wgpu::RenderPipeline>; SCENES.len()],
    /// The patch's, and the one that runs where it has none.
    patch: wgpu::RenderPipeline,
    default: wgpu::RenderPipeline,
    /// The patch's, while the default one stands in for it.
    set_aside: Option<wgpu::RenderPipeline>,
    slots: [Option<Slot>; 2],
    /// Drawn by the processor.
    software: bool,
    /// What stands in for a field that is not there.
    dark: wgpu::TextureView,
}

impl Fields {
    pub fn new(device: &wgpu::Device, software: bool) -> Fields {
        let kinds = [Bound::Uniform, Bound::Sampler, Bound::Texture, Bound::Texture];
        let layout = resources::layout(device, "field", &kinds);
        let pipeline_layout = resources::pipeline_layout(device, &[&layout]);
        let text = shader::builtin(shader::DEFAULT).expect("the default shader is inside the program");
        let default = shader::compile(device, &pipeline_layout, LIGHT, shader::DEFAULT, &shader::own(text))
            .expect("the shader inside the program compiles; a test holds it to that");
        Fields {
            layout,
            pipeline_layout,
            sampler: resources::smooth_sampler(device),
            own: std::array::from_fn(|_| None),
            patch: default.clone(),
            default,
            set_aside: None,
            slots: [None, None],
            software,
            dark: resources::target_view(device, "dark", [1, 1], LIGHT),
        }
    }

    /// Takes up the patch's shader; one that does not compile is refused and the last good one runs on; so is one
    /// that would take seconds for a frame of `trial` pixels, where that is asked.
    pub fn take(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        text: &ShaderText,
        trial: Option<[u32; 2]>,
    ) -> Result<Program, Refused> {
        let program = shader::artist(&text.name, &text.text)?;
        let pipeline = shader::compile(device, &self.pipeline_layout, LIGHT, &text.name, &program.wgsl)?;
        if let Some(size) = trial {
            self.trial(device, queue, &pipeline, size).map_err(|frame| {
                let frame_s = frame.as_secs_f32();
                Refused::Slow(ShaderError::new(
                    &text.name,
                    1,
                    format!("a frame would take {frame_s:.0} s here; it needs fewer turns of its loops"),
                ))
            })?;
        }
        (self.patch, self.set_aside) = (pipeline, None);
        Ok(program)
    }

    /// Takes up a shader that ran already, on another device.
    pub fn take_again(&mut self, device: &wgpu::Device, program: &Program) -> Result<(), ShaderError> {
        self.patch = shader::compile(device, &self.pipeline_layout, LIGHT, &program.name, &program.wgsl)?;
        Ok(())
    }

    /// Lets the default shader run in the place of the patch's, for now.
    pub fn stand_in(&mut self) {
        self.set_aside = Some(std::mem::replace(&mut self.patch, self.default.clone()));
    }

    /// Lets the patch's shader run again.
    pub fn take_back(&mut self) {
        if let Some(patch) = self.set_aside.take() {
            self.patch = patch;
        }
    }

    /// Lets the patch's shader go: the default one runs in its place.
    pub fn let_go(&mut self) {
        (self.patch, self.set_aside) = (self.default.clone(), None);
    }

    /// The error is how long a frame for a target of `size` pixels would take.
    fn trial(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipeline: &wgpu::RenderPipeline,
        size: [u32; 2],
    ) -> Result<(), Duration> {
        let mut slot: Option<Slot> = None;
        watchdog::trial(pixels(size, true, self.software), |size| {
            if slot.as_ref().is_none_or(|s| s.size != size) {
                slot = Some(self::slot(device, &self.layout, &self.sampler, 0, size, &self.dark));
            }
            let Some(slot) = &slot else { return Duration::ZERO };
            let mut numbers = [0.0; uniforms::COUNT];
            (numbers[0], numbers[1]) = (size[0] as f32, size[1] as f32);
            queue.write_buffer(&slot.uniforms, 0, bytemuck::cast_slice(&numbers));
            let since = Instant::now();
            let mut encoder = device.create_command_encoder(&Default::default());
            let mut pass = resources::pass(&mut encoder, "trial", &slot.views[0]);
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &slot.binds[0], &[]);
            pass.draw(0..3, 0..1);
            drop(pass);
            let submission_index = Some(queue.submit([encoder.finish()]));
            let _ = device.poll(wgpu::PollType::Wait { submission_index, timeout: Some(watchdog::LONGEST_TRIAL) });
            since.elapsed()
        })
    }

    /// Makes ready for `scenes` (the going one and the coming one) in a picture of `size` pixels, whose words are in
    /// `words`. A slot keeps what it drew for as long as its scene and size stay. True when a view is another than before.
    pub fn arrange(
        &mut self,
        device: &wgpu::Device,
        scenes: [Option<usize>; 2],
        size: [u32; 2],
        words: &wgpu::TextureView,
        words_are_new: bool,
    ) -> bool {
        let mut new = words_are_new;
        // The scene that goes was the one that came: its slot goes with it, and with it what it drew before.
        if self.slots[0].as_ref().map(|s| s.scene) != scenes[0] && scenes[0].is_some() {
            self.slots.swap(0, 1);
            new = true;
        }
        for (slot, scene) in self.slots.iter_mut().zip(scenes) {
            let Some(scene) = scene else {
                new |= slot.take().is_some();
                continue;
            };
            let size = pixels(size, SCENES[scene].wgsl.is_none(), self.software);
            let fits = slot.as_ref().is_some_and(|s| s.scene == scene && s.size == size && !words_are_new);
            if !fits {
                new = true;
                *slot = Some(self::slot(device, &self.layout, &self.sampler, scene, size, words));
            }
            if let (Some(wgsl), None) = (SCENES[scene].wgsl, &self.own[scene]) {
                let made =
                    shader::compile(device, &self.pipeline_layout, LIGHT, SCENES[scene].name, &shader::own(wgsl));
                self.own[scene] = Some(made.expect("the scenes' shaders compile; a test holds them to that"));
            }
        }
        new
    }

    /// Uploads what the field of a slot may read. `resolution` is that of the field itself.
    pub fn write(&self, queue: &wgpu::Queue, slot: usize, pack: impl FnOnce([u32; 2]) -> uniforms::Packed) {
        if let Some(slot) = &self.slots[slot] {
            queue.write_buffer(&slot.uniforms, 0, bytemuck::cast_slice(&pack(slot.size)));
        }
    }

    /// Draws the fields of the frame.
    pub fn draw(&mut self, encoder: &mut wgpu::CommandEncoder) {
        for slot in self.slots.iter_mut().flatten() {
            slot.turn = 1 - slot.turn;
            let pipeline = self.own[slot.scene].as_ref().unwrap_or(&self.patch);
            let mut pass = resources::pass(encoder, "field", &slot.views[slot.turn]);
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &slot.binds[slot.turn], &[]);
            pass.draw(0..3, 0..1);
        }
    }

    /// The fields as they were last drawn, for each turn: the going one's and the coming one's.
    pub fn views(&self) -> [[&wgpu::TextureView; 2]; 2] {
        let view = |slot: usize, turn: usize| self.slots[slot].as_ref().map_or(&self.dark, |s| &s.views[turn]);
        [[view(0, 0), view(0, 1)], [view(1, 0), view(1, 1)]]
    }

    /// Which of its two textures each slot drew last.
    pub fn turns(&self) -> [usize; 2] {
        [0, 1].map(|slot| self.slots[slot].as_ref().map_or(0, |s| s.turn))
    }
}

/// Pixels of a field in a picture of `size` pixels.
fn pixels(size: [u32; 2], of_patch: bool, software: bool) -> [u32; 2] {
    let divisor = if of_patch && !software { 1 } else { 2 };
    size.map(|side| side.div_ceil(divisor).max(1))
}

fn slot(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    sampler: &wgpu::Sampler,
    scene: usize,
    size: [u32; 2],
    words: &wgpu::TextureView,
) -> Slot {
    let views = [0, 1].map(|_| resources::target_view(device, "field", size, LIGHT));
    let uniforms = resources::uniforms(device, "field", size_of::<uniforms::Packed>());
    let bind = |before: usize| {
        let resources = [
            uniforms.as_entire_binding(),
            wgpu::BindingResource::Sampler(sampler),
            wgpu::BindingResource::TextureView(words),
            wgpu::BindingResource::TextureView(&views[before]),
        ];
        resources::bind(device, layout, &resources)
    };
    let binds = [bind(1), bind(0)];
    Slot { scene, views, binds, uniforms, turn: 0, size }
}
