// body: air over ground. The air is warm where the machine is warm and stirred where it works; the ground is dark, and
// memory under pressure makes it glow from within.

fn wave(x: f32) -> f32 {
  let up = abs(fract(x) - 0.5) * 2.0;
  return up * up * (3.0 - 2.0 * up);
}

fn field(uv: vec2<f32>) -> vec3<f32> {
  let load = max(u.machine_cpu, 0.0);
  let heat = max(u.machine_temperature, 0.0);
  let memory = max(u.machine_memory, 0.0);
  let squeeze = max(u.machine_pressure_memory, 0.0);
  let air = smoothstep(u.focus.y + 0.02, u.focus.y - 0.02, uv.y);
  let shimmer = wave(uv.x * 3.0 + 0.5 * wave(uv.y * 4.0 - u.time * (0.02 + 0.16)) + 0.2 * load);
  let above = (0.04 + (0.10 + 0.5 * heat) * shimmer * shimmer * (0.3 + 0.7 * load)) * (0.4 + 0.6 * uv.y);
  let grain = wave(uv.y * 40.0 + 0.6 * wave(uv.x * 2.0));
  let below = (0.02 + 0.05 * memory * grain + 0.4 * squeeze) * (1.2 - uv.y);
  let warm = mix(u.paper.rgb, u.accent.rgb, 0.3 + 0.6 * heat);
  return 0.3 * (air * above * warm + (1.0 - air) * below * u.accent.rgb);
}
