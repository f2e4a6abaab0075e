//! What stands around a file of ISF: the variables and functions that it finds declared in GLSL, and the WGSL that sets
//! them from `u` and makes light of what it leaves. Pure.

use std::fmt::Write;

use super::header::Header;
use crate::visuals::shader::check::{self, Fault};
use crate::visuals::shader::program::{Input, InputKind};

/// What ISF declares, its type in GLSL, and its value in WGSL. `at` is the place from the bottom left.
const STANDARD: [(&str, &str, &str); 10] = [
    ("TIME", "float", "u.time"),
    ("TIMEDELTA", "float", "u.dt"),
    ("FRAMEINDEX", "int", "i32(u.frame)"),
    ("PASSINDEX", "int", "0"),
    ("RENDERSIZE", "vec2", "u.resolution"),
    ("DATE", "vec4", "vec4<f32>(2000.0, 1.0, 1.0, u.time)"),
    ("isf_FragNormCoord", "vec2", "at"),
    ("vv_FragNormCoord", "vec2", "at"),
    ("xiao_frag", "vec4", "vec4<f32>(at * u.resolution, 0.0, 1.0)"),
    ("xiao_colour", "vec4", "vec4<f32>(0.0)"),
];

/// The functions of ISF. The first is a place to hold for the one in WGSL; 3 is the spectrum.
const FUNCTIONS: &str = "\
vec4 xiao_image(int which, vec2 at) { return vec4(at, float(which), 1.0); }
vec2 IMG_SIZE(int which) { return which == 3 ? vec2(32.0, 1.0) : RENDERSIZE; }
vec4 IMG_NORM_PIXEL(int which, vec2 at) { return xiao_image(which, at); }
vec4 IMG_PIXEL(int which, vec2 at) { return xiao_image(which, at / IMG_SIZE(which)); }
vec4 IMG_THIS_PIXEL(int which) { return xiao_image(which, isf_FragNormCoord); }
vec4 IMG_THIS_NORM_PIXEL(int which) { return xiao_image(which, isf_FragNormCoord); }
vec4 xiao_texture(int which, vec2 at) { return xiao_image(which, at); }
vec4 xiao_texture(int which, vec2 at, float lod) { return xiao_image(which, at); }
vec4 xiao_texture_rect(int which, vec2 at) { return IMG_PIXEL(which, at); }
ivec2 xiao_texture_size(int which, int lod) { return ivec2(IMG_SIZE(which)); }
vec4 xiao_fetch(int which, ivec2 at, int lod) { return IMG_PIXEL(which, vec2(at) + 0.5); }
";

/// After the file.
pub const TAIL: &str = "void main() { xiao_begin(); xiao_main(); }\n";

/// The same as [`FUNCTIONS`] once more in WGSL: display colour is what ISF counts in.
const WGSL: &str = "
fn xiao_isf_display(light: vec3<f32>) -> vec3<f32> {
  let l = max(light, vec3<f32>(0.0));
  return select(1.055 * pow(l, vec3<f32>(1.0 / 2.4)) - 0.055, l * 12.92, l <= vec3<f32>(0.0031308));
}
fn xiao_isf_light(colour: vec3<f32>) -> vec3<f32> {
  let c = max(colour, vec3<f32>(0.0));
  return select(pow((c + 0.055) / 1.055, vec3<f32>(2.4)), c / 12.92, c <= vec3<f32>(0.04045));
}
fn xiao_isf_image(which: i32, at: vec2<f32>) -> vec4<f32> {
  let uv = vec2<f32>(at.x, 1.0 - at.y);
  switch which {
    case 1: {
      let ink = words(uv);
      return vec4<f32>(xiao_isf_display(ink.rgb), ink.a);
    }
    case 2: { return vec4<f32>(xiao_isf_display(previous(uv)), 1.0); }
    case 3: { return vec4<f32>(vec3<f32>(spectrum(at.x)), 1.0); }
    default: { return vec4<f32>(0.0); }
  }
}
";

/// Every name that the file finds declared.
pub fn given(header: &Header) -> impl Iterator<Item = String> + '_ {
    let inputs = header.inputs.iter().map(|i| i.name.clone());
    let pictures = header.pictures.iter().map(|p| p.0.clone());
    STANDARD.iter().map(|s| s.0.to_string()).chain(inputs).chain(pictures)
}

/// A name as [`super::rewrite`] leaves it.
fn renamed(name: &str) -> String {
    match super::names::RESERVED.contains(&name) {
        true => format!("xr_{name}"),
        false => name.to_string(),
    }
}

/// The GLSL before the file.
pub fn head(header: &Header, members: &[String]) -> String {
    let mut glsl = String::from("#version 450\n");
    let kind = |input: &Input| match input.kind {
        InputKind::Float => "float",
        InputKind::Bool | InputKind::Event => "bool",
        InputKind::Long { .. } => "int",
        InputKind::Color => "vec4",
        InputKind::Point => "vec2",
    };
    for (name, kind, _) in STANDARD {
        let _ = writeln!(glsl, "{kind} {name};");
    }
    for input in &header.inputs {
        let _ = writeln!(glsl, "{} {};", kind(input), renamed(&input.name));
    }
    for (name, picture) in &header.pictures {
        let _ = writeln!(glsl, "const int {} = {};", renamed(name), *picture as i32);
    }
    for member in members {
        let _ = writeln!(glsl, "float xiao_u_{member};");
    }
    glsl.push_str(FUNCTIONS);
    glsl
}

/// Writes the file's functions as WGSL with `field` before them all.
pub fn wgsl(mut module: naga::Module, header: &Header, used: &[String], members: &[String]) -> Result<String, Fault> {
    let mut values: Vec<(String, String)> = STANDARD.iter().map(|s| (s.0.into(), s.2.into())).collect();
    // A stage without these has no frames to count.
    for (member, name) in [("dt", "TIMEDELTA"), ("frame", "FRAMEINDEX")] {
        if !members.iter().any(|m| m == member) {
            values.retain(|(n, _)| n != name);
        }
    }
    values.extend(header.inputs.iter().map(|i| (renamed(&i.name), value(i))));
    values.extend(used.iter().map(|m| (format!("xiao_u_{m}"), format!("u.{m}"))));

    // Nothing of the file's may meet a name of what stands before it. Names that end in a letter are written as is.
    let mut set = String::new();
    let mut colour = String::new();
    for (i, (_, variable)) in module.global_variables.iter_mut().enumerate() {
        let name = variable.name.take().unwrap_or_default();
        let own = format!("xiao_isf_{i}v");
        if let Some((_, value)) = values.iter().find(|(n, _)| *n == name) {
            let _ = writeln!(set, "  {own} = {value};");
        }
        if name == "xiao_colour" {
            colour = own.clone();
        }
        variable.name = Some(own);
    }
    for (_, function) in module.functions.iter_mut() {
        let name = match function.name.as_deref().unwrap_or("f") {
            "main" => "xiao_isf_main".into(),
            "xiao_image" => "xiao_isf_image".into(),
            name => format!("isf_{name}"),
        };
        function.name = Some(name);
    }
    for constant in module.constants.iter_mut().filter_map(|(_, c)| c.name.as_mut()) {
        constant.insert_str(0, "isf_");
    }
    let types: Vec<_> = module.types.iter().map(|(handle, ty)| (handle, ty.clone())).collect();
    for (handle, mut ty) in types {
        if let Some(name) = &mut ty.name {
            name.insert_str(0, "isf_");
            module.types.replace(handle, ty);
        }
    }
    let info = check::validate(&module, "")?;
    let flags = naga::back::wgsl::WriterFlags::empty();
    let written = naga::back::wgsl::write_string(&module, &info, flags)
        .map_err(|e| Fault::new(1, format!("this GLSL has no counterpart in WGSL: {}", check::line(&e.to_string()))))?;
    let functions = without(&written, "fn xiao_isf_image(");
    Ok(format!(
        "{functions}{WGSL}
fn field(uv: vec2<f32>) -> vec3<f32> {{
  let at = vec2<f32>(uv.x, 1.0 - uv.y);
{set}  xiao_isf_main();
  return xiao_isf_light({colour}.rgb) * clamp({colour}.a, 0.0, 1.0);
}}
"
    ))
}

/// The text without the function that begins so.
fn without(written: &str, head: &str) -> String {
    let Some(start) = written.find(head) else { return written.to_string() };
    let end = written[start..].find("\n}\n").map_or(written.len(), |end| start + end + 3);
    format!("{}{}", &written[..start], &written[end..])
}

/// An input's value in WGSL.
fn value(input: &Input) -> String {
    let part = |i: usize| {
        let (min, max, default) = (input.min[i], input.max[i], input.default[i]);
        match input.slots.clone().nth(i) {
            Some(slot) => format!("mix({min:?}, {max:?}, u.shader_{slot})"),
            None => format!("{default:?}"),
        }
    };
    match &input.kind {
        InputKind::Float => part(0),
        InputKind::Bool | InputKind::Event => format!("{} >= 0.5", part(0)),
        InputKind::Long { values, .. } => long(input, values),
        InputKind::Color => format!("vec4<f32>({}, {}, {}, {})", part(0), part(1), part(2), part(3)),
        InputKind::Point => format!("vec2<f32>({}, {})", part(0), part(1)),
    }
}

/// One of the values, each over an equal share of the way.
fn long(input: &Input, values: &[i32]) -> String {
    let Some(slot) = input.slots.clone().next() else {
        return format!("i32({})", input.default[0] as i32);
    };
    let all: Vec<String> = values.iter().map(|v| format!("i32({v})")).collect();
    let last = values.len() - 1;
    format!("array<i32, {}>({})[min(u32(u.shader_{slot} * {}.0), {last}u)]", last + 1, all.join(", "), last + 1)
}
