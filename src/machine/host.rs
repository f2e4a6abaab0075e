//! What this machine is: system, processor, memory.

use std::fmt;

use serde::Serialize;
use sysinfo::System;

/// The machine in figures. Its name and its user are not among them: a recording may be given away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Host {
    /// `Debian GNU/Linux 12`.
    pub os: String,
    /// The processor's name, or its architecture where it has none.
    pub cpu: String,
    /// Cores that programs may run on, hyper-threads counted.
    pub cores: usize,
    pub memory_total_bytes: u64,
    /// What a program could take now without swapping, a container's limit taken into account.
    pub memory_available_bytes: u64,
}

/// Asks the system; takes a few milliseconds.
pub fn host() -> Host {
    let mut host = Host {
        os: System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_string()).trim().to_string(),
        cpu: System::cpu_arch(),
        cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
        memory_total_bytes: 0,
        memory_available_bytes: 0,
    };
    if let Ok(mut system) = System::new() {
        system.refresh_memory();
        system.refresh_cpu_usage();
        let limit = system.cgroup_limits();
        host.memory_total_bytes = limit.as_ref().map_or(u64::MAX, |l| l.total_memory).min(system.total_memory());
        host.memory_available_bytes = limit.map_or(u64::MAX, |l| l.free_memory).min(system.available_memory());
        if let Some(brand) = system.cpus().first().map(|c| c.brand().trim()).filter(|b| !b.is_empty()) {
            host.cpu = brand.to_string();
        }
    }
    host
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gib = self.memory_total_bytes as f64 / (1u64 << 30) as f64;
        write!(f, "{}, {}, {} cores, {gib:.1} GiB", self.os, self.cpu, self.cores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_told_in_one_line() {
        let host = host();
        assert!(host.cores >= 1 && !host.os.is_empty() && !host.cpu.is_empty());
        assert!(host.memory_available_bytes > 0 && host.memory_available_bytes <= host.memory_total_bytes, "{host:?}");
        let host = Host { os: "X 1".into(), cpu: "Y".into(), cores: 4, memory_total_bytes: 3 << 29, ..host };
        assert_eq!(host.to_string(), "X 1, Y, 4 cores, 1.5 GiB");
    }
}
