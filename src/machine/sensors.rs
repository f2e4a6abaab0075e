//! All sensors of this machine, and one sample of them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sysinfo::{Components, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::hwmon::Hwmon;
use super::power::{FIRST_LOOK, Power};
use super::pressure;
use crate::score::{MachineSample, SignalId};

/// Heat and fans change slowly and some chips take a millisecond to answer, so they are asked this often at most.
const SLOW: Duration = Duration::from_secs(1);

/// What one look at one signal gave: the value and where it comes from, or why there is none.
pub(super) type Look = Result<(f32, String), String>;

/// The machine's sensors, found once and then read. Belongs to one thread.
pub struct Sensors {
    root: PathBuf,
    system: Option<System>,
    own: Option<Pid>,
    components: Option<Components>,
    hwmon: Hwmon,
    power: Power,
    /// The last look at the slow ones, temperature and fan.
    slow: Option<(Instant, [Look; 2])>,
    looks: u64,
    /// The reasons as they were last told.
    told: Vec<(SignalId, String)>,
}

impl Sensors {
    /// Finds the sensors. What cannot be found is told by the samples.
    pub fn open() -> Sensors {
        Sensors::under(Path::new("/"))
    }

    /// The same with `/proc/pressure` and `/sys` below another root.
    fn under(root: &Path) -> Sensors {
        // Linux lays its sensors open; elsewhere sysinfo knows how to ask.
        let components = if cfg!(target_os = "linux") { None } else { Components::new_with_refreshed_list().ok() };
        Sensors {
            root: root.to_path_buf(),
            system: System::new().ok(),
            own: sysinfo::get_current_pid().ok(),
            components,
            hwmon: Hwmon::find(root),
            power: Power::find(root),
            slow: None,
            looks: 0,
            told: Vec::new(),
        }
    }

    /// Looks at the machine now. Load and power are differences and come with the second sample; two samples should
    /// be 200 ms apart, since the load of a shorter time is not told anew.
    pub fn sample(&mut self) -> MachineSample {
        let mut sample = MachineSample::default();
        let mut absent = Vec::new();
        for (id, look) in self.look(&mut sample.cores) {
            match look {
                Ok((value, _)) if value.is_finite() => sample.values.push((id, value)),
                Ok(_) => absent.push((id, "the sensor gives no number".to_string())),
                Err(reason) => absent.push((id, reason)),
            }
        }
        if absent != self.told {
            sample.absent.clone_from(&absent);
            self.told = absent;
        }
        sample
    }

    /// Every machine signal in the order of the table; fills in the cores' loads.
    pub(super) fn look(&mut self, cores: &mut Vec<f32>) -> Vec<(SignalId, Look)> {
        let now = Instant::now();
        let mut looks = Vec::with_capacity(12);
        self.looks += 1;
        self.load(cores, &mut looks);
        self.memory(&mut looks);
        for (id, resource) in
            [(SignalId::CpuPressure, "cpu"), (SignalId::MemoryPressure, "memory"), (SignalId::IoPressure, "io")]
        {
            let look = pressure::read(&self.root, resource);
            looks.push((id, look.map(|value| (value, format!("/proc/pressure/{resource}")))));
        }
        let [temperature, fan] = self.slow(now);
        looks.push((SignalId::Temperature, temperature));
        looks.push((SignalId::Fan, fan));
        looks.push((SignalId::Power, if cfg!(target_os = "linux") { self.power.read(now) } else { not_here("power") }));
        looks
    }

    fn load(&mut self, cores: &mut Vec<f32>, looks: &mut Vec<(SignalId, Look)>) {
        let (mut cpu, mut peak) = (Err(FIRST_LOOK.to_string()), Err(FIRST_LOOK.to_string()));
        let mut count = std::thread::available_parallelism().map_or(1, |n| n.get());
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            count = system.cpus().len().max(1);
            // The first look has nothing to compare with and would tell the load since the machine was started.
            if self.looks > 1 {
                cores.extend(system.cpus().iter().map(|c| (c.usage() / 100.0).clamp(0.0, 1.0)));
                let all = (system.global_cpu_usage() / 100.0).clamp(0.0, 1.0);
                // The kernel counts the sum and the cores in ticks of their own, so an idle peak may fall below the sum.
                let busiest = cores.iter().copied().fold(all, f32::max);
                cpu = Ok((all, format!("{count} cores")));
                peak = Ok((busiest, "the busiest core".to_string()));
            }
        } else {
            (cpu, peak) = (not_here("load"), not_here("load"));
        }
        let average = match System::load_average() {
            Ok(load) => Ok((load.one as f32 / count as f32, "average of one minute".to_string())),
            Err(_) => not_here("load average"),
        };
        looks.extend([(SignalId::Cpu, cpu), (SignalId::CpuPeak, peak), (SignalId::LoadAverage, average)]);
    }

    fn memory(&mut self, looks: &mut Vec<(SignalId, Look)>) {
        let (mut memory, mut own, mut swap) = (not_here("memory"), not_here("own memory"), not_here("swap"));
        if let Some(system) = &mut self.system {
            system.refresh_memory();
            let total = system.total_memory();
            if total > 0 {
                let used = total.saturating_sub(system.available_memory());
                memory = Ok((used as f32 / total as f32, format!("of {} MiB", total >> 20)));
            }
            swap = match system.total_swap() {
                0 => Err("this machine has no swap".into()),
                total => Ok((system.used_swap() as f32 / total as f32, format!("of {} MiB", total >> 20))),
            };
            if let Some(pid) = self.own {
                let kind = ProcessRefreshKind::nothing().with_memory();
                system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
                if let Some(process) = system.process(pid) {
                    own = Ok((process.memory() as f32 / 1048576.0, "resident memory of this process".into()));
                }
            }
        }
        looks.extend([(SignalId::Memory, memory), (SignalId::OwnMemory, own), (SignalId::Swap, swap)]);
    }

    fn slow(&mut self, now: Instant) -> [Look; 2] {
        if let Some((then, looks)) = &self.slow
            && now.duration_since(*then) < SLOW
        {
            return looks.clone();
        }
        let named = |(value, label): (f32, &str)| (value, label.to_string());
        let looks = match &mut self.components {
            Some(components) => {
                components.refresh(false);
                let heat = components.iter().filter_map(|c| Some((c.temperature()?, c.label().to_string())));
                let hottest = heat.filter(|(t, _)| t.is_finite()).max_by(|a, b| a.0.total_cmp(&b.0));
                [hottest.ok_or("no temperature sensor answers".into()), not_here("fan speed")]
            }
            None if cfg!(target_os = "linux") => [self.hwmon.temperature().map(named), self.hwmon.fan().map(named)],
            None => [not_here("temperature"), not_here("fan speed")],
        };
        self.slow = Some((now, looks.clone()));
        looks
    }
}

fn not_here(what: &str) -> Look {
    Err(format!("{} does not tell of {what}", std::env::consts::OS))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A folder with these files, as a root for `/proc` and `/sys`.
    pub fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn value(sample: &MachineSample, id: SignalId) -> Option<f32> {
        sample.values.iter().find(|(i, _)| *i == id).map(|(_, v)| *v)
    }

    fn machine_signals() -> Vec<SignalId> {
        SignalId::ALL.iter().copied().filter(|id| id.name().starts_with("machine.")).collect()
    }

    #[test]
    fn every_machine_signal_is_told_or_its_absence_is() {
        let sample = Sensors::open().sample();
        let mut told: Vec<SignalId> = sample.values.iter().map(|(id, _)| *id).collect();
        told.extend(sample.absent.iter().map(|(id, _)| *id));
        told.sort();
        assert_eq!(told, machine_signals());
        assert!(sample.absent.iter().all(|(_, reason)| !reason.is_empty() && !reason.contains('\n')));
        assert!(value(&sample, SignalId::OwnMemory).unwrap() > 1.0);
        assert!((0.01..=1.0).contains(&value(&sample, SignalId::Memory).unwrap()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reasons_come_first_and_when_they_change() {
        let root = tree(&[("proc/pressure/cpu", "some avg10=3.00 avg60=0 avg300=0 total=0")]);
        let mut sensors = Sensors::under(root.path());
        let reason = |sample: &MachineSample, id| sample.absent.iter().find(|(i, _)| *i == id).map(|(_, r)| r.clone());
        let first = sensors.sample();
        assert_eq!(value(&first, SignalId::CpuPressure), Some(3.0));
        assert_eq!(reason(&first, SignalId::Cpu).unwrap(), FIRST_LOOK);
        assert_eq!(reason(&first, SignalId::Fan).unwrap(), "no fan sensor under /sys/class/hwmon");
        assert_eq!((value(&first, SignalId::Fan), value(&first, SignalId::Power)), (None, None));
        std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
        let second = sensors.sample();
        assert!((0.0..=1.0).contains(&value(&second, SignalId::Cpu).unwrap()));
        assert_eq!(second.cores.len(), std::fs::read_to_string("/proc/stat").unwrap().matches("\ncpu").count());
        assert!(reason(&second, SignalId::Cpu).is_none() && reason(&second, SignalId::Fan).is_some());
        assert!(sensors.sample().absent.is_empty(), "nothing has changed");
        std::fs::remove_file(root.path().join("proc/pressure/cpu")).unwrap();
        let last = sensors.sample();
        assert!(reason(&last, SignalId::CpuPressure).unwrap().contains("psi=1"));
        assert_eq!(value(&last, SignalId::CpuPressure), None);
    }
}
