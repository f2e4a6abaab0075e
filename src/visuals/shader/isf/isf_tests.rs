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
    for body in ["while (true) {}", "for (;;) { x += 1.; }", "do { x = 0.; } while (x < 1.);", "do { if (x < 1.) continue; } while (false);"] {
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
