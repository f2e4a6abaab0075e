// The photosensitivity guard: the picture's mean luminance may fall at once and rises by at most 0.3 a second. A flash is
// a pair of opposing changes by a tenth or more (WCAG 2.2, success criterion 2.3.1): with every rise of a tenth taking a
// third of a second there are never more than three of them in one.

const RISE_PER_S = 0.3;

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

// The verdict: what the picture is multiplied with, and the luminance that it has then.
@fragment
fn judge() -> @location(0) vec4<f32> {
  var sum = 0.0;
  for (var i = 0; i < 256; i++) {
    sum += textureLoad(small, vec2<i32>(i & 15, i >> 4), 0).r;
  }
  let now = sum / 256.0;
  let before = textureLoad(verdict_before, vec2<i32>(0), 0).g;
  let most = select(before + RISE_PER_S * p.dt, 1000.0, p.first > 0.5 || p.guard < 0.5);
  let gain = min(1.0, most / max(now, 1e-6));
  return vec4<f32>(gain, now * gain, 0.0, 1.0);
}
