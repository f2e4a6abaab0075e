// The type layer: every glyph, bar, disc and ring of a frame in one draw. Colours are premultiplied and linear; the
// target encodes them, or `xiao_encode` does.

struct Screen { size: vec2<f32>, unused: vec2<f32> }
@group(0) @binding(0) var<uniform> screen: Screen;
@group(0) @binding(1) var atlas: texture_2d<f32>;
@group(0) @binding(2) var smooth_sampler: sampler;

struct Corner {
  @builtin(position) at: vec4<f32>,
  @location(0) texel: vec2<f32>,                        // within the cell, 16 to its height; beyond it in the margin
  @location(1) @interpolate(flat) color: vec4<f32>,
  @location(2) @interpolate(flat) cell: u32,
  @location(3) @interpolate(flat) look: vec4<f32>,      // blur, weight, dissolve, turn, each 0..1
  @location(4) @interpolate(flat) extent: vec2<f32>,    // the cell's width and height in texels
  @location(5) @interpolate(flat) pixels: f32,          // pixels of the frame to a texel
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
  @location(4) look: vec4<f32>,
) -> Corner {
  var out: Corner;
  let extent = vec2<f32>(16.0 * size.x / size.y, 16.0);
  // A haze or a bold stroke reaches beyond the cell.
  let bold = max(look.y - 0.502, 0.0);
  let margin = select(0.0, 1.5 * (look.x + bold), cell <= 0xffffu);
  let q = vec2<f32>(f32(i & 1u), f32(i >> 1u));
  out.texel = q * (extent + 2.0 * margin) - margin;
  let scale = size.y / 16.0;
  let middle = pos + 0.5 * size;
  let angle = look.w * 6.2897847; // 255 is 255 256ths of a turn
  let from_middle = (out.texel - 0.5 * extent) * scale;
  let turned = vec2<f32>(
    from_middle.x * cos(angle) - from_middle.y * sin(angle),
    from_middle.x * sin(angle) + from_middle.y * cos(angle));
  let px = middle + select(from_middle, turned, look.w > 0.0);
  out.at = vec4<f32>(px.x / screen.size.x * 2.0 - 1.0, 1.0 - px.y / screen.size.y * 2.0, 0.0, 1.0);
  out.color = vec4<f32>(to_linear(color.rgb), color.a);
  if xiao_encode {
    out.color = color;
  }
  out.cell = cell;
  out.look = look;
  out.extent = extent;
  out.pixels = scale;
  return out;
}

fn ink(corner: vec2<f32>, texel: vec2<f32>) -> f32 {
  let inside = all(texel >= vec2<f32>(0.0)) && all(texel < vec2<f32>(16.0));
  let at = vec2<i32>(corner + clamp(texel, vec2<f32>(0.0), vec2<f32>(15.5)));
  return select(0.0, textureLoad(atlas, at, 0).r, inside);
}

fn soft_ink(corner: vec2<f32>, texel: vec2<f32>) -> f32 {
  let at = (corner + clamp(texel, vec2<f32>(0.5), vec2<f32>(15.5))) / 4096.0;
  let fade = clamp(1.5 - max(max(-texel.x, texel.x - 16.0), max(-texel.y, texel.y - 16.0)), 0.0, 1.0);
  return textureSampleLevel(atlas, smooth_sampler, at, 0.0).r * fade;
}

fn grain(cell: u32, texel: vec2<f32>) -> f32 {
  let at = vec2<u32>(max(texel, vec2<f32>(0.0)) * 2.0);
  var h = (at.x * 374761393u) ^ (at.y * 668265263u) ^ (cell * 2246822519u);
  h = (h ^ (h >> 13u)) * 1274126177u;
  return f32((h >> 8u) & 0xffffu) / 65535.0;
}

fn glyph_cover(in: Corner) -> f32 {
  let corner = vec2<f32>(f32(in.cell & 255u), f32(in.cell >> 8u)) * 16.0;
  var cover = 0.0;
  if in.look.x > 0.0 {
    // Nine taps on smoothed texels, further apart with the haze.
    let step = in.look.x * 1.5;
    for (var y = -1; y <= 1; y++) {
      for (var x = -1; x <= 1; x++) {
        cover += soft_ink(corner, in.texel + vec2<f32>(f32(x), f32(y)) * step);
      }
    }
    cover /= 9.0;
  } else {
    cover = ink(corner, in.texel);
  }
  let weight = (in.look.y - 0.502) * 2.0;
  if weight > 0.01 {
    let reach = weight * 0.5;
    cover = max(cover, max(ink(corner, in.texel + vec2<f32>(reach, 0.0)), ink(corner, in.texel - vec2<f32>(reach, 0.0))));
    cover = max(cover, max(ink(corner, in.texel + vec2<f32>(0.0, reach)), ink(corner, in.texel - vec2<f32>(0.0, reach))));
  } else if weight < -0.01 {
    // Thin strokes keep a core: what lies near the edge of a texel goes where its neighbour is empty.
    let reach = -weight * 0.38;
    let across = min(ink(corner, in.texel + vec2<f32>(reach, 0.0)), ink(corner, in.texel - vec2<f32>(reach, 0.0)));
    let along = min(ink(corner, in.texel + vec2<f32>(0.0, reach)), ink(corner, in.texel - vec2<f32>(0.0, reach)));
    cover = min(cover, max(across, along));
  }
  return cover;
}

fn shape_cover(in: Corner) -> f32 {
  let q = in.texel / in.extent;
  let edge = 1.0 / max(in.pixels * min(in.extent.x, in.extent.y), 1.0); // half a pixel, as a part of the radius
  if in.cell == 0x10000u {
    if in.look.x <= 0.0 {
      return 1.0;
    }
    let from_edge = min(q, 1.0 - q) * in.extent;
    let haze = 0.5 * in.look.x * min(in.extent.x, in.extent.y);
    let near = clamp(min(from_edge.x, from_edge.y) / haze, 0.0, 1.0);
    return near * near * (3.0 - 2.0 * near);
  }
  let r = length(q * 2.0 - 1.0);
  let haze = max(in.look.x, 2.0 * edge);
  let outer = 1.0 - smoothstep(1.0 - haze, 1.0, r);
  return outer;
}

@fragment
fn glyph_fragment(in: Corner) -> @location(0) vec4<f32> {
  var cover = 1.0;
  if in.cell > 0xffffu {
    cover = shape_cover(in);
  } else {
    cover = glyph_cover(in);
  }
  if in.look.z > 0.0 && grain(in.cell, in.texel) < in.look.z {
    cover = 0.0;
  }
  let alpha = in.color.a * cover;
  return vec4<f32>(in.color.rgb * alpha, alpha);
}
