// The last step: the picture under the guard's verdict, encoded for its target, with a grain that hides the steps of
// 8 bits in the dark.

@fragment
fn post(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  let uv = (at.xy - p.inner.xy) / p.inner.zw;
  var light = picture(uv) * textureLoad(small, vec2<i32>(0), 0).r;
  let grain = fract(52.9829189 * fract(dot(at.xy, vec2<f32>(0.06711056, 0.00583715)))) - 0.5;
  light = max(light + vec3<f32>(grain * 0.0004 * (1.0 - p.blackout)), vec3<f32>(0.0));
  if xiao_encode {
    light = select(1.055 * pow(light, vec3<f32>(1.0 / 2.4)) - 0.055, light * 12.92, light <= vec3<f32>(0.0031308));
  }
  return vec4<f32>(light, 1.0);
}
