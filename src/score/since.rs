//! The signals that follow from when things happened. Every consumer keeps its own, since each has its own clock: the
//! sound counts frames, the stage its frames' times.

use super::{Happening, SignalId, SignalValues};

/// Seconds in which a moment's signal falls to a third.
const FLAW_S: f32 = 1.5;
const FORGET_S: f32 = 3.0;
const FAULT_S: f32 = 5.0;
const XRUN_S: f32 = 5.0;

/// When things happened last, in the consumer's own time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Since {
    token_ns: Option<u64>,
    /// Tokens a second, smoothed.
    per_s: f32,
    /// From the token before the last to the last.
    step_s: f32,
    flaw_ns: Option<u64>,
    forget_ns: Option<u64>,
    fault_ns: Option<u64>,
    xrun_ns: Option<u64>,
}

impl Since {
    /// This happened at `t_ns`.
    pub fn happened(&mut self, what: Happening, t_ns: u64) {
        match what {
            Happening::Token => self.token(t_ns),
            Happening::Flaw => self.flaw_ns = Some(t_ns),
            Happening::Forget => self.forget_ns = Some(t_ns),
            Happening::Fault => self.fault_ns = Some(t_ns),
            Happening::Xrun => self.xrun_ns = Some(t_ns),
            Happening::Prompt | Happening::Rewind | Happening::PieceEnd => {}
        }
    }

    fn token(&mut self, t_ns: u64) {
        if let Some(last) = self.token_ns {
            self.step_s = t_ns.saturating_sub(last).max(1_000) as f32 / 1e9;
            let now = 1.0 / self.step_s;
            // A quarter of the new and three of the old: about four tokens of memory, steady at any tempo.
            self.per_s = if self.per_s == 0.0 { now } else { 0.75 * self.per_s + 0.25 * now };
        }
        self.token_ns = Some(t_ns);
    }

    /// Writes the signals as they stand at `t_ns`; without any token yet, the waiting counts from 0.
    pub fn write(&self, t_ns: u64, signals: &mut SignalValues) {
        let seconds = |then: u64| t_ns.saturating_sub(then) as f32 / 1e9;
        let waiting_s = seconds(self.token_ns.unwrap_or(0));
        // While nothing comes, the rate cannot be more than one token in the time waited.
        let rate = if waiting_s > 0.0 { self.per_s.min(1.0 / waiting_s) } else { self.per_s };
        signals.set(SignalId::Rate, self.token_ns.map(|_| rate));
        signals.set(SignalId::Waiting, Some(waiting_s));
        let watts = signals.get(SignalId::Power).filter(|_| self.step_s > 0.0);
        signals.set(SignalId::Energy, watts.map(|watts| watts * self.step_s));
        for (id, then, fall_s) in [
            (SignalId::Flaw, self.flaw_ns, FLAW_S),
            (SignalId::Forgetting, self.forget_ns, FORGET_S),
            (SignalId::Fault, self.fault_ns, FAULT_S),
            (SignalId::Xrun, self.xrun_ns, XRUN_S),
        ] {
            signals.set(id, Some(then.map_or(0.0, |then| (-seconds(then) / fall_s).exp())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_and_rate_follow_from_time() {
        let (mut since, mut signals) = (Since::default(), SignalValues::default());
        since.write(2_000_000_000, &mut signals);
        assert_eq!((signals.get(SignalId::Rate), signals.get(SignalId::Waiting)), (None, Some(2.0)));
        for i in 0..50 {
            since.happened(Happening::Token, 2_000_000_000 + i * 100_000_000);
        }
        since.write(6_900_000_000, &mut signals);
        assert!((signals.get(SignalId::Rate).unwrap() - 10.0).abs() < 0.1);
        since.write(16_900_000_000, &mut signals);
        assert!((signals.get(SignalId::Rate).unwrap() - 0.1).abs() < 0.01);
    }

    #[test]
    fn a_moment_fades_and_a_token_costs_what_the_machine_drew_meanwhile() {
        let (mut since, mut signals) = (Since::default(), SignalValues::default());
        since.write(0, &mut signals);
        assert_eq!((signals.get(SignalId::Flaw), signals.get(SignalId::Energy)), (Some(0.0), None));
        since.happened(Happening::Flaw, 1_000_000_000);
        since.happened(Happening::Token, 1_000_000_000);
        since.happened(Happening::Token, 1_250_000_000);
        signals.set(SignalId::Power, Some(20.0));
        since.write(2_500_000_000, &mut signals);
        assert!((signals.get(SignalId::Flaw).unwrap() - (-1f32).exp()).abs() < 1e-4);
        assert!((signals.get(SignalId::Energy).unwrap() - 5.0).abs() < 1e-4);
        assert_eq!(signals.get(SignalId::Fault), Some(0.0));
    }
}
