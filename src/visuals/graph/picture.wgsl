// The picture before the guard and the encoding: fields, taken down to where words stay readable, and the words over them.
//
// Compiled for each kind of picture: `xiao_paper` where words are darker than the ground, `xiao_crossing` while there are
// two fields. No branch hangs on a uniform: Mesa's software driver compiles such a shader anew for every draw and keeps
// each (22.3: a megabyte a frame).

struct Picture {
  ground: vec4<f32>,      // linear
  inner: vec4<f32>,       // the picture's part of the target: left, top, width, height in pixels
  part: f32,              // how much of field b is there; below 1: `xiao_crossing`
  over: f32,              // how much of the words stands over the fields
  background: f32,
  light: f32,             // 1 where words are darker than the ground: `xiao_paper`
  open_a: f32,            // how far a field is shown as it is, not taken down
  open_b: f32,
  blackout: f32,
  guard: f32,             // 1 while the guard is on
  dt: f32,                // seconds since the frame before
  first: f32,             // 1 for the first frame
  unused_a: f32,
  unused_b: f32,
}
@group(0) @binding(0) var<uniform> p: Picture;
@group(0) @binding(1) var linear_sampler: sampler;
@group(0) @binding(2) var field_a: texture_2d<f32>;
@group(0) @binding(3) var field_b: texture_2d<f32>;
@group(0) @binding(4) var words_texture: texture_2d<f32>;
@group(1) @binding(0) var small: texture_2d<f32>; // the picture in 16 by 16, or the guard's verdict

const LUMA = vec3<f32>(0.2126, 0.7152, 0.0722);

// A field's light over the ground. At `stage.background` 0.5 it adds a luminance of no more than 0.014 to a dark ground,
// and takes no more than 12 % from a light one, so that words keep a contrast of 7:1; only from there up it is free.
fn lit(raw: vec3<f32>, open: f32) -> vec3<f32> {
  let field = max(raw, vec3<f32>(0.0));
  let luminance = dot(field, LUMA);
  let beyond = max(p.background - 0.5, 0.0) * 2.0;
  let limit = mix(0.028 * min(p.background, 0.5) + beyond * beyond * beyond, 1000.0, open);
  let kept = field * (limit / (limit + luminance + 1e-6)) * mix(1.0, 2.0 * p.background, open);
  if xiao_paper {
    // The same light in its complement's shadow: a blue light leaves the paper blue.
    let taken = clamp((2.0 * dot(kept, LUMA) - kept) * 4.0, vec3<f32>(-0.02), vec3<f32>(0.12 + 0.8 * beyond));
    return p.ground.rgb * (1.0 - taken);
  }
  return p.ground.rgb + kept;
}

fn picture(uv: vec2<f32>) -> vec3<f32> {
  var light = lit(textureSampleLevel(field_b, linear_sampler, uv, 0.0).rgb, p.open_b);
  if xiao_crossing {
    light = mix(lit(textureSampleLevel(field_a, linear_sampler, uv, 0.0).rgb, p.open_a), light, p.part);
  }
  // Pixel for pixel: the words have as many as the picture.
  let words = textureLoad(words_texture, vec2<i32>(uv * p.inner.zw), 0) * p.over;
  return (light * (1.0 - words.a) + words.rgb) * (1.0 - p.blackout);
}

@vertex
fn whole(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
  return vec4<f32>(f32((i << 1u) & 2u) * 2.0 - 1.0, 1.0 - f32(i & 2u) * 2.0, 0.0, 1.0);
}
