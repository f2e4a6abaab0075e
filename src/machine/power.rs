//! Power (Linux): the processor's energy counters (RAPL), else a board's power meter, else a battery that discharges.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::sysfs;

/// Chips whose power is not the processor's: graphics cards, and batteries, which are asked in their own place.
const NOT_THE_PROCESSOR: [&str; 6] = ["amdgpu", "radeon", "nouveau", "i915", "xe", "BAT"];

/// Where power is read.
#[derive(Clone, Debug)]
pub(super) struct Power {
    packages: Vec<Package>,
    meter: Option<(PathBuf, String)>,
    batteries: Vec<PathBuf>,
}

/// One processor package's energy counter, in microjoules, which begins again at 0 after `range`.
#[derive(Clone, Debug)]
struct Package {
    path: PathBuf,
    range: f64,
    last: Option<(Instant, f64)>,
}

/// Said of a value that is a difference of two looks.
pub(super) const FIRST_LOOK: &str = "measured from the second look on";

impl Power {
    pub fn find(root: &Path) -> Power {
        let mut packages = Vec::new();
        for zone in sysfs::entries(&root.join("sys/class/powercap")) {
            // Zones `intel-rapl:0:1` are parts of `intel-rapl:0`, and `intel-rapl-mmio:0` is the same package again.
            // `psys` is the whole platform and holds the packages too.
            let is_package = sysfs::text(&zone.join("name")).is_ok_and(|name| name.starts_with("package-"));
            if is_package && !sysfs::name(&zone).contains("mmio") {
                let range = sysfs::number(&zone.join("max_energy_range_uj")).unwrap_or(0.0);
                packages.push(Package { path: zone.join("energy_uj"), range, last: None });
            }
        }
        let meter = sysfs::entries(&root.join("sys/class/hwmon")).into_iter().find_map(|chip| {
            let name = sysfs::text(&chip.join("name")).unwrap_or_default();
            let of_processor = !NOT_THE_PROCESSOR.iter().any(|other| name.starts_with(other));
            let file = ["power1_average", "power1_input"].map(|f| chip.join(f)).into_iter().find(|f| f.exists());
            file.filter(|_| of_processor).map(|file| (file, name))
        });
        let batteries = sysfs::entries(&root.join("sys/class/power_supply"));
        let batteries = batteries.into_iter().filter(|s| sysfs::name(s).starts_with("BAT")).collect();
        Power { packages, meter, batteries }
    }

    /// Watts at `now` and what they were read from, or why there are none.
    pub fn read(&mut self, now: Instant) -> Result<(f32, String), String> {
        let by_energy = self.packages_w(now);
        if let Ok(Some(watts)) = by_energy {
            return Ok((watts as f32, "processor package, measured (RAPL)".into()));
        }
        if matches!(by_energy, Ok(None)) && !self.packages.is_empty() {
            return Err(FIRST_LOOK.into());
        }
        if let Some((file, name)) = &self.meter
            && let Ok(microwatts) = sysfs::number(file)
        {
            return Ok(((microwatts / 1e6) as f32, format!("power meter {name}")));
        }
        if let Some(watts) = self.batteries.iter().find_map(|battery| discharge_w(battery)) {
            return Ok((watts as f32, "the whole machine, from its battery".into()));
        }
        Err(match by_energy {
            Err(error) => error,
            Ok(_) => "no energy counter under /sys/class/powercap, no power meter, no battery in use".into(),
        })
    }

    /// The sum over the packages; none at the first look.
    fn packages_w(&mut self, now: Instant) -> Result<Option<f64>, String> {
        let mut watts = None;
        for package in &mut self.packages {
            let energy_uj = sysfs::number(&package.path).map_err(|e| denied(&package.path, &e))?;
            if let Some((then, before_uj)) = package.last.replace((now, energy_uj)) {
                // The counter has gone round once at most: it takes many minutes at any load.
                let turn = if energy_uj < before_uj { package.range } else { 0.0 };
                let seconds = now.duration_since(then).as_secs_f64();
                if seconds > 0.0 {
                    *watts.get_or_insert(0.0) += (energy_uj + turn - before_uj).max(0.0) / 1e6 / seconds;
                }
            }
        }
        Ok(watts)
    }
}

fn denied(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        // Closed to all but root since 2020, because power gives secrets away; the performer decides.
        io::ErrorKind::PermissionDenied => format!("{path}: permission denied; `sudo chmod a+r {path}` opens it"),
        _ => format!("{path}: {error}"),
    }
}

/// What a discharging battery gives, in watts.
fn discharge_w(battery: &Path) -> Option<f64> {
    if sysfs::text(&battery.join("status")).ok()? != "Discharging" {
        return None;
    }
    let micro = |file| sysfs::number(&battery.join(file));
    let watts = micro("power_now").map(|w| w / 1e6);
    let watts =
        watts.or_else(|_| Ok::<f64, io::Error>(micro("current_now")? / 1e6 * (micro("voltage_now")? / 1e6))).ok()?;
    Some(watts.abs()).filter(|w| *w > 0.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::sensors::tests::tree;
    use super::*;

    fn write(root: &tempfile::TempDir, file: &str, text: &str) {
        std::fs::write(root.path().join(file), text).unwrap();
    }

    #[test]
    fn watts_are_the_difference_of_two_looks() {
        let root = tree(&[
            ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
            ("sys/class/powercap/intel-rapl:0/energy_uj", "1000000\n"),
            ("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n"),
            ("sys/class/powercap/intel-rapl:0:0/name", "core\n"),
            ("sys/class/powercap/intel-rapl:0:0/energy_uj", "1\n"),
            ("sys/class/powercap/intel-rapl:1/name", "package-1\n"),
            ("sys/class/powercap/intel-rapl:1/energy_uj", "262143328850\n"),
            ("sys/class/powercap/intel-rapl:1/max_energy_range_uj", "262143328850\n"),
            ("sys/class/powercap/intel-rapl:2/name", "psys\n"),
            ("sys/class/powercap/intel-rapl:2/energy_uj", "7\n"),
            ("sys/class/powercap/intel-rapl-mmio:0/name", "package-0\n"),
            ("sys/class/powercap/intel-rapl-mmio:0/energy_uj", "1\n"),
            ("sys/class/hwmon/hwmon0/power1_input", "99000000\n"),
        ]);
        let mut power = Power::find(root.path());
        let start = Instant::now();
        assert_eq!(power.read(start), Err(FIRST_LOOK.into()));
        // Package 0 has used 3 J; package 1 has gone round its range and used 1 J. In half a second that is 8 W.
        write(&root, "sys/class/powercap/intel-rapl:0/energy_uj", "4000000");
        write(&root, "sys/class/powercap/intel-rapl:1/energy_uj", "1000000");
        let (watts, source) = power.read(start + Duration::from_millis(500)).unwrap();
        assert!((watts - 8.0).abs() < 1e-3 && source.contains("RAPL"), "{watts} from {source}");
    }

    #[test]
    fn a_closed_counter_is_told_with_the_remedy_and_a_meter_stands_in() {
        let denied = denied(Path::new("/sys/x/energy_uj"), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(denied, "/sys/x/energy_uj: permission denied; `sudo chmod a+r /sys/x/energy_uj` opens it");
        // A counter that cannot be read (here: its file is a folder), so that root may run this test too.
        let files = [
            ("sys/class/powercap/intel-rapl:0/name", "package-0"),
            ("sys/class/powercap/intel-rapl:0/energy_uj/x", ""),
            ("sys/class/hwmon/hwmon0/name", "amdgpu"),
            ("sys/class/hwmon/hwmon0/power1_average", "99000000"),
            ("sys/class/hwmon/hwmon1/name", "zenpower"),
            ("sys/class/hwmon/hwmon1/power1_average", "15500000"),
        ];
        let root = tree(&files[..4]);
        assert!(Power::find(root.path()).read(Instant::now()).unwrap_err().contains("energy_uj"));
        let root = tree(&files);
        assert_eq!(Power::find(root.path()).read(Instant::now()), Ok((15.5, "power meter zenpower".into())));
    }

    #[test]
    fn a_battery_is_asked_while_it_discharges() {
        let root = tree(&[
            ("sys/class/power_supply/AC/online", "0"),
            ("sys/class/power_supply/BAT0/status", "Discharging"),
            ("sys/class/power_supply/BAT0/current_now", "1500000"),
            ("sys/class/power_supply/BAT0/voltage_now", "12000000"),
        ]);
        let mut power = Power::find(root.path());
        assert_eq!(power.read(Instant::now()).unwrap().0, 18.0);
        write(&root, "sys/class/power_supply/BAT0/status", "Charging");
        assert!(power.read(Instant::now()).unwrap_err().starts_with("no energy counter"));
    }
}
