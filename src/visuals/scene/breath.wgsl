// breath: dark air round a chest. The air is drawn in while a word is awaited, and goes out with it.

fn field(uv: vec2<f32>) -> vec3<f32> {
  let wait = max(u.generator_waiting, 0.0);
  let full = 1.0 - exp(-wait * 2.5);
  let p = (uv - u.focus) * vec2<f32>(u.resolution.x / u.resolution.y, 1.0);
  let away = length(p);
  let glow = exp(-away * away * (9.0 - 6.0 * full));
  let out = select(0.0, exp(-u.token_age * 1.6), u.token_age >= 0.0);
  let front = away - u.token_age * 0.55;
  let ring = exp(-front * front * 60.0) * out * (0.15 + u.spread);
  let tint = mix(u.paper.rgb * vec3<f32>(0.6, 0.85, 1.0), u.accent.rgb, full);
  return (0.02 + glow * (0.08 + 0.5 * full) + 0.5 * ring) * 0.4 * tint;
}
