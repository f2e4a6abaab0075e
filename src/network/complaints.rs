//! What was wrong with what came in and went out, told at most once in a while.
//!
//! Pure, under whatever clock the caller has. A broken sender may send thousands of packets a second; the performer
//! hears of it in one line.

use std::net::SocketAddr;

/// A complaint waits this long for others of its kind.
const GATHER_NS: u64 = 1_000_000_000;
/// Each kind is told at most this often.
const EVERY_NS: u64 = 10_000_000_000;
/// Characters of what somebody sent that are shown.
const SHOWN: usize = 60;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A packet was no OSC.
    NoOsc,
    /// Nothing stands at the address.
    Unknown,
    /// The address does not take what was sent.
    Refused,
    /// More came than is read.
    TooFast,
    /// It cannot be sent there.
    Unsent,
}

const KINDS: [Wrong; 5] = [Wrong::NoOsc, Wrong::Unknown, Wrong::Refused, Wrong::TooFast, Wrong::Unsent];

/// One kind, since it was told last.
#[derive(Clone, Debug, Default)]
struct Pile {
    count: u64,
    /// The last one: by or to whom, and the address or the reason.
    last: Option<(SocketAddr, String)>,
    since_ns: u64,
    told_ns: Option<u64>,
}

/// Everything that was wrong.
#[derive(Clone, Debug, Default)]
pub struct Complaints {
    piles: [Pile; KINDS.len()],
    /// Of each kind, since the beginning.
    totals: [u64; KINDS.len()],
}

impl Complaints {
    /// Notes something; `what` is the address, or the reason.
    pub fn note(&mut self, wrong: Wrong, who: SocketAddr, what: &str, now_ns: u64) {
        self.totals[wrong as usize] += 1;
        let pile = &mut self.piles[wrong as usize];
        if pile.count == 0 {
            pile.since_ns = now_ns;
        }
        pile.count += 1;
        let shown = |(known, text): &(SocketAddr, String)| *known == who && text == what;
        if !pile.last.as_ref().is_some_and(shown) {
            pile.last = Some((who, what.chars().take(SHOWN).collect()));
        }
    }

    /// How often this was wrong since the beginning.
    pub fn total(&self, wrong: Wrong) -> u64 {
        self.totals[wrong as usize]
    }

    /// What is due to be told, in words.
    pub fn due(&mut self, now_ns: u64) -> Vec<String> {
        let due = |pile: &Pile| {
            let gathered = now_ns.saturating_sub(pile.since_ns) >= GATHER_NS;
            pile.count > 0 && gathered && pile.told_ns.is_none_or(|told_ns| now_ns >= told_ns.saturating_add(EVERY_NS))
        };
        let piles = KINDS.into_iter().zip(&mut self.piles).filter(|(_, pile)| due(pile));
        piles
            .filter_map(|(wrong, pile)| {
                pile.told_ns = Some(now_ns);
                let (who, what) = pile.last.take()?;
                Some(told(wrong, std::mem::take(&mut pile.count), who, &what))
            })
            .collect()
    }
}

fn told(wrong: Wrong, count: u64, who: SocketAddr, what: &str) -> String {
    let of = |noun: &str| if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") };
    match wrong {
        Wrong::NoOsc if count == 1 => format!("OSC: 1 packet from {who} was no OSC"),
        Wrong::NoOsc => format!("OSC: {} were no OSC, the last from {who}", of("packet")),
        Wrong::Unknown => format!("OSC: nothing stands at {what:?}: {}, the last from {who}", of("message")),
        Wrong::Refused => format!("OSC: {what:?} does not take what {who} sent: {}", of("message")),
        Wrong::TooFast => format!("OSC: {} came too fast and were left out, the last from {who}", of("message")),
        Wrong::Unsent => format!("OSC: nothing can be sent to {who}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_storm_of_nonsense_is_one_line_each_ten_seconds() {
        let (mut complaints, mut lines) = (Complaints::default(), Vec::new());
        let who: SocketAddr = "10.0.0.3:5000".parse().unwrap();
        for ms in 0..30_000u64 {
            complaints.note(Wrong::NoOsc, who, "", ms * S / 1000);
            if ms == 5_000 {
                complaints.note(Wrong::Unknown, who, "/xiao/parm/x\n", ms * S / 1000);
            }
            lines.extend(complaints.due(ms * S / 1000));
        }
        assert_eq!(
            lines,
            [
                "OSC: 1001 packets were no OSC, the last from 10.0.0.3:5000",
                r#"OSC: nothing stands at "/xiao/parm/x\n": 1 message, the last from 10.0.0.3:5000"#,
                "OSC: 10000 packets were no OSC, the last from 10.0.0.3:5000",
                "OSC: 10000 packets were no OSC, the last from 10.0.0.3:5000",
            ]
        );
        assert_eq!((complaints.total(Wrong::NoOsc), complaints.total(Wrong::Refused)), (30_000, 0));
    }
}
