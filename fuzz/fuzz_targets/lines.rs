//! Any bytes as CPython's line tables: a line or none.
#![no_main]

/// A version for each kind of table.
const VERSIONS: [u64; 4] = [0x0309_12f0, 0x030a_0cf0, 0x030b_07f0, 0x030d_00f0];

libfuzzer_sys::fuzz_target!(|input: (u32, i32, &[u8])| {
    let (first_line, offset, table) = input;
    for version in VERSIONS {
        let line = |offset| profcore::bench::line(version, table, first_line, offset);
        assert_eq!(line(-1), Some(first_line));
        let _ = (line(offset), line(i32::MAX));
    }
    // No table says anything of versions that are not known.
    assert_eq!(profcore::bench::line(0x0308_00f0, table, first_line, offset), None);
});
