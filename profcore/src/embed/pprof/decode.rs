//! A small reader of profiles, for tests: written from `profile.proto`, not from our encoder.

use std::collections::BTreeMap;

/// A field's value.
#[derive(Clone, Debug)]
pub(super) enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// All fields of a message in order.
pub(super) fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            2 => {
                let len = varint(&mut bytes) as usize;
                let (value, rest) = bytes.split_at(len);
                bytes = rest;
                Field::Bytes(value)
            }
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().expect("more bytes");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

/// A message's numbers and messages by field.
#[derive(Debug)]
pub(super) struct Message<'b>(Vec<(u64, Field<'b>)>);

impl<'b> Message<'b> {
    pub(super) fn of(bytes: &'b [u8]) -> Self {
        Self(fields(bytes))
    }

    pub(super) fn number(&self, field: u64) -> u64 {
        self.numbers(field).first().copied().unwrap_or(0)
    }

    /// Packed or not.
    pub(super) fn numbers(&self, field: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for (_, value) in self.0.iter().filter(|(number, _)| *number == field) {
            match *value {
                Field::Number(number) => numbers.push(number),
                Field::Bytes(mut packed) => {
                    while !packed.is_empty() {
                        numbers.push(varint(&mut packed));
                    }
                }
            }
        }
        numbers
    }

    pub(super) fn all(&self, field: u64) -> impl Iterator<Item = &'b [u8]> {
        self.0.iter().filter(move |(number, _)| *number == field).map(|(_, value)| match value {
            Field::Bytes(bytes) => *bytes,
            Field::Number(number) => panic!("{number} is no message"),
        })
    }
}

/// A line of a location: function, file, line.
pub(super) type Line = (String, String, u64);

/// Keys and their texts or numbers, in order.
pub(super) type Labels = Vec<(String, String)>;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) range: (u64, u64),
    pub(super) offset: u64,
    pub(super) file: String,
    pub(super) build_id: String,
    /// Functions, files, lines, inlined functions.
    pub(super) has: [bool; 4],
}

/// What a profile says, with everything looked up.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) types: Vec<(String, String)>,
    pub(super) shown_first: String,
    pub(super) period_type: (String, String),
    pub(super) period: u64,
    pub(super) time: u64,
    pub(super) duration: u64,
    pub(super) comments: Vec<String>,
    /// In order.
    pub(super) mappings: Vec<Mapping>,
    /// Mapping's file, address, lines; by id.
    pub(super) locations: BTreeMap<u64, (Option<String>, u64, Vec<Line>)>,
    /// Locations, labels, values.
    pub(super) samples: Vec<(Vec<u64>, Labels, Vec<u64>)>,
}

impl Profile {
    /// Checks what `pprof` demands of ids as it goes.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let top = Message::of(bytes);
        let strings: Vec<&str> = top.all(6).map(|s| std::str::from_utf8(s).unwrap()).collect();
        assert_eq!(strings[0], "");
        let text = |number: u64| strings[number as usize].to_owned();
        let value_type = |bytes| {
            let message = Message::of(bytes);
            (text(message.number(1)), text(message.number(2)))
        };
        let mut mappings = BTreeMap::new();
        let mut in_order = Vec::new();
        for message in top.all(3).map(Message::of) {
            let mapping = Mapping {
                range: (message.number(2), message.number(3)),
                offset: message.number(4),
                file: text(message.number(5)),
                build_id: text(message.number(6)),
                has: [7, 8, 9, 10].map(|field| message.number(field) == 1),
            };
            assert!(mappings.insert(message.number(1), mapping.file.clone()).is_none());
            in_order.push(mapping);
        }
        let mut functions = BTreeMap::new();
        for message in top.all(5).map(Message::of) {
            let function = (text(message.number(2)), text(message.number(4)));
            assert!(functions.insert(message.number(1), function).is_none());
        }
        let mut locations = BTreeMap::new();
        for message in top.all(4).map(Message::of) {
            let line = |bytes| {
                let line = Message::of(bytes);
                let (name, file) = functions[&line.number(1)].clone();
                (name, file, line.number(2))
            };
            let lines = message.all(4).map(line).collect();
            let mapping = match message.number(2) {
                0 => None,
                id => Some(mappings[&id].clone()),
            };
            let location = (mapping, message.number(3), lines);
            assert!(locations.insert(message.number(1), location).is_none());
        }
        for ids in [mappings.contains_key(&0), functions.contains_key(&0)] {
            assert!(!ids && !locations.contains_key(&0), "0 is no id");
        }
        let sample = |message: Message<'_>| {
            let label = |bytes| {
                let label = Message::of(bytes);
                let value = match label.number(2) {
                    0 => label.number(3).to_string(),
                    number => text(number),
                };
                (text(label.number(1)), value)
            };
            let ids = message.numbers(1);
            assert!(ids.iter().all(|id| locations.contains_key(id)));
            (ids, message.all(3).map(label).collect(), message.numbers(2))
        };
        Self {
            types: top.all(1).map(value_type).collect(),
            shown_first: text(top.number(14)),
            period_type: value_type(top.all(11).next().unwrap()),
            period: top.number(12),
            time: top.number(9),
            duration: top.number(10),
            comments: top.numbers(13).into_iter().map(text).collect(),
            samples: top.all(2).map(Message::of).map(sample).collect(),
            mappings: in_order,
            locations,
        }
    }
}
