//! Numbers on the command line: rates and sizes.

/// Samples per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (1.0..=10_000.0).contains(&rate) => Ok(rate),
        Ok(0.0) => Err("use --no-cpu to switch CPU samples off".into()),
        _ => Err("give a number of samples per second, 1 to 10000".into()),
    }
}

/// A number of bytes, with K, M or G for binary multiples.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().trim_end_matches("ib") {
        "" | "b" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err("give a number of bytes, with K, M or G for multiples".into()),
    };
    match digits.parse::<u64>() {
        Ok(0) => Err("use --no-memory or --no-copies to switch samples off".into()),
        Ok(number) if number <= (1 << 40) >> shift => Ok(number << shift),
        _ => Err("give a number of bytes from 1 to 1024G".into()),
    }
}

/// A size: bytes, with K, M, G or KiB, MiB, GiB for binary multiples and kB, MB, GB for decimal ones.
pub(crate) fn size(text: &str) -> Result<f64, String> {
    const UNITS: [(&str, f64); 10] = [
        ("KiB", 1024.0),
        ("MiB", 1048576.0),
        ("GiB", 1073741824.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("K", 1024.0),
        ("M", 1048576.0),
        ("G", 1073741824.0),
        ("B", 1.0),
    ];
    let found = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (digits, unit) = found.unwrap_or((text, 1.0));
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match digits.parse::<f64>() {
        Ok(number) if is_number && number * unit <= 1e18 => Ok((number * unit).floor()),
        _ => Err("give a size, such as 500MB, 1.5GiB or 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_their_real_units() {
        assert_eq!(size("0"), Ok(0.0));
        assert_eq!(size("500MB"), Ok(500e6));
        assert_eq!(size("500MiB"), Ok(524_288_000.0));
        assert_eq!(size("500M"), size("500MiB"));
        assert_eq!(size("1.5kB"), Ok(1500.0));
        assert_eq!(size("12B"), Ok(12.0));
        for wrong in
            ["", "MB", "-1", "+1", "1e3", "nan", "inf", "1 MB", "1mb", "1TB", "9999999999GB"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_have_bounds() {
        assert_eq!(rate("100"), Ok(100.0));
        assert_eq!(rate("2.5"), Ok(2.5));
        for wrong in ["0", "-1", "1e9", "nan", "inf", "0.5", "fast", "", "10001"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_have_multiples() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("128K"), Ok(128 << 10));
        assert_eq!(bytes("1MiB"), Ok(1 << 20));
        assert_eq!(bytes("1024g"), Ok(1 << 40));
        for wrong in ["0", "-1", "1T", "K", "", "1025G", "1.5M", "99999999999999999999"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
