//! From what was typed to keys.

const ESCAPE: u8 = 0x1b;

/// A key that the view knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    /// Ctrl-C, where the terminal does not make a signal of it.
    Interrupt,
}

/// The keys in what was read at once. An escape that nothing follows is the key of that name; keys that the view does
/// not know are left out.
pub(super) fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let key = match byte {
            ESCAPE => match behind.first() {
                None | Some(&ESCAPE) => Some(Key::Escape),
                Some(b'[' | b'O') => {
                    let (key, length) = sequence(&behind[1..]);
                    rest = &behind[1 + length..];
                    key
                }
                // Alt and a key.
                Some(_) => {
                    rest = &behind[1..];
                    None
                }
            },
            b'\r' | b'\n' => Some(Key::Enter),
            0x08 | 0x7f => Some(Key::Backspace),
            0x03 => Some(Key::Interrupt),
            0..b' ' => None,
            _ => {
                let length = 1 + behind.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
                let (character, others) = bytes[bytes.len() - behind.len() - 1..].split_at(length);
                rest = others;
                let text = std::str::from_utf8(character).ok();
                text.and_then(|text| text.chars().next()).map(Key::Char)
            }
        };
        keys.extend(key);
    }
    keys
}

/// The key of a control sequence, and how long that is: parameters, then a letter or a tilde.
fn sequence(bytes: &[u8]) -> (Option<Key>, usize) {
    let parameters = bytes.iter().take_while(|byte| (0x20..0x40).contains(*byte)).count();
    let Some(last) = bytes.get(parameters) else { return (None, bytes.len()) };
    let key = match (&bytes[..parameters], last) {
        (b"", b'A') => Some(Key::Up),
        (b"", b'B') => Some(Key::Down),
        (b"", b'H') | (b"1" | b"7", b'~') => Some(Key::Home),
        (b"", b'F') | (b"4" | b"8", b'~') => Some(Key::End),
        (b"5", b'~') => Some(Key::PageUp),
        (b"6", b'~') => Some(Key::PageDown),
        _ => None,
    };
    (key, parameters + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() {
        use Key::{
            Backspace, Char, Down, End, Enter, Escape, Home, Interrupt, PageDown, PageUp, Up,
        };
        assert_eq!(keys(b"j\x1b[A\x1b[6~\r"), [Char('j'), Up, PageDown, Enter]);
        assert_eq!(keys(b"\x1bOB\x1b[H\x1b[4~\x1b[5~"), [Down, Home, End, PageUp]);
        assert_eq!(keys(b"\x1b"), [Escape]);
        assert_eq!(keys(b"\x1b\x1b[1;5Aq\x1bxq"), [Escape, Char('q'), Char('q')]);
        assert_eq!(
            keys("ü漢\x7f\x03\x01".as_bytes()),
            [Char('ü'), Char('漢'), Backspace, Interrupt]
        );
    }

    #[test]
    fn anything_can_be_typed() {
        for first in 0..=255 {
            for second in 0..=255 {
                assert!(keys(&[first, second]).len() <= 2);
                keys(&[ESCAPE, first, second, b'[', second]);
                keys(&[ESCAPE, b'[', first, second, b';', first]);
            }
        }
    }
}
