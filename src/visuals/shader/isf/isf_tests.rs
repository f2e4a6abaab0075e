//! Whole files of ISF through the translation, and what must be refused of them.

use crate::visuals::shader::drawn;
use crate::visuals::shader::program::tests::{POSTLUDE, mutated, numbers, prelude};
use crate::visuals::shader::program::{InputKind, Kind, Program, program};

const FILES: [(&str, &str); 8] = [
    ("gradient", include_str!("../../../../tests/fixtures/isf/gradient.fs")),
    ("plasma", include_str!("../../../../tests/fixtures/isf/plasma.fs")),
    ("kaleidoscope", include_str!("../../../../tests/fixtures/isf/kaleidoscope.fs")),
    ("raymarcher", include_str!("../../../../tests/fixtures/isf/raymarcher.fs")),
    ("noise", include_str!("../../../../tests/fixtures/isf/noise.fs")),
    ("feedback", include_str!("../../../../tests/fixtures/isf/feedback.fs")),
    ("bars", include_str!("../../../../tests/fixtures/isf/bars.fs")),
    ("tunnel", include_str!("../../../../tests/fixtures/isf/tunnel.fs")),
];

fn made(text: &str) -> Program {
    program("it", text, &prelude(), POSTLUDE).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(text: &str) -> (u32, String) {
    let error = program("it", text, &prelude(), POSTLUDE).unwrap_err();
    (error.line, error.message)
}

#[test]
fn files_as_people_write_them_are_translated() {
    let mut failed = Vec::new();
    for (name, text) in FILES {
        match program(name, text, &prelude(), POSTLUDE) {
            Ok(program) => assert_eq!(program.kind, Kind::Isf),
            Err(error) => failed.push(error.to_string()),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn inputs_take_the_parameters_in_order() {
    let bars = made(FILES[6].1);
    let slots: Vec<(&str, usize, usize)> =
        bars.inputs.iter().map(|i| (i.name.as_str(), i.slots.start, i.slots.end)).collect();
    let expected = [("count", 1, 2), ("low", 2, 5), ("high", 5, 8), ("peak", 8, 12), ("gap", 12, 13), ("over", 0, 0)];
    assert_eq!(slots, expected);
    assert!(bars.notes.iter().any(|n| n.starts_with("over: no parameter")), "{:?}", bars.notes);
    assert_eq!(bars.label(1, 0.5), Some(("count".into(), "34".into())));
    assert_eq!(bars.label(3, 0.25), Some(("low green".into(), "0.25".into())));
    assert_eq!(bars.label(11, 0.5), Some(("peak alpha".into(), "0.5".into())));
    assert_eq!(bars.label(13, 0.5), None);

    let gradient = made(FILES[0].1);
    let read = |slot, at| gradient.label(slot, at).map(|(name, value)| format!("{name} {value}")).unwrap_or_default();
    assert_eq!(read(8, 0.5), "direction Down");
    assert_eq!(read(9, 0.25), "offset -0.5");
    assert_eq!(read(10, 0.7), "mirror on");
    assert_eq!(read(11, 0.0), "Steps 1");
    let defaults: Vec<(usize, f32)> = gradient.inputs.iter().flat_map(|i| i.defaults()).collect();
    assert_eq!(defaults[..3], [(1, 1.0), (2, 0.5), (3, 0.0)]);
    assert_eq!((defaults[7], defaults[8]), ((8, 0.5), (9, 0.5)));
    assert!(matches!(&gradient.inputs[2].kind, InputKind::Long { labels, .. } if labels[2] == "Round"));
    assert_eq!(made(FILES[1].1).label(3, 0.5), Some(("center y".into(), "0.5".into())));
}

#[test]
fn a_file_draws_what_it_says() {
    let file = |body: &str| {
        format!(
            "/*{{\"INPUTS\": [{{\"NAME\": \"zoom\", \"TYPE\": \"float\", \"MIN\": 1, \"MAX\": 3}},
            {{\"NAME\": \"pick\", \"TYPE\": \"long\", \"VALUES\": [5, 7, 9]}}, {{\"NAME\": \"on\", \"TYPE\": \"bool\"}}]}}*/
void main() {{ {body} }}"
        )
    };
    let pixels = |body: &str| {
        let mut shader = [0.0; 12];
        shader[..3].copy_from_slice(&[0.25, 0.5, 0.75]);
        drawn::draw(&made(&file(body)).wgsl, &numbers(shader))
    };
    let Some(at) = pixels("gl_FragColor = vec4(isf_FragNormCoord, gl_FragCoord.y / 8., 1.);") else { return };
    let linear = |c: f32| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let close = |a: f32, b: f32| assert!((a - b).abs() < 1e-4, "{a} {b}");
    // The bottom left comes last row, first pixel.
    let corner = at[56];
    close(corner[0], linear(0.5 / 8.0));
    close(corner[1], linear(0.5 / 8.0));
    close(corner[2], linear(0.5 / 8.0));
    close(at[7][0], linear(7.5 / 8.0));
    close(at[7][2], linear(7.5 / 8.0));
    let values = pixels("gl_FragColor = vec4(zoom / 3.0, float(pick) / 9.0, on ? 1.0 : 0.0, 0.5);").unwrap()[0];
    close(values[0], linear(0.5) * 0.5);
    close(values[1], linear(7.0 / 9.0) * 0.5);
    close(values[2], 0.5);
    let none = pixels("gl_FragColor = vec4(1); if (zoom > 1.0) discard; gl_FragColor = vec4(0.5);").unwrap()[0];
    assert_eq!(none[..3], [0.0; 3]);
}

#[test]
fn pictures_that_are_not_there_are_noted() {
    let tunnel = made(FILES[7].1);
    assert!(tunnel.notes.iter().any(|n| n.starts_with("wood: imported")), "{:?}", tunnel.notes);
    let kaleidoscope = made(FILES[2].1);
    assert_eq!(kaleidoscope.notes, ["inputImage: is the words", "mask: is the frame before"]);
    assert!(made(FILES[5].1).notes.iter().any(|n| n.starts_with("left_coord: nothing sets")));
}

#[test]
fn faults_stand_at_the_lines_of_the_file() {
    let head = "/*{\n  \"INPUTS\": [\n    {\"NAME\": \"a\", \"TYPE\": \"float\"}\n  ]\n}*/\n";
    let at = |rest: &str| refused(&format!("{head}{rest}"));
    let (line, message) = at("void main() {\n  gl_FragColor = vec4(b);\n}\n");
    assert_eq!((line, message.contains('b')), (7, true), "{message}");
    let (line, message) = at("#define X nothere\nvoid main() {\n\n  gl_FragColor = vec4(X);\n}\n");
    assert_eq!((line, message.contains("nothere")), (9, true), "{message}");
    let (line, message) = at("float f(float x) {\n  return x\n}\nvoid main() { gl_FragColor = vec4(f(a)); }\n");
    assert_eq!(line, 8, "{message}");
    assert!(at("void other() {}").1.contains("void main()"));
    assert!(at("void main() {").1.contains("never ends"));
    let (line, message) = at("void main() {\n gl_FragColor = vec4(xiao.nothing); }");
    assert_eq!((line, message.contains("nothing")), (7, true), "{message}");

    let (line, message) = refused("/*{\n  \"INPUTS\": [\n    {\"NAME\": \"a\", }\n  ]\n}*/\nvoid main() {}");
    assert_eq!((line, message.contains("header")), (3, true), "{message}");
    let (line, message) = refused("/*{\n \"INPUTS\": [\n {\"NAME\": \"a\", \"TYPE\": \"flaot\"} ] }*/\nvoid main() {}");
    assert_eq!((line, message.contains("flaot")), (3, true), "{message}");
    let (line, message) = refused("/*{\n \"PASSES\": [{}, {}] }*/\nvoid main() {}");
    assert_eq!((line, message.contains("2 passes")), (2, true), "{message}");
}

#[test]
fn loops_of_glsl_end_too() {
    for body in [
        "while (true) {}",
        "for (;;) { x += 1.; }",
        "do { x = 0.; } while (x < 1.);",
        "do { if (x < 1.) continue; } while (false);",
    ] {
        let text = format!("/*{{}}*/ void main() {{ float x = 0.; {body} gl_FragColor = vec4(1., x, 0., 1.); }}");
        let program = made(&text);
        assert_eq!(program.wgsl.matches("loop {").count(), program.wgsl.matches("> 20000u").count());
        if let Some(pixels) = drawn::draw(&program.wgsl, &numbers([0.0; 12])) {
            assert!(pixels.iter().all(|p| p[0] == 1.0), "{body}");
        }
    }
}

#[test]
fn no_panic_gets_out_of_broken_files() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..250 {
        for (name, text) in FILES {
            match program(name, &mutated(text, seed), &prelude(), POSTLUDE) {
                Ok(_) => good += 1,
                Err(error) => {
                    assert!(error.line >= 1 && !error.message.contains('\n'), "{error}");
                    bad += 1;
                }
            }
        }
    }
    assert!(good > 50 && bad > 500, "{good} good, {bad} bad");
}

/// Single lines in which old GLSL and naga could part ways.
const IDIOMS: [&str; 40] = [
    "float x = 2 * t;",
    "vec2 p = uv * 2; p = 2 * p; p += 1; p -= 1; p /= 2;",
    "float x = max(t, 0) + pow(t, 2) + mod(t, 2) + clamp(t, 0, 1) + smoothstep(0, 1, t) + step(0, t);",
    "float x = t > 0.5 ? 1 : 0;",
    "float x = t > 0.5 ? 1 : 0.5;",
    "int i = 3; float x = i; x = i * 0.5; x += i; x = i / 2.0;",
    "float x = 1; x++; ++x; x--;",
    "for (float i = 0; i < 5; i++) { t += i; }",
    "for (int i = 0, j = 5; i < j; i++, j--) { t += 1.; }",
    "float a[3]; a[0] = 1.; a[1] = 2; int k = 2; a[k] = a[0] + a[1]; t = a[k];",
    "const float a[3] = float[3](1., 2., 3.); t = a[1];",
    "vec3 v = vec3(1, 0, 0); v.xy *= 2.; v.zx += uv; v[1] = 3.; t = v.s + v.g;",
    "mat3 m = mat3(1.0); m[0][1] = 2.; vec3 v = m * vec3(uv, 1) * m; m *= 2.; m = m * m;",
    "mat2 m = mat2(1, 0, 0, 1); vec2 p = uv * m; p = m * p; p.yx = p.xy;",
    "if (t == 1 || t != 0.0 && !(t > 2)) t = 0;",
    "bool b = uv == vec2(0); b = b ^^ true; t = float(b);",
    "int i = int(t) % 2; i = i << 1; i |= 1; i ^= 3; t = float(i & 1);",
    "vec4 c = vec4(1); c = c.bgra; c.rgb = mix(c.rgb, vec3(0), 0.5); t = dot(c.rg, c.ba);",
    "float x, y = 1., z; x = y; z = x; t = x + z;",
    "vec2 p = -uv; p = abs(p) - .5; p = p.yx * vec2(1, -1); t = p.x;",
    "t = atan(uv.y, uv.x) + atan(t) + radians(90.) + degrees(1.) + inversesqrt(2.) + exp2(t) + log2(2.) + sign(t);",
    "vec3 n = normalize(cross(vec3(1, 0, 0), vec3(uv, 0))); n = reflect(n, n); n = refract(n, n, 1.); t = n.x;",
    "vec3 n = faceforward(vec3(1), vec3(2), vec3(3)); t = distance(n, vec3(0)) + length(uv);",
    "int k = 0; while (k < 3) { k++; if (k == 2) continue; } t = float(k);",
    "ivec2 q = ivec2(uv * 4.); q += 1; t = float(q.x + q.y);",
    "{ float t = 3.; t += 1.; } float q = t; { float q = 2; }",
    "vec4 texture = IMG_THIS_PIXEL(pic); t = texture.r;",
    "float sample = 1., input = 2., filter = 3., common = sample; t = input + filter + common;",
    "const float k = 1. / 3., l = k * 2.; const int n = 2; float a[SIZE]; a[0] = k + l; t = a[0] * n;",
    "gl_FragColor += vec4(1) * 2; gl_FragColor.rgb *= 1.;",
    "t = float(lessThan(uv, vec2(1)).x) + float(all(equal(uv, uv))) + float(any(not(bvec2(true, false))));",
    "uint u = 3u; t = float(u); int h = 0xff; t += float(h);",
    "t = min(t, 1) + max(0, t) + abs(-1) + floor(1.5) + fract(t) + ceil(.5f) + 1.e2 + 1e-3 + .5;",
    "vec2 z = vec2(t); z = vec2(z.x * z.x - z.y * z.y, 2 * z.x * z.y) + uv; t = z.x;",
    "float f = uv.x; f *= 2, f += 1.; t = f;",
    "vec3 a = vec3(uv, 0), b = a.zyx; a = (a + b) / 2; t = (a * b).x;",
    "t = -(-t); t = +t; t = t - -1.; t = (t); ;",
    "vec3 c = vec3(0); c += vec3(1, 2, 3) * (t > 0. ? 1. : -1.); t = max(c, 0.).x + mix(c, vec3(1), vec3(.5)).y;",
    "mat4 m = mat4(1.); t = (m * vec4(uv, 0, 1)).x; mat2 r = mat2(m); t += r[0].x;",
    "t = noise1(1) + lots(vec2(1), 2) + one();",
];

#[test]
fn idioms_of_old_glsl_are_understood() {
    let mut failed = Vec::new();
    for body in IDIOMS {
        let text = format!(
            "/*{{\"INPUTS\": [{{\"NAME\": \"pic\", \"TYPE\": \"image\"}}]}}*/
const int SIZE = 2;
float noise1(float x) {{ return fract(x * 3); }}
float lots(in vec2 p, const float k) {{ p *= k; return p.x; }}
float one() {{ return 1; }}
void main() {{ vec2 uv = isf_FragNormCoord; float t = TIME; {body}
gl_FragColor = vec4(t); }}"
        );
        if let Err(error) = program("it", &text, &prelude(), POSTLUDE) {
            failed.push(format!("{body} => {error}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
