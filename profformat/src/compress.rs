//! Compression of payloads. The one module that knows zstd.

#[cfg(feature = "zstd")]
mod with_zstd {
    use crate::limit;

    /// Compresses payloads one by one.
    pub(crate) struct Compressor(zstd::bulk::Compressor<'static>, Vec<u8>);

    impl Compressor {
        pub(crate) fn new() -> crate::io::Result<Self> {
            Ok(Self(zstd::bulk::Compressor::new(1)?, Vec::new()))
        }

        /// The compressed payload, if it is smaller and keeps the ratio that readers accept.
        pub(crate) fn compress(&mut self, payload: &[u8]) -> crate::io::Result<Option<&[u8]>> {
            self.1.clear();
            self.1.reserve(zstd::zstd_safe::compress_bound(payload.len()));
            self.0.compress_to_buffer(payload, &mut self.1)?;
            let fits = self.1.len() < payload.len()
                && payload.len() / limit::COMPRESSION_RATIO as usize <= self.1.len();
            Ok(fits.then_some(&self.1))
        }
    }

    /// Decompresses payloads one by one, never beyond the length that the header allows.
    pub(crate) struct Decompressor(zstd::bulk::Decompressor<'static>);

    impl Decompressor {
        pub(crate) fn new() -> Option<Self> {
            zstd::bulk::Decompressor::new().ok().map(Self)
        }

        /// Replaces `out` by the payload. `None` unless it has exactly `raw` bytes.
        pub(crate) fn decompress(
            &mut self,
            stored: &[u8],
            raw: u32,
            out: &mut Vec<u8>,
        ) -> Option<()> {
            out.clear();
            out.reserve(raw as usize);
            // The buffer may have more room than asked for; only the declared length is right.
            let length = self.0.decompress_to_buffer(stored, out).ok()?;
            (length == raw as usize).then_some(())
        }
    }
}

#[cfg(not(feature = "zstd"))]
mod without {
    use alloc::vec::Vec;

    /// Nothing to compress with: payloads stay plain.
    pub(crate) struct Compressor;

    impl Compressor {
        pub(crate) fn new() -> crate::io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn compress(&mut self, _payload: &[u8]) -> crate::io::Result<Option<&[u8]>> {
            Ok(None)
        }
    }

    /// Nothing to decompress with.
    pub(crate) struct Decompressor;

    impl Decompressor {
        pub(crate) fn new() -> Option<Self> {
            None
        }

        pub(crate) fn decompress(
            &mut self,
            _stored: &[u8],
            _raw: u32,
            _out: &mut Vec<u8>,
        ) -> Option<()> {
            None
        }
    }
}

#[cfg(feature = "zstd")]
pub(crate) use with_zstd::{Compressor, Decompressor};
#[cfg(not(feature = "zstd"))]
pub(crate) use without::{Compressor, Decompressor};

impl core::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Compressor")
    }
}

impl core::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Decompressor")
    }
}
