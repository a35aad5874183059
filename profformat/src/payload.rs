//! What stands in a chunk's payload: one struct per (type, version). A struct that was released is frozen;
//! a change is a new struct with the next version. FORMAT.md describes every field.

use alloc::vec::Vec;

use crate::codec::Field;
use crate::wire::cursor::What;

/// Codes of the rows of a memory block.
pub(crate) mod row {
    pub(crate) const ALLOC_PYTHON: u64 = 0;
    pub(crate) const ALLOC_NATIVE: u64 = 1;
    pub(crate) const FREE: u64 = 2;
    pub(crate) const RESIZE: u64 = 3;
    /// Rows of sample and memory blocks are `index of the thread * RADIX + code`.
    pub(crate) const RADIX: u64 = 8;
}

/// Makes payload structs: what they hold, their bytes, and a test that other codecs write the same ones.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident $(<$life:lifetime>)? { $($(#[$attr:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            #[cfg_attr(test, derive(
                PartialEq, serde::Serialize, serde::Deserialize, wincode::SchemaRead, wincode::SchemaWrite,
            ))]
            pub(crate) struct $name $(<$life>)? {
                $($(#[$attr])* pub(crate) $field: $type,)*
            }

            payloads! { @field $name $($life)? { $($field,)* } }
        )*

        #[cfg(test)]
        mod tests {
            use super::*;

            $(
                #[test]
                #[expect(non_snake_case, reason = "named after the struct")]
                fn $name() {
                    same_bytes!($name);
                }
            )*
        }
    };
    (@field $name:ident $life:lifetime { $($field:ident,)* }) => {
        impl<$life> Field<$life> for $name<$life> {
            payloads! { @methods $life { $($field,)* } }
        }
    };
    (@field $name:ident { $($field:ident,)* }) => {
        impl<'a> Field<'a> for $name {
            payloads! { @methods 'a { $($field,)* } }
        }
    };
    (@methods $life:lifetime { $($field:ident,)* }) => {
        fn put(&self, out: &mut Vec<u8>) {
            $(self.$field.put(out);)*
        }

        fn take(rest: &mut &$life [u8]) -> Result<Self, What> {
            Ok(Self { $($field: Field::take(rest)?,)* })
        }

        #[cfg(test)]
        fn any(source: &mut crate::codec::tests::Source<$life>) -> Self {
            Self { $($field: Field::any(source),)* }
        }
    };
}

/// bincode and wincode write the bytes that we write, and all three read them as the same value.
#[cfg(test)]
macro_rules! same_bytes {
    ($name:ident) => {
        let text: Vec<u8> = (0..=255).collect();
        for seed in 0..200 {
            let mut source = crate::codec::tests::Source::new(&text, seed);
            let value = $name::any(&mut source);
            let mut ours = Vec::new();
            crate::codec::encode(&value, &mut ours);
            assert_eq!(bincode::serialize(&value).unwrap(), ours);
            assert_eq!(wincode::serialize(&value).unwrap(), ours);
            assert_eq!(bincode::deserialize::<$name>(&ours).unwrap(), value);
            assert_eq!(wincode::deserialize::<$name>(&ours).unwrap(), value);
            assert_eq!(crate::codec::decode::<$name>(&ours).unwrap(), value);
            assert!(
                ours.is_empty() || crate::codec::decode::<$name>(&ours[..ours.len() - 1]).is_err()
            );
        }
    };
}

payloads! {
    AboutV1<'a> {
        tool: &'a [u8],
        #[cfg_attr(test, serde(borrow))]
        command: Vec<&'a [u8]>,
    }
    StringsV1<'a> {
        first: u32,
        count: u32,
        lengths: &'a [u8],
        bytes: &'a [u8],
    }
    FunctionsV1<'a> {
        first: u32,
        count: u32,
        names: &'a [u8],
        files: &'a [u8],
        lines: &'a [u8],
        langs: &'a [u8],
    }
    FunctionsV2<'a> {
        #[cfg_attr(test, serde(borrow))]
        functions: FunctionsV1<'a>,
        binaries: &'a [u8],
    }
    FramesV1<'a> {
        first: u32,
        count: u32,
        functions: &'a [u8],
        lines: &'a [u8],
    }
    FramesV2<'a> {
        #[cfg_attr(test, serde(borrow))]
        frames: FramesV1<'a>,
        inlined: &'a [u8],
    }
    BinariesV1<'a> {
        first: u32,
        count: u32,
        paths: &'a [u8],
        build_ids: &'a [u8],
    }
    StacksV1<'a> {
        first: u32,
        count: u32,
        parents: &'a [u8],
        frames: &'a [u8],
    }
    ProcessesV1<'a> {
        first: u32,
        #[cfg_attr(test, serde(borrow))]
        entries: Vec<ProcessV1<'a>>,
    }
    ProcessV1<'a> {
        parent: u64,
        pid: u32,
        time: u64,
        profiled: u8,
        python: &'a [u8],
        #[cfg_attr(test, serde(borrow))]
        command: Vec<&'a [u8]>,
    }
    ThreadsV1<'a> {
        first: u32,
        count: u32,
        processes: &'a [u8],
        tids: &'a [u8],
        times: &'a [u8],
        names: &'a [u8],
        bytes: &'a [u8],
    }
    SamplesV1<'a> {
        count: u32,
        time: u64,
        threads: &'a [u8],
        rows: &'a [u8],
        stacks: &'a [u8],
        weights: &'a [u8],
        times: &'a [u8],
    }
    MemoryV1<'a> {
        count: u32,
        time: u64,
        threads: &'a [u8],
        rows: &'a [u8],
        times: &'a [u8],
        stacks: &'a [u8],
        sizes: &'a [u8],
        weights: &'a [u8],
        blocks: &'a [u8],
    }
    CopiesV1<'a> {
        count: u32,
        time: u64,
        threads: &'a [u8],
        rows: &'a [u8],
        times: &'a [u8],
        stacks: &'a [u8],
        sizes: &'a [u8],
        weights: &'a [u8],
    }
    CopiesV2<'a> {
        #[cfg_attr(test, serde(borrow))]
        copies: CopiesV1<'a>,
        copiers: &'a [u8],
    }
    FootprintsV1<'a> {
        count: u32,
        rows: &'a [u8],
        times: &'a [u8],
        native: &'a [u8],
        python: &'a [u8],
    }
    InheritancesV1<'a> {
        count: u32,
        processes: &'a [u8],
        times: &'a [u8],
        bytes: &'a [u8],
    }
    CountersV1<'a> {
        count: u32,
        processes: &'a [u8],
        times: &'a [u8],
        names: &'a [u8],
        values: &'a [u8],
    }
    ThreadEndsV1<'a> {
        count: u32,
        threads: &'a [u8],
        times: &'a [u8],
        cpu: &'a [u8],
    }
    ProcessEndsV1<'a> {
        count: u32,
        processes: &'a [u8],
        times: &'a [u8],
        outcomes: &'a [u8],
        cpu: &'a [u8],
    }
    NotesV1<'a> {
        count: u32,
        lengths: &'a [u8],
        bytes: &'a [u8],
    }
    EndV1 {
        time: u64,
    }
    IndexV1<'a> {
        count: u32,
        offsets: &'a [u8],
        kinds: &'a [u8],
        records: &'a [u8],
    }
    IndexV2<'a> {
        previous: u64,
        count: u32,
        offsets: &'a [u8],
        kinds: &'a [u8],
        records: &'a [u8],
        begins: &'a [u8],
        spans: &'a [u8],
        threads: &'a [u8],
        spreads: &'a [u8],
    }
}
