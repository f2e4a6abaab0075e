// river: water between dark banks. It runs as fast as words come (`u.flow`), stands while none does, and the machine's
// load raises its waves. The words leave a wake: the water remembers the light that was on it.

fn wave(x: f32) -> f32 {
  let up = abs(fract(x) - 0.5) * 2.0;
  return up * up * (3.0 - 2.0 * up);
}

fn stream(x: f32) -> f32 {
  return 0.5 + 0.05 * sin(6.2831853 * (x * 0.8 + 0.1));
}

fn field(uv: vec2<f32>) -> vec3<f32> {
  let load = max(u.machine_cpu, 0.0);
  let wait = max(u.generator_waiting, 0.0);
  // The words' own part of the picture is above the foot; their mouth, the eye's place, says where that is.
  let part = u.focus.y / stream(u.focus.x);
  let from_middle = (uv.y / part - stream(uv.x)) * 2.0;
  let bank = 0.62 + 0.1 * wave(uv.x * 1.7) + 0.05 * wave(uv.x * 4.3 + 0.3);
  let water = 1.0 - smoothstep(bank, bank + 0.12, abs(from_middle));
  let shore = exp(-pow((abs(from_middle) - bank - 0.06) * 14.0, 2.0));

  // Long waves that lie across the stream and run with it, and short ones that the load raises.
  let x = uv.x + 0.04 * wave(uv.y * 1.3);
  let run = u.flow * 0.35;
  let long_waves = wave(x * 3.0 + run * 3.0 + 0.6 * wave(uv.y * 2.0 + u.time * 0.02));
  let short_waves = wave(x * 11.0 + run * 11.0 + 2.0 * from_middle + 0.4 * wave(uv.y * 5.0 - u.time * 0.05));
  var light = water * (0.10 + 0.22 * long_waves * long_waves + (0.05 + 0.45 * load) * short_waves * short_waves * long_waves);

  // Standing water gathers a pale mist.
  light += shore * (0.05 + 0.12 * load);
  light += wait * (1.0 - 0.5 * water) * 0.16 * (0.6 + 0.4 * wave(uv.y * 0.7 + u.time * 0.03));

  // The wake: what was light here flows on with the water and fades in a second.
  let drift = vec2<f32>(0.02 * u.dt, 0.0);
  let kept = previous(uv + drift) * exp(-u.dt * 1.6);
  let glow = words(uv);
  let tint = mix(u.paper.rgb, u.accent.rgb, 0.25 + 0.35 * max(u.machine_temperature - 0.4, 0.0));
  let cool = vec3<f32>(0.55, 0.85, 1.0);
  return max(light * 0.35 * mix(cool, tint, 0.3), kept + glow.rgb * u.dt * 0.8);
}
