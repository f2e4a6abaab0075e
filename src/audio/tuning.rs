//! Tunings: which notes there are between the root and its octave. Read from Scala's files (`.scl` for the scale, `.kbm`
//! for which of its degrees are played and what the reference is) with the crate `tune`; then a fixed array, so that it
//! crosses into the callback.

use tune::scala::{Kbm, KbmImportError, Scl, SclImportError};

use super::dsp::note_hz;

/// Notes of one round of the scale.
const MOST: usize = 64;
/// A scale of more notes is played by those nearest to the gong mode, unless a `.kbm` chooses.
const MANY: usize = 9;
/// The gong mode, in semitones.
const GONG: [f32; 5] = [0.0, 2.0, 4.0, 7.0, 9.0];

/// The tunings inside xiao.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("equal", include_str!("../../assets/tunings/equal.scl")),
    ("just", include_str!("../../assets/tunings/just.scl")),
    ("sanfen", include_str!("../../assets/tunings/sanfen.scl")),
    ("slendro", include_str!("../../assets/tunings/slendro.scl")),
];

/// The notes of a scale, ascending, in semitones above its root.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    notes: [f32; MOST],
    count: u8,
    /// From the root to where the scale begins again, in semitones.
    period: f32,
    /// What the reference of the `.kbm` adds to every note, in semitones.
    offset: f32,
}

impl Default for Tuning {
    /// The gong mode in equal temperament.
    fn default() -> Tuning {
        let mut notes = [0.0; MOST];
        notes[..GONG.len()].copy_from_slice(&GONG);
        Tuning { notes, count: GONG.len() as u8, period: 12.0, offset: 0.0 }
    }
}

impl Tuning {
    /// Reads a scale, and which of it is played.
    ///
    /// # Errors
    /// What is wrong in which file, at which line, and what would be right.
    pub fn read(scl: &str, kbm: Option<&str>) -> Result<Tuning, String> {
        let scale = Scl::import(scl.as_bytes()).map_err(|e| format!("the scale (.scl): {}", scl_problem(&e)))?;
        let semitones = |degree: i32| scale.relative_pitch_of(degree).as_semitones() as f32;
        let (mut notes, period, offset, chosen): (Vec<f32>, f32, f32, bool) = match kbm {
            None => {
                let all = (0..i32::from(scale.num_items())).map(semitones).collect();
                (all, scale.period().as_semitones() as f32, 0.0, false)
            }
            Some(kbm) => {
                plain_numbers(kbm)?;
                let kbm =
                    Kbm::import(kbm.as_bytes()).map_err(|e| format!("the keyboard (.kbm): {}", kbm_problem(&e)))?;
                let keyboard = Keyboard::new(&kbm, scale.num_items());
                let notes = keyboard.degrees().map(semitones).collect();
                (notes, semitones(keyboard.octave), keyboard.offset(&semitones), true)
            }
        };
        if !period.is_finite() || !(0.5..=96.0).contains(&period) {
            return Err(format!("the scale (.scl) comes round after {period:.2} semitones; give 0.5 to 96"));
        }
        notes.iter_mut().for_each(|note| *note = note.rem_euclid(period));
        notes.retain(|note| note.is_finite());
        notes.sort_by(f32::total_cmp);
        notes.dedup_by(|a, b| (*a - *b).abs() < 0.01);
        if !chosen && notes.len() > MANY {
            notes = nearest_to_gong(&notes);
        }
        if notes.is_empty() || notes.len() > MOST {
            return Err(format!("{} notes are played in one round; give 1 to {MOST}", notes.len()));
        }
        let mut all = [0.0; MOST];
        all[..notes.len()].copy_from_slice(&notes);
        let offset = if offset.is_finite() { offset.clamp(-24.0, 24.0) } else { 0.0 };
        Ok(Tuning { notes: all, count: notes.len() as u8, period, offset })
    }

    /// One that is inside xiao.
    pub fn built_in(name: &str) -> Option<Tuning> {
        let (_, scl) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name)?;
        Tuning::read(scl, None).ok()
    }

    /// A step of the scale, 0 its root, in semitones. `mode` turns the scale so that another of its notes is the root.
    pub fn semitones(&self, step: i32, mode: i32) -> f32 {
        let count = i32::from(self.count);
        let mode = mode.rem_euclid(count);
        let note =
            |step: i32| self.notes[step.rem_euclid(count) as usize] + self.period * step.div_euclid(count) as f32;
        note(step + mode) - note(mode) + self.offset
    }
}

/// The crate counts beyond what an `i32` holds where a keyboard's numbers are absurd.
fn plain_numbers(kbm: &str) -> Result<(), String> {
    for (i, line) in kbm.lines().enumerate().filter(|(_, line)| !line.starts_with('!')) {
        let number = line.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        if number.is_some_and(|number| number.abs() > 100_000.0) {
            return Err(format!("the keyboard (.kbm): line {}: {} is no key and no frequency", i + 1, line.trim()));
        }
    }
    Ok(())
}

/// Of many notes the five that lie nearest to the gong mode's.
fn nearest_to_gong(notes: &[f32]) -> Vec<f32> {
    let near = |to: f32| notes.iter().copied().min_by(|a, b| (a - to).abs().total_cmp(&(b - to).abs()));
    let mut chosen: Vec<f32> = GONG.into_iter().filter_map(near).collect();
    chosen.dedup();
    chosen
}

/// What a `.kbm` says, by the rules of Scala: entries count from the middle note.
struct Keyboard {
    entries: Vec<Option<i32>>,
    /// Degrees after which the entries begin again.
    octave: i32,
    middle: i32,
    reference: i32,
    reference_hz: f64,
}

impl Keyboard {
    fn new(kbm: &Kbm, degrees: u16) -> Keyboard {
        let reference = kbm.root.ref_key.midi_number();
        let items = kbm.table.num_items();
        // The entries in their order: the crate counts them from the reference, and knows none beyond the range.
        let entry = |i: u16| {
            (-12..=12).find_map(|round| {
                let key = kbm.root.ref_key.plus_steps(i32::from(i) + round * i32::from(items));
                Some(kbm.scale_degree_of(key)? - round * i32::from(kbm.table.formal_octave()))
            })
        };
        let mut entries: Vec<Option<i32>> = (0..items).map(entry).collect();
        let mut octave = i32::from(kbm.table.formal_octave());
        if entries.is_empty() {
            // No entries: every degree has its key.
            entries = (0..i32::from(degrees)).map(Some).collect();
            octave = i32::from(degrees);
        }
        if octave == 0 {
            octave = i32::from(degrees);
        }
        Keyboard {
            entries,
            octave,
            middle: reference + kbm.root.root_offset,
            reference,
            reference_hz: kbm.root.ref_pitch.as_hz(),
        }
    }

    fn degrees(&self) -> impl Iterator<Item = i32> + '_ {
        self.entries.iter().flatten().copied()
    }

    /// The degree of a key, or of the nearest mapped one below it.
    fn degree(&self, key: i32) -> Option<i32> {
        let count = self.entries.len() as i32;
        (0..count).find_map(|down| {
            let from = key - down - self.middle;
            let entry = self.entries[from.rem_euclid(count) as usize]?;
            Some(entry + from.div_euclid(count) * self.octave)
        })
    }

    /// How far the middle note lies from where equal temperament at 440 Hz has it, in semitones.
    fn offset(&self, semitones: &dyn Fn(i32) -> f32) -> f32 {
        let (Some(reference), Some(middle)) = (self.degree(self.reference), self.degree(self.middle)) else {
            return 0.0;
        };
        let reference_note = 12.0 * (self.reference_hz as f32 / note_hz(0.0)).log2();
        reference_note - (semitones(reference) - semitones(middle)) - self.middle as f32
    }
}

fn scl_problem(error: &SclImportError) -> String {
    match error {
        SclImportError::ParseError { line_number, kind } => format!(
            "line {line_number}: a note is a ratio like 3/2, a whole number, or cents with a point like 701.955 ({kind:?})"
        ),
        SclImportError::StructuralError(what) => {
            format!("{what:?}: it has a description, the number of notes, and so many lines of notes")
        }
        SclImportError::IoError(e) => e.to_string(),
        SclImportError::BuildError(what) => format!("{what:?}"),
    }
}

fn kbm_problem(error: &KbmImportError) -> String {
    match error {
        KbmImportError::ParseError { line_number, kind } => {
            format!("line {line_number}: a number or x is wanted there ({kind:?})")
        }
        KbmImportError::StructuralError(what) => {
            format!("{what:?}: it has seven numbers (size, first, last, middle, reference, Hz, octave) and its entries")
        }
        KbmImportError::IoError(e) => e.to_string(),
        KbmImportError::BuildError(what) => format!("{what:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-3
    }

    #[test]
    fn the_tunings_inside_are_what_they_say() {
        for (name, scl) in BUILT_IN {
            let tuning = Tuning::read(scl, None).unwrap();
            assert_eq!(tuning.count, 5, "{name}");
            assert!(close(tuning.semitones(5, 0), 12.0) && close(tuning.semitones(-5, 0), -12.0), "{name}");
            assert_eq!(Tuning::built_in(name), Some(tuning));
        }
        assert_eq!(Tuning::built_in("equal").unwrap(), Tuning::default());
        assert!(close(Tuning::built_in("sanfen").unwrap().semitones(2, 0), 4.078_2), "a Pythagorean third");
        assert!(close(Tuning::built_in("just").unwrap().semitones(2, 0), 3.863_1), "a just third");
        assert!(close(Tuning::built_in("slendro").unwrap().semitones(1, 0), 2.28));
        assert_eq!(Tuning::built_in("moon"), None);
    }

    #[test]
    fn a_mode_turns_the_scale() {
        let gong = Tuning::default();
        let yu: Vec<f32> = (0..6).map(|step| gong.semitones(step, 4)).collect();
        assert_eq!(yu, [0.0, 3.0, 5.0, 7.0, 10.0, 12.0]);
        assert_eq!(gong.semitones(3, 5), gong.semitones(3, 0));
    }

    #[test]
    fn a_keyboard_chooses_and_sets_the_pitch() {
        let equal = BUILT_IN[0].1;
        // C to B, of which the white keys are mapped, from middle C on, with A at 432 Hz.
        let kbm = "12\n0\n127\n60\n69\n432.0\n12\n0\nx\n2\nx\n4\n5\nx\n7\nx\n9\nx\n11\n";
        let tuning = Tuning::read(equal, Some(kbm)).unwrap();
        assert_eq!(tuning.count, 7);
        let low = 12.0 * (432.0f32 / 440.0).log2();
        assert!(close(tuning.semitones(0, 0), low) && close(tuning.semitones(6, 0), 11.0 + low));
        // Without entries every degree is played.
        let all = Tuning::read(equal, Some("0\n0\n127\n60\n69\n440.0\n0\n")).unwrap();
        assert_eq!(all.count, 12);
        assert!(close(all.semitones(0, 0), 0.0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |scl: &str, kbm: Option<&str>| Tuning::read(scl, kbm).unwrap_err();
        assert!(wrong("bad\n2\n3/2\n2/x\n", None).contains("line 4"), "{}", wrong("bad\n2\n3/2\n2/x\n", None));
        assert!(wrong("", None).contains("number of notes"));
        assert!(wrong("short\n3\n3/2\n2/1\n", None).contains("number of notes"));
        assert!(wrong("round and round\n1\n1/1\n", None).contains("semitones"));
        assert!(wrong(BUILT_IN[0].1, Some("12\nmoon\n")).contains("line 2"));
        assert!(wrong(BUILT_IN[0].1, Some("1\n0\n127\n60\n69\n440.0\n12\nx\n")).contains("0 notes"));
        for text in ["\0", "春\n1\n2/1", "a\n-3\n", "a\n1\n1e999\n", "a\n1\n0/0\n", "a\n2\n-100.\n2/1\n"] {
            let _ = Tuning::read(text, Some(text));
            let _ = Tuning::read(text, None);
        }
    }

    #[test]
    fn absurd_numbers_of_a_keyboard_are_refused_with_their_line() {
        let scl = BUILT_IN[0].1;
        for last in ["2147483647", "-2147483648", "1e300"] {
            let kbm = format!("! mine\n12\n0\n{last}\n60\n69\n440.0\n12\n");
            let error = Tuning::read(scl, Some(&kbm)).unwrap_err();
            assert!(error.contains("line 4"), "{error}");
        }
    }
}
