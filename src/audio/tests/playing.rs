//! Rooms, stems, and what a performer's hand does to the whole: panic, grid, morph, another patch.

use super::*;

/// At one frame the live engine takes the cues first and the matrix after them: an envelope that begins with a token is
/// at rest if the patch that brings it came in the same block.
#[test]
fn a_patch_and_a_token_of_one_block_are_rendered_in_the_order_in_which_they_were_taken() {
    let text = "[prompts]\na = \"a\"\n[envelope.hit]\non = \"token\"\nhold_ms = 900\n\
                [[matrix]]\nfrom = \"envelope.hit\"\nto = \"sound.hum.level_db\"\namount = 0.2\n";
    let (mut desk, mut player) = link(engine());
    let send = desk.cue_sender();
    let stamped = |seq: u64, t_ns: u64, event: Event| Stamped { seq, t_ns, event };
    let mut events = vec![
        stamped(0, 0, Event::Patch { name: "p".into(), text: "[prompts]\na = \"a\"\n".into() }),
        stamped(1, 0, Event::Sound { rate_hz: RATE, seed: 7, output: String::new(), layout: Default::default() }),
        stamped(2, 2_000_000_000, Event::Patch { name: "p".into(), text: text.into() }),
        script().into_iter().find(|e| matches!(e.event, Event::Token(_))).map(|e| Stamped { seq: 3, ..e }).unwrap(),
    ];
    events[3].t_ns = 2_000_000_000;
    let (mut played, mut block, mut heard) = (Vec::new(), vec![0.0; 256], Vec::new());
    for i in 0..1500 {
        if i == 750 {
            assert!(desk.swap_matrix(2, crate::patch::parse("p", text).unwrap().matrix));
            send(&events[3]);
        }
        player.fill(&mut block);
        played.extend_from_slice(&block);
        heard.extend(desk.reports().filter_map(|report| match report {
            Report::Heard { of, frame } => Some(Event::Heard { of, frame }),
            _ => None,
        }));
    }
    events.extend(heard.into_iter().enumerate().map(|(i, e)| stamped(4 + i as u64, 2_000_000_001, e)));
    let (_, rendered) = to_samples(&events, &Banks::default(), 2.0).unwrap();
    let n = played.len().min(rendered.len());
    assert!(n > 2 * 3 * RATE as usize && played[..n] == rendered[..n]);
}

#[test]
fn a_room_of_loudspeakers_is_rendered_as_it_was_played() {
    let layout = Layout { channels: 5, form: Form::Line };
    let mut events = script();
    events[0].event = Event::Sound { rate_hz: RATE, seed: 7, output: "none".into(), layout };
    let (played, recorded) = live_with(layout, &events, &Banks::default(), 128, 11.0);
    let (_, rendered) = to_samples(&recorded, &Banks::default(), 1.0).unwrap();
    let n = played.len().min(rendered.len());
    assert!(n > 5 * 10 * RATE as usize);
    let worst = played.iter().zip(&rendered).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1.0 / 8_388_607.0, "{worst}");
    for channel in 0..5 {
        let alone: Vec<f32> = played.iter().skip(channel).step_by(5).copied().collect();
        assert!(rms(&alone) > 0.002 && peak(&alone) <= CEILING, "{channel}: {}", rms(&alone));
    }
}

#[test]
fn the_stems_together_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (_, whole) = to_samples(&script(), &Banks::default(), 0.5).unwrap();
    let written =
        to_stems(&script(), &Banks::default(), dir.path(), "wav", 0.5, &crate::score::Shutdown::default()).unwrap();
    assert_eq!(written.len(), Voice::ALL.len());
    let mut sum = vec![0.0f32; whole.len()];
    for stem in &written {
        let reader = hound::WavReader::open(&stem.files[0]).unwrap();
        let samples = reader.into_samples::<i32>().map(|x| x.unwrap() as f32 / 8_388_607.0);
        sum.iter_mut().zip(samples).for_each(|(sum, x)| *sum += x);
        assert!(
            stem.peak > 0.0 || ["throat.wav", "samples.wav"].iter().any(|name| stem.files[0].ends_with(name)),
            "{:?} is silent",
            stem.files
        );
    }
    let worst = whole.iter().zip(&sum).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "{worst}");
}

#[test]
fn panic_is_silence_at_once_without_a_step_and_what_rang_is_gone() {
    let mut engine = engine();
    play(&mut engine, 2.0);
    for i in 0..20 {
        take(&mut engine, token(i as f32 / 2.0));
        play(&mut engine, 0.05);
    }
    let before = left(&play(&mut engine, 0.2));
    take(&mut engine, CueKind::Panic);
    set(&mut engine, ParamId::Mute, 1.0);
    let after = left(&play(&mut engine, 0.3));
    assert!(rms(&before) > 0.01);
    // What is left in a twentieth of a second is the DC blocker's own tail.
    let (soon, late) = (peak(&after[RATE as usize / 20..]), peak(&after[RATE as usize / 5..]));
    assert!(soon < 1e-3 && late < 1e-5, "{soon} {late}");
    let bend = |x: &[f32]| x.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f32::max);
    assert!(bend(&after) < 2.0 * bend(&before), "{} {}", bend(&after), bend(&before));
    // Given back, the drone returns and no note of before.
    for id in [ParamId::HumLevel, ParamId::BreathLevel, ParamId::TensionLevel, ParamId::WeightLevel] {
        set(&mut engine, id, -60.0);
    }
    play(&mut engine, 2.0);
    set(&mut engine, ParamId::Mute, 0.0);
    assert!(peak(&play(&mut engine, 0.5)) < 1e-3);
    take(&mut engine, token(4.0));
    assert!(peak(&play(&mut engine, 0.3)) > 0.01);
}

#[test]
fn on_a_grid_tokens_wait_for_their_step() {
    let mut engine = only_tokens();
    set(&mut engine, ParamId::TempoBpm, 120.0);
    set(&mut engine, ParamId::TempoGrid, 2.0);
    set(&mut engine, ParamId::TokenLength, 0.1);
    set(&mut engine, ParamId::GhostLevel, -60.0);
    set(&mut engine, ParamId::DelayMix, 0.0);
    let mut out = Vec::new();
    for i in 0..40 {
        take(&mut engine, token(2.0 + (i % 5) as f32));
        out.extend(left(&play(&mut engine, 0.07 + 0.013 * (i % 4) as f32)));
    }
    // Onsets: where a millisecond is far louder than the quarter second before it was at its softest.
    let loud: Vec<f32> = out.chunks(48).map(rms).collect();
    let onsets: Vec<usize> =
        (10..loud.len()).filter(|i| loud[*i] > 0.004 && loud[i - 10..*i].iter().all(|l| l * 2.0 < loud[*i])).collect();
    assert!(onsets.len() >= 12, "{onsets:?}");
    // A step is 250 ms; all stand at the same place in it.
    let phase = |at: &usize| (at + 250 - onsets[0] % 250) % 250;
    assert!(onsets.iter().all(|at| phase(at) <= 4 || phase(at) >= 246), "{onsets:?}");
}

#[test]
fn the_morph_crosses_from_one_snapshot_to_the_other() {
    let loud = |way: f32| {
        let mut engine = engine();
        let (mut first, mut second) = (crate::audio::morph::NOTHING, crate::audio::morph::NOTHING);
        (first[ParamId::HumLevel as usize], second[ParamId::HumLevel as usize]) = (-40.0, -6.0);
        take(&mut engine, CueKind::Morph { side: MorphSide::First, values: first });
        take(&mut engine, CueKind::Morph { side: MorphSide::Second, values: second });
        set(&mut engine, ParamId::Morph, way);
        for id in [ParamId::BreathLevel, ParamId::TensionLevel, ParamId::WeightLevel] {
            set(&mut engine, id, -60.0);
        }
        rms(&play(&mut engine, 4.0)[2 * 96_000..])
    };
    let (first, between, second) = (loud(0.0), loud(0.5), loud(1.0));
    let db = |a: f32, b: f32| 20.0 * (a / b).log10();
    assert!(
        (db(second, first) - 34.0).abs() < 1.0 && (db(between, first) - 17.0).abs() < 1.0,
        "{first} {between} {second}"
    );
}

#[test]
fn what_leaves_is_seen_whoever_reads_it_and_a_mute_is_seen_too() {
    let spectrum = crate::score::Spectrum::default();
    let mut seen = engine().with_spectrum(spectrum.clone());
    let mut unseen = engine();
    for engine in [&mut seen, &mut unseen] {
        take(engine, token(6.0));
    }
    assert!(play(&mut seen, 3.0) == play(&mut unseen, 3.0), "to be seen changes nothing");
    assert_eq!((seen.bands(), &spectrum.read()), (unseen.bands(), unseen.bands()));
    let before = spectrum.read();
    assert!(before.iter().any(|level| *level > 0.3), "{before:?}");
    set(&mut seen, ParamId::Mute, 1.0);
    play(&mut seen, 0.5);
    let (now, most) = (spectrum.read(), before.iter().copied().fold(0.0, f32::max));
    assert!(now.iter().all(|level| *level < 0.4 * most), "{before:?} {now:?}");
    play(&mut seen, 5.0);
    assert_eq!(spectrum.read(), [0.0; 32]);
}

#[test]
fn a_token_that_was_released_on_a_line_sounds_on_it_and_not_on_the_next() {
    // Both grids are sixteenths at 120 bpm, 125 ms; cues come 8 ms after their lines, as a block lets them.
    let onset_ms = |by_the_grid: bool| {
        let mut engine = only_tokens();
        let heard = |engine: &mut Engine, t_ns: u64, kind| engine.take(Cue { seq: 0, t_ns, kind });
        set(&mut engine, ParamId::TempoGrid, 4.0);
        set(&mut engine, ParamId::TempoBpm, 120.0);
        set(&mut engine, ParamId::Grid, if by_the_grid { 4.0 } else { 0.0 });
        let began_ns = engine.frame() * 1_000_000_000 / u64::from(RATE);
        heard(&mut engine, began_ns, CueKind::Tempo(Timeline::new(began_ns, 0.0, 120.0)));
        play(&mut engine, 3.008);
        heard(&mut engine, began_ns + 3_000_000_000, token(4.0));
        let out = left(&play(&mut engine, 0.3));
        let loud: Vec<f32> = out.chunks(48).map(rms).collect();
        loud.iter().position(|l| *l > 0.004).unwrap()
    };
    let (on_it, on_the_next) = (onset_ms(true), onset_ms(false));
    assert!(on_it <= 6 && (110..=125).contains(&on_the_next), "{on_it} {on_the_next}");
}
