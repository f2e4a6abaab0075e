//! The frames of both windows: the renderers, made for whatever the window's surface is, and what they draw.
//!
//! On bevy's render thread, behind the window's lock.

use nannou::prelude::Frame;

use super::picture::{self, Asked, Pending};
use super::{Inner, Kept, lock};
use crate::score::Event;
use crate::score::help::with_own;
use crate::visuals::Renderer;
use crate::visuals::desk::{self, Seen};
use crate::visuals::graph::Sheet;
use crate::visuals::shader::ShaderError;

/// What is drawn with, and the format and samples it was made for.
pub struct Target {
    renderer: Option<(Renderer, wgpu::TextureFormat, u32)>,
    sheet: Option<(Sheet, wgpu::TextureFormat, u32)>,
    /// Why a shader was refused, and the text that the state had then.
    refused: Option<(ShaderError, String)>,
    /// Pictures to take of the next frame, and those that are being written.
    pub pictures: Vec<Asked>,
    pub pending: Pending,
}

impl Target {
    /// Nothing yet: what it draws on is known with the first frame.
    pub fn new(pending: Pending) -> Target {
        Target { renderer: None, sheet: None, refused: None, pictures: Vec::new(), pending }
    }
}

/// Draws the stage as it is now, and takes the pictures that were asked for.
pub fn stage(inner: &mut Inner, frame: &Frame) {
    let mut kept = lock(&inner.kept);
    let state = &mut kept.state;
    state.hear(&inner.options.spectrum.read());
    state.advance(inner.options.clock.now_ns());

    let Some(queue) = inner.queue.as_ref() else { return };
    let (format, samples) = (frame.texture_format(), frame.resolve_target_msaa_samples());
    let target = &mut inner.target;
    if target.renderer.as_ref().is_none_or(|(_, f, s)| (*f, *s) != (format, samples)) {
        let renderer = Renderer::new(frame.device(), queue, format, samples, inner.software).watched();
        target.renderer = Some((renderer, format, samples));
    }
    let Some((renderer, ..)) = target.renderer.as_mut() else { return };
    renderer.prepare(frame.device(), queue, frame.texture_size(), state);
    {
        let attachment = frame.color_attachment(wgpu::LoadOp::Clear(wgpu::Color::BLACK));
        let mut encoder = frame.command_encoder();
        renderer.encode(frame.device(), &mut encoder);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("stage"),
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        renderer.paint(&mut pass);
    }
    for asked in target.pictures.drain(..) {
        let mut encoder = frame.command_encoder();
        picture::take(frame.device(), &mut encoder, frame.texture(), asked);
    }
    let Some(fault) = renderer.take_fault() else { return };
    if inner.options.live {
        inner.options.bus.emit(Event::Fault {
            place: "shader".to_string(),
            what: format!("{} line {}: {}", fault.name, fault.line, fault.message),
            remedy: fault.instead.to_string(),
        });
    }
    let text = state.shader().map_or_else(String::new, |(_, text)| text.to_string());
    target.refused = Some((fault, text));
}

/// Draws the performer's view.
pub fn view(inner: &mut Inner, frame: &Frame) {
    let Some(queue) = inner.queue.as_ref() else { return };
    let (format, samples) = (frame.texture_format(), frame.resolve_target_msaa_samples());
    let target = &mut inner.target;
    if target.sheet.as_ref().is_none_or(|(_, f, s)| (*f, *s) != (format, samples)) {
        target.sheet = Some((Sheet::new(frame.device(), queue, format, samples), format, samples));
    }
    let Some((sheet, ..)) = target.sheet.as_mut() else { return };
    let mut kept = lock(&inner.kept);
    let Kept { state, desk } = &mut *kept;
    if let Some(width) = desk::page_width(frame.texture_size()) {
        // So that old lines can go without moving the others.
        desk.page.set_width(width);
    }
    let now = state.shader().map(|(_, text)| text);
    let program = target.renderer.as_ref().and_then(|(renderer, ..)| renderer.program());
    let refused = target.refused.as_ref().filter(|(_, text)| now == Some(text)).map(|(error, _)| error);
    desk.shown = desk::shown(state, program, refused);
    let help = desk.help.map(|_| with_own(&inner.options.help, &desk.own_keys)).unwrap_or_default();
    let seen = Seen { desk, palette: state.palette(), help: &help };
    sheet.prepare(frame.device(), queue, frame.texture_size(), &seen);
    let attachment = frame.color_attachment(wgpu::LoadOp::Clear(wgpu::Color::BLACK));
    let mut encoder = frame.command_encoder();
    let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some("view"),
        color_attachments: &[Some(attachment)],
        ..Default::default()
    });
    sheet.paint(&mut pass);
}
