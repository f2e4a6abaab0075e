struct Screen { size: vec2<f32>, unused: vec2<f32> }
@group(0) @binding(0) var<uniform> screen: Screen;
@group(0) @binding(1) var atlas: texture_2d<f32>;

struct Corner {
  @builtin(position) at: vec4<f32>,
  @location(0) texel: vec2<f32>,
  @location(1) color: vec4<f32>,
  @location(2) @interpolate(flat) cell: u32,
}

fn to_linear(c: vec3<f32>) -> vec3<f32> {
  return select(pow((c + 0.055) / 1.055, vec3<f32>(2.4)), c / 12.92, c <= vec3<f32>(0.04045));
}

@vertex
fn glyph_vertex(
  @builtin(vertex_index) i: u32,
  @location(0) pos: vec2<f32>,
  @location(1) size: vec2<f32>,
  @location(2) cell: u32,
  @location(3) color: vec4<f32>,
) -> Corner {
  let q = vec2<f32>(f32(i & 1u), f32(i >> 1u));
  let px = pos + q * size;
  var out: Corner;
  out.at = vec4<f32>(px.x / screen.size.x * 2.0 - 1.0, 1.0 - px.y / screen.size.y * 2.0, 0.0, 1.0);
  out.texel = q * vec2<f32>(16.0 * size.x / size.y, 16.0); // a half-wide glyph fills the left 8 columns of its cell
  out.color = color;
  if !xiao_encode {
    out.color = vec4<f32>(to_linear(color.rgb), color.a);
  }
  out.cell = cell;
  return out;
}

@fragment
fn glyph_fragment(in: Corner) -> @location(0) vec4<f32> {
  if in.cell > 0xffffu {
    return in.color; // a plain rectangle
  }
  let corner = vec2<i32>(i32(in.cell & 255u), i32(in.cell >> 8u)) * 16;
  let texel = corner + clamp(vec2<i32>(in.texel), vec2<i32>(0), vec2<i32>(15));
  return vec4<f32>(in.color.rgb, in.color.a * textureLoad(atlas, texel, 0).r);
}
