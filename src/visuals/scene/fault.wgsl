// fault: the dark after a crash. A low light that sinks, and a first light from below when the model is back.

fn field(uv: vec2<f32>) -> vec3<f32> {
  let age = select(30.0, u.fault_age, u.fault_age >= 0.0);
  let glow = exp(-age * 0.5);
  let low = uv.y * uv.y;
  let ember = (0.03 + 0.5 * glow) * low;
  let dust = previous(uv + vec2<f32>(0.0, -0.05 * u.dt)) * exp(-u.dt * 2.0);
  let light = u.crashed * ember * u.lamp.rgb;
  let dawn = (1.0 - u.crashed) * (0.02 + 0.06 * low) * u.paper.rgb;
  return 0.3 * (light + dawn) + words(uv).rgb * u.dt * 0.4 + dust;
}
