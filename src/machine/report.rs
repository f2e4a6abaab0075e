//! Which sensors this machine has, and why not the others, for `xiao devices`.

use serde::Serialize;

use super::Sensors;
use crate::score::SignalId;

/// One machine signal: found with its value and source, or absent with the reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SensorReport {
    pub signal: SignalId,
    pub unit: &'static str,
    /// The value just now, in `unit`; none where the signal is absent.
    pub value: Option<f32>,
    /// The sensor's name where the signal is there, else why it is not.
    pub note: String,
}

/// Looks at every machine signal twice, a quarter of a second apart, for load and power are differences.
pub fn report() -> Vec<SensorReport> {
    let mut sensors = Sensors::open();
    sensors.look(&mut Vec::new());
    std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL + std::time::Duration::from_millis(50));
    let looks = sensors.look(&mut Vec::new());
    let report = looks.into_iter().map(|(signal, look)| {
        let (value, note) = match look {
            Ok((value, source)) => (Some(value), source),
            Err(reason) => (None, reason),
        };
        SensorReport { signal, unit: signal.spec().unit, value, note }
    });
    report.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_null_with_a_reason() {
        let report = report();
        let cpu = report.iter().find(|r| r.signal == SignalId::Cpu).unwrap();
        assert!(cpu.value.is_some() && cpu.note.ends_with("cores"), "{cpu:?}");
        assert!(report.iter().all(|r| !r.note.is_empty()));
        let absent = SensorReport { signal: SignalId::Fan, unit: "rpm", value: None, note: "no fan".into() };
        let json = serde_json::to_string(&absent).unwrap();
        assert_eq!(json, r#"{"signal":"machine.fan","unit":"rpm","value":null,"note":"no fan"}"#);
    }

    /// Prints this machine's report and what a sample costs; run with `--ignored --nocapture`.
    #[test]
    #[ignore = "measures this machine"]
    fn what_a_sample_costs() {
        report().iter().for_each(|r| println!("{:?}", r));
        println!("{}", super::super::host());
        let mut sensors = Sensors::open();
        let mut took_us: Vec<u128> = (0..20)
            .map(|_| {
                std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
                let start = std::time::Instant::now();
                assert!(!sensors.sample().values.is_empty());
                start.elapsed().as_micros()
            })
            .collect();
        took_us.sort();
        println!("a sample: {} µs at the median, {} µs at most", took_us[10], took_us[19]);
    }
}
