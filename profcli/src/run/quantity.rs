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

#[cfg(test)]
mod tests {
    use super::*;

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
