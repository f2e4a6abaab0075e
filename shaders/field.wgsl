// field: ink in dark water behind a bamboo screen. It answers the machine and the model.
//
// Every field shader defines one function:
//
//   fn field(uv: vec2<f32>) -> vec3<f32>     uv runs from 0,0 (top left) to 1,1 (bottom right);
//                                            the result is linear red, green, blue.
//
// and may read the struct `u`, which xiao puts before this text (`xiao uniforms` prints it whole):
//
//   u.resolution  pixels of the field         u.focus      where the next word will be, as parts of the picture
//   u.time, u.dt  seconds                     u.token_age  seconds since the last token (-1 before the first)
//   u.tokens      how many so far             u.spread     how surprising that token was, 0..1
//   u.flow        how far the words have run  u.flaw_age   seconds since the model last erred (-1 if never)
//   u.ground, u.paper, u.accent               the palette, linear
//
//   every signal  u.machine_cpu, u.generator_waiting, ...  its place in its range as 0..1; -1 where it is absent
//   every param   u.stage_hue, u.sampler_temperature, ...  its travel as 0..1
//
// and call
//
//   spectrum(x)   the sound's level at a place in its spectrum, 0 (low) to 1 (high)
//   words(uv)     the words there, premultiplied, with how much they cover
//   previous(uv)  what this function gave there in the frame before
//
// A dot in a name is `_` here. Save the file and the stage follows; a text that does not hold together changes nothing.
// In the scene *page* whatever you return is taken down to where words stay readable, as far as `stage.background` says;
// in the scene *shader* it is shown as it is, and the words are yours to show.

// A soft wave, 1 at every whole number and 0 half-way: what a cosine looks like, at a fifth of its price on a machine
// that draws with its processor.
fn wave(x: f32) -> f32 {
  let up = abs(fract(x) - 0.5) * 2.0;
  return up * up * (3.0 - 2.0 * up);
}

// The same around zero, -1 to 1.
fn sway(x: f32) -> f32 {
  return wave(x) * 2.0 - 1.0;
}

// The colour at a place on the wheel, 0..1: red at 0, green at a third, blue at two.
fn wheel(h: f32) -> vec3<f32> {
  return vec3<f32>(wave(h), wave(h - 0.333), wave(h - 0.667));
}

fn field(uv: vec2<f32>) -> vec3<f32> {
  let t = u.time;
  let load = max(u.machine_cpu, 0.0);
  let wait = max(u.generator_waiting, 0.0);
  let restless = u.sampler_temperature; // 0.4 is a temperature of 0.8

  // Ink: two slow folds. The load stirs it, the sampler's temperature curls it.
  let p = vec2<f32>(uv.x * u.resolution.x / u.resolution.y, uv.y);
  var q = p * 1.5;
  q += (0.35 + 0.5 * restless) * vec2<f32>(sway(q.y * 0.30 + t * 0.018), sway(q.x * 0.25 - t * 0.014));
  q += (0.15 + 0.35 * load) * vec2<f32>(sway(q.y * 0.65 - t * 0.027), sway(q.x * 0.52 + t * 0.021));
  let ink = wave(q.x * 0.27 + 0.2 * sway(q.y * 0.37));

  // Bamboo: upright strips of uneven tone, and a shadow between each two.
  let x = p.x * 22.0 + 0.12 * sway(p.y * 0.3 + t * 0.008);
  let edge = abs(fract(x) - 0.5) * 2.0;
  let tone = 0.7 + 0.3 * fract(floor(x) * 0.618034);
  let bamboo = tone * (1.0 - 0.6 * edge * edge * edge * edge);

  // Waiting swells: a light that rises from below while no token comes, breathing every three seconds.
  let swell = wait * (0.5 + 0.5 * wave(t * 0.3)) * uv.y * uv.y;

  // A surprising token leaves a ring that runs out from the words. No branch here: with this ring inside an `if`,
  // Mesa's software driver (22.3) lost half a megabyte a frame.
  let away = distance(p, vec2<f32>(u.focus.x * u.resolution.x / u.resolution.y, u.focus.y));
  let front = clamp(1.0 - abs(away - u.token_age * 0.7) * 5.0, 0.0, 1.0);
  let left = select(0.0, clamp(1.0 - u.token_age / 3.0, 0.0, 1.0), u.token_age >= 0.0);
  let ring = u.spread * front * front * left * left;

  // Heat turns the hue towards red.
  let warm = max(u.machine_temperature - 0.4, 0.0) * 0.25;
  let tint = wheel(u.stage_hue - warm + 0.06 * ink);
  let light = (0.05 + 0.30 * ink * ink * (0.4 + 0.6 * load) + 0.25 * swell) * bamboo + 0.5 * ring;
  let from_middle = uv - vec2<f32>(0.5, 0.55);
  let vignette = 1.0 - dot(from_middle, from_middle);
  return light * vignette * mix(vec3<f32>(0.35), tint, 0.65) * 0.35;
}
