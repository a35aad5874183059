//! File headers: cut, too long, of other versions, with impossible numbers.

use super::Corpus;
use crate::example;
use crate::forge::seal_header;

/// A sound trace whose file header has other bytes at an offset, and a right checksum.
fn with(at: usize, value: &[u8]) -> Vec<u8> {
    let (_, mut bytes) = example::trace(example::PLAIN, 2);
    bytes[at..at + value.len()].copy_from_slice(value);
    seal_header(&mut bytes, 88);
    bytes
}

/// A sound trace with a longer file header.
fn extended(length: usize) -> Vec<u8> {
    let (_, old) = example::trace(example::PLAIN, 2);
    let mut bytes = old[..84].to_vec();
    bytes.resize(length, 0xee);
    bytes[12..16].copy_from_slice(&(length as u32).to_le_bytes());
    seal_header(&mut bytes, length);
    bytes.extend(&old[88..]);
    bytes
}

pub(super) fn add(corpus: &mut Corpus) {
    for length in [0, 1, 7, 8, 9, 12, 15, 16, 84, 87, 88, 89, 95, 96, 119, 120] {
        corpus.small(format!("cut at {length}"), move || {
            let (_, bytes) = example::trace(example::PLAIN, 2);
            bytes[..length].to_vec()
        });
    }
    for length in [96, 128, 1_000, 4_096] {
        corpus.small(format!("header of {length} bytes"), move || extended(length));
        corpus.small(format!("header of {length} bytes, cut"), move || {
            extended(length)[..length - 1].to_vec()
        });
    }
    for length in [0, 8, 80, 84, 87, 89, 92, 4_097, 4_104, 1 << 31, u32::MAX] {
        corpus.small(format!("header that claims {length} bytes"), move || {
            with(12, &length.to_le_bytes())
        });
    }
    for major in [0_u16, 2, 0xff, u16::MAX] {
        corpus.small(format!("major version {major}"), move || with(8, &major.to_le_bytes()));
    }
    corpus.small("minor version 65535", || with(10, &u16::MAX.to_le_bytes()));
    for bit in [0, 7, 31] {
        corpus
            .small(format!("required bit {bit}"), move || with(16, &(1_u32 << bit).to_le_bytes()));
        corpus
            .small(format!("optional bit {bit}"), move || with(20, &(1_u32 << bit).to_le_bytes()));
    }
    corpus.small("all optional bits", || with(20, &u32::MAX.to_le_bytes()));
    for unit in [0, 1, u32::MAX] {
        corpus.small(format!("time unit {unit}"), move || with(80, &unit.to_le_bytes()));
    }
    for value in [0, 1, u64::MAX] {
        corpus.small(format!("all intervals and clocks {value}"), move || {
            with(40, &value.to_le_bytes().repeat(5))
        });
    }
    corpus.small("a wrong checksum", || {
        let mut bytes = with(80, &[1]);
        bytes[84] ^= 1;
        bytes
    });
    corpus.small("a picture", || b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01".repeat(100));
    corpus.small("a header and nothing else", || with(80, &[1])[..88].to_vec());
    corpus.small("the same trace twice", || {
        let (_, bytes) = example::trace(example::PLAIN, 2);
        bytes.repeat(2)
    });
}
