//! Frames without a window: the same renderer into a texture of its own, read back as bytes.
//!
//! For films, screenshots and tests. One thread; each frame waits for the graphics device.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{FrameState, Renderer, ShaderError, VisualsError};

const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8UnormSrgb;

/// A picture that can be drawn again and again, also where the graphics device is lost between two frames.
pub struct Offscreen {
    card: Card,
    size: [u32; 2],
    /// The number of the next frame.
    next: u64,
}

/// What lies on one graphics device.
struct Card {
    device: wgpu::Device,
    queue: wgpu::Queue,
    renderer: Renderer,
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    readback: wgpu::Buffer,
    /// Set by the driver when the device is gone.
    lost: Arc<AtomicBool>,
}

impl Offscreen {
    /// A picture of `width` × `height` pixels, on the best adapter there is; a software one will do.
    pub fn new(width: u32, height: u32) -> Result<Offscreen, VisualsError> {
        Ok(Offscreen { card: Card::new(width, height)?, size: [width, height], next: 0 })
    }

    /// The next frame is the one of this number, as shaders are told; the first is 0 else.
    pub fn count_from(&mut self, frame: u64) {
        self.next = frame;
    }

    /// Draws the state: `width * height * 4` bytes, RGBA row by row from the top, sRGB.
    ///
    /// A device that was lost is replaced by a new one, once a frame: what a field kept from the frame before is lost
    /// with it, all else follows from the state.
    pub fn frame(&mut self, state: &FrameState) -> Result<Vec<u8>, VisualsError> {
        self.card.renderer.count_from(self.next);
        let drawn = match self.card.frame(self.size, state) {
            Err(_) if self.card.lost.load(Ordering::Relaxed) => {
                let before = std::mem::replace(&mut self.card, Card::new(self.size[0], self.size[1])?);
                self.card.renderer.follow(&self.card.device, before.renderer);
                self.card.renderer.count_from(self.next);
                self.card.frame(self.size, state)
            }
            drawn => drawn,
        };
        self.next += 1;
        drawn
    }

    /// Draws the state without reading it back: how long the processor took to hand the frame over, without waiting for
    /// the device, and how many glyphs it has. Returns when the frame is drawn.
    pub fn timed(&mut self, state: &FrameState) -> Result<(std::time::Duration, usize), VisualsError> {
        let card = &mut self.card;
        let since = std::time::Instant::now();
        let mut encoder = card.device.create_command_encoder(&Default::default());
        card.renderer.draw(&card.device, &card.queue, &mut encoder, &card.view, self.size, state);
        let commands = encoder.finish();
        let took = since.elapsed();
        card.queue.submit([commands]);
        let failed = |e: wgpu::PollError| VisualsError::Device(e.to_string());
        card.device.poll(wgpu::PollType::wait_indefinitely()).map_err(failed)?;
        Ok((took, card.renderer.glyphs()))
    }

    /// Why the shader that the state last brought was refused; told once.
    pub fn take_fault(&mut self) -> Option<ShaderError> {
        self.card.renderer.take_fault()
    }
}

impl Card {
    fn new(width: u32, height: u32) -> Result<Card, VisualsError> {
        let adapter = super::displays::adapter()?;
        let max = adapter.limits().max_texture_dimension_2d.min(8192);
        if !(1..=max).contains(&width) || !(1..=max).contains(&height) {
            return Err(VisualsError::Size { width, height, max });
        }
        let software = adapter.get_info().device_type == wgpu::DeviceType::Cpu;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))
            .map_err(|e| VisualsError::Device(e.to_string()))?;
        let lost = Arc::new(AtomicBool::new(false));
        let (told, noted) = (lost.clone(), lost.clone());
        device.set_device_lost_callback(move |_, _| told.store(true, Ordering::Relaxed));
        // A lost device also fails whatever is asked of it; any other error is a fault of ours, and ends the frame loudly.
        device.on_uncaptured_error(Arc::new(move |error| {
            assert!(noted.load(Ordering::Relaxed), "the graphics device refused a frame: {error}");
        }));
        let renderer = Renderer::new(&device, &queue, FORMAT, 1, software);
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("frame"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let readback = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: u64::from(padded(width) * height),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let view = texture.create_view(&Default::default());
        Ok(Card { device, queue, renderer, texture, view, readback, lost })
    }

    fn frame(&mut self, size: [u32; 2], state: &FrameState) -> Result<Vec<u8>, VisualsError> {
        let [width, height] = size;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        self.renderer.draw(&self.device, &self.queue, &mut encoder, &self.view, size, state);
        encoder.copy_texture_to_buffer(
            self.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &self.readback,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(padded(width)),
                    rows_per_image: Some(height),
                },
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.queue.submit([encoder.finish()]);
        let (said, heard) = std::sync::mpsc::channel();
        self.readback.map_async(wgpu::MapMode::Read, .., move |result| {
            let _ = said.send(result);
        });
        let failed = |e: &dyn std::fmt::Display| VisualsError::Device(e.to_string());
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| failed(&e))?;
        heard.recv().map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
        let mut pixels = Vec::with_capacity((width * height * 4) as usize);
        for row in self.readback.get_mapped_range(..).chunks_exact(padded(width) as usize) {
            pixels.extend_from_slice(&row[..width as usize * 4]);
        }
        self.readback.unmap();
        Ok(pixels)
    }
}

/// Bytes of a row in the readback buffer: wgpu copies rows of whole 256 bytes.
pub(super) fn padded(width: u32) -> u32 {
    (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}

/// Writes RGBA pixels as a PNG file.
pub fn write_png(path: &Path, width: u32, height: u32, rgba: &[u8]) -> Result<(), VisualsError> {
    encode(std::fs::File::create(path), path, width, height, rgba)
}

/// The same into a file that was not there before.
pub fn write_new_png(path: &Path, width: u32, height: u32, rgba: &[u8]) -> Result<(), VisualsError> {
    encode(std::fs::File::create_new(path), path, width, height, rgba)
}

fn encode(
    file: std::io::Result<std::fs::File>,
    path: &Path,
    width: u32,
    height: u32,
    rgba: &[u8],
) -> Result<(), VisualsError> {
    let error = |source| VisualsError::Png { path: path.to_path_buf(), source };
    let file = file.map_err(|e| error(e.into()))?;
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header().map_err(error)?;
    writer.write_image_data(rgba).map_err(error)?;
    writer.finish().map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Event, Stamped, Token};

    const SIZE: [u32; 2] = [640, 360];

    /// A machine without any Vulkan driver cannot run these; they say so and pass.
    fn offscreen() -> Option<Offscreen> {
        match Offscreen::new(SIZE[0], SIZE[1]) {
            Ok(offscreen) => Some(offscreen),
            Err(e) => {
                eprintln!("skipped: {e}");
                None
            }
        }
    }

    fn token(index: u32, text: &str, p: f32) -> Event {
        Event::Token(Token {
            id: 0,
            text: text.into(),
            index,
            latency_ms: 50.0,
            p,
            surprise_bits: -p.log2(),
            entropy_bits: 1.0,
            context_fill: 0.1,
            inside: Default::default(),
            top: vec![],
        })
    }

    fn state(events: &[Event], t_s: f32) -> FrameState {
        let mut state = FrameState::new();
        for (seq, event) in (0..).zip(events) {
            state.apply(&Stamped { seq, t_ns: 0, event: event.clone() });
        }
        state.advance((t_s * 1e9) as u64);
        state
    }

    /// Mean light of all pixels, 0..=255.
    fn mean(pixels: &[u8]) -> f32 {
        let sum: u64 = pixels.chunks(4).map(|p| p[..3].iter().map(|v| u64::from(*v)).sum::<u64>()).sum();
        sum as f32 / (pixels.len() / 4 * 3) as f32
    }

    fn bright(pixels: &[u8]) -> usize {
        pixels.chunks(4).filter(|p| p[..3].iter().all(|v| *v > 120)).count()
    }

    #[test]
    fn words_are_seen_over_a_field_that_is_dark_and_not_black() {
        let Some(mut offscreen) = offscreen() else { return };
        let mut hidden = state(&[], 2.0);
        hidden.ended_ns = Some(0); // no caret
        let empty = offscreen.frame(&hidden).unwrap();
        assert_eq!(empty.len(), (SIZE[0] * SIZE[1] * 4) as usize);
        assert!(mean(&empty) > 1.0 && mean(&empty) < 60.0, "{}", mean(&empty));
        let words = offscreen.frame(&state(&[token(0, "moon 月亮", 0.9)], 2.0)).unwrap();
        assert!(bright(&words) > bright(&empty) + 300, "{} {}", bright(&words), bright(&empty));
        let sure = bright(&offscreen.frame(&state(&[token(0, "mmmmmm", 0.99)], 2.0)).unwrap());
        let leap = bright(&offscreen.frame(&state(&[token(0, "mmmmmm", 0.0001)], 2.0)).unwrap());
        assert!(sure > leap, "{sure} {leap}");
    }

    #[test]
    fn the_same_events_make_the_same_pixels() {
        let Some(mut offscreen) = offscreen() else { return };
        let events = [token(0, "the moon", 0.5), token(1, " 春江", 0.01)];
        let first = offscreen.frame(&state(&events, 1.3)).unwrap();
        offscreen.frame(&state(&[], 9.0)).unwrap();
        assert!(offscreen.frame(&state(&events, 1.3)).unwrap() == first);
        assert!(offscreen.frame(&state(&events, 1.4)).unwrap() != first);
    }

    #[test]
    fn a_lost_device_costs_a_new_one_and_no_frame() {
        let Some(mut offscreen) = offscreen() else { return };
        let state = state(&[token(0, "the moon", 0.5)], 1.3);
        let before = offscreen.frame(&state).unwrap();
        offscreen.card.device.destroy();
        assert!(offscreen.frame(&state).unwrap() == before);
        assert!(!offscreen.card.lost.load(Ordering::Relaxed));
        assert!(offscreen.frame(&state).unwrap() == before);
    }

    #[test]
    fn a_new_device_draws_the_shader_that_ran_and_tells_no_fault_twice() {
        let Some(mut offscreen) = offscreen() else { return };
        let shader = |text: &str| state(&[Event::Shader { name: "mine".into(), text: text.into() }], 1.0);
        offscreen.frame(&shader("fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(9.0, 0.0, 0.0); }")).unwrap();
        let bad = shader("nonsense");
        let before = offscreen.frame(&bad).unwrap();
        assert!(offscreen.take_fault().is_some());
        offscreen.card.device.destroy();
        assert!(offscreen.frame(&bad).unwrap() == before);
        assert_eq!(offscreen.take_fault(), None);
    }

    #[test]
    fn the_plate_changes_its_corner_and_nothing_else() {
        let Some(mut offscreen) = offscreen() else { return };
        let card = Event::Card { text: "A voice\n3 M parameters".into() };
        let on = |value| Event::Param { id: crate::score::ParamId::Plate, value, by: crate::score::Hand::Patch };
        let mut frame = |value| {
            // The caret of a show that has ended does not move.
            let end = Event::End { reason: String::new() };
            offscreen.frame(&state(&[card.clone(), on(value), end], 9.0)).unwrap()
        };
        let (without, with) = (frame(0.0), frame(1.0));
        let differ = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| {
            let places = y.flat_map(|y| x.clone().map(move |x| (y * SIZE[0] as usize + x) * 4));
            places.filter(|at| with[*at..at + 4] != without[*at..at + 4]).count()
        };
        assert!(differ(320..640, 0..120) > 2000, "{}", differ(320..640, 0..120));
        assert_eq!(differ(0..300, 0..360) + differ(300..640, 180..360), 0);
    }

    #[test]
    fn a_bad_shader_is_refused_with_its_line_and_the_last_good_one_runs_on() {
        let Some(mut offscreen) = offscreen() else { return };
        let red = "// a comment\nfn field(uv: vec2<f32>) -> vec3<f32> {\n  return vec3<f32>(1.0, 0.0, 0.0);\n}\n";
        let shader = |text: &str| state(&[Event::Shader { name: "mine".into(), text: text.into() }], 1.0);
        let corner = |offscreen: &mut Offscreen, text: &str| offscreen.frame(&shader(text)).unwrap()[..3].to_vec();
        let before = corner(&mut offscreen, red);
        assert!(before[0] > 10 && before[1] < 5 && before[2] < 5, "{before:?}");
        for (text, line, says) in [
            (red.replace("return", "retrun"), 3, ""),
            (red.replace("1.0, 0.0", "u.no_such_signal, 0.0"), 3, "no_such_signal"),
            (red.replace("1.0, 0.0, 0.0", "1u, 2.0"), 3, ""),
            (red.replace("fn field", "fn feild"), 1, "fn field"),
            (String::new(), 1, "fn field"),
            (red.replace('}', ""), 4, ""),
        ] {
            assert_eq!(corner(&mut offscreen, &text), before);
            let error = offscreen.take_fault().unwrap();
            assert_eq!(error.line, line, "{error} in {text}");
            assert!(error.message.contains(says) && !error.message.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_event_swaps_the_shader_and_its_fault_is_told_once() {
        let Some(mut offscreen) = offscreen() else { return };
        let shader = |text: &str| Event::Shader { name: "mine".into(), text: text.into() };
        let bad = state(&[shader("nonsense")], 1.0);
        offscreen.frame(&bad).unwrap();
        assert_eq!(offscreen.take_fault().unwrap().name, "mine");
        offscreen.frame(&bad).unwrap();
        assert_eq!(offscreen.take_fault(), None);
        let plain = offscreen.frame(&state(&[], 1.0)).unwrap();
        let green = "fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(0.0, 9.0, 0.0); }";
        let swapped = offscreen.frame(&state(&[shader(green)], 1.0)).unwrap();
        assert!(swapped[1] > plain[1] + 10 && offscreen.take_fault().is_none());
    }

    #[test]
    fn every_shader_inside_the_program_compiles() {
        let Some(mut offscreen) = offscreen() else { return };
        for name in crate::visuals::shader::known(&[]) {
            let text = crate::visuals::shader::builtin(&name).unwrap();
            offscreen.frame(&state(&[Event::Shader { name: name.clone(), text: text.into() }], 1.0)).unwrap();
            assert_eq!(offscreen.take_fault(), None, "{name}");
        }
    }

    #[test]
    fn every_scene_is_drawn() {
        let Some(mut offscreen) = offscreen() else { return };
        let mut seen = Vec::new();
        for scene in 0..crate::visuals::scene::SCENES.len() {
            let chosen = Event::Param {
                id: crate::score::ParamId::StageScene,
                value: scene as f32,
                by: crate::score::Hand::Key,
            };
            let state = state(&[chosen, token(0, "moon", 0.9)], 1.0);
            seen.push(offscreen.frame(&state).unwrap());
        }
        for (i, frame) in seen.iter().enumerate() {
            assert!(seen[..i].iter().all(|other| other != frame) || i == crate::visuals::scene::FAULT, "{i}");
        }
    }

    #[test]
    fn a_width_that_is_no_multiple_of_64_is_read_back_whole() {
        let Ok(mut odd) = Offscreen::new(333, 17) else { return eprintln!("skipped: no adapter") };
        assert_eq!(odd.frame(&state(&[], 1.0)).unwrap().len(), 333 * 17 * 4);
        assert!(matches!(Offscreen::new(0, 10), Err(VisualsError::Size { .. })));
        assert!(matches!(Offscreen::new(10, 100_000), Err(VisualsError::Size { .. })));
    }

    #[test]
    fn a_picture_is_written_and_a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write_png(&path, 2, 1, &[1, 2, 3, 255, 4, 5, 6, 255]).unwrap();
        let mut reader =
            png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap())).read_info().unwrap();
        let mut pixels = [0; 8];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, [1, 2, 3, 255, 4, 5, 6, 255]);
        let error = write_png(&folder.path().join("no/a.png"), 1, 1, &[0; 4]).unwrap_err();
        assert!(error.to_string().contains("no/a.png"));
    }
}
