//! A picture of the stage, as it was just drawn: copied on the graphics card, written on a thread of its own, so that no
//! frame waits for it.

use std::path::{Path, PathBuf};

use wgpu::TextureFormat;

use crate::score::{Bus, Event};
use crate::visuals::offscreen::{padded, write_new_png};

/// Copies what the encoder has drawn into the texture; the file is written after the frame was submitted.
pub fn take(
    device: &wgpu::Device,
    encoder: &mut wgpu::CommandEncoder,
    texture: &wgpu::Texture,
    path: PathBuf,
    bus: Option<Bus>,
) {
    let (width, height) = (texture.width(), texture.height());
    let swapped = match texture.format() {
        TextureFormat::Rgba8UnormSrgb => false,
        TextureFormat::Bgra8UnormSrgb => true,
        other => return tell(&bus, Err(format!("the window's format {other:?} cannot be written"))),
    };
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("picture"),
        size: u64::from(padded(width)) * u64::from(height),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let layout =
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(padded(width)), rows_per_image: Some(height) };
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let into = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), into, size);
    let mapped = buffer.clone();
    encoder.map_buffer_on_submit(&buffer, wgpu::MapMode::Read, .., move |result| {
        if let Err(error) = result {
            return tell(&bus, Err(error.to_string()));
        }
        let write = move || tell(&bus, write(&mapped, [width, height], swapped, &path));
        // Without a thread there is no picture, and the closure is gone with its bus.
        let _ = std::thread::Builder::new().name("xiao-picture".into()).spawn(write);
    });
}

fn write(buffer: &wgpu::Buffer, [width, height]: [u32; 2], swapped: bool, path: &Path) -> Result<PathBuf, String> {
    let mut pixels = Vec::with_capacity((width * height * 4) as usize);
    for row in buffer.get_mapped_range(..).chunks_exact(padded(width) as usize) {
        pixels.extend_from_slice(&row[..width as usize * 4]);
    }
    for pixel in pixels.chunks_exact_mut(4) {
        if swapped {
            pixel.swap(0, 2);
        }
        pixel[3] = 255;
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    }
    write_new_png(path, width, height, &pixels).map_err(|e| e.to_string())?;
    Ok(path.to_path_buf())
}

fn tell(bus: &Option<Bus>, written: Result<PathBuf, String>) {
    let Some(bus) = bus else { return };
    bus.emit(match written {
        Ok(path) => Event::Notice { text: format!("the picture is in {}", path.display()) },
        Err(what) => Event::Fault { place: "picture".into(), what, remedy: "the show goes on without it".into() },
    });
}
