// film: the dark room. One lamp, which the machine's load turns up, and a flare when the shutter lets light in.

fn field(uv: vec2<f32>) -> vec3<f32> {
  let load = max(u.machine_cpu, 0.0);
  let wait = max(u.generator_waiting, 0.0);
  let p = (uv - vec2<f32>(0.5, 0.22)) * vec2<f32>(u.resolution.x / u.resolution.y, 1.0);
  let away = dot(p, p);
  let open = select(0.0, exp(-u.token_age * 4.0), u.token_age >= 0.0);
  let lamp = exp(-away * 2.2);
  let light = (0.05 + 0.12 * load + 0.30 * wait) * lamp;
  return light * 0.5 * u.lamp.rgb + open * 0.05 * exp(-away * 5.0) * u.paper.rgb;
}
