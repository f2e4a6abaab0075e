@vertex
fn xiao_vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
  return vec4<f32>(f32((i << 1u) & 2u) * 2.0 - 1.0, 1.0 - f32(i & 2u) * 2.0, 0.0, 1.0);
}

@fragment
fn xiao_fragment(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  var light = max(field(at.xy / u.resolution), vec3<f32>(0.0));
  let luminance = dot(light, vec3<f32>(0.2126, 0.7152, 0.0722));
  let over = max(u.stage_background - 0.5, 0.0) * 2.0;
  let limit = 0.028 * min(u.stage_background, 0.5) + over * over * over;
  light = light * (limit / (limit + luminance + 1e-6));
  let grain = fract(52.9829189 * fract(dot(at.xy, vec2<f32>(0.06711056, 0.00583715)))) - 0.5;
  light = max(light + vec3<f32>(grain * 0.0004), vec3<f32>(0.0));
  if xiao_encode {
    light = select(1.055 * pow(light, vec3<f32>(1.0 / 2.4)) - 0.055, light * 12.92, light <= vec3<f32>(0.0031308));
  }
  return vec4<f32>(light, 1.0);
}
