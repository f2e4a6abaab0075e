//! A cue: what the sound needs of one event, small and without heap, so that it can cross into the audio callback.

use crate::audio::morph::{Kept, NOTHING};
use crate::audio::tuning::Tuning;
use crate::audio::voices::throat::{PHONES, Phone, phones};
use crate::score::signal::eighths;
use crate::score::{
    Event, FlawKind, Happening, MorphSide, ParamId, SignalId, SignalValues, Spent, Stamped, Timeline, Token,
};

/// Cores that are heard each on their own; further ones are heard in the overall load only.
pub const CORES: usize = 16;

const _: () = assert!(SignalId::COUNT <= 64, "MachineCue has 64 bits for absent signals");

/// Candidates beside the drawn one that can be heard.
pub const GHOSTS: usize = 7;

/// Places of faults that lie in the performer's own files.
const FILES: [&str; 4] = ["patch", "shader", "tuning", "samples"];

/// An event as the sound hears it.
#[derive(Clone, Copy, Debug)]
pub struct Cue {
    /// The event's number in the score.
    pub seq: u64,
    /// When the event was.
    pub t_ns: u64,
    pub kind: CueKind,
}

#[derive(Clone, Copy, Debug)]
pub enum CueKind {
    Prompt,
    /// The part of the model that has been brought into memory, 0..1.
    Load(f32),
    /// Words were taken back, or others put in their place; `rests`: those of a piece that had ended.
    Rewind {
        rests: bool,
    },
    /// The part of the prompt that has been read, 0..1.
    Prefill(f32),
    Token(TokenCue),
    Forget,
    PieceEnd,
    Flaw {
        kind: FlawKind,
        period: u32,
    },
    Machine(MachineCue),
    Param {
        id: ParamId,
        value: f32,
    },
    Fault,
    /// The last so many tokens are held in a loop; 0 lets them go.
    Loop(u32),
    /// The notes are others from now on; what sounds goes on as it is.
    Tuning(Tuning),
    /// A snapshot of the parameters; NaN where it names none.
    Morph {
        side: MorphSide,
        values: Kept,
    },
    /// The beats go on from here.
    Tempo(Timeline),
    /// Silence, at once.
    Panic,
    /// The callback's own load, and how often the device ran dry.
    Callback {
        load: f32,
        xruns: u64,
    },
    /// The performance is over.
    End,
}

/// What a token sounds like; the fields are those of [`Token`].
#[derive(Clone, Copy, Debug)]
pub struct TokenCue {
    pub index: u32,
    pub latency_ms: f32,
    pub p: f32,
    pub surprise_bits: f32,
    pub entropy_bits: f32,
    pub context_fill: f32,
    pub spent: Spent,
    /// The layers' times, see [`eighths`].
    pub layers_ms: [f32; 8],
    pub script: Script,
    /// The same for the same word.
    pub word: u32,
    /// The roads that were not taken, likeliest first, by their probability; 0 where there is none.
    pub ghosts: [f32; GHOSTS],
    pub phones: [Phone; PHONES],
}

/// What kind of text a token wrote, by its first character that is not a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Nothing yet, or only spaces.
    Blank,
    LineBreak,
    Mark,
    /// Letters and digits of alphabets.
    Letter,
    /// Han, kana, Hangul: one sign, one sound.
    Sign,
}

/// A sample of the machine; NaN where a signal is not mentioned.
#[derive(Clone, Copy, Debug)]
pub struct MachineCue {
    pub values: [f32; SignalId::COUNT],
    /// Bit `id` is set where the machine does not have the signal.
    pub absent: u64,
    pub cores: [f32; CORES],
    pub core_count: u8,
}

impl Cue {
    /// The cue of an event, or `None` if it makes no sound.
    pub fn from_event(stamped: &Stamped) -> Option<Cue> {
        let kind = match &stamped.event {
            Event::Prompt { .. } => CueKind::Prompt,
            Event::Load { done, total } => CueKind::Load((*done as f64 / (*total).max(1) as f64) as f32),
            // A branch is heard by the rewind before it.
            Event::Rewind { .. } => CueKind::Rewind { rests: false },
            Event::Restore { ended, .. } => CueKind::Rewind { rests: *ended },
            Event::Prefill { done, total } => CueKind::Prefill(*done as f32 / (*total).max(1) as f32),
            Event::Token(token) => CueKind::Token(TokenCue::new(token)),
            Event::Forget { .. } => CueKind::Forget,
            Event::PieceEnd { .. } => CueKind::PieceEnd,
            Event::Flaw(flaw) => CueKind::Flaw { kind: flaw.kind, period: flaw.period },
            Event::Machine(sample) => {
                let mut cue = MachineCue {
                    values: [f32::NAN; SignalId::COUNT],
                    absent: 0,
                    cores: [0.0; CORES],
                    core_count: sample.cores.len().min(CORES) as u8,
                };
                for (id, value) in &sample.values {
                    cue.values[*id as usize] = *value;
                }
                for (id, _) in &sample.absent {
                    cue.absent |= 1 << *id as u64;
                }
                for (to, load) in cue.cores.iter_mut().zip(&sample.cores) {
                    *to = *load;
                }
                CueKind::Machine(cue)
            }
            Event::Param { id, value, .. } => CueKind::Param { id: *id, value: *value },
            // A slip in a file that is being edited is told in words; a gong is for what fails.
            Event::Fault { place, .. } if FILES.contains(&place.as_str()) => return None,
            Event::Fault { .. } => CueKind::Fault,
            Event::Loop { period } => CueKind::Loop(*period),
            Event::Tuning { scale, keyboard, .. } if scale.is_empty() && keyboard.is_none() => {
                CueKind::Tuning(Tuning::default())
            }
            Event::Tuning { scale, keyboard, .. } => CueKind::Tuning(Tuning::read(scale, keyboard.as_deref()).ok()?),
            Event::Morph { side, values } => {
                let mut kept = NOTHING;
                values.iter().for_each(|(id, value)| kept[*id as usize] = *value);
                CueKind::Morph { side: *side, values: kept }
            }
            Event::Tempo { .. } => CueKind::Tempo(Timeline::of(stamped)?),
            Event::Panic => CueKind::Panic,
            Event::Callback { load, xruns } => CueKind::Callback { load: *load, xruns: *xruns },
            Event::End { .. } => CueKind::End,
            _ => return None,
        };
        Some(Cue { seq: stamped.seq, t_ns: stamped.t_ns, kind })
    }

    /// What the cue is to the matrix, as [`Happening::of`] says of its event.
    pub fn happening(&self) -> Option<Happening> {
        Some(match self.kind {
            CueKind::Token(_) => Happening::Token,
            CueKind::Prompt => Happening::Prompt,
            CueKind::Flaw { .. } => Happening::Flaw,
            CueKind::Forget => Happening::Forget,
            CueKind::Rewind { .. } => Happening::Rewind,
            CueKind::PieceEnd => Happening::PieceEnd,
            CueKind::Fault => Happening::Fault,
            CueKind::Callback { xruns, .. } if xruns > 0 => Happening::Xrun,
            _ => return None,
        })
    }

    /// Writes what the cue says into the signals, as [`Event::apply`] does with the event.
    pub fn apply(&self, signals: &mut SignalValues) {
        match &self.kind {
            CueKind::Token(t) => {
                signals.set(SignalId::Latency, Some(t.latency_ms));
                signals.set(SignalId::Probability, Some(t.p));
                signals.set(SignalId::Surprise, Some(t.surprise_bits));
                signals.set(SignalId::Entropy, Some(t.entropy_bits));
                signals.set(SignalId::ContextFill, Some(t.context_fill));
                signals.set(SignalId::Prefill, Some(1.0));
                signals.set(SignalId::Load, Some(1.0));
                t.spent.apply(signals);
                signals.set_eighths(&t.layers_ms);
            }
            CueKind::Load(part) => signals.set(SignalId::Load, Some(*part)),
            CueKind::Prefill(part) => signals.set(SignalId::Prefill, Some(*part)),
            CueKind::Callback { load, .. } => signals.set(SignalId::SoundLoad, Some(*load)),
            CueKind::Machine(machine) => {
                for (i, id) in SignalId::ALL.iter().enumerate() {
                    if machine.absent & (1 << i) != 0 {
                        signals.set(*id, None);
                    } else if !machine.values[i].is_nan() {
                        signals.set(*id, Some(machine.values[i]));
                    }
                }
                signals.set_cores(&machine.cores[..usize::from(machine.core_count).min(CORES)]);
            }
            _ => {}
        }
    }
}

impl TokenCue {
    fn new(token: &Token) -> TokenCue {
        TokenCue {
            index: token.index,
            latency_ms: token.latency_ms,
            p: token.p,
            surprise_bits: token.surprise_bits,
            entropy_bits: token.entropy_bits,
            context_fill: token.context_fill,
            spent: token.inside.spent,
            layers_ms: eighths(&token.inside.layers_us),
            script: Script::of(&token.text),
            word: word(&token.text),
            ghosts: {
                let others = token.top.iter().filter(|candidate| candidate.id != token.id);
                let mut p = others.map(|candidate| candidate.p).chain(std::iter::repeat(0.0));
                std::array::from_fn(|_| p.next().unwrap_or(0.0))
            },
            phones: phones(&token.text),
        }
    }
}

/// A number for a word, whatever spaces and capitals it has (FNV-1a over its characters).
fn word(text: &str) -> u32 {
    let letters = text.trim().chars().flat_map(char::to_lowercase);
    let hash = letters.fold(0x811c_9dc5u32, |hash, c| (hash ^ u32::from(c)).wrapping_mul(0x0100_0193));
    // Its low bits alone would depend on the last letters most.
    hash ^ (hash >> 15)
}

impl Script {
    /// The script of a token's text.
    pub fn of(text: &str) -> Script {
        if text.contains('\n') {
            return Script::LineBreak;
        }
        match text.chars().find(|c| !c.is_whitespace()) {
            None => Script::Blank,
            // Hangul Jamo; from the CJK radicals to the end of Hangul; compatibility ideographs; the planes beyond.
            Some('\u{1100}'..='\u{11ff}' | '\u{20000}'..='\u{3ffff}') => Script::Sign,
            Some(c @ ('\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}')) if c.is_alphanumeric() => Script::Sign,
            Some(c) if c.is_alphanumeric() => Script::Letter,
            Some(_) => Script::Mark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::MachineSample;

    #[test]
    fn scripts_are_told_apart() {
        let of = [" the", "春", "，", "。", "", "  ", ".\n", "é", "ひ", "한", "7", "\u{20000}"].map(Script::of);
        use Script::*;
        assert_eq!(of, [Letter, Sign, Mark, Mark, Blank, Blank, LineBreak, Letter, Sign, Sign, Letter, Sign]);
    }

    #[test]
    fn an_ended_piece_that_comes_back_does_not_end_again() {
        let back = |ended| {
            let (prompt, text, given) = ("春".into(), "风".into(), Vec::new());
            let event = Event::Restore { slot: 0, name: None, prompt, text, index: 1, ended, given };
            Cue::from_event(&Stamped { seq: 0, t_ns: 0, event }).unwrap()
        };
        assert!(matches!(back(true).kind, CueKind::Rewind { rests: true }));
        assert!(matches!(back(false).kind, CueKind::Rewind { rests: false }));
        assert_eq!(back(true).happening(), Some(Happening::Rewind));
    }

    #[test]
    fn the_same_word_has_the_same_number_and_others_are_spread() {
        assert_eq!([" The", "the", "THE "].map(word), [word("the"); 3]);
        let mut many = [0; 8];
        for c in '\u{4e00}'..'\u{5200}' {
            many[word(&c.to_string()) as usize % 8] += 1;
        }
        assert!(many.iter().all(|n| (64..=192).contains(n)), "{many:?}");
    }

    #[test]
    fn a_cue_says_to_the_signals_what_its_event_says() {
        let machine = MachineSample {
            values: vec![(SignalId::Cpu, 0.5), (SignalId::Memory, 0.25)],
            cores: vec![0.1; 20],
            absent: vec![(SignalId::Fan, "no hwmon".into())],
        };
        let token = Token {
            id: 1,
            text: "a".into(),
            index: 2,
            latency_ms: 30.0,
            p: 0.25,
            surprise_bits: 2.0,
            entropy_bits: 3.0,
            context_fill: 0.5,
            inside: Default::default(),
            top: vec![],
        };
        for event in [Event::Machine(machine), Event::Token(token), Event::Prefill { done: 1, total: 4 }] {
            let (mut by_event, mut by_cue) = (SignalValues::default(), SignalValues::default());
            by_event.set(SignalId::Fan, Some(900.0));
            by_cue.set(SignalId::Fan, Some(900.0));
            event.apply(&mut by_event);
            Cue::from_event(&Stamped { seq: 0, t_ns: 0, event }).unwrap().apply(&mut by_cue);
            assert_eq!(by_event, by_cue);
        }
    }
}
