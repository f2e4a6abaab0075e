//! The figures of all rounds, their middle and spread, and how they are shown.

use std::fmt;

use serde::{Serialize, Serializer};

use super::super::{Info, fit};
use super::child::Memory;
use super::{Options, one};

/// What `xiao bench` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub model: String,
    pub threads: usize,
    pub rounds: usize,
    /// Tokens written for each figure.
    pub tokens: usize,
    /// What this machine was measured to read from memory, bytes a second.
    pub bandwidth_bytes_s: f64,
    /// Weights that each token reads.
    pub weight_bytes_per_token: u64,
    /// From the start until the model can be asked, in the first round and, in the middle, in the others.
    pub load_first_s: Option<f64>,
    pub load_warm_s: Option<f64>,
    /// The first token behind that.
    pub first_token_s: Series,
    pub rows: Vec<Row>,
    pub memory: Memory,
    pub peer_memory: Option<Memory>,
    /// What was left out and why.
    pub notes: Vec<String>,
    #[serde(skip)]
    loads: Vec<f64>,
    #[serde(skip)]
    cache_bytes_per_position: f64,
}

/// What a row measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Seconds from the start of the process to its end with one token: less is better.
    FirstToken,
    /// Tokens a second: more is better.
    Prefill,
    Decode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Ours,
    Peer,
}

/// One figure of ours and, if there is one, of the peer, round by round.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub what: Kind,
    pub context: usize,
    pub ours: Series,
    pub peer: Option<Series>,
    /// Ours by the peer's, of the same round.
    pub ratio: Option<Series>,
    /// Bytes that were read for the tokens by what the machine can read: decoding only.
    pub of_bandwidth: Option<f64>,
}

/// Values of the rounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series(pub Vec<f64>);

impl Series {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle one; of an even number the mean of the two in the middle. `None` of none.
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            n if n % 2 == 1 => Some(sorted[middle]),
            _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        }
    }

    pub fn min(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    pub fn max(&self) -> Option<f64> {
        self.sorted().last().copied()
    }

    /// Round by round, as far as both go.
    fn by(&self, other: &Series) -> Series {
        Series(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }
}

impl Serialize for Series {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            median: Option<f64>,
            min: Option<f64>,
            max: Option<f64>,
            rounds: &'a [f64],
        }
        Shown { median: self.median(), min: self.min(), max: self.max(), rounds: &self.0 }.serialize(serializer)
    }
}

impl Report {
    pub fn new(info: &Info, options: &Options, bandwidth_bytes_s: f64) -> Report {
        Report {
            model: info.file.clone(),
            threads: options.threads,
            rounds: options.rounds,
            tokens: options.tokens,
            bandwidth_bytes_s,
            weight_bytes_per_token: one::weight_bytes(info),
            load_first_s: None,
            load_warm_s: None,
            first_token_s: Series::default(),
            rows: Vec::new(),
            memory: Memory::default(),
            peer_memory: None,
            notes: Vec::new(),
            loads: Vec::new(),
            cache_bytes_per_position: one::cache_bytes(info, 1.0),
        }
    }

    /// A load of ours and the first token behind it.
    pub fn load(&mut self, load_s: f64, first_s: f64) {
        self.loads.push(load_s);
        self.load_first_s = self.loads.first().copied();
        self.load_warm_s = Series(self.loads[1..].to_vec()).median();
        self.first_token_s.0.push(first_s);
    }

    pub fn memory(&mut self, side: Side, memory: Memory) {
        match side {
            Side::Ours => self.memory = self.memory.max(memory),
            Side::Peer => self.peer_memory = Some(self.peer_memory.unwrap_or_default().max(memory)),
        }
    }

    /// A figure of a round.
    pub fn push(&mut self, what: Kind, context: usize, side: Side, value: f64) {
        let at = self.rows.iter().position(|row| (row.what, row.context) == (what, context));
        let at = at.unwrap_or_else(|| {
            let ours = Series::default();
            self.rows.push(Row { what, context, ours, peer: None, ratio: None, of_bandwidth: None });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        match side {
            Side::Ours => row.ours.0.push(value),
            Side::Peer => row.peer.get_or_insert_default().0.push(value),
        }
        row.ratio = row.peer.as_ref().map(|peer| row.ours.by(peer)).filter(|ratio| !ratio.0.is_empty());
        if what == Kind::Decode {
            let depth = context as f64 + self.tokens as f64 / 2.0;
            let bytes = self.weight_bytes_per_token as f64 + self.cache_bytes_per_position * depth;
            row.of_bandwidth = row.ours.median().map(|speed| speed * bytes / self.bandwidth_bytes_s);
        }
    }
}

impl fmt::Display for Report {
    /// In 80 columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: usize| if n == 1 { "" } else { "s" };
        let (threads, rounds) = (self.threads, self.rounds);
        writeln!(f, "{}: {threads} thread{}, {rounds} round{}", self.model, s(threads), s(rounds))?;
        let (memory, weights) = (self.bandwidth_bytes_s / 1e9, fit::size(self.weight_bytes_per_token));
        writeln!(f, "memory is read at {memory:.1} GB/s; a token reads {weights} of weights, and the cache")?;
        let versus = self.rows.iter().any(|row| row.ratio.is_some());
        let head = if versus { format!(" {:>10}   {}", "peer", "xiao / peer") } else { String::new() };
        writeln!(f, "{:<16} {:>10} {:<9}{:>9}{head}", "", "xiao", "", "bandwidth")?;
        let mut sorted: Vec<&Row> = self.rows.iter().collect();
        sorted.sort_by_key(|row| (row.what != Kind::Prefill, row.what != Kind::Decode, row.context));
        for row in sorted {
            let (name, unit) = match row.what {
                Kind::FirstToken => ("start, 1 token".to_string(), "s"),
                Kind::Prefill => (format!("prefill {:>8}", row.context), "tokens/s"),
                Kind::Decode => (format!("decode at {:>6}", row.context), "tokens/s"),
            };
            let figure = |series: &Series| series.median().map_or("-".into(), figure);
            let of = row.of_bandwidth.map_or(String::new(), |of| format!("{:.0} %", of * 100.0));
            write!(f, "{name:<16} {:>10} {unit:<9}{of:>9}", figure(&row.ours))?;
            if let (Some(peer), Some(ratio)) = (&row.peer, &row.ratio) {
                let [middle, low, high] = [ratio.median(), ratio.min(), ratio.max()].map(Option::unwrap_or_default);
                write!(f, " {:>10}   {middle:.2} ({low:.2} .. {high:.2})", figure(peer))?;
            }
            writeln!(f)?;
        }
        let seconds = |s: Option<f64>| s.map_or("-".into(), |s| format!("{s:.3} s"));
        let [first, warm, token] = [self.load_first_s, self.load_warm_s, self.first_token_s.median()].map(seconds);
        writeln!(f, "load             {first} first, {warm} warm; the first token {token} more")?;
        let bytes = |bytes: Option<u64>| bytes.map_or("unknown".into(), fit::size);
        let line = |m: &Memory| {
            format!("{} at the peak, {} of it not the file's", bytes(m.peak_bytes), bytes(m.private_bytes))
        };
        writeln!(f, "memory           {}", line(&self.memory))?;
        if let Some(peer) = &self.peer_memory {
            writeln!(f, "the peer's       {}", line(peer))?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// Three digits or more.
fn figure(x: f64) -> String {
    match x {
        x if x >= 100.0 => format!("{x:.0}"),
        x if x >= 10.0 => format!("{x:.1}"),
        x => format!("{x:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Source;
    use super::*;

    fn report() -> Report {
        let options = Options {
            source: Source::Embedded,
            program: "xiao".into(),
            peer: None,
            peer_options: vec![],
            threads: 2,
            rounds: 3,
            contexts: vec![64],
            tokens: 32,
        };
        Report::new(&Info::read(&Source::Embedded).unwrap(), &options, 10e9)
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let mut report = report();
        for (ours, peer) in [(15.0, 10.0), (12.0, 12.0), (30.0, 10.0)] {
            report.push(Kind::Decode, 64, Side::Ours, ours);
            report.push(Kind::Decode, 64, Side::Peer, peer);
        }
        // The peer failed in the fourth round.
        report.push(Kind::Decode, 64, Side::Ours, 99.0);
        let row = &report.rows[0];
        assert_eq!(row.ratio, Some(Series(vec![1.5, 1.0, 3.0])));
        let ratio = row.ratio.as_ref().unwrap();
        assert_eq!([ratio.median(), ratio.min(), ratio.max()], [Some(1.5), Some(1.0), Some(3.0)]);
        assert_eq!(row.ours.median(), Some(22.5));
        let bytes = report.weight_bytes_per_token as f64 + 80.0 * report.cache_bytes_per_position;
        assert!((row.of_bandwidth.unwrap() - 22.5 * bytes / 10e9).abs() < 1e-12);
        let text = report.to_string();
        assert!(text.contains("1.50 (1.00 .. 3.00)"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn without_a_peer_there_is_no_ratio() {
        let mut report = report();
        report.push(Kind::Prefill, 64, Side::Ours, 151.0);
        report.load(0.4, 0.1);
        assert_eq!((report.load_first_s, report.load_warm_s), (Some(0.4), None));
        report.load(0.2, 0.1);
        report.load(0.3, 0.1);
        assert_eq!((report.load_first_s, report.load_warm_s), (Some(0.4), Some(0.25)));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["rows"][0]["what"], "prefill");
        assert!(json["rows"][0]["ratio"].is_null() && json["peer_memory"].is_null());
        assert!(!report.to_string().contains("peer"));
    }

    #[test]
    fn the_larger_memory_is_kept() {
        let mut report = report();
        let of = |peak, private| Memory { peak_bytes: Some(peak), private_bytes: private };
        report.memory(Side::Peer, of(5, None));
        report.memory(Side::Peer, of(3, Some(2)));
        assert_eq!(report.peer_memory, Some(of(5, Some(2))));
    }
}
