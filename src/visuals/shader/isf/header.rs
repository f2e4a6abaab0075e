//! The header of an ISF file: JSON in the comment at its beginning, and how its inputs take the twelve parameters. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::visuals::shader::check::Fault;
use crate::visuals::shader::program::{Input, InputKind};

/// The parameters `shader.1` to `shader.12`.
const SLOTS: usize = 12;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Json {
    #[serde(default)]
    inputs: Vec<JsonInput>,
    #[serde(default)]
    passes: Vec<JsonPass>,
    #[serde(default)]
    imported: Value,
    #[serde(default)]
    persistent_buffers: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct JsonInput {
    name: String,
    #[serde(rename = "TYPE")]
    kind: String,
    label: Option<String>,
    min: Option<Value>,
    max: Option<Value>,
    default: Option<Value>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    labels: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct JsonPass {
    target: Option<String>,
}

/// What a name of an image gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    Black = 0,
    Words = 1,
    Previous = 2,
    Spectrum = 3,
}

#[derive(Debug, Default)]
pub struct Header {
    pub inputs: Vec<Input>,
    pub pictures: Vec<(String, Picture)>,
    pub notes: Vec<String>,
}

/// Where the header's JSON lies in the text: in the first comment, before any code.
pub fn find(text: &str) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let skipped = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        at += rest.len() - skipped.len();
        if skipped.starts_with("//") || skipped.starts_with("#version") {
            at += skipped.find('\n')?;
        } else if let Some(comment) = skipped.strip_prefix("/*") {
            let length = comment.find("*/")?;
            if comment[..length].trim_start().starts_with('{') {
                return Some(at + 2..at + 2 + length);
            }
            at += length + 4;
        } else {
            return None;
        }
    }
}

/// Reads the header and gives each input its parameters, in order.
pub fn read(text: &str) -> Result<Header, Fault> {
    let Some(place) = find(text) else {
        return Err(Fault::new(1, "there is no header of ISF, `/*{ ... }*/`, at the beginning"));
    };
    let above = text[..place.start].matches('\n').count() as u32;
    let json: Json = serde_json::from_str(&text[place.clone()]).map_err(|e| {
        let said = e.to_string();
        let said = said.split(" at line ").next().unwrap_or_default().to_string();
        Fault::new(above + e.line().max(1) as u32, format!("the header: {said}"))
    })?;
    let line_of = |name: &str| {
        let quoted = format!("\"{name}\"");
        let at = text[place.clone()].find(&quoted).unwrap_or(0);
        above + 1 + text[place.clone()][..at].matches('\n').count() as u32
    };
    if json.passes.len() > 1 {
        let count = json.passes.len();
        return Err(Fault::new(line_of("PASSES"), format!("{count} passes; xiao draws shaders of one pass only")));
    }
    let mut header = Header::default();
    let mut free = 1..SLOTS + 1;
    for input in &json.inputs {
        let word = input.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && input.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !input.name.starts_with("xiao_");
        if !word {
            return Err(Fault::new(line_of(&input.name), format!("an input cannot be named {:?}", input.name)));
        }
        let seen = header.inputs.iter().map(|i| &i.name).chain(header.pictures.iter().map(|p| &p.0));
        if seen.into_iter().any(|name| *name == input.name) {
            return Err(Fault::new(line_of(&input.name), format!("there are two inputs {:?}", input.name)));
        }
        if let Some(picture) = picture(input, &mut header) {
            header.pictures.push((input.name.clone(), picture));
            continue;
        }
        let mut made = number(input).map_err(|said| Fault::new(line_of(&input.name), said))?;
        let wants = match made.kind {
            InputKind::Point => 2,
            InputKind::Color if made.default[3] < 1.0 => 4,
            InputKind::Color => 3,
            _ => 1,
        };
        if free.len() >= wants {
            made.slots = free.start..free.start + wants;
            free.start += wants;
        } else {
            header.notes.push(format!("{}: no parameter of the twelve is left; it keeps its default", made.name));
        }
        header.inputs.push(made);
    }
    let targets = json.passes.iter().filter_map(|p| p.target.clone());
    let buffers = names(&json.persistent_buffers);
    header.pictures.extend(targets.chain(buffers).map(|name| (name, Picture::Previous)));
    for name in names(&json.imported) {
        header.notes.push(format!("{name}: imported pictures are not read; it is black"));
        header.pictures.push((name, Picture::Black));
    }
    Ok(header)
}

/// Names as ISF gives them: a list of them, of objects that have one, or an object's keys.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => {
            list.iter().filter_map(|v| v.as_str().or_else(|| v.get("NAME")?.as_str()).map(str::to_string)).collect()
        }
        Value::Object(map) => map.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

fn picture(input: &JsonInput, header: &mut Header) -> Option<Picture> {
    let name = &input.name;
    Some(match input.kind.as_str() {
        "image" if header.pictures.iter().any(|(_, p)| *p == Picture::Words) => {
            header.notes.push(format!("{name}: is the frame before"));
            Picture::Previous
        }
        "image" => {
            header.notes.push(format!("{name}: is the words"));
            Picture::Words
        }
        "audio" => {
            header.notes.push(format!("{name}: is the spectrum; there is no wave form"));
            Picture::Spectrum
        }
        "audioFFT" => Picture::Spectrum,
        "cube" => {
            header.notes.push(format!("{name}: cubes are not known; it is black"));
            Picture::Black
        }
        _ => return None,
    })
}

fn number(input: &JsonInput) -> Result<Input, String> {
    let (name, mut notes) = (&input.name, Vec::new());
    let mut four = |key: &str, value: &Option<Value>, or: [f32; 4]| {
        let mut made = or;
        let given = match value {
            None | Some(Value::Null) => return made,
            Some(Value::Array(list)) => list.iter().map(plain).collect(),
            Some(value) => vec![plain(value)],
        };
        for (made, given) in made.iter_mut().zip(given) {
            match given {
                Some(given) => *made = given,
                None => notes.push(format!("{name}: {key} must be a number")),
            }
        }
        made
    };
    let (mut min, mut max) = (four("MIN", &input.min, [0.0; 4]), four("MAX", &input.max, [1.0; 4]));
    let zero = std::array::from_fn(|i| 0f32.clamp(min[i].min(max[i]), max[i].max(min[i])));
    let mut default = four("DEFAULT", &input.default, zero);
    let kind = match input.kind.as_str() {
        "float" => InputKind::Float,
        "bool" => InputKind::Bool,
        "event" => InputKind::Event,
        "point2D" => InputKind::Point,
        "color" => {
            default[3] = four("DEFAULT", &input.default, [0.0, 0.0, 0.0, 1.0])[3];
            InputKind::Color
        }
        "long" => {
            let mut values: Vec<i32> = input.values.iter().map(|v| *v as i32).collect();
            if values.is_empty() {
                // Without VALUES the whole numbers from MIN to MAX.
                values = (min[0] as i32..=max[0] as i32).take(256).collect();
            }
            if values.is_empty() || values.len() > 256 {
                return Err(format!("{name}: a long takes VALUES, 1 to 256 of them"));
            }
            let label = |i: usize| match input.labels.get(i) {
                Some(Value::String(label)) => label.clone(),
                Some(other) => other.to_string(),
                None => values[i].to_string(),
            };
            let labels = (0..values.len()).map(label).collect();
            if input.default.is_none() {
                default[0] = values[0] as f32;
            }
            InputKind::Long { values, labels }
        }
        other => {
            let known = "float, bool, event, long, color, point2D, image, audio or audioFFT";
            return Err(format!("{name}: {other:?} is no type of input; it must be {known}"));
        }
    };
    if matches!(kind, InputKind::Bool | InputKind::Event) {
        (min, max) = ([0.0; 4], [1.0; 4]);
    }
    let label = input.label.clone().filter(|l| !l.trim().is_empty()).unwrap_or_else(|| name.clone());
    match notes.pop() {
        Some(note) => Err(note),
        None => Ok(Input { name: name.clone(), label, kind, slots: 0..0, min, max, default }),
    }
}

/// A number or a truth, if it is one that a shader can hold.
fn plain(value: &Value) -> Option<f32> {
    let number = value.as_f64().or_else(|| value.as_bool().map(|b| f64::from(u8::from(b))))? as f32;
    number.is_finite().then_some(number)
}
