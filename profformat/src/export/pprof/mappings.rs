//! The program's images that locations are in.
//!
//! They have no addresses, nor have locations: a trace has neither. The first is the program; Python's functions and all
//! of which no binary is known are in it. A file that has the program's name is that one.

use crate::analysis::Profile;
use crate::export::binaries::{self, Told, hex};
use crate::export::escape::escape;
use crate::ids::BinaryId;
use crate::tables::Tables;

/// Number of the program's image.
const MAIN: u64 = 1;

/// An image, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) id: u64,
    pub(super) path: String,
    /// In hexadecimal digits; empty when it is not known.
    pub(super) build_id: String,
    pub(super) told: Told,
}

/// Numbers of images, in the order in which they are met.
pub(super) struct Mappings<'a> {
    tables: &'a Tables,
    program: &'a [u8],
    told: Vec<Told>,
    /// By binary; 0 for those that were not met.
    ids: Vec<u64>,
    count: u64,
}

impl<'a> Mappings<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        let tables = &profile.tables;
        let program: &[u8] = profile.header.command.first().map_or(b"", |word| word);
        let mut ids = vec![0; tables.binaries().len().max(1)];
        ids[BinaryId::NONE.index()] = MAIN;
        if let Some((id, _)) = binaries::of_program(tables, program) {
            ids[id.index()] = MAIN;
        }
        Self { tables, program, told: Told::of(tables), ids, count: MAIN }
    }

    /// The program's image.
    pub(super) fn main(&self) -> Image {
        let own = binaries::of_program(self.tables, self.program);
        let (id, path, build_id) = match own {
            Some((id, binary)) => {
                let build_id = hex(self.tables.string(binary.build_id));
                (id, binaries::path(self.tables, binary), build_id)
            }
            None => (BinaryId::NONE, escape(self.program), String::new()),
        };
        let [one, other] = [id, BinaryId::NONE].map(|id| self.told[id.index()]);
        let told = Told {
            files: one.files || other.files,
            lines: one.lines || other.lines,
            inlined: one.inlined || other.inlined,
        };
        Image { id: MAIN, path, build_id, told }
    }

    /// The number of a binary's image, and the image if it is a new one.
    pub(super) fn of(&mut self, binary: BinaryId) -> (u64, Option<Image>) {
        let known = self.ids.get(binary.index()).copied().unwrap_or(MAIN);
        let found = self.tables.binary(binary);
        let (0, Some(found)) = (known, found) else { return (known.max(MAIN), None) };
        self.count += 1;
        self.ids[binary.index()] = self.count;
        let path = binaries::path(self.tables, found);
        let build_id = hex(self.tables.string(found.build_id));
        let told = self.told[binary.index()];
        (self.count, Some(Image { id: self.count, path, build_id, told }))
    }
}
