//! The libraries that functions are in, and the ids by which symbol servers know them.

use serde::{Serialize, Serializer};

use super::shared::{Column, Shared};
use crate::export::binaries::{self, hex};
use crate::record::Binary;
use crate::tables::Tables;

/// Those that were asked for, in the order of the resource table. One is made at a time: their paths can be long.
pub(super) struct Libraries<'a>(pub(super) &'a Shared<'a>);

impl Serialize for Libraries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Shared { tables, library_list, .. }) = self;
        let found = library_list.iter().filter_map(|id| tables.binary(*id));
        Column(found.map(|binary| Library::of(tables, binary))).serialize(serializer)
    }
}

/// Field names are the format's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Library {
    arch: &'static str,
    name: String,
    path: String,
    debug_name: String,
    debug_path: String,
    breakpad_id: String,
    code_id: Option<String>,
}

impl Library {
    fn of(tables: &Tables, binary: Binary) -> Self {
        let (name, path) = (binaries::name(tables, binary), binaries::path(tables, binary));
        let build_id = tables.string(binary.build_id);
        Self {
            // A trace does not tell.
            arch: "",
            debug_name: name.clone(),
            debug_path: path.clone(),
            breakpad_id: breakpad_id(build_id),
            code_id: (!build_id.is_empty()).then(|| hex(build_id)),
            name,
            path,
        }
    }
}

/// Breakpad's id of a file with this build id: its first 16 bytes as a GUID of a little-endian machine, and the age 0. All
/// zeros for a file without one.
fn breakpad_id(build_id: &[u8]) -> String {
    let mut guid = [0; 16];
    let length = build_id.len().min(guid.len());
    guid[..length].copy_from_slice(&build_id[..length]);
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    hex(&guid).to_uppercase() + "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakpad_ids_are_guids_of_a_little_endian_machine() {
        let build_id: Vec<u8> = (1..=20).collect();
        assert_eq!(breakpad_id(&build_id), "0403020106050807090A0B0C0D0E0F100");
        assert_eq!(breakpad_id(&[0xab]), "000000AB0000000000000000000000000");
        assert_eq!(breakpad_id(&[]), "0".repeat(33));
    }
}
