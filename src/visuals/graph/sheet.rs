//! A sheet: glyphs on a ground and nothing else, for the performer's view. Belongs to the thread that draws.

use super::letters::Letters;
use crate::visuals::desk::{self, Seen};
use crate::visuals::scene::Glyph;
use crate::visuals::text::Typesetter;

/// The renderer of one target that has only words.
pub struct Sheet {
    letters: Letters,
    glyphs: Vec<Glyph>,
    typesetter: Typesetter,
}

impl Sheet {
    /// For targets of this format and number of samples.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, samples: u32) -> Sheet {
        let letters = Letters::new(device, queue, format, samples);
        Sheet { letters, glyphs: Vec::new(), typesetter: Typesetter::default() }
    }

    /// Paints the view for a target of `size` pixels and uploads it.
    pub fn prepare(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, size: [u32; 2], seen: &Seen) {
        desk::paint(seen, size, &mut self.glyphs, &mut self.typesetter);
        self.letters.upload(device, queue, &self.glyphs, size);
    }

    /// Draws it into the target.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'_>) {
        self.letters.draw_over(pass, 0);
    }
}
