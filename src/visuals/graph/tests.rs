//! The renderer drawn into textures: the watchdog, the flash guard, and odd sizes. Skips without an adapter.

use super::*;
use crate::score::{Event, Hand, Stamped};
use crate::visuals::palette::luminance;

const SIZE: [u32; 2] = [320, 180];
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8UnormSrgb;

/// A renderer as a show has it, with its device; none on a machine without an adapter.
fn show() -> Option<(wgpu::Device, wgpu::Queue, Renderer)> {
    let Ok(adapter) = crate::visuals::displays::adapter() else {
        eprintln!("skipped: no graphics adapter");
        return None;
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).unwrap();
    let renderer = Renderer::new(&device, &queue, FORMAT, 1, true).watched();
    Some((device, queue, renderer))
}

fn state(events: &[Event], t_ms: u64) -> FrameState {
    let mut state = FrameState::new();
    for event in events {
        state.apply(&Stamped { seq: 0, t_ns: 0, event: event.clone() });
    }
    state.advance(t_ms * 1_000_000);
    state
}

fn set(id: ParamId, value: f32) -> Event {
    Event::Param { id, value, by: Hand::Key }
}

#[test]
fn a_shader_that_takes_seconds_is_refused_before_it_runs() {
    let Some((device, queue, mut renderer)) = show() else { return };
    let slow = "fn field(uv: vec2<f32>) -> vec3<f32> {
        var x = uv.x;
        for (var i = 0; i < 100000000; i++) { x = fract(sin(x + f32(i)) * 43758.5); }
        return vec3<f32>(x);
    }";
    renderer.prepare(&device, &queue, [1280, 720], &state(&[], 0));
    let shade = |text: &str| Event::Shader { name: "mine".into(), text: text.into() };
    renderer.prepare(&device, &queue, [1280, 720], &state(&[shade(slow)], 10));
    let fault = renderer.take_fault().unwrap();
    assert!(fault.message.contains("a frame would take") && renderer.program().is_none(), "{fault}");
    // It is not tried in every frame, but again when it is saved again.
    let saved = state(&[shade(slow)], 11);
    renderer.prepare(&device, &queue, [1280, 720], &saved);
    assert!(renderer.take_fault().is_some());
    renderer.prepare(&device, &queue, [1280, 720], &saved);
    assert_eq!(renderer.take_fault(), None);
    let quick = "fn field(uv: vec2<f32>) -> vec3<f32> { return vec3<f32>(uv, 0.0); }";
    renderer.prepare(&device, &queue, [1280, 720], &state(&[shade(quick)], 20));
    assert_eq!((renderer.take_fault(), renderer.program().is_some()), (None, true));
}

/// Draws frames and gives the mean luminance of each one's quarters.
fn film(renderer: &mut Renderer, device: &wgpu::Device, queue: &wgpu::Queue, states: &[FrameState]) -> Vec<[f32; 4]> {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width: SIZE[0], height: SIZE[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&Default::default());
    let bytes = SIZE[0] * 4;
    let readback = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(bytes * SIZE[1]),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut light = Vec::new();
    for state in states {
        let mut encoder = device.create_command_encoder(&Default::default());
        renderer.draw(device, queue, &mut encoder, &view, SIZE, state);
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes), rows_per_image: None };
        let to = wgpu::TexelCopyBufferInfo { buffer: &readback, layout };
        encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
        queue.submit([encoder.finish()]);
        readback.map_async(wgpu::MapMode::Read, .., |_| {});
        device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let mut quarters = [0.0; 4];
        for (at, p) in (0..).zip(readback.get_mapped_range(..).chunks_exact(4)) {
            let (right, below) = (at % SIZE[0] >= SIZE[0] / 2, at / SIZE[0] >= SIZE[1] / 2);
            quarters[usize::from(right) + 2 * usize::from(below)] += luminance([p[0], p[1], p[2], 255]);
        }
        readback.unmap();
        light.push(quarters.map(|sum| sum / (SIZE[0] * SIZE[1] / 4) as f32));
    }
    light
}

/// The mean luminance of a picture of this state.
fn light(renderer: &mut Renderer, device: &wgpu::Device, queue: &wgpu::Queue, state: FrameState) -> f32 {
    film(renderer, device, queue, &[state])[0].iter().sum::<f32>() / 4.0
}

/// A shader that is white and black by turns, ten times a second and each half (or the whole) in its turn, and what a
/// stage shows of it.
fn flashing(guard: f32, halves: f32) -> Option<Vec<[f32; 4]>> {
    let (device, queue, mut renderer) = show()?;
    let text = format!(
        "fn field(uv: vec2<f32>) -> vec3<f32> {{
            return vec3<f32>(step(0.5, fract(u.time * 10.0 + {halves:?} * step(0.5, uv.x))) * 4.0);
        }}"
    );
    let events = [
        Event::Shader { name: "flash".into(), text },
        set(ParamId::StageScene, 7.0),
        set(ParamId::Background, 1.0),
        set(ParamId::Meters, 0.0),
        set(ParamId::FlashGuard, guard),
    ];
    let states: Vec<_> = (0..90).map(|frame| state(&events, frame * 1000 / 30)).collect();
    Some(film(&mut renderer, &device, &queue, &states))
}

/// How many pairs of opposing changes by a tenth or more there are in the quarter that has most.
fn flashes(light: &[[f32; 4]]) -> usize {
    let of_quarter = |quarter: usize| {
        let (mut low, mut high, mut up, mut count) = (f32::MAX, f32::MIN, false, 0);
        for now in light.iter().map(|quarters| quarters[quarter]) {
            (low, high) = (low.min(now), high.max(now));
            if !up && now >= low + 0.1 {
                (up, high) = (true, now);
            } else if up && now <= high - 0.1 {
                (up, low, count) = (false, now, count + 1);
            }
        }
        count
    };
    (0..4).map(of_quarter).max().unwrap()
}

#[test]
fn the_guard_lets_no_quarter_flash_faster_than_three_times_a_second() {
    for halves in [0.0, 0.5] {
        let Some(bare) = flashing(0.0, halves) else { return };
        assert!(flashes(&bare) >= 20, "{}", flashes(&bare));
        let guarded = flashing(1.0, halves).unwrap();
        // In any second.
        let most = guarded.windows(30).map(flashes).max().unwrap();
        assert!(most <= 3, "{most}: {guarded:?}");
    }
}

#[test]
fn a_black_stage_is_black_and_a_frozen_one_stands() {
    let Some((device, queue, mut renderer)) = show() else { return };
    let words = Event::Prompt { name: None, text: "春江潮水连海平".into(), tokens: 7 };
    let mut shown = |events: &[Event]| light(&mut renderer, &device, &queue, state(events, 2000));
    let (black, frozen) = (set(ParamId::Blackout, 1.0), set(ParamId::Freeze, 1.0));
    assert_eq!(shown(&[black.clone(), frozen.clone()]), 0.0);
    let bright = shown(std::slice::from_ref(&words));
    assert!(bright > 0.001);
    assert_eq!(shown(&[words.clone(), black.clone()]), 0.0);
    assert_eq!(shown(std::slice::from_ref(&words)), bright);
    // Whatever becomes of the show behind a frozen picture.
    let changed = [
        set(ParamId::StageScene, 3.0),
        set(ParamId::Palette, 2.0),
        set(ParamId::Background, 1.0),
        Event::Fault { place: "model".into(), what: "it broke".into(), remedy: "it is brought back".into() },
    ];
    for change in changed {
        assert!((shown(&[frozen.clone(), change.clone()]) - bright).abs() < 1e-4, "{change:?}");
        assert_eq!(shown(&[frozen.clone(), change, black.clone()]), 0.0);
    }
    // What the performer types is seen, and leaves no trace.
    let typing = Event::Typing { on: true, text: "The moon".into(), at: 8 };
    assert!((shown(&[frozen.clone(), typing.clone()]) - bright).abs() > 1e-5);
    assert_eq!(shown(&[frozen.clone(), typing, black]), 0.0);
    assert!((shown(std::slice::from_ref(&frozen)) - bright).abs() < 1e-6);
    assert!((shown(&[]) - bright).abs() > 1e-4);
}

#[test]
fn what_is_no_number_leaves_the_stage_with_its_shader() {
    let Some((device, queue, mut renderer)) = show() else { return };
    let mut shown = |text: &str, t_ms: u64| {
        let shader =
            Event::Shader { name: "mine".into(), text: format!("fn field(uv: vec2<f32>) -> vec3<f32> {{ {text} }}") };
        let events = [shader, set(ParamId::StageScene, 7.0), set(ParamId::Meters, 0.0)];
        light(&mut renderer, &device, &queue, state(&events, t_ms))
    };
    for (at, bad) in ["let none = u.dt * 0.0; return vec3<f32>(none / none);", "return vec3<f32>(1.0 / (u.dt * 0.0));"]
        .iter()
        .enumerate()
    {
        let t_ms = 10_000 * at as u64;
        shown(bad, t_ms);
        shown(bad, t_ms + 1000);
        shown("return previous(uv) * 0.5 + 0.1;", t_ms + 5000);
        let mended = shown("return previous(uv) * 0.5 + 0.1;", t_ms + 9000);
        assert!(mended > 0.05, "{bad}: {mended}");
    }
}

#[test]
fn no_size_and_no_shape_is_too_much() {
    let Some((device, queue, mut renderer)) = show() else { return };
    for size in [[1, 1], [7680, 4320], [3, 2000], [640, 360], [1, 8192]] {
        for ratio in [0.0, 0.2, 1.0, 4.0] {
            let state = state(&[set(ParamId::Letterbox, ratio)], 1000);
            renderer.prepare(&device, &queue, size, &state);
            let mut encoder = device.create_command_encoder(&Default::default());
            renderer.encode(&device, &mut encoder);
            let [x, y, width, height] = renderer.inner;
            assert!(x + width <= size[0] && y + height <= size[1] && width > 0 && height > 0, "{size:?} {ratio}");
        }
    }
}
