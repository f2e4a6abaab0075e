//! A picture of the stage, as it was just drawn: copied on the graphics card, written on a thread of its own, so that no
//! frame waits for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wgpu::TextureFormat;

use crate::score::{Bus, Event};
use crate::visuals::offscreen::{padded, write_new_png};

/// The pictures that were asked for and are not written yet. A clone counts with the others.
#[derive(Clone, Default)]
pub struct Pending(Arc<AtomicUsize>);

/// One of them, until it is told what became of it; one that is dropped before did not come.
pub struct Asked {
    path: PathBuf,
    bus: Bus,
    pending: Pending,
    told: bool,
}

impl Asked {
    /// Says that it is there, or why not.
    fn tell(mut self, written: Result<(), String>) {
        self.told = true;
        self.bus.emit(match written {
            Ok(()) => Event::Notice { text: format!("the picture is in {}", self.path.display()) },
            Err(what) => fault(what),
        });
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.told {
            self.bus.emit(fault(format!("{} did not come before the window's end", self.path.display())));
        }
        self.pending.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn fault(what: String) -> Event {
    Event::Fault { place: "picture".into(), what, remedy: "the show goes on without it".into() }
}

impl Pending {
    /// One more.
    pub fn ask(&self, path: PathBuf, bus: &Bus) -> Asked {
        self.0.fetch_add(1, Ordering::AcqRel);
        Asked { path, bus: bus.clone(), pending: self.clone(), told: false }
    }

    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// Waits until it is known of all what became of them, so long at most, and says how many are still open.
    pub fn finish(&self, patience: Duration, bus: &Bus) {
        let deadline = Instant::now() + patience;
        while !self.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let open = self.0.load(Ordering::Acquire);
        if open > 0 {
            bus.emit(fault(format!("pictures that may not be there: {open}")));
        }
    }
}

/// Copies what the encoder has drawn into the texture; the file is written after the frame was submitted.
pub fn take(device: &wgpu::Device, encoder: &mut wgpu::CommandEncoder, texture: &wgpu::Texture, asked: Asked) {
    let (width, height) = (texture.width(), texture.height());
    let swapped = match texture.format() {
        TextureFormat::Rgba8UnormSrgb => false,
        TextureFormat::Bgra8UnormSrgb => true,
        other => return asked.tell(Err(format!("the window's format {other:?} cannot be written"))),
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
            return asked.tell(Err(error.to_string()));
        }
        let write = move || {
            let written = write(&mapped, [width, height], swapped, &asked.path);
            asked.tell(written);
        };
        // Without a thread there is no picture, which its end says.
        let _ = std::thread::Builder::new().name("xiao-picture".into()).spawn(write);
    });
}

fn write(buffer: &wgpu::Buffer, [width, height]: [u32; 2], swapped: bool, path: &Path) -> Result<(), String> {
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
    keep(path, width, height, &pixels)
}

/// Writes beside the name and takes the name when the file is whole: who ends in between leaves no half of a picture.
fn keep(path: &Path, width: u32, height: u32, pixels: &[u8]) -> Result<(), String> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let kept =
        write_new_png(&part, width, height, pixels).map_err(|e| e.to_string()).and_then(|()| match path.exists() {
            true => Err(format!("{} is there already", path.display())),
            false => std::fs::rename(&part, path).map_err(|e| format!("cannot write {}: {e}", path.display())),
        });
    if kept.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let files = || {
            let names = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
            names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
        };
        let path = folder.path().join("001.png");
        keep(&path, 2, 1, &[255; 8]).unwrap();
        assert_eq!(files(), ["001.png"]);
        let before = std::fs::read(&path).unwrap();
        assert!(keep(&path, 1, 1, &[0; 4]).unwrap_err().contains("there already"));
        assert_eq!((files().len(), std::fs::read(&path).unwrap()), (1, before));
        // Pixels that do not make a picture.
        assert!(keep(&folder.path().join("002.png"), 2, 2, &[0; 4]).is_err());
        assert_eq!(files(), ["001.png"]);
    }

    #[test]
    fn the_end_waits_for_pictures_and_says_which_did_not_come() {
        let bus = Bus::new(crate::score::Clock::at_rest());
        let events = bus.subscribe("test", crate::score::Policy::Whole, 9);
        let faults = || {
            let mut heard = Vec::new();
            events.drain(&mut heard);
            heard.iter().filter(|stamped| matches!(stamped.event, Event::Fault { .. })).count()
        };
        let pending = Pending::default();
        let (first, second) = (pending.ask("1.png".into(), &bus), pending.ask("2.png".into(), &bus));
        first.tell(Ok(()));
        pending.finish(Duration::ZERO, &bus);
        assert_eq!((pending.is_empty(), faults()), (false, 1), "one may still come");
        drop(second);
        assert_eq!((pending.is_empty(), faults()), (true, 1), "it did not");
        pending.finish(Duration::ZERO, &bus);
        assert_eq!(faults(), 0);
    }
}
