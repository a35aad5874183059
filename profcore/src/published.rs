//! Which code's unwind tables a process's handlers have: kept, beside the tables in session memory, by who fills those.

use crate::modules::{Mapped, Modules};
use crate::unwind::Tables;

/// A range of code whose table was published.
#[derive(Debug)]
struct Range {
    /// Which of the session's modules it is.
    number: usize,
    start: u64,
    end: u64,
    offset: u64,
    path: Vec<u8>,
    /// Not withdrawn.
    counts: bool,
}

impl Range {
    fn is(&self, mapped: &Mapped<'_>) -> bool {
        (self.start, self.end, self.offset) == (mapped.start, mapped.end, mapped.offset)
            && self.path == mapped.path
    }
}

/// All that was published, in that order.
#[derive(Debug, Default)]
pub(crate) struct Published {
    ranges: Vec<Range>,
}

impl Published {
    #[cfg(feature = "embed")]
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// `None`: this code's table was never published. Otherwise it counts from now on; true if it did not before.
    pub(crate) fn count(&mut self, tables: Tables, mapped: &Mapped<'_>) -> Option<bool> {
        let known = self.ranges.iter_mut().find(|known| known.is(mapped))?;
        let comes_back = !std::mem::replace(&mut known.counts, true);
        if comes_back {
            tables.bring_back(known.number, known.end);
        }
        Some(comes_back)
    }

    /// Publishes the table of code whose load base is `base`. One that does not fit is published without rows, so that
    /// nobody asks for it again.
    pub(crate) fn add(
        &mut self,
        tables: Tables,
        mapped: &Mapped<'_>,
        base: u64,
        rows: &[(u32, u32)],
    ) {
        let Mapped { start, end, offset, path } = *mapped;
        let (number, path) = (tables.published(), path.to_vec());
        self.ranges.push(Range { number, start, end, offset, path, counts: true });
        tables.publish(start..end, base, rows);
    }

    /// Withdraws the tables of code that is not among `modules` any more: something else may stand there. A mapping that
    /// is gone leaves an address that no stack has; one in its place begins anywhere in it.
    pub(crate) fn withdraw(&mut self, tables: Tables, modules: &Modules) {
        for known in self.ranges.iter_mut().filter(|known| known.counts) {
            let still = modules.mapped(known.start).is_some_and(|mapped| known.is(&mapped));
            if !still {
                known.counts = false;
                tables.withdraw(known.number, known.start);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::image;
    use crate::unwind::Rule;

    fn mapped(start: u64, path: &[u8]) -> Mapped<'_> {
        Mapped { start, end: start + 0x1000, offset: 0x400, path }
    }

    fn modules(maps: &str) -> Modules {
        Modules::parse(maps.as_bytes())
    }

    #[test]
    fn code_that_goes_is_withdrawn_and_comes_back() {
        let tables = Tables::of(image::session());
        let mut published = Published::default();
        let (one, two) = (mapped(0x10_0000, b"/one"), mapped(0x20_0000, b"/two"));
        let rule = |pc| tables.lookup(&[]).rule(pc);
        for (code, rows) in [(&one, Rule::End), (&two, Rule::Plt)] {
            assert_eq!(published.count(tables, code), None);
            published.add(tables, code, code.start, &[(0, rows.encode())]);
            assert_eq!(published.count(tables, code), Some(false));
        }
        assert_eq!([rule(one.start), rule(two.start)], [Rule::End, Rule::Plt]);

        let both = "100000-101000 r-xp 400 0 0 /one\n200000-201000 r-xp 400 0 0 /two\n";
        published.withdraw(tables, &modules(both));
        assert_eq!([rule(one.start), rule(two.start)], [Rule::End, Rule::Plt]);
        // Another file, another place in the file, another length.
        for gone in ["/three", "/one"] {
            let offset = if gone == "/one" { 0x800 } else { 0x400 };
            published
                .withdraw(tables, &modules(&format!("100000-101000 r-xp {offset:x} 0 0 {gone}\n")));
            assert_eq!([rule(one.start), rule(two.start)], [Rule::Unknown; 2]);
            assert_eq!(published.count(tables, &one), Some(true), "it comes back");
            assert_eq!([rule(one.start), rule(two.start)], [Rule::End, Rule::Unknown]);
        }
    }

    #[test]
    fn what_has_no_room_is_not_asked_for_again() {
        let tables = Tables::of(image::session());
        let mut published = Published::default();
        let rows = vec![(0, 1); 1 << 22];
        let code = mapped(0x10_0000, b"/large");
        published.add(tables, &code, 0, &rows);
        assert_eq!(published.count(tables, &code), Some(false));
        assert_eq!(tables.lookup(&[]).rule(code.start), Rule::Unknown);
        assert_eq!(tables.take_wanted().count(), 0);
        (0..1_000).for_each(|at| published.add(tables, &mapped(at << 20, b"/many"), 0, &[]));
        published.withdraw(tables, &Modules::default());
    }
}
