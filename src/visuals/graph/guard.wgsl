// The photosensitivity guard: no quarter of the picture flashes more often than three times a second. A flash is a pair of
// opposing changes by a tenth or more of the luminance (WCAG 2.2, success criterion 2.3.1, counts those of a quarter of
// the view). A quarter may darken at once and brighten by a fiftieth, as where words come; beyond that by 0.24 a second,
// so that a tenth takes a third of one.

const AT_ONCE = 0.02;
const RISE_PER_S = 0.24;

// A part of the picture in 16 by 16.
@fragment
fn measure(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  var sum = 0.0;
  for (var i = 0u; i < 16u; i++) {
    let within = (vec2<f32>(f32(i & 3u), f32(i >> 2u)) + 0.5) / 4.0;
    sum += dot(picture((floor(at.xy) + within) / 16.0), LUMA);
  }
  return vec4<f32>(sum / 16.0, 0.0, 0.0, 1.0);
}

@group(2) @binding(0) var verdict_before: texture_2d<f32>;

fn quarter(corner: vec2<i32>) -> f32 {
  var sum = 0.0;
  for (var i = 0; i < 64; i++) {
    sum += textureLoad(small, corner + vec2<i32>(i & 7, i >> 3), 0).r;
  }
  return sum / 64.0;
}

// The verdict: in its first pixel what the picture is multiplied with, in its second the luminance of each quarter from
// which it may rise.
@fragment
fn judge(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  let now = vec4<f32>(
    quarter(vec2<i32>(0, 0)), quarter(vec2<i32>(8, 0)), quarter(vec2<i32>(0, 8)), quarter(vec2<i32>(8, 8)));
  let free = vec4<bool>(p.first > 0.5 || p.guard < 0.5);
  let risen = textureLoad(verdict_before, vec2<i32>(1, 0), 0) + RISE_PER_S * p.dt;
  let gains = select((risen + AT_ONCE) / max(now, vec4<f32>(1e-6)), vec4<f32>(1.0), free);
  let gain = min(1.0, min(min(gains.x, gains.y), min(gains.z, gains.w)));
  let shown = now * gain;
  return select(vec4<f32>(gain), select(min(shown, risen), shown, free), at.x > 1.0);
}
