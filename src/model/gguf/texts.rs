//! A list of texts that stays in the file: only where each begins is kept, 4 bytes instead of the 24 and an allocation
//! that a `String` costs. Pure and immutable; a vocabulary with its merges is 780,000 texts in Gemma 3.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::super::source::Bytes;

/// Texts in their order. Bytes that are no UTF-8 are shown as `?` when they are read.
#[derive(Clone)]
pub(in super::super) struct Texts {
    /// Each text behind its length in 8 bytes.
    bytes: Bytes,
    /// Where each text begins, behind its length.
    starts: Arc<[u32]>,
}

impl Texts {
    pub(super) fn new(bytes: Bytes, starts: Vec<u32>) -> Texts {
        Texts { bytes, starts: starts.into() }
    }

    pub fn len(&self) -> usize {
        self.starts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The text at `index`; none beyond the end.
    pub fn get(&self, index: usize) -> Option<Cow<'_, str>> {
        self.raw(index).map(lossy)
    }

    /// Its bytes, which may be no UTF-8.
    pub fn raw(&self, index: usize) -> Option<&[u8]> {
        let start = *self.starts.get(index)? as usize;
        let length = self.bytes.get(start.checked_sub(8)?..start)?.try_into().ok()?;
        // The file may have changed since it was read: then a text may be short, and nothing worse.
        let end = start.saturating_add(u64::from_le_bytes(length) as usize).min(self.bytes.len());
        Some(&self.bytes[start..end])
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Cow<'_, str>> + Clone {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }
}

/// Bytes as text, `?` in the place of what is no UTF-8: never longer than the bytes are.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            out.push('?');
        }
    }
    Cow::Owned(out)
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Texts {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for text in texts {
            bytes.extend((text.as_ref().len() as u64).to_le_bytes());
            starts.push(bytes.len() as u32);
            bytes.extend(text.as_ref().as_bytes());
        }
        Texts::new(Bytes::copied(&bytes), starts)
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Texts) -> bool {
        self.len() == other.len() && (0..self.len()).all(|i| self.raw(i) == other.raw(i))
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().take(8)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_bad_bytes_do_not_grow() {
        let texts: Texts = ["the", "", "月"].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["the", "", "月"]);
        assert_eq!((texts.len(), texts.get(2).as_deref(), texts.get(3)), (3, Some("月"), None));
        assert_ne!(texts, ["the", "", "日"].into_iter().collect());
        assert_eq!(lossy(b"a\xff\xfe\xe6\x9c"), "a???");
        // A length that was changed behind our back cuts the text short.
        let changed = Texts::new(Bytes::copied(&[255, 255, 255, 255, 255, 255, 255, 255, b'x']), vec![8, 9, 3]);
        assert_eq!((changed.get(0).as_deref(), changed.get(2)), (Some("x"), None));
    }
}
