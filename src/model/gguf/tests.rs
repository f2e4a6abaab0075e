//! What is read from files that are whole, split, cut short and damaged, and what is said about them.

use super::super::{Config, GgufWriter, Info, ModelError, Shape, Source, Tokenizer};
use super::read::read;
use super::reader::{MAX_LISTED, MAX_TEXT};
use super::{Gguf, Stored, Value};

fn embedded() -> Vec<u8> {
    Source::Embedded.map().unwrap().to_vec()
}

fn parse(bytes: &[u8]) -> Result<Gguf, ModelError> {
    read(&Source::Memory(bytes.into()))
}

fn refused(bytes: &[u8]) -> String {
    let error = parse(bytes).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

/// A file with one key.
fn with_key(key: &str, value: impl Stored) -> Vec<u8> {
    let mut writer = GgufWriter::new();
    writer.key(key, value);
    writer.finish()
}

#[test]
fn every_cut_of_the_header_is_refused_in_words() {
    let bytes = embedded();
    let start = parse(&bytes).unwrap().data_start as usize;
    for cut in (0..400).chain((400..start).step_by(97)) {
        let error = refused(&bytes[..cut]);
        assert!(error.contains("byte"), "{cut}: {error}");
    }
}

#[test]
fn half_a_file_says_what_is_missing() {
    let bytes = embedded();
    let error = refused(&bytes[..bytes.len() / 2]);
    assert!(error.contains(&format!("it has {}", bytes.len() / 2)), "{error}");
    assert!(error.contains("cut short") && error.contains("byte offset"), "{error}");
}

#[test]
fn flipped_bytes_never_panic() {
    let bytes = embedded();
    let start = parse(&bytes).unwrap().data_start as usize;
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let mut bad = 0;
    for round in 0..300 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + round % 4 {
            // Most flips go where lengths and types are dense: the first keys and the tensor table.
            let at = match next() % 3 {
                0 => next() % 512,
                1 => start - 1 - next() % 2048,
                _ => next() % start,
            };
            damaged[at] ^= 1 << (next() % 8);
        }
        match parse(&damaged) {
            Err(_) => bad += 1,
            Ok(gguf) => {
                // What follows must not trip over it either.
                let config = Config::read(&gguf, None).map(|config| Shape::of(&config));
                let tokenizer = if round % 8 == 0 { Tokenizer::new(&gguf).ok() } else { None };
                if let (Ok(config), Some(tokenizer)) = (config, tokenizer) {
                    Info::of(&gguf, &config, &tokenizer);
                    tokenizer.encode("The moon, 春");
                }
            }
        }
    }
    assert!(bad > 40, "{bad}");
}

#[test]
fn absurd_lengths_are_refused_before_anything_is_allocated() {
    let head = with_key("k", 1u32);
    // Where the key's name, its type and its value lie.
    let (name, kind, value) = (24, 33, 37);
    let changed = |at: usize, number: u64| {
        let mut bytes = head.clone();
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        refused(&bytes)
    };
    assert!(changed(name, u64::MAX).contains("absurd"));
    assert!(changed(8, 1 << 40).contains("the number of tensors is 1099511627776, more than any model has"));
    assert!(changed(16, 1 << 20).contains("the number of keys"));
    let list = |kind_of: u32, count: u64| {
        let mut bytes = head[..kind].to_vec();
        bytes.extend(9u32.to_le_bytes());
        bytes.extend(kind_of.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        refused(&bytes)
    };
    assert!(list(0, 1 << 60).contains("the length of the value of key k is 1152921504606846976"));
    assert!(list(8, 1 << 20).contains("needs the file to have 8388657 bytes, it has 49"));
    assert!(list(9, 1).contains("unsupported type 9"));
    assert_eq!(value + 4, 41);
    // Present, and still more than any model has.
    assert!(refused(&with_key("k", "a".repeat(MAX_TEXT as usize + 1))).contains("a text of 1048577 bytes"));
    let listed = ["", &"a".repeat(MAX_LISTED as usize + 1)];
    assert!(refused(&with_key("k", &listed[..])).contains("text 1 of the value of key k is a text of 16385 bytes"));
    assert!(refused(&with_key(&"k".repeat(300), 1u8)).contains("key 0 is a text of 300 bytes"));
}

#[test]
fn every_type_of_value_comes_back() {
    let mut writer = GgufWriter::new();
    writer.key("u8", 200u8);
    writer.key("i8", -2i8);
    writer.key("f64", 0.5f64);
    writer.key("yes", true);
    writer.key("text", "春");
    writer.key("texts", &["a", "", "春"][..]);
    writer.key("u16s", &[1u16, 65535][..]);
    writer.key("i64s", &[-1i64][..]);
    writer.key("u64s", &[u64::MAX][..]);
    writer.key("f32s", &[0.25f32][..]);
    writer.key("flags", &[true, false][..]);
    let gguf = parse(&writer.finish()).unwrap();
    assert_eq!(gguf.integer("u8"), Some(200));
    assert_eq!((gguf.get("i8"), gguf.integer("i8")), (Some(&Value::Signed(-2)), None));
    assert_eq!((gguf.float("f64"), gguf.bool("yes"), gguf.text("text")), (Some(0.5), Some(true), Some("春")));
    assert_eq!(gguf.texts("texts").unwrap().iter().collect::<Vec<_>>(), ["a", "", "春"]);
    assert_eq!(gguf.get("u16s"), Some(&Value::Integers(vec![1, 65535])));
    assert_eq!(gguf.get("i64s"), Some(&Value::Integers(vec![-1])));
    assert_eq!(gguf.get("u64s"), Some(&Value::Integers(vec![i64::MAX])));
    assert_eq!(gguf.get("f32s"), Some(&Value::Floats(vec![0.25])));
    assert_eq!(gguf.get("flags"), Some(&Value::Bools(vec![true, false])));
    // A key of the wrong type is not called missing, and each error says where it is.
    let wrong = gguf.missing("texts").to_string();
    assert!(wrong.contains("key texts at byte offset") && wrong.contains("a list of texts cannot be"), "{wrong}");
    assert!(gguf.missing("none").to_string().contains("key none is missing (the keys end at byte offset"));
}

#[test]
fn tensors_lie_beside_each_other_and_inside() {
    let mut writer = GgufWriter::new();
    writer.tensor("a", &[2, 8], "F32", &[1.0; 16]).unwrap();
    writer.tensor("b", &[32], "Q8_0", &[2.0; 32]).unwrap();
    let bytes = writer.finish();
    let gguf = parse(&bytes).unwrap();
    let (a, b) = (gguf.tensor("a").unwrap(), gguf.tensor("b").unwrap());
    assert_eq!((a.shape.as_slice(), b.offset - a.offset), (&[2, 8][..], 64));
    assert_eq!(*gguf.tensor_bytes(a).unwrap(), [1f32; 16].map(f32::to_le_bytes).concat());
    assert_eq!(gguf.tensor_bytes(b).unwrap().len(), 34);
    // b's offset is the last of the table.
    let table = gguf.data_start as usize;
    let at = bytes[..table].windows(8).rposition(|window| window == 64u64.to_le_bytes()).unwrap();
    let moved = |to: u64| {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&to.to_le_bytes());
        refused(&bytes)
    };
    let error = moved(32);
    assert!(error.contains("tensors a and b overlap") && error.contains(&format!("offset {}", table + 32)), "{error}");
    assert!(moved(0).contains("overlap") && moved(33).contains("no multiple of 32"));
    assert!(moved(96).contains("cut short: tensor b (the last of 2)"));
    assert!(moved(u64::MAX - 31).contains("tensor b begins beyond any file"));
    // Of a type that nobody knows, the length is not known either.
    let mut writer = GgufWriter::new();
    writer.encoded_tensor("new", &[4], 99, &[0; 4]);
    let gguf = parse(&writer.finish()).unwrap();
    let error = gguf.tensor_bytes(gguf.tensor("new").unwrap()).unwrap_err().to_string();
    assert!(error.contains("tensor new at byte offset") && error.contains("number 99"), "{error}");
}

#[test]
fn a_model_in_three_files_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |part: u64| folder.path().join(format!("moon-{part:05}-of-00003.gguf"));
    let write = |part: u64, no: u16, name: &str| {
        let mut writer = GgufWriter::new();
        if part == 1 {
            writer.key("general.name", "moon");
            writer.key("split.tensors.count", 3i32);
        }
        writer.key("split.no", no);
        writer.key("split.count", 3u16);
        writer.tensor(name, &[8], "F32", &[part as f32; 8]).unwrap();
        std::fs::write(path(part), writer.finish()).unwrap();
    };
    write(1, 0, "a");
    write(2, 1, "b");
    let source = |part| Source::File(path(part));
    let error = read(&source(1)).unwrap_err().to_string();
    assert!(error.contains("part 3 of 3, moon-00003-of-00003.gguf, is missing"), "{error}");
    write(3, 2, "c");
    let gguf = read(&source(1)).unwrap();
    assert_eq!((gguf.tensors.len(), gguf.text("general.name")), (3, Some("moon")));
    for (name, value) in [("a", 1f32), ("b", 2.0), ("c", 3.0)] {
        let bytes = gguf.tensor_bytes(gguf.tensor(name).unwrap()).unwrap();
        assert_eq!(bytes[..4], value.to_le_bytes(), "{name}");
    }
    let all: Vec<u8> = (1..4).flat_map(|part| std::fs::read(path(part)).unwrap()).collect();
    assert_eq!((gguf.file_bytes, source(1).bytes().unwrap()), (all.len() as u64, all.len() as u64));
    assert_eq!(source(1).sha256().unwrap(), Source::Memory(all.into()).sha256().unwrap());

    let error = read(&source(2)).unwrap_err().to_string();
    assert!(error.contains("part 2 of 3 of moon-00001-of-00003.gguf; give the first part"), "{error}");
    write(3, 1, "c");
    let error = read(&source(1)).unwrap_err().to_string();
    assert!(error.contains("key split.no at byte offset") && error.contains("00003-of-00003"), "{error}");
    write(3, 2, "a");
    assert!(read(&source(1)).unwrap_err().to_string().contains("tensor a appears twice"));
    let renamed = folder.path().join("moon.gguf");
    std::fs::copy(path(1), &renamed).unwrap();
    let error = read(&Source::File(renamed)).unwrap_err().to_string();
    assert!(error.contains("key split.count at") && error.contains("-00001-of-00003.gguf"), "{error}");
}

#[test]
fn text_old_versions_and_big_endian_are_refused() {
    let error = refused(b"The moon, and I");
    assert!(error.contains("not a GGUF file") && error.contains("The "), "{error}");
    assert!(refused(b"").contains("nothing"));
    let version = |version: [u8; 4]| {
        let mut bytes = embedded();
        bytes[4..8].copy_from_slice(&version);
        refused(&bytes)
    };
    assert!(version([1, 0, 0, 0]).contains("byte 4: GGUF version 1 is not supported"));
    assert!(version([0, 0, 0, 3]).contains("byte 4: written for big-endian machines"));
}

#[test]
fn the_embedded_model_is_read() {
    let gguf = Gguf::read(&Source::Embedded).unwrap();
    assert_eq!(gguf.version, 3);
    assert_eq!(gguf.integer("llama.embedding_length"), Some(256));
    let table = gguf.tensor("token_embd.weight").unwrap();
    assert_eq!(table.shape, [6144, 256]);
    assert_eq!(table.bytes(), 6144 * 256 / 32 * 34);
}
