//! Foreign text made visible: names and paths come from the profiled program and may hold anything.

use std::fmt::Write as _;

/// The text of `bytes` with everything that could steer a terminal or hide what is written shown as an escape:
/// control characters (C0, DEL, C1) and invalid UTF-8 as `\x1b`, format characters (BiDi overrides, zero
/// width, tags) and line separators as `\u{202e}`. Everything else stays as it is, so the result is for the
/// eye and cannot be turned back.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        for c in part.valid().chars() {
            if c.is_control() {
                push_hex(&mut out, c as u32);
            } else if is_invisible(c) {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            } else {
                out.push(c);
            }
        }
        for &byte in part.invalid() {
            push_hex(&mut out, byte.into());
        }
    }
    out
}

/// Two digits, for control characters and bytes. A file can be made of them, so this is not left to `write!`.
fn push_hex(out: &mut String, value: u32) {
    let digit = |value: u32| char::from_digit(value & 15, 16).unwrap_or_default();
    out.extend(['\\', 'x', digit(value >> 4), digit(value)]);
}

/// Unicode's format characters (general category Cf) and its two line separators.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn plain_text_stays() {
        assert_eq!(escape(b""), "");
        assert_eq!(escape("Größe π 漢字 C:\\x.py".as_bytes()), "Größe π 漢字 C:\\x.py");
    }

    #[test]
    fn control_characters_become_hex() {
        assert_eq!(escape(b"\x1b]8;;x\x07"), "\\x1b]8;;x\\x07");
        assert_eq!(escape(b"a\nb\tc\0\x7f"), "a\\x0ab\\x09c\\x00\\x7f");
        assert_eq!(escape("\u{9b}31m".as_bytes()), "\\x9b31m");
    }

    #[test]
    fn hidden_and_reordering_characters_become_code_points() {
        assert_eq!(escape("a\u{202e}b\u{2066}c".as_bytes()), "a\\u{202e}b\\u{2066}c");
        assert_eq!(
            escape("\u{200b}\u{feff}\u{2028}\u{e0041}".as_bytes()),
            "\\u{200b}\\u{feff}\\u{2028}\\u{e0041}"
        );
    }

    #[test]
    fn invalid_utf8_becomes_hex_bytes() {
        assert_eq!(escape(b"a\xffb\xc3"), "a\\xffb\\xc3");
    }

    #[test]
    fn nothing_dangerous_survives() {
        let all: String = (0..=0x10ffff_u32).filter_map(char::from_u32).collect();
        let shown = escape(all.as_bytes());
        assert!(!shown.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)));
    }
}
