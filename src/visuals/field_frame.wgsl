@vertex
fn xiao_vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
  return vec4<f32>(f32((i << 1u) & 2u) * 2.0 - 1.0, 1.0 - f32(i & 2u) * 2.0, 0.0, 1.0);
}

@fragment
fn xiao_fragment(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  let light = field(at.xy / u.resolution);
  // What is no number would come back through `previous` in every frame. Its bits are asked, since drivers may take
  // `light == light` for true.
  let nan = (bitcast<vec3<u32>>(light) & vec3<u32>(0x7fffffffu)) > vec3<u32>(0x7f800000u);
  return vec4<f32>(select(clamp(light, vec3<f32>(0.0), vec3<f32>(64.0)), vec3<f32>(0.0), nan), 1.0);
}
