//! Whose code copied on a line.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::places::text;
use crate::ids::StringId;
use crate::tables::Tables;

/// Who copied on a line: the module whose code called the copying function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copier {
    /// Its short name; see [`name`](Self::name).
    pub module: StringId,
    /// Bytes that it copied here.
    pub bytes: u64,
}

impl Copier {
    /// Its name, as far as it is shown.
    pub fn name<'a>(&self, tables: &'a Tables) -> Cow<'a, str> {
        text(tables.string(self.module))
    }
}

/// Each copier once with all its bytes, largest first.
pub(crate) fn added_up(mut copiers: Vec<Copier>) -> Vec<Copier> {
    copiers.sort_unstable_by_key(|copier| copier.module);
    copiers.dedup_by(|next, kept| {
        let same = next.module == kept.module;
        if same {
            kept.bytes = kept.bytes.saturating_add(next.bytes);
        }
        same
    });
    copiers.sort_by_key(|copier| Reverse(copier.bytes));
    copiers
}

/// Whether a native function of this name is the C library's copying: `memmove`, or what of its family fits a processor,
/// such as `__memmove_avx_unaligned_erms`.
pub(super) fn is_copying(function: &[u8]) -> bool {
    const FAMILY: [&[u8]; 3] = [b"memmove", b"memcpy", b"mempcpy"];
    let Some(inner) = function.strip_prefix(b"__") else { return FAMILY.contains(&function) };
    let mut rests = FAMILY.iter().filter_map(|name| inner.strip_prefix(*name));
    rests.any(|rest| rest.starts_with(b"_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copier_is_there_once_with_all_its_bytes() {
        let copier = |module, bytes| Copier { module: StringId::new(module), bytes };
        let all = vec![copier(7, 5), copier(3, 9), copier(7, 6), copier(2, 9), copier(4, u64::MAX)];
        let sums = [copier(4, u64::MAX), copier(7, 11), copier(2, 9), copier(3, 9)];
        assert_eq!(added_up(all), sums);
        let most = added_up(vec![copier(4, u64::MAX), copier(4, 1)]);
        assert_eq!(most, [copier(4, u64::MAX)]);
    }

    #[test]
    fn copying_goes_by_its_names() {
        for name in ["memmove", "memcpy", "__memmove_avx_unaligned_erms", "__mempcpy_evex"] {
            assert!(is_copying(name.as_bytes()), "{name}");
        }
        for name in ["memmove2", "__memmov", "__memset_avx2", "memory_copy", "", "__", "__memmove"]
        {
            assert!(!is_copying(name.as_bytes()), "{name}");
        }
    }
}
