//! The stage: one renderer on plain wgpu, shared by a nannou window (feature `window`) and an offscreen target.
//!
//! [`FrameState`] turns events into what a frame needs and is a function of (patch, events, time) alone: nothing in
//! here but `window` and the watchdog over an artist's shader looks at a clock, and nothing draws lots. So a replay and a film show what was shown.
//! Runs on the main thread (live) or on whichever thread renders frames; it must not emit events except for a shader
//! that failed, and it must not wait for other threads.
//!
//! ```text
//! events ─► FrameState ─► scene (glyphs, in type that `text` has set) ─┐
//!              └────────► uniforms (signals, params, the sound) ───────┼─► graph (Renderer) ─► a window's frame | pixels
//! NAME.wgsl, NAME.fs ─► shader (checked, bounded) ─────────────────────┘
//! ```

pub mod desk;
pub mod displays;
pub mod graph;
pub mod offscreen;
pub mod palette;
pub mod scene;
pub mod shader;
pub mod sheet;
pub mod state;
pub mod text;
pub mod uniforms;
#[cfg(feature = "window")]
pub mod window;

pub use displays::{adapters, display_available, plugged_in};
pub use graph::Renderer;
pub use offscreen::{Offscreen, write_png};
pub use shader::ShaderError;
pub use state::FrameState;
pub use text::{glyphs, page};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum VisualsError {
    /// Neither a graphics card nor a software renderer.
    #[error("no graphics adapter was found; install a Vulkan driver (`mesa-vulkan-drivers` can do without a card)")]
    NoAdapter,
    /// The adapter was found and refused its service.
    #[error("the graphics device failed: {0}; try `--stage terminal`")]
    Device(String),
    #[error("frames of {width}x{height} cannot be drawn here; each side must be 1 to {max} pixels")]
    Size { width: u32, height: u32, max: u32 },
    #[error("cannot write {path}: {source}")]
    Png { path: std::path::PathBuf, source: png::EncodingError },
    /// The window did not open or ended by itself.
    #[error("the window failed: {what}")]
    Window {
        /// In words that an audience may read.
        what: String,
        /// What the driver or a library put it down to, for whoever mends it.
        driver: Option<String>,
    },
}

impl VisualsError {
    /// The window's end in our own words.
    pub fn window(what: impl Into<String>) -> VisualsError {
        VisualsError::Window { what: what.into(), driver: None }
    }

    /// What the driver or a library put it down to.
    pub fn driver(&self) -> Option<&str> {
        match self {
            VisualsError::Window { driver, .. } => driver.as_deref(),
            VisualsError::Device(said) => Some(said),
            _ => None,
        }
    }
}
