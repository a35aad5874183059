//! JSON that can stand in a page's script.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::export::ExportError;

/// Writes a value as one line of JSON without `<`, `>` and `&`, which could end the script that it is put into. Foreign
/// texts in it are escaped already.
pub(super) fn in_script<T: Serialize>(value: &T, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, InScript);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")?;
    Ok(())
}

struct InScript;

impl Formatter for InScript {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let is_markup = |c| matches!(c, '<' | '>' | '&');
        for part in fragment.split_inclusive(is_markup) {
            let plain = part.trim_end_matches(is_markup);
            CompactFormatter.write_string_fragment(writer, plain)?;
            for c in part[plain.len()..].chars() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
        }
        Ok(())
    }
}
