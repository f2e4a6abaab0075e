// loom: the room behind the cloth. It is lit from below where the next row is beaten in, and shakes with each beat.

fn field(uv: vec2<f32>) -> vec3<f32> {
  let load = max(u.machine_cpu, 0.0);
  let beat = select(0.0, exp(-u.token_age * 6.0), u.token_age >= 0.0);
  let fell = exp(-pow((uv.y - u.focus.y) * 5.0, 2.0));
  let thread = abs(fract(uv.x * 64.0) - 0.5) * 2.0;
  let light = 0.05 + fell * (0.10 + 0.25 * load + 0.25 * beat) * (0.75 + 0.25 * thread);
  let away = (uv.x - u.focus.x) * 3.0;
  let lamp = exp(-away * away) * fell * 0.25;
  let warm = mix(u.paper.rgb, u.accent.rgb, 0.35);
  return (light + lamp) * 0.18 * warm * (1.0 - 0.5 * abs(uv.x - 0.35));
}
