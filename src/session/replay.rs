//! A replay: the same instrument with the journal in the generator's place, paced as it was.

use std::path::Path;
use std::sync::Arc;

use super::midi_out::Synths;
use super::samples;
use super::sound::{self, Sound};
use super::stage::{self, Stage};
use super::{SoundOptions, StageChoice, View};
use crate::control;
use crate::journal;
use crate::patch::{self, Listeners};
use crate::score::{Action, Bus, Clock, Event, Params, Policy, Shutdown, Spectrum, Timeline, Way};

/// What `xiao replay` was asked for.
pub struct Options {
    pub stage: Option<StageChoice>,
    pub view: View,
    /// The display that the window fills: its number, or a part of its name.
    pub display: Option<String>,
    pub sound: SoundOptions,
}

/// Plays a recording and ends with it.
///
/// # Errors
/// A folder that holds no recording, a stage or device that was asked for by name and is not there.
pub fn play(folder: &Path, options: Options) -> anyhow::Result<()> {
    let recording = journal::read(folder)?;
    let (choice, stage_notice) = stage::choose(options.stage, options.view, options.display.as_deref())?;
    let sound_plan = sound::Plan::make(&options.sound)?;
    // Read before the clock runs, so that they come where they came.
    let banks = sound_plan.rate_hz().map(|rate_hz| samples::recall(&recording.events, folder, rate_hz));
    let banks = banks.unwrap_or_default();
    let shutdown = Shutdown::default();
    super::live::end_on_signals(&shutdown)?;
    let bus = Bus::new(Clock::live());
    let (keys_to, keys) = crossbeam_channel::bounded(256);
    let spectrum = Spectrum::default();
    let (title, seed, matrix) = opening(&recording.events);
    let stage = Stage::new(choice, &bus, keys_to, &shutdown, &title, &spectrum).beside(options.view);
    let view = choice == StageChoice::Window && options.view == View::Window;
    let stage = stage.windows(stage::Windows { view, display: options.display, ..Default::default() });
    let (mut sound, sound_notice) = Sound::start(sound_plan, None, &bus, seed, matrix, &spectrum)?;
    for text in stage_notice.into_iter().chain(recording.truncated).chain(sound_notice) {
        bus.emit(Event::Notice { text });
    }

    let events = recording.events;
    let (relay_bus, relay_shutdown) = (bus.clone(), shutdown.clone());
    let player = std::thread::Builder::new().name("xiao-replay".into()).spawn(move || {
        journal::replay(events, &relay_bus, &relay_shutdown);
        relay_shutdown.request("the recording is over");
    })?;
    // Of the hands only quitting is left: everything else is in the recording.
    let patches = bus.subscribe("sound", Policy::Coalesce, 1 << 17);
    let mut synths = Synths::start(&bus, &Arc::new(Params::default()), &Listeners::default());
    let (hands_bus, hands_shutdown) = (bus.clone(), shutdown.clone());
    let hands = std::thread::Builder::new().name("xiao-hands".into()).spawn(move || {
        let mut events = Vec::new();
        while !hands_shutdown.requested() {
            if let Ok(stroke) = keys.recv_timeout(std::time::Duration::from_millis(20))
                && matches!(stroke.way, Way::Pressed | Way::Struck)
                && control::keyboard::action(stroke.key) == Some(Action::Quit)
            {
                hands_shutdown.request("the performer ended it");
            }
            patches.drain(&mut events);
            for stamped in events.drain(..) {
                match &stamped.event {
                    Event::Patch { name, text } => {
                        let Ok(patch) = patch::parse(name, text) else { continue };
                        // The controllers' lamps belong to whoever plays.
                        synths.take(&Listeners { synths: patch.midi_out, controllers: Vec::new() });
                        if let Some(sound) = &mut sound {
                            sound.take_matrix(stamped.seq, patch.matrix);
                        }
                    }
                    Event::Tempo { .. } => Timeline::of(&stamped).into_iter().for_each(|line| synths.retime(line)),
                    Event::Samples { .. } => {
                        if let (Some(sound), Some(bank)) = (&mut sound, banks.of(stamped.seq)) {
                            sound.take_bank(stamped.seq, bank.clone());
                        }
                    }
                    _ => {}
                }
            }
            if let Some(sound) = &mut sound {
                sound.follow(&hands_bus);
            }
        }
        sound
    })?;
    let shown = stage.run();
    shutdown.request("the stage was closed");
    let _ = player.join();
    if let Ok(Some(sound)) = hands.join() {
        // Whether the recording ended or was left: the sound fades.
        bus.emit(Event::End { reason: shutdown.reason().unwrap_or_default() });
        sound.close(&bus, false)?;
    }
    bus.close();
    shown
}

/// What must be known before the first event is relayed: title, the sound's seed, the first patch's matrix.
pub(super) fn opening(events: &[crate::score::Stamped]) -> (String, u64, patch::Matrix) {
    let (mut title, mut seed, mut matrix) = (String::new(), 0, None);
    for stamped in events.iter().take(64) {
        match &stamped.event {
            Event::Begin { title: t, .. } => title = t.clone(),
            Event::Sound { seed: s, .. } => seed = *s,
            Event::Patch { name, text } if matrix.is_none() => {
                matrix = patch::parse(name, text).ok().map(|patch| patch.matrix);
            }
            _ => {}
        }
    }
    (title, seed, matrix.unwrap_or_default())
}
