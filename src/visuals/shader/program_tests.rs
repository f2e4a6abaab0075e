//! WGSL files through the checks and the bound, some of them drawn.

use super::*;
use crate::visuals::shader::TURNS;
use crate::visuals::shader::drawn;

/// A prelude in the form of the renderer's.
pub fn prelude() -> String {
    let mut wgsl = String::from(
        "struct Stage {
  resolution: vec2<f32>,
  focus: vec2<f32>,
  ground: vec4<f32>,
  paper: vec4<f32>,
  accent: vec4<f32>,
  bands: array<vec4<f32>, 8>,
  time: f32, dt: f32, frame: f32, token_age: f32, machine_cpu: f32, stage_background: f32,
",
    );
    for slot in 1..=12 {
        wgsl += &format!("  shader_{slot}: f32,\n");
    }
    wgsl + "}
@group(0) @binding(0) var<uniform> u: Stage;
@group(0) @binding(1) var xiao_sampler: sampler;
@group(0) @binding(2) var xiao_text: texture_2d<f32>;
@group(0) @binding(3) var xiao_previous: texture_2d<f32>;
fn spectrum(x: f32) -> f32 { return u.bands[u32(clamp(x, 0.0, 1.0) * 7.9)].x; }
fn words(uv: vec2<f32>) -> vec4<f32> { return textureSampleLevel(xiao_text, xiao_sampler, uv, 0.0); }
fn previous(uv: vec2<f32>) -> vec3<f32> { return textureSampleLevel(xiao_previous, xiao_sampler, uv, 0.0).rgb; }
"
}

pub const POSTLUDE: &str = "
@vertex
fn xiao_vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
  return vec4<f32>(f32((i << 1u) & 2u) * 2.0 - 1.0, 1.0 - f32(i & 2u) * 2.0, 0.0, 1.0);
}
@fragment
fn xiao_fragment(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  return vec4<f32>(field(at.xy / u.resolution), 1.0);
}
";

fn made(text: &str) -> Program {
    program("it", text, &prelude(), POSTLUDE).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(text: &str) -> (u32, String) {
    let refused = program("it", text, &prelude(), POSTLUDE).map(|_| ());
    let error = refused.expect_err(&text[text.len().saturating_sub(120)..]);
    (error.line, error.message)
}

#[test]
fn own_shaders_pass() {
    let ink = include_str!("../../../shaders/ink.wgsl").replace("u.flaw_age", "u.token_age");
    let program = made(&ink);
    assert_eq!((program.kind, program.inputs.len()), (Kind::Wgsl, 0));
    assert!(program.wgsl.contains("fn xiao_fragment(") && program.wgsl.contains("fn xiao_vertex("));
}

/// The numbers of the test's `u`: eight pixels square, the twelve parameters at `shader`.
pub fn numbers(shader: [f32; 12]) -> Vec<f32> {
    let mut numbers = vec![0.0; 48 + 6 + 12 + 2];
    (numbers[0], numbers[1]) = (8.0, 8.0);
    numbers[54..66].copy_from_slice(&shader);
    numbers
}

#[test]
fn errors_stand_at_the_users_own_line() {
    let (line, message) = refused("// one\n\nfn field(uv: vec2<f32>) -> vec3<f32> {\n  return uv;\n}\n");
    assert_eq!(line, 3, "{message}");
    let (line, message) = refused("fn field(uv: vec2<f32>) -> vec3<f32> {\n  return vec3<f32>(nowhere);\n}\n");
    assert_eq!(line, 2);
    assert!(message.contains("nowhere") && !message.contains('\n'), "{message}");
    let (line, message) = refused("fn field(uv: vec2<f32>) -> vec3<f32> {\n  let a = ;\n");
    assert_eq!(line, 2, "{message}");
}

#[test]
fn a_file_without_field_is_told_what_to_define() {
    for text in [
        "",
        "fn other() {}",
        "fn field() -> f32 { return 1.0; }",
        "fn field(uv: f32) -> vec3<f32> { return vec3<f32>(uv); }",
    ] {
        let (line, message) = refused(text);
        assert!(message.contains("must define `fn field(uv: vec2<f32>) -> vec3<f32>`"), "{text}: {message}");
        assert_eq!(line, 1);
    }
    assert!(refused("void main() { }").1.contains("a header of ISF"));
}

#[test]
fn what_collides_is_refused() {
    let field = "fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(0.0); }\n";
    for (text, said) in [
        ("@fragment fn mine() {}", "entry points"),
        ("@group(0) @binding(9) var<uniform> mine: f32;", "bindings"),
        ("var<private> xiao_mine: f32;", "`xiao_`"),
        ("fn xiao_vertex() {}", "`xiao_`"),
        ("override mine: f32 = 1.0;", "write `const`"),
        ("fn words() {}", "words"),
        ("const u = 1;", "redefinition"),
    ] {
        let (line, message) = refused(&format!("{field}{text}"));
        assert!(message.contains(said), "{text}: {message}");
        assert_eq!(line, 2, "{text}: {message}");
    }
}

#[test]
fn absurd_sizes_are_refused() {
    let field = "fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(0.0); }\n";
    assert!(refused(&"// long\n".repeat(40_000)).1.contains("312 KiB of text"));
    for text in [
        "var<private> a: array<f32, 20000>;".to_string(),
        "fn f() { var a: array<vec4<f32>, 3000>; var b: array<vec4<f32>, 3000>; }".into(),
        "struct S { a: array<array<f32, 65535>, 65535> }".into(),
        "fn f() { let a = array<f32, 65536>(); }".into(),
    ] {
        let (line, message) = refused(&format!("{field}{text}"));
        assert!(message.contains("KiB") || message.contains("GiB") || message.contains("large"), "{text}: {message}");
        assert_eq!(line, 2, "{text}: {message}");
    }
    made(&format!("{field}var<private> a: array<f32, 4000>;"));
    // Calls that double at each level: 2^40 of the innermost, which drivers would all write out.
    let mut text = String::from("fn g0(x: f32) -> f32 { return sin(x) + 1.0; }\n");
    for i in 1..=40 {
        text += &format!("fn g{i}(x: f32) -> f32 {{ return g{}(x) + g{}(x * 2.0); }}\n", i - 1, i - 1);
    }
    let (line, message) = refused(&format!("{text}{field}"));
    assert!(message.contains("with all that it calls") && line > 10, "{message}");
}

const ENDLESS: [&str; 9] = [
    "loop {}",
    "while true {}",
    "for (var i = 0u; i < 4294967295u; i++) { x += 1e-9; }",
    "for (var i = 0; i < 2; i = 0) { for (var j = 0; j < 2; j = 0) { x += 1e-9; } }",
    "loop { x += 1e-9; continue; }",
    "loop { if x > 2.0 { break; } continuing { x = 0.5; } }",
    "loop { switch i32(x) { case 0: { continue; } default: { loop { x = 0.0; } } } }",
    "loop { x = deep(x); }",
    "for (;;) { loop { x += 1e-9; continuing { loop { x = 0.0; } break if x > 2.0; } } }",
];

#[test]
fn whatever_never_ends_ends() {
    for body in ENDLESS {
        let text = format!(
            "fn deep(x: f32) -> f32 {{ var y = x; loop {{ y = y * 0.5; if y < -1.0 {{ break; }} }} return y; }}
fn open(x: f32) -> f32 {{ loop {{ if x > 2.0 {{ return x; }} }} }}
fn field(uv: vec2<f32>) -> vec3<f32> {{ var x = 0.25 + open(0.0); {body} return vec3<f32>(0.5, x, uv.x); }}"
        );
        let program = made(&text);
        let loops = program.wgsl.matches("loop {").count();
        let counts = program.wgsl.matches(&format!("> {TURNS}u")).count();
        assert!(loops >= 3 && counts == loops, "{body}: {loops} loops, {counts} counts\n{}", program.wgsl);
        if let Some(pixels) = drawn::draw(&program.wgsl, &numbers([0.0; 12])) {
            assert_eq!(pixels.len(), 64);
            assert!(pixels.iter().all(|p| p[0] == 0.5 && p[3] == 1.0), "{body}: {pixels:?}");
        }
    }
}

#[test]
fn loops_that_end_by_themselves_are_left_alone() {
    let text = "fn field(uv: vec2<f32>) -> vec3<f32> {
  var sum = 0.0;
  for (var i = 0; i < 100; i++) {
    if i % 2 == 0 { continue; }
    for (var j = 0; j < 100; j++) { sum += 1.0; if j == 49 { break; } }
  }
  return vec3<f32>(sum / 10000.0, 0.0, 0.0);
}";
    if let Some(pixels) = drawn::draw(&made(text).wgsl, &numbers([0.0; 12])) {
        assert!(pixels.iter().all(|p| (p[0] - 0.25).abs() < 1e-6), "{pixels:?}");
    }
}

#[test]
fn long_turns_count_more_and_deep_text_is_refused() {
    let field =
        |body: &str| format!("fn field(uv: vec2<f32>) -> vec3<f32> {{ var x = uv.x; {body} return vec3<f32>(x); }}");
    let long = made(&field(&format!("loop {{ {} }}", "x = sin(x * 1.1 + 0.1); ".repeat(100))));
    let weight = weight(&long);
    assert!((8..=20).contains(&weight), "{weight}");
    for deep in [
        format!("x = {}x{};", "(".repeat(5000), ")".repeat(5000)),
        format!("x = {}x;", "1.0 + ".repeat(20_000)),
        format!("x = {}x;", "-".repeat(100_000)),
        "{".repeat(9000) + &"}".repeat(9000),
        "if x > 0.0 { x = 1.0; } else ".repeat(2000) + "{}",
        "for (;;) ".repeat(9000),
        format!("x = {}x{};", "(".repeat(3), format!("{})", " + x".repeat(150)).repeat(3)),
    ] {
        refused(&field(&deep));
    }
}

#[test]
fn what_is_deep_behind_names_is_refused() {
    let field = "fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(0.0); }\n";
    let deep = |levels: usize, first: &str, next: &dyn Fn(usize) -> String| {
        let text: String = (1..=levels).map(next).collect();
        format!("{field}{first}\n{text}")
    };
    let array = |i: usize| format!("alias A{i} = array<A{}, 1>;\n", i - 1);
    let of_struct = |i: usize| format!("struct A{i} {{ a: A{} }}\n", i - 1);
    let call = |i: usize| format!("fn a{i}() {{ a{}(); }}\n", i - 1);
    for (first, next, said) in [
        ("alias A0 = f32;", &array as &dyn Fn(usize) -> String, "a type holds types"),
        ("struct A0 { a: f32 }", &of_struct, "a type holds types"),
        ("fn a0() {}", &call, "calls functions"),
    ] {
        made(&deep(30, first, next));
        for levels in [40, 5000] {
            let (_, message) = refused(&deep(levels, first, next));
            assert!(message.contains(said), "{message}");
        }
    }
}

#[test]
fn a_large_copy_counts_as_many_operations() {
    let turns = |bytes: usize| {
        let text = format!(
            "fn field(uv: vec2<f32>) -> vec3<f32> {{
  var a: array<vec4<f32>, {0}>; var b: array<vec4<f32>, {0}>; var x = uv.x;
  loop {{ b = a; a[0].x = x; a = b; x = b[0].x + 1.0; if x > 9.0 {{ break; }} }}
  return vec3<f32>(x);
}}",
            bytes / 16
        );
        weight(&made(&text))
    };
    assert_eq!(turns(16), 1);
    // Two copies of 2048 vectors, each read and written.
    let large = turns(32 * 1024 - 64);
    assert!((120..=140).contains(&large), "{large}");
}

/// What a turn of a shader's only loop counts.
fn weight(program: &Program) -> u32 {
    let mut weights =
        program.wgsl.lines().filter_map(|l| l.trim().strip_suffix("u);")?.rsplit_once(" + ")?.1.parse().ok());
    weights.next_back().unwrap()
}

/// A generator of its own, so that a failure comes again.
pub fn lots(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

/// Swaps, drops, doubles and breaks words of the text.
pub fn mutated(text: &str, seed: u64) -> String {
    const ODD: [&str; 20] = [
        "0",
        "-1",
        "4294967295",
        "1e38",
        "2147483648",
        "0.0",
        "/",
        "%",
        "<<",
        "(",
        ")",
        "{",
        "}",
        ";",
        "vec4",
        "[",
        "]",
        "array<f32, 9>()",
        "return",
        "\u{2}é",
    ];
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut words: Vec<&str> = text.split_inclusive(|c: char| !c.is_alphanumeric()).collect();
    for _ in 0..1 + lots(&mut state) % 4 {
        let (a, b) = (lots(&mut state) % words.len(), lots(&mut state) % words.len());
        match lots(&mut state) % 5 {
            0 => words.swap(a, b),
            1 => drop(words.remove(a)),
            2 => words.insert(a, words[b]),
            3 => words[a] = ODD[b % ODD.len()],
            _ => words.insert(a, ODD[b % ODD.len()]),
        }
        if words.is_empty() {
            words.push("");
        }
    }
    words.concat()
}

#[test]
fn no_panic_gets_out_of_broken_text() {
    let ink = include_str!("../../../shaders/ink.wgsl").replace("u.flaw_age", "u.token_age");
    let loops = format!("fn field(uv: vec2<f32>) -> vec3<f32> {{ var x = 0.5; {} return vec3<f32>(x); }}", ENDLESS[6]);
    let (mut good, mut bad) = (0, 0);
    for seed in 0..1000 {
        for text in [&ink, &loops] {
            match program("it", &mutated(text, seed), &prelude(), POSTLUDE) {
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
