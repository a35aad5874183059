//! The executable files and libraries that native functions belong to.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::analysis::sites::places::text;
use crate::export::binaries::{hex, known};
use crate::tables::Tables;

/// One at a time: their paths can be long.
pub(super) struct Binaries<'a>(pub(super) &'a Tables);

#[derive(Serialize)]
struct Entry<'a> {
    path: Cow<'a, str>,
    /// None: it has none, or it could not be read.
    build_id: Option<String>,
}

impl Serialize for Binaries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(known(self.0).map(|(_, binary)| {
            let build_id = self.0.string(binary.build_id);
            Entry {
                path: text(self.0.string(binary.path)),
                build_id: (!build_id.is_empty()).then(|| hex(build_id)),
            }
        }))
    }
}
