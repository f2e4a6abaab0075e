//! Numbers in words for the card. Pure.

use crate::train::Script;

/// `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `2.98 M`, `740 k`, `12`: three digits are enough for a plate.
pub fn short(n: u64) -> String {
    match n as f64 {
        x if x >= 99.95e9 => format!("{:.0} G", x / 1e9),
        x if x >= 1e9 => format!("{:.2} G", x / 1e9),
        x if x >= 99.95e6 => format!("{:.0} M", x / 1e6),
        x if x >= 10e6 => format!("{:.1} M", x / 1e6),
        x if x >= 1e6 => format!("{:.2} M", x / 1e6),
        x if x >= 10e3 => format!("{:.0} k", x / 1e3),
        _ => grouped(n),
    }
}

/// `3.18 MB`, `220 kB`.
pub fn megabytes(bytes: u64) -> String {
    match bytes as f64 / 1e6 {
        mb if mb < 1.0 => format!("{:.0} kB", mb * 1e3),
        mb if mb < 10.0 => format!("{mb:.2} MB"),
        mb if mb < 1000.0 => format!("{mb:.1} MB"),
        mb => format!("{:.2} GB", mb / 1e3),
    }
}

/// `38 s`, `39 min`, `2 h 5 min`.
pub fn time(seconds: f64) -> String {
    let s = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { 0 };
    let minutes = (s + 30) / 60;
    match s {
        0..100 => format!("{s} s"),
        _ if minutes < 100 => format!("{minutes} min"),
        _ if minutes.is_multiple_of(60) => format!("{} h", minutes / 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// `3.4 %`; of nothing, a dash.
pub fn percent(part: u64, of: u64) -> String {
    if of == 0 { "–".to_string() } else { format!("{:.1} %", part as f64 * 100.0 / of as f64) }
}

/// A measured number, or a dash where there is none.
pub fn number(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}") } else { "–".to_string() }
}

/// A small number as it was given: 0.004, 3e-5.
pub fn rate(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:e}") } else { format!("{value}") }
}

pub fn language(script: Script) -> &'static str {
    match script {
        Script::Chinese => "Chinese",
        Script::English => "English",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let shorts = [9_999, 12_345, 2_984_000, 19_200_000, 145_000_000, 1_230_000_000, 123_000_000_000];
        assert_eq!(shorts.map(short), ["9,999", "12 k", "2.98 M", "19.2 M", "145 M", "1.23 G", "123 G"]);
        assert_eq!([38.2, 2340.0, 7500.0, 14_400.0, f64::NAN].map(time), ["38 s", "39 min", "2 h 5 min", "4 h", "0 s"]);
        assert_eq!(megabytes(219_999), "220 kB");
        assert_eq!([3_180_000, 15_496_252, 4_200_000_000].map(megabytes), ["3.18 MB", "15.5 MB", "4.20 GB"]);
        assert_eq!((percent(1, 3), percent(0, 0)), ("33.3 %".into(), "–".into()));
        assert_eq!([0.004, 0.00003, 0.0].map(rate), ["0.004", "3e-5", "0"]);
        assert_eq!((number(6.3456, 2), number(f64::NAN, 2)), ("6.35".into(), "–".into()));
    }
}
