//! Messages in the wire format of protobuf, as far as `profile.proto` needs it.

/// Kinds of a field's value, the low bits of its key.
const VARINT: u64 = 0;
const BYTES: u64 = 2;

/// An encoded message. Fields of the same number are repeated in the order in which they are added.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
}

impl Message {
    /// A number; 0 is what a field has that is not written.
    pub(super) fn number(&mut self, field: u64, value: u64) -> &mut Self {
        if value != 0 {
            self.varint(field << 3 | VARINT);
            self.varint(value);
        }
        self
    }

    /// A text, or a message; written if it is empty, too, for it may be one of many.
    pub(super) fn text(&mut self, field: u64, bytes: &[u8]) -> &mut Self {
        self.varint(field << 3 | BYTES);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A message in this one.
    pub(super) fn message(&mut self, field: u64, inner: &Message) -> &mut Self {
        self.text(field, &inner.bytes)
    }

    /// Numbers of one field.
    pub(super) fn numbers(
        &mut self,
        field: u64,
        values: impl IntoIterator<Item = u64>,
    ) -> &mut Self {
        let mut packed = Message::default();
        values.into_iter().for_each(|value| packed.varint(value));
        self.message(field, &packed)
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of protobuf's own description of its encoding.
    #[test]
    fn it_is_the_documented_encoding() {
        let mut message = Message::default();
        message.number(1, 150).text(2, b"testing").numbers(6, [3, 270, 86942]);
        let expected = b"\x08\x96\x01\x12\x07testing\x32\x06\x03\x8e\x02\x9e\xa7\x05";
        assert_eq!(message.bytes, expected);
        let mut outer = Message::default();
        outer.number(1, 0).message(3, Message::default().number(1, 150));
        assert_eq!(outer.bytes, b"\x1a\x03\x08\x96\x01");
        let mut edges = Message::default();
        edges.number(1, 127).number(1, 128);
        assert_eq!(edges.bytes, b"\x08\x7f\x08\x80\x01");
        let mut largest = Message::default();
        largest.number(1, u64::MAX);
        assert_eq!(largest.bytes, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    }
}
