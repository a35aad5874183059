//! The import system: its own lines are one row of the report, and what ran because of it is one figure.

use super::route::{along, at};
use super::select::Row;
use crate::analysis::Profile;
use crate::analysis::sites::FunctionSum;
use crate::ids::{FrameId, StringId};
use crate::record::Function;

/// Name of the row.
pub(super) const NAME: &str = "imports";

/// Is this a file of the import system's own code?
pub(super) fn is_import_system(file: &[u8]) -> bool {
    file.starts_with(b"<frozen importlib") || file == b"<frozen zipimport>"
}

/// CPU time below the import system: imports with all that the imported modules did meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Imports {
    /// The file that the row goes by: one of the import system's.
    pub(super) file: Option<StringId>,
    pub(super) cpu_ns: u64,
    pub(super) samples: u64,
    pub(super) squares: u128,
}

impl Imports {
    pub(super) fn of(profile: &Profile) -> Self {
        let tables = &profile.tables;
        let is_such = |function: &Function| is_import_system(tables.string(function.file));
        let functions: Vec<bool> = tables.functions().iter().map(is_such).collect();
        let files = tables.functions().iter().filter(|function| is_such(function));
        let file = files.map(|function| function.file).min();
        let mut imports = Self { file, ..Self::default() };
        if imports.file.is_none() {
            return imports;
        }
        let is_own = |frame: FrameId| {
            let function = tables.frame(frame).map(|frame| frame.function.index());
            function.and_then(|function| functions.get(function)) == Some(&true)
        };
        let below = along(tables, false, |below, frame| below || is_own(frame));
        for sum in profile.time.iter().filter(|sum| sum.class.on_cpu()) {
            if at(&below, sum.stack) == Some(true) {
                imports.cpu_ns = imports.cpu_ns.saturating_add(sum.weight_ns);
                imports.samples = imports.samples.saturating_add(sum.samples);
                imports.squares = imports.squares.saturating_add(sum.weight_squares);
            }
        }
        imports
    }

    /// Makes one of the import system's functions.
    pub(super) fn fold(self, profile: &Profile, functions: Vec<FunctionSum>) -> Vec<FunctionSum> {
        let Some(file) = self.file else { return functions };
        let is_such = |one: &FunctionSum| is_import_system(profile.tables.string(one.file));
        let (own, mut functions): (Vec<_>, Vec<_>) = functions.into_iter().partition(is_such);
        let sum = own.into_iter().reduce(|mut sum, one| {
            for (into, ns) in sum.self_ns.iter_mut().zip(one.self_ns) {
                *into = into.saturating_add(ns);
            }
            sum.samples = sum.samples.saturating_add(one.samples);
            sum.self_squares = sum.self_squares.saturating_add(one.self_squares);
            sum
        });
        let total = self.cpu_ns;
        functions.extend(sum.map(|sum| FunctionSum { file, total_cpu_ns: total, ..sum }));
        functions
    }

    /// Gives the row its total: every sample below the import system once.
    pub(super) fn fill(self, rows: &mut [Row]) {
        for row in rows.iter_mut().filter(|row| row.imports) {
            row.site.total_cpu_ns = self.cpu_ns;
            row.site.total_samples = self.samples;
            row.site.total_squares = self.squares;
        }
    }
}
