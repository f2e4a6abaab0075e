//! The renderer: a small graph of passes, the same for a window and for pictures without one.
//!
//! ```text
//! glyphs of the scenes ─► words ──┬─► field of the going scene ──┐
//!                                 ├─► field of the coming scene ─┼─► measure ─► judge ─► post ─► glyphs that explain
//!                                 └──────────────────────────────┘
//! ```
//!
//! Knows a device, a target's format and a [`FrameState`]; not whether it is a window or a picture. Each field reads what
//! it drew in the frame before, and the words. Belongs to the thread that draws; waits for nothing.

mod fields;
mod finish;
mod letters;
mod resources;
mod sheet;
#[cfg(test)]
mod tests;
mod watchdog;

use fields::{Fields, Refused};
use finish::{Finish, Picture};
use letters::Letters;
use watchdog::{Found, Watchdog};

pub use letters::MOST_GLYPHS;
pub use sheet::Sheet;

use std::sync::Arc;

use super::FrameState;
use super::palette::linear;
use super::scene::{self, Frame, SCENES};
use super::shader::{self, Program, ShaderError};
use super::state::ShaderText;
use super::uniforms::{self, Moment};
use crate::score::ParamId;

/// A time between two frames that is longer than this is a pause, not a frame.
const LONGEST_FRAME_S: f32 = 0.25;

/// The renderer of one target.
pub struct Renderer {
    fields: Fields,
    letters: Letters,
    finish: Finish,
    frame: Frame,
    words: wgpu::TextureView,
    /// Pixels of the words' texture: the picture's.
    size: [u32; 2],
    /// The picture's part of the target.
    inner: [u32; 4],
    drawn_ns: Option<u64>,
    frames: u64,
    /// The picture that was drawn last, and whether it is to be shown once more.
    picture: Option<Picture>,
    held: bool,
    black: bool,
    /// The shader of the state that was last tried, whether it compiled or not, and whether it was too slow.
    tried: Option<ShaderText>,
    slow: bool,
    /// The shader that runs, unless it is one of xiao's own.
    program: Option<Program>,
    fault: Option<ShaderError>,
    /// There where frames are drawn against the clock, and a slow shader must not hold up a show.
    watchdog: Option<Watchdog>,
}

impl Renderer {
    /// For targets of this format and number of samples (1 is without multisampling). `software`: the processor draws.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        format: wgpu::TextureFormat,
        samples: u32,
        software: bool,
    ) -> Renderer {
        Renderer {
            fields: Fields::new(device, software),
            letters: Letters::new(device, queue, format, samples),
            finish: Finish::new(device, format, samples),
            frame: Frame::default(),
            words: resources::target_view(device, "words", [1, 1], resources::WORDS),
            size: [1, 1],
            inner: [0, 0, 1, 1],
            drawn_ns: None,
            frames: 0,
            picture: None,
            held: false,
            black: false,
            tried: None,
            slow: false,
            program: None,
            fault: None,
            watchdog: None,
        }
    }

    /// The same for a show: a shader that is too slow for it is let go.
    pub fn watched(self) -> Renderer {
        Renderer { watchdog: Some(Watchdog::default()), ..self }
    }

    /// Goes on where the renderer of a lost device was: with the shader that ran, and no word of one that was refused then.
    pub fn follow(&mut self, device: &wgpu::Device, before: Renderer) {
        self.program = before.program.filter(|program| self.fields.take_again(device, program).is_ok());
        (self.tried, self.slow, self.fault) = (before.tried, before.slow, before.fault);
    }

    /// The artist's shader that runs, with its inputs and what there is to know of it.
    pub fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }

    /// The next frame is the one of this number, counted from 0.
    pub fn count_from(&mut self, frame: u64) {
        self.frames = frame;
    }

    /// Why the shader that the state last brought was refused; told once.
    pub fn take_fault(&mut self) -> Option<ShaderError> {
        self.fault.take()
    }

    /// How many glyphs the last frame had.
    pub fn glyphs(&self) -> usize {
        self.frame.glyphs.len()
    }

    /// Makes the frame for a target of `size` pixels ready: takes up the state's shader if it is another, paints, and
    /// uploads what is shown.
    pub fn prepare(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, size: [u32; 2], state: &FrameState) {
        self.take_shader(device, queue, size, state);
        self.inner = scene::letterbox(state, size);
        let inner = [self.inner[2], self.inner[3]];
        self.black = state.params.get(ParamId::Blackout) >= 0.5;
        // A black stage draws nothing either: where the processor draws, the model has all of it.
        self.held = (self.black || state.frozen()) && inner == self.size && self.picture.is_some();
        if !self.held {
            self.watch(queue, state);
        }
        let words_are_new = inner != self.size;
        if words_are_new {
            self.words = resources::target_view(device, "words", inner, resources::WORDS);
            self.size = inner;
        }
        let dt_s = self.drawn_ns.map_or(0.0, |t_ns| state.since(t_ns));
        if !self.held {
            self.frame.paint(state, inner);
            self.letters.upload(device, queue, &self.frame.glyphs, inner);
            let cross = &state.cross;
            if self.fields.arrange(device, [cross.going(), Some(cross.to)], inner, &self.words, words_are_new) {
                self.finish.forget();
            }
            for (slot, scene_ns, shown) in [(0, cross.from_ns, 1.0 - cross.part()), (1, cross.to_ns, cross.part())] {
                let (focus, frame) = (self.frame.focus, self.frames);
                let dt_s = dt_s.min(LONGEST_FRAME_S);
                let pack = |size| uniforms::pack(state, &Moment { size, focus, dt_s, frame, scene_ns, shown });
                self.fields.write(queue, slot, pack);
            }
        }
        // Nobody types blind, but on a black stage.
        if self.held && !self.black && self.frame.retype(state, inner) {
            self.letters.upload(device, queue, &self.frame.glyphs, inner);
        }
        let now = self.picture(state, dt_s);
        let Picture { inner, blackout, guard, dt_s, first, .. } = now;
        let picture = match self.picture.filter(|_| self.held) {
            // Whatever the state has become meanwhile.
            Some(held) => Picture { inner, blackout, guard, dt_s, first, ..held },
            None => now,
        };
        self.finish.write(device, queue, &picture);
        self.picture = Some(picture);
        self.drawn_ns = Some(state.t_ns);
        self.frames += 1;
    }

    /// Takes up the state's shader if it was not tried yet.
    fn take_shader(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, size: [u32; 2], state: &FrameState) {
        let Some(wanted) = state.shader_text() else { return };
        let tried = self.tried.as_ref() == Some(wanted);
        // The same file saved again is another text in the same words: it may be quicker now.
        let again = self.slow && self.tried.as_ref().is_some_and(|tried| !Arc::ptr_eq(&tried.text, &wanted.text));
        if tried && !again {
            return;
        }
        let trial = self.watchdog.as_ref().map(|_| size);
        self.slow = false;
        match self.fields.take(device, queue, wanted, trial) {
            Ok(program) => {
                let own = shader::builtin(&wanted.name) == Some(&*wanted.text);
                self.program = (!own).then_some(program);
                self.watchdog = self.watchdog.as_ref().map(|_| Watchdog::default());
            }
            Err(Refused::Bad(fault)) => self.fault = Some(fault),
            Err(Refused::Slow(fault)) => (self.slow, self.fault) = (true, Some(fault)),
        }
        self.tried = Some(wanted.clone());
    }

    /// Looks how long the artist's shader takes, while it is shown.
    fn watch(&mut self, queue: &wgpu::Queue, state: &FrameState) {
        let (Some(dog), Some(program)) = (&mut self.watchdog, &self.program) else { return };
        let mut shown = [state.cross.going(), Some(state.cross.to)].into_iter().flatten();
        if !shown.any(|scene| SCENES[scene].wgsl.is_none()) {
            return;
        }
        match dog.look(queue) {
            Found::Nothing => {}
            Found::Suspect => self.fields.stand_in(),
            Found::Innocent => self.fields.take_back(),
            Found::Guilty => {
                let message = "its frames take too long for a show; it was let go";
                (self.slow, self.fault) = (true, Some(ShaderError::let_go(&program.name, message)));
                self.program = None;
                self.fields.let_go();
            }
        }
    }

    fn picture(&self, state: &FrameState, dt_s: f32) -> Picture {
        let (palette, cross) = (state.palette(), &state.cross);
        let open = |scene: usize| f32::from(!SCENES[scene].over);
        let ground = palette.ground;
        Picture {
            ground: [linear(ground[0]), linear(ground[1]), linear(ground[2]), 1.0],
            inner: self.inner.map(|v| v as f32),
            part: if cross.going().is_some() { cross.part() } else { 1.0 },
            over: self.frame.over,
            background: state.params.get(ParamId::Background),
            light: f32::from(palette.is_light()),
            open: [open(cross.from), open(cross.to)],
            blackout: f32::from(self.black),
            guard: state.params.get(ParamId::FlashGuard),
            dt_s,
            // The same moment drawn again is no flash.
            first: f32::from(dt_s <= 0.0),
            unused: [0.0; 2],
        }
    }

    /// Draws everything but the last pass, into textures of the renderer's own.
    pub fn encode(&mut self, device: &wgpu::Device, encoder: &mut wgpu::CommandEncoder) {
        if !self.held {
            let mut pass = resources::pass(encoder, "words", &self.words);
            self.letters.draw_words(&mut pass, self.frame.scene);
            drop(pass);
            self.fields.draw(encoder);
        }
        self.finish.judge(device, encoder, self.fields.views(), self.fields.turns(), &self.words);
    }

    /// The last pass, into the target. Beside a picture that does not fill it, and on a black stage, the target stays as
    /// it was cleared.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'_>) {
        if self.black {
            return;
        }
        let [x, y, width, height] = self.inner.map(|v| v as f32);
        pass.set_viewport(x, y, width, height, 0.0, 1.0);
        self.finish.post(pass);
        self.letters.draw_over(pass, self.frame.scene);
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
        self.encode(device, encoder);
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
