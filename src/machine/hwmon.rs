//! Heat and fans (Linux: `/sys/class/hwmon`, `/sys/class/thermal`).
//!
//! The files are found once and then only read again; a file that has gone makes the search begin anew.

use std::path::{Path, PathBuf};

use super::sysfs;

/// Sensor chips that are left out: asking `drivetemp` may wake a sleeping disk.
const NOT_ASKED: [&str; 1] = ["drivetemp"];

/// One sensor: its file, what the file's number is divided by, and what it is called.
#[derive(Clone, Debug, PartialEq)]
struct Sensor {
    path: PathBuf,
    divisor: f64,
    label: String,
}

/// Every temperature and every fan of this machine.
#[derive(Clone, Debug)]
pub(super) struct Hwmon {
    root: PathBuf,
    temperatures: Vec<Sensor>,
    fans: Vec<Sensor>,
}

/// A value and the sensor it comes from.
pub(super) type Reading<'a> = (f32, &'a str);

impl Hwmon {
    pub fn find(root: &Path) -> Hwmon {
        let mut found = Hwmon { root: root.to_path_buf(), temperatures: Vec::new(), fans: Vec::new() };
        found.search();
        found
    }

    fn search(&mut self) {
        self.temperatures.clear();
        self.fans.clear();
        for chip in sysfs::entries(&self.root.join("sys/class/hwmon")) {
            let chip_name = sysfs::text(&chip.join("name")).unwrap_or_default();
            if NOT_ASKED.contains(&chip_name.as_str()) {
                continue;
            }
            for path in sysfs::entries(&chip) {
                let Some(sensor) = sysfs::name(&path).strip_suffix("_input") else { continue };
                let own = sysfs::text(&chip.join(format!("{sensor}_label"))).unwrap_or_else(|_| sensor.to_string());
                let label = format!("{chip_name} {own}");
                if sensor.starts_with("temp") && !own.starts_with("AUXTIN") {
                    // AUXTIN pins of board chips mostly float: they were seen to tell 127 °C for years.
                    self.temperatures.push(Sensor { path, divisor: 1000.0, label });
                } else if sensor.starts_with("fan") {
                    self.fans.push(Sensor { path, divisor: 1.0, label });
                }
            }
        }
        for zone in sysfs::entries(&self.root.join("sys/class/thermal")) {
            if sysfs::name(&zone).starts_with("thermal_zone") {
                let label = sysfs::text(&zone.join("type")).unwrap_or_else(|_| sysfs::name(&zone).to_string());
                self.temperatures.push(Sensor { path: zone.join("temp"), divisor: 1000.0, label });
            }
        }
    }

    /// The hottest sensor in °C, or why there is none.
    pub fn temperature(&mut self) -> Result<Reading<'_>, String> {
        let none = "no temperature sensor under /sys/class/hwmon or /sys/class/thermal";
        // Sensors that are switched off or not connected tell values that no running machine has.
        self.highest(|h| &h.temperatures, |t| t > 0.0 && t < 125.0).ok_or(none.into())
    }

    /// The fastest fan in rpm, or why there is none. A fan that stands still is 0, and that is a value.
    pub fn fan(&mut self) -> Result<Reading<'_>, String> {
        self.highest(|h| &h.fans, |rpm| (0.0..50_000.0).contains(&rpm))
            .ok_or("no fan sensor under /sys/class/hwmon".into())
    }

    fn highest(&mut self, of: fn(&Hwmon) -> &Vec<Sensor>, sound: fn(f64) -> bool) -> Option<Reading<'_>> {
        let mut highest: Option<(f64, usize)> = None;
        let mut gone = false;
        for (i, sensor) in of(self).iter().enumerate() {
            match sysfs::number(&sensor.path) {
                Ok(value) if sound(value / sensor.divisor) => {
                    let value = value / sensor.divisor;
                    if highest.is_none_or(|(h, _)| value > h) {
                        highest = Some((value, i));
                    }
                }
                Ok(_) => {}
                Err(e) => gone |= e.kind() == std::io::ErrorKind::NotFound,
            }
        }
        if gone {
            // Found again at the next look; the indices of this one are void.
            let value = highest.map(|(value, i)| (value as f32, of(self)[i].path.clone()));
            self.search();
            let (value, path) = value?;
            return of(self).iter().find(|s| s.path == path).map(|s| (value, s.label.as_str()));
        }
        let (value, i) = highest?;
        Some((value as f32, of(self)[i].label.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sensors::tests::tree;
    use super::*;

    #[test]
    fn the_hottest_and_the_fastest_are_told_with_their_names() {
        let root = tree(&[
            ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "61000\n"),
            ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
            ("sys/class/hwmon/hwmon0/temp1_crit", "105000\n"),
            ("sys/class/hwmon/hwmon1/name", "nct6775\n"),
            ("sys/class/hwmon/hwmon1/fan1_input", "0\n"),
            ("sys/class/hwmon/hwmon1/fan2_input", "1180\n"),
            ("sys/class/hwmon/hwmon1/temp3_input", "127000\n"),
            ("sys/class/hwmon/hwmon1/temp3_label", "AUXTIN0\n"),
            ("sys/class/hwmon/hwmon1/temp4_input", "-128000\n"),
            ("sys/class/hwmon/hwmon2/name", "drivetemp\n"),
            ("sys/class/hwmon/hwmon2/temp1_input", "70000\n"),
            ("sys/class/thermal/thermal_zone0/type", "acpitz\n"),
            ("sys/class/thermal/thermal_zone0/temp", "27800\n"),
            ("sys/class/thermal/cooling_device0/type", "Fan\n"),
        ]);
        let mut hwmon = Hwmon::find(root.path());
        assert_eq!(hwmon.temperature(), Ok((61.0, "coretemp Package id 0")));
        assert_eq!(hwmon.fan(), Ok((1180.0, "nct6775 fan2")));
        // The module is unloaded while we play: the rest is still there.
        std::fs::remove_dir_all(root.path().join("sys/class/hwmon/hwmon0")).unwrap();
        assert_eq!(hwmon.temperature(), Ok((27.8, "acpitz")));
        assert_eq!(hwmon.temperatures.len(), 2, "searched again");
    }

    #[test]
    fn a_fan_that_stands_still_is_not_an_absent_one() {
        let root = tree(&[("sys/class/hwmon/hwmon0/fan1_input", "0")]);
        assert_eq!(Hwmon::find(root.path()).fan().map(|r| r.0), Ok(0.0));
        assert_eq!(
            Hwmon::find(root.path()).temperature().unwrap_err().split(" under").next(),
            Some("no temperature sensor")
        );
        assert_eq!(Hwmon::find(tree(&[]).path()).fan(), Err("no fan sensor under /sys/class/hwmon".into()));
    }
}
