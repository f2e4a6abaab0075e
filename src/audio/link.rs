//! The rings between the session and the audio callback.
//!
//! [`Desk`] stays with the session, [`Player`] moves into the callback. Everything between them is a bounded ring with
//! one writer and one reader that neither ever waits for; what does not fit is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};

use super::bank::Bank;
use super::cue::Cue;
use super::engine::Engine;
use crate::patch::{Matrix, Modulator};
use crate::score::{Layout, Stamped};

/// Cues that may wait for the callback: two seconds of the fastest model.
const CUES: usize = 2048;
/// Cues taken before one block, so that a crowd of them cannot make a block late.
const CUES_PER_BLOCK: usize = 256;
const REPORTS: usize = 8192;
const MATRICES: usize = 8;
/// They may be large.
const BANKS: usize = 2;
/// Seconds of sound that may wait for the recorder.
const TAPE_S: usize = 5;
/// Samples of silence written at once into the tape for a gap.
const GAP: usize = 16_384;

/// What the callback has to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report {
    /// Event `of` acts at this frame; to be emitted as [`crate::score::Event::Heard`].
    Heard { of: u64, frame: u64 },
    /// The part of its time that the callback needed over the last half second; 1 is all of it.
    Load(f32),
    /// The device ran dry so many times since the last report.
    Xrun(u64),
    /// This voice gave what is not a number and began anew.
    Failed(&'static str),
}

/// The session's side.
pub struct Desk {
    cues: Arc<Mutex<Producer<Cue>>>,
    swaps: Producer<Swap>,
    spent: Consumer<Box<Modulator>>,
    banks: Producer<(u64, Bank)>,
    spent_banks: Consumer<Bank>,
    reports: Consumer<Report>,
    tape: Option<Tape>,
    counters: Arc<Counters>,
    xruns_seen: u64,
    rate_hz: u32,
    seed: u64,
    layout: Layout,
}

/// The callback's side. It may be taken back from one output and given to another; the sound goes on where it was.
pub struct Player {
    engine: Box<Engine>,
    cues: Consumer<Cue>,
    swaps: Consumer<Swap>,
    spent: Producer<Box<Modulator>>,
    banks: Consumer<(u64, Bank)>,
    spent_banks: Producer<Bank>,
    reports: Producer<Report>,
    tape: Producer<f32>,
    /// Samples that the tape could not take and is owed as silence.
    owed: usize,
    counters: Arc<Counters>,
    channels: usize,
    busy_s: f32,
    frames: u32,
}

/// The sound on its way to a recorder: interleaved, every frame in its place.
pub struct Tape {
    samples: Consumer<f32>,
    rate_hz: u32,
    channels: usize,
    counters: Arc<Counters>,
}

struct Swap {
    of: u64,
    modulator: Box<Modulator>,
}

#[derive(Default)]
pub(super) struct Counters {
    dropped_cues: AtomicU64,
    lost_reports: AtomicU64,
    tape_gaps: AtomicU64,
    pub(super) xruns: AtomicU64,
}

/// Joins a session and a callback round an engine.
pub fn link(engine: Engine) -> (Desk, Player) {
    let (cue_in, cue_out) = RingBuffer::new(CUES);
    let (swap_in, swap_out) = RingBuffer::new(MATRICES);
    let (spent_in, spent_out) = RingBuffer::new(MATRICES);
    let (bank_in, bank_out) = RingBuffer::new(BANKS);
    let (spent_bank_in, spent_bank_out) = RingBuffer::new(BANKS);
    let (report_in, report_out) = RingBuffer::new(REPORTS);
    let channels = engine.layout().count();
    let (mut tape_in, mut tape_out) = RingBuffer::new(TAPE_S * channels * engine.rate_hz() as usize);
    // Written and read once, so that the callback meets no page of it for the first time.
    if let Ok(all) = tape_in.write_chunk(tape_in.slots()) {
        all.commit_all();
    }
    if let Ok(all) = tape_out.read_chunk(tape_out.slots()) {
        all.commit_all();
    }
    let counters = Arc::<Counters>::default();
    let desk = Desk {
        cues: Arc::new(Mutex::new(cue_in)),
        swaps: swap_in,
        spent: spent_out,
        banks: bank_in,
        spent_banks: spent_bank_out,
        reports: report_out,
        tape: Some(Tape { samples: tape_out, rate_hz: engine.rate_hz(), channels, counters: counters.clone() }),
        counters: counters.clone(),
        xruns_seen: 0,
        rate_hz: engine.rate_hz(),
        seed: engine.seed(),
        layout: engine.layout(),
    };
    let player = Player {
        engine: Box::new(engine),
        cues: cue_out,
        swaps: swap_out,
        spent: spent_in,
        banks: bank_out,
        spent_banks: spent_bank_in,
        reports: report_in,
        tape: tape_in,
        owed: 0,
        counters,
        channels,
        busy_s: 0.0,
        frames: 0,
    };
    (desk, player)
}

impl Desk {
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// What the bus is to call with every event ([`crate::score::Bus::tap`]).
    pub fn cue_sender(&self) -> impl Fn(&Stamped) + Send + 'static {
        let (cues, counters) = (self.cues.clone(), self.counters.clone());
        move |stamped| {
            // The bus calls under its own lock, so this one is never contended.
            if let Some(cue) = Cue::from_event(stamped)
                && cues.lock().unwrap_or_else(|e| e.into_inner()).push(cue).is_err()
            {
                counters.dropped_cues.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Gives the engine another matrix. `of` is the number of the `patch` event that brought it; it is reported as
    /// heard, so that a replay changes the matrix at the same frame. False if eight others are waiting still.
    pub fn swap_matrix(&mut self, of: u64, matrix: Matrix) -> bool {
        while self.spent.pop().is_ok() {}
        self.swaps.push(Swap { of, modulator: Box::new(Modulator::new(matrix)) }).is_ok()
    }

    /// Gives the engine another bank of samples. `of` is the number of the `samples` event; it is reported as heard.
    /// False if two others are waiting still.
    pub fn swap_bank(&mut self, of: u64, bank: Bank) -> bool {
        while self.spent_banks.pop().is_ok() {}
        self.banks.push((of, bank)).is_ok()
    }

    /// Everything that the callback has said since the last call.
    pub fn reports(&mut self) -> impl Iterator<Item = Report> + '_ {
        while self.spent.pop().is_ok() {}
        while self.spent_banks.pop().is_ok() {}
        let xruns = self.counters.xruns.load(Ordering::Relaxed);
        let new = xruns - self.xruns_seen;
        self.xruns_seen = xruns;
        let xruns = (new > 0).then_some(Report::Xrun(new));
        std::iter::from_fn(|| self.reports.pop().ok()).chain(xruns)
    }

    /// The tape, once. Take it before the player plays, so that it has the sound from frame 0; untaken, it is not
    /// written.
    pub fn tape(&mut self) -> Option<Tape> {
        self.tape.take()
    }

    /// Cues that found the ring full, and reports that did.
    pub fn dropped(&self) -> (u64, u64) {
        (self.counters.dropped_cues.load(Ordering::Relaxed), self.counters.lost_reports.load(Ordering::Relaxed))
    }
}

impl Player {
    pub fn rate_hz(&self) -> u32 {
        self.engine.rate_hz()
    }

    /// Samples of one frame.
    pub fn channels(&self) -> usize {
        self.channels
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// Takes what has come, fills the block with interleaved frames, and passes a copy on to the tape.
    pub fn fill(&mut self, block: &mut [f32]) {
        let began = Instant::now();
        for _ in 0..CUES_PER_BLOCK {
            let Ok(cue) = self.cues.pop() else { break };
            let frame = self.engine.take(cue);
            self.report(Report::Heard { of: cue.seq, frame });
        }
        // Room for the old matrix comes first: there is nowhere here to free it.
        while !self.spent.is_full()
            && let Ok(swap) = self.swaps.pop()
        {
            let frame = self.engine.frame();
            let old = self.engine.swap_matrix(swap.modulator);
            if let Err(rtrb::PushError::Full(old)) = self.spent.push(old) {
                // Cannot be: the room was there and nobody else writes. Leaking is better than freeing here.
                std::mem::forget(old);
            }
            self.report(Report::Heard { of: swap.of, frame });
        }
        self.take_bank();
        self.engine.render(block);
        if let Some(voice) = self.engine.take_failed() {
            let _ = self.reports.push(Report::Failed(voice));
        }
        self.copy_onto_tape(block);

        self.busy_s += began.elapsed().as_secs_f32();
        self.frames += (block.len() / self.channels) as u32;
        let seconds = self.frames as f32 / self.engine.rate_hz() as f32;
        if seconds >= 0.5 {
            // A load lost to a full ring is not missed; heard frames are, and only they are counted.
            let _ = self.reports.push(Report::Load(self.busy_s / seconds));
            (self.busy_s, self.frames) = (0.0, 0);
        }
    }

    /// Gives back the bank that has faded and takes the next, one at a time.
    fn take_bank(&mut self) {
        if !self.spent_banks.is_full()
            && let Some(old) = self.engine.spent_bank()
            && let Err(rtrb::PushError::Full(old)) = self.spent_banks.push(old)
        {
            // Cannot be, as above.
            std::mem::forget(old);
        }
        if self.engine.takes_bank()
            && let Ok((of, bank)) = self.banks.pop()
        {
            let frame = self.engine.frame();
            // None: nothing fades.
            std::mem::forget(self.engine.swap_bank(bank));
            self.report(Report::Heard { of, frame });
        }
    }

    fn report(&mut self, report: Report) {
        if self.reports.push(report).is_err() {
            self.counters.lost_reports.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn copy_onto_tape(&mut self, block: &[f32]) {
        if self.tape.is_abandoned() {
            return;
        }
        // A gap is filled with silence first, a little per block, so that what follows stands at its own time.
        while self.owed > 0 {
            let n = self.owed.min(GAP.max(2 * block.len())).min(self.tape.slots());
            match self.tape.write_chunk(n) {
                Ok(chunk) if n > 0 => chunk.commit_all(),
                _ => break,
            }
            self.owed -= n;
            if self.owed > 0 {
                break;
            }
        }
        if self.owed > 0 || self.tape.push_entire_slice(block).is_err() {
            self.owed += block.len();
            self.counters.tape_gaps.fetch_add((block.len() / self.channels) as u64, Ordering::Relaxed);
        }
    }
}

impl Tape {
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Samples of one frame.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Frames that were replaced by silence because the tape was not read in time.
    pub fn gap_frames(&self) -> u64 {
        self.counters.tape_gaps.load(Ordering::Relaxed)
    }

    /// Moves what has come into `into`; gives the filled part, whole frames.
    pub fn read<'a>(&mut self, into: &'a mut [f32]) -> &'a [f32] {
        let n = self.samples.slots().min(into.len());
        let n = n - n % self.channels;
        let filled = &mut into[..n];
        match self.samples.pop_entire_slice(filled) {
            Ok(()) => filled,
            Err(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Event, Hand, ParamId};

    #[test]
    fn heard_frames_come_back_and_a_full_ring_is_counted() {
        let (mut desk, mut player) = link(Engine::new(48_000, 1, Matrix::default()));
        let send = desk.cue_sender();
        for seq in 0..3000 {
            let event = Event::Param { id: ParamId::Level, value: -6.0, by: Hand::Key };
            send(&Stamped { seq, t_ns: 0, event });
        }
        send(&Stamped { seq: 3000, t_ns: 0, event: Event::Note { text: String::new() } });
        assert_eq!(desk.dropped(), (3000 - CUES as u64, 0));
        assert!(desk.swap_matrix(9000, Matrix::default()));
        let mut block = [0.0; 200];
        player.fill(&mut block);
        player.fill(&mut block);
        let reports: Vec<Report> = desk.reports().collect();
        assert_eq!(reports.len(), 2 * CUES_PER_BLOCK + 1);
        assert_eq!(reports[0], Report::Heard { of: 0, frame: 0 });
        assert_eq!(reports[CUES_PER_BLOCK], Report::Heard { of: 9000, frame: 0 });
        assert_eq!(reports[2 * CUES_PER_BLOCK], Report::Heard { of: 2 * CUES_PER_BLOCK as u64 - 1, frame: 128 });
    }

    #[test]
    fn a_gap_on_the_tape_is_silence_of_its_length() {
        let (mut desk, mut player) = link(Engine::new(8_000, 1, Matrix::default()));
        let mut tape = desk.tape().unwrap();
        let (mut played, mut taped) = (Vec::new(), Vec::new());
        let (mut block, mut buffer) = (vec![0.0f32; 512], vec![0.0f32; 100_000]);
        for i in 0..1000 {
            player.fill(&mut block);
            played.extend_from_slice(&block);
            // The reader sleeps for longer than the tape is.
            if !(100..400).contains(&i) {
                taped.extend_from_slice(tape.read(&mut buffer));
            }
        }
        taped.extend_from_slice(tape.read(&mut buffer));
        assert_eq!(played.len(), taped.len());
        assert!(tape.gap_frames() > 0);
        let differing = played.iter().zip(&taped).filter(|(p, t)| p != t).count();
        assert!(differing > 0 && differing as u64 <= 2 * tape.gap_frames());
        assert!(played.iter().zip(&taped).all(|(p, t)| p == t || *t == 0.0));
        assert_eq!(played[played.len() - 1000..], taped[taped.len() - 1000..]);
    }
}
