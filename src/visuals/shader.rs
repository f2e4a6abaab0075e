//! Shaders: finding them by name, compiling them beside the one that runs, and watching their files.
//!
//! A field shader is a WGSL file that defines `fn field(uv: vec2<f32>) -> vec3<f32>`: the light behind the words at
//! `uv` (0,0 top left to 1,1 bottom right), in linear RGB. It may read the struct `u` of [`super::uniforms`]. Finding
//! and watching touch files and belong to the hands thread or the session; compiling belongs to the renderer.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::uniforms;

/// Shaders inside the program.
const BUILTIN: [(&str, &str); 2] =
    [("field", include_str!("../../shaders/field.wgsl")), ("ink", include_str!("../../shaders/ink.wgsl"))];

/// The shader of a patch that names none.
pub const DEFAULT: &str = "field";

/// What stands after the user's text. It takes the field's light down to where words stay readable: at
/// `stage.background` 0.5 no brighter than a luminance of 0.014, so that text of luminance 0.4 keeps a contrast of 7:1,
/// and only from there up freely. The last term hides the steps of 8 bits in the dark.
const POSTLUDE: &str = include_str!("field_frame.wgsl");

/// A shader's source.
#[derive(Clone, Debug, PartialEq)]
pub struct Shader {
    pub name: String,
    pub text: String,
    /// The file it was read from; `None` for one inside the program.
    pub path: Option<PathBuf>,
}

/// Why there is no such shader.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error("there is no shader {name:?}{nearest}; shaders are NAME.wgsl in {folders} or one of: {known}")]
    Unknown { name: String, nearest: String, folders: String, known: String },
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
}

/// Why a shader was refused; the one before it runs on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("shader {name} line {line}: {message}")]
pub struct ShaderError {
    pub name: String,
    /// Counts from 1 in the user's own text.
    pub line: u32,
    pub message: String,
}

/// The text of a shader inside the program.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Finds a shader by its name, with or without `.wgsl`: a file in one of the folders comes before one inside the
/// program, an earlier folder before a later.
pub fn find(name: &str, folders: &[PathBuf]) -> Result<Shader, FindError> {
    let name = name.strip_suffix(".wgsl").unwrap_or(name);
    if let Some(path) = file(name, folders) {
        return read(name, path);
    }
    if let Some(text) = builtin(name) {
        return Ok(Shader { name: name.to_string(), text: text.to_string(), path: None });
    }
    let known = known(folders);
    let nearest = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(k, name), k))
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .min();
    Err(FindError::Unknown {
        name: name.to_string(),
        nearest: nearest.map_or(String::new(), |(_, k)| format!(", did you mean {k:?}?")),
        folders: folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", "),
        known: known.join(", "),
    })
}

/// All names that [`find`] would find, in alphabetical order.
pub fn known(folders: &[PathBuf]) -> Vec<String> {
    let on_disk = folders.iter().filter_map(|f| std::fs::read_dir(f).ok()).flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        (path.extension()? == "wgsl").then(|| path.file_stem().map(|s| s.to_string_lossy().into_owned()))?
    });
    let mut names: Vec<String> = BUILTIN.iter().map(|(name, _)| name.to_string()).chain(on_disk).collect();
    names.sort();
    names.dedup();
    names
}

fn file(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let file = format!("{name}.wgsl");
    // A name with a path in it is not a name.
    let plain = Path::new(&file).file_name().is_some_and(|f| f.to_str() == Some(&file));
    folders.iter().filter(|_| plain).map(|folder| folder.join(&file)).find(|path| path.is_file())
}

fn read(name: &str, path: PathBuf) -> Result<Shader, FindError> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Shader { name: name.to_string(), text, path: Some(path) }),
        Err(source) => Err(FindError::Unreadable { path, source }),
    }
}

/// Looks whether a shader's file has changed since the last look; also when a file appears that comes before the one
/// in use.
#[derive(Debug)]
pub struct Watch {
    name: String,
    folders: Vec<PathBuf>,
    seen: Option<(PathBuf, SystemTime, u64)>,
}

impl Watch {
    /// Watches the shader from how its file stands now.
    pub fn new(name: &str, folders: &[PathBuf]) -> Watch {
        let name = name.strip_suffix(".wgsl").unwrap_or(name).to_string();
        let mut watch = Watch { name, folders: folders.to_vec(), seen: None };
        watch.seen = watch.look();
        watch
    }

    /// The shader's new text if its file changed since the last call. A file that went away changes nothing: what was
    /// read of it runs on. Costs one `stat` per folder.
    pub fn changed(&mut self) -> Option<Result<Shader, FindError>> {
        let now = self.look()?;
        if self.seen.as_ref() == Some(&now) {
            return None;
        }
        let path = now.0.clone();
        self.seen = Some(now);
        Some(read(&self.name, path))
    }

    fn look(&self) -> Option<(PathBuf, SystemTime, u64)> {
        let path = file(&self.name, &self.folders)?;
        let meta = path.metadata().ok()?;
        Some((path, meta.modified().ok()?, meta.len()))
    }
}

/// Compiles a field shader for a target of `format`, without touching what runs: prelude, user's text, postlude.
pub(super) fn compile(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    samples: u32,
    name: &str,
    text: &str,
) -> Result<wgpu::RenderPipeline, ShaderError> {
    let prelude = uniforms::prelude();
    let source = format!("{prelude}{text}\n{}{POSTLUDE}", encoding(format));
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(name),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(name),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("xiao_vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState { count: samples, ..Default::default() },
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("xiao_fragment"),
            compilation_options: Default::default(),
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    let Some(error) = pollster::block_on(scope.pop()) else {
        return Ok(pipeline);
    };
    let info = pollster::block_on(module.get_compilation_info());
    let found = info.messages.iter().find(|m| m.message_type == wgpu::CompilationMessageType::Error);
    let (line, message) = match found {
        Some(found) => (found.location.map(|l| l.line_number), one_line(&found.message)),
        None => (None, one_line(&error.to_string())),
    };
    Err(place(name, text, prelude.lines().count() as u32, line, message))
}

/// Whether the shader must encode its light itself: a target that is neither sRGB nor floating point stores it as is.
pub(super) fn encoding(format: wgpu::TextureFormat) -> &'static str {
    use wgpu::TextureFormat::{Rgba16Float, Rgba32Float};
    match format.is_srgb() || matches!(format, Rgba16Float | Rgba32Float) {
        true => "const xiao_encode: bool = false;\n",
        false => "const xiao_encode: bool = true;\n",
    }
}

/// Turns a line of the whole source into one of the user's text.
fn place(name: &str, text: &str, prelude_lines: u32, line: Option<u32>, message: String) -> ShaderError {
    let lines = (text.lines().count() as u32).max(1);
    let line = line.unwrap_or(prelude_lines + 1).saturating_sub(prelude_lines);
    let message = if line > lines || message.contains("`field`") || message.contains("'field'") {
        format!("{message}; the file must define `fn field(uv: vec2<f32>) -> vec3<f32>`")
    } else {
        message
    };
    ShaderError { name: name.to_string(), line: line.clamp(1, lines), message }
}

/// The first lines of a compiler's message that say something, as one.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).filter(|l| {
        !l.is_empty() && !l.starts_with(['│', '┌', '|', '=']) && !l.starts_with(|c: char| c.is_ascii_digit())
    });
    let line = lines.take(3).collect::<Vec<_>>().join(" ");
    // naga begins with the shader's name, which the error says anyway.
    let line = line.split_once(" parsing error: ").map_or(line.as_str(), |(_, rest)| rest);
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_before_the_builtin_one() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_path_buf()];
        assert_eq!(find("field.wgsl", &folders).unwrap().path, None);
        std::fs::write(folder.path().join("field.wgsl"), "mine").unwrap();
        let found = find("field", &folders).unwrap();
        assert_eq!((found.text.as_str(), found.path.is_some()), ("mine", true));
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bamboo.wgsl"), "").unwrap();
        let error = |name| find(name, &[folder.path().to_path_buf()]).unwrap_err().to_string();
        assert!(error("feild").contains("did you mean \"field\"?"), "{}", error("feild"));
        assert!(error("bambo").contains("did you mean \"bamboo\"?"));
        assert!(!error("quite-different").contains("did you mean"));
        assert!(error("../secret").contains("there is no shader"));
    }

    #[test]
    fn a_watch_sees_changes_and_files_that_appear() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("field.wgsl");
        let mut watch = Watch::new("field", &[folder.path().to_path_buf()]);
        assert!(watch.changed().is_none());
        std::fs::write(&path, "one").unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().text, "one");
        assert!(watch.changed().is_none());
        std::fs::write(&path, "longer").unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().text, "longer");
        std::fs::remove_file(&path).unwrap();
        assert!(watch.changed().is_none());
    }

    #[test]
    fn lines_count_in_the_users_own_text() {
        let at = |line| place("x", "a\nb\nc", 50, line, "wrong".into());
        assert_eq!(at(Some(52)).line, 2);
        assert_eq!(at(None).line, 1);
        let beyond = at(Some(70));
        assert_eq!(beyond.line, 3);
        assert!(beyond.message.contains("fn field"));
    }
}
