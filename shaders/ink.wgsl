// ink: almost nothing. A dark page that brightens from below with the machine's load, and flinches at each flaw.
// The smallest useful field shader; `field.wgsl` explains what may be read.

fn field(uv: vec2<f32>) -> vec3<f32> {
  let load = max(u.machine_cpu, 0.0);
  let flinch = select(0.0, exp(-u.flaw_age * 3.0), u.flaw_age >= 0.0);
  let glow = (0.1 + 0.5 * load) * uv.y * uv.y;
  return glow * vec3<f32>(0.02, 0.03, 0.05) + flinch * vec3<f32>(0.05, 0.01, 0.0);
}
