@group(0) @binding(0) var<uniform> u: Stage;
@group(0) @binding(1) var xiao_sampler: sampler;
@group(0) @binding(2) var xiao_text: texture_2d<f32>;
@group(0) @binding(3) var xiao_previous: texture_2d<f32>;

// The sound's level at a place in its spectrum, 0 (low) to 1 (high): 0..1.
fn spectrum(x: f32) -> f32 {
  let at = clamp(x, 0.0, 1.0) * 31.0;
  let low = u32(at);
  let high = min(low + 1u, 31u);
  return mix(u.bands[low / 4u][low % 4u], u.bands[high / 4u][high % 4u], fract(at));
}

// The words at a place of the picture: linear light, premultiplied, and how much of it they cover.
fn words(uv: vec2<f32>) -> vec4<f32> {
  return textureSampleLevel(xiao_text, xiao_sampler, uv, 0.0);
}

// What `field` gave at a place in the frame before.
fn previous(uv: vec2<f32>) -> vec3<f32> {
  return textureSampleLevel(xiao_previous, xiao_sampler, uv, 0.0).rgb;
}
