//! Pressure: the share of time in which work waited for a core, memory or a disk (Linux, `/proc/pressure`).

use std::path::Path;

use super::sysfs;

/// The share of the last 10 s, in percent, in which some work waited for `resource` (`cpu`, `memory`, `io`), or why
/// it cannot be told.
pub(super) fn read(root: &Path, resource: &str) -> Result<f32, String> {
    if !cfg!(target_os = "linux") {
        return Err("only Linux tells of pressure".into());
    }
    let path = root.join("proc/pressure").join(resource);
    let text = sysfs::text(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::PermissionDenied => format!("/proc/pressure/{resource}: permission denied"),
        _ => format!("no /proc/pressure/{resource}; the kernel option psi=1 turns it on"),
    })?;
    some_avg10(&text).ok_or_else(|| format!("/proc/pressure/{resource} has no \"some avg10\""))
}

/// `some avg10=1.58 avg60=3.17 avg300=9.73 total=118355595`.
fn some_avg10(text: &str) -> Option<f32> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split_whitespace().find_map(|field| field.strip_prefix("avg10="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::sensors::tests::tree;
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_share_of_the_last_ten_seconds_is_read() {
        let root = tree(&[
            (
                "proc/pressure/cpu",
                "some avg10=12.58 avg60=3.17 avg300=9.73 total=118\nfull avg10=0.50 avg60=0 total=0\n",
            ),
            ("proc/pressure/io", "full avg10=0.50 avg60=0.00 avg300=0.00 total=0\n"),
        ]);
        assert_eq!(read(root.path(), "cpu"), Ok(12.58));
        assert!(read(root.path(), "io").unwrap_err().contains("no \"some avg10\""));
        assert!(read(root.path(), "memory").unwrap_err().contains("psi=1"));
    }
}
