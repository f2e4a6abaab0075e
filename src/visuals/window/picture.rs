//! A picture of the stage, as it was just drawn: copied on the graphics card, written on a thread of its own, so that no
//! frame waits for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wgpu::TextureFormat;

use super::lock;
use crate::score::{Bus, Event};
use crate::visuals::offscreen::{padded, write_new_png};

/// The pictures that are on their way to their files. A clone counts with the others.
#[derive(Clone, Default)]
pub struct Pending {
    count: Arc<AtomicUsize>,
    /// The graphics device, which has to be asked for what it has copied.
    device: Arc<Mutex<Option<wgpu::Device>>>,
}

/// One of them, until it is dropped.
struct OnItsWay(Arc<AtomicUsize>);

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Pending {
    fn begin(&self, device: &wgpu::Device) -> OnItsWay {
        *lock(&self.device) = Some(device.clone());
        self.count.fetch_add(1, Ordering::AcqRel);
        OnItsWay(self.count.clone())
    }

    /// Waits until all are written, so long at most; how many are not.
    pub fn finish(&self, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        loop {
            let left = self.count.load(Ordering::Acquire);
            if left == 0 || Instant::now() >= deadline {
                return left;
            }
            if let Some(device) = &*lock(&self.device) {
                // A device that is lost answers all who wait; there is nothing to do about it.
                let _ = device.poll(wgpu::PollType::Poll);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Copies what the encoder has drawn into the texture; the file is written after the frame was submitted.
pub fn take(
    device: &wgpu::Device,
    encoder: &mut wgpu::CommandEncoder,
    texture: &wgpu::Texture,
    path: PathBuf,
    bus: Bus,
    pending: &Pending,
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
    let (mapped, on_its_way) = (buffer.clone(), pending.begin(device));
    encoder.map_buffer_on_submit(&buffer, wgpu::MapMode::Read, .., move |result| {
        if let Err(error) = result {
            return tell(&bus, Err(error.to_string()));
        }
        let write = move || {
            tell(&bus, write(&mapped, [width, height], swapped, &path));
            drop(on_its_way);
        };
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
    keep(path, width, height, &pixels)?;
    Ok(path.to_path_buf())
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

/// Says of pictures that were asked for and did not come before the end.
pub fn missed(bus: &Bus, count: usize) {
    if count > 0 {
        tell(bus, Err(format!("{count} of the pictures did not come before the window's end")));
    }
}

fn tell(bus: &Bus, written: Result<PathBuf, String>) {
    bus.emit(match written {
        Ok(path) => Event::Notice { text: format!("the picture is in {}", path.display()) },
        Err(what) => Event::Fault { place: "picture".into(), what, remedy: "the show goes on without it".into() },
    });
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
    fn the_end_waits_for_pictures_and_not_for_ever() {
        let pending = Pending::default();
        assert_eq!(pending.finish(Duration::ZERO), 0);
        pending.count.fetch_add(1, Ordering::AcqRel);
        assert_eq!(pending.finish(Duration::ZERO), 1);
        drop(OnItsWay(pending.count.clone()));
        assert_eq!(pending.finish(Duration::ZERO), 0);
    }
}
