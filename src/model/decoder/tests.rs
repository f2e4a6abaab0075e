//! The decoder against itself and, on tiny models of every family, against llama.cpp's figures.

use std::path::Path;

use serde_json::Value;

use super::super::{Source, fixture::TINY, gguf::Gguf};
use super::*;

fn decoder(context: usize) -> Decoder {
    let gguf = Gguf::read(&Source::Embedded).unwrap();
    let config = Config::read(&gguf, Some(context)).unwrap();
    Decoder::new(Arc::new(Weights::load(&gguf, config).unwrap()))
}

fn nmse(a: &[f32], b: &[f32]) -> f64 {
    let error: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    error / b.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>()
}

const IDS: [u32; 12] = [2, 400, 1200, 77, 5000, 300, 9, 2222, 3100, 641, 12, 900];

#[test]
fn reading_at_once_in_parts_and_one_by_one_agree() {
    let mut decoder = decoder(64);
    let whole = decoder.forward(&IDS, true).unwrap().unwrap();
    decoder.truncate(5);
    let tail = decoder.forward(&IDS[5..], true).unwrap().unwrap();
    decoder.truncate(0);
    let mut single = None;
    for id in IDS {
        single = decoder.forward(&[id], true).unwrap();
    }
    assert!(nmse(&tail, &whole) < 1e-6);
    let off = nmse(&single.unwrap(), &whole);
    // One by one, the rows of a product are rounded to eight bits in another grouping.
    assert!(off < 1e-5, "{off:e}");
    let mut other = decoder.fresh();
    assert_eq!(other.forward(&IDS, true).unwrap().unwrap(), whole);
}

#[test]
fn forgetting_the_oldest_of_one_layer_equals_never_having_read_it() {
    // With one layer a token's key and value depend on that token alone, so shifting must be exact.
    let gguf = Gguf::read(&Source::Embedded).unwrap();
    let mut config = Config::read(&gguf, Some(64)).unwrap();
    config.layers = 1;
    let weights = Arc::new(Weights::load(&gguf, config).unwrap());
    let mut forgetful = Decoder::new(weights.clone());
    forgetful.forward(&IDS[..11], false).unwrap();
    forgetful.forget(2, 5);
    assert_eq!(forgetful.len(), 6);
    let after = forgetful.forward(&IDS[11..], true).unwrap().unwrap();
    let mut never = Decoder::new(weights);
    let kept: Vec<u32> = IDS[..2].iter().chain(&IDS[7..]).copied().collect();
    let expected = never.forward(&kept, true).unwrap().unwrap();
    assert!(nmse(&after, &expected) < 1e-6, "{}", nmse(&after, &expected));
}

#[test]
fn bad_tokens_and_overflow_are_refused() {
    let mut decoder = decoder(8);
    assert!(decoder.forward(&[999_999], false).unwrap_err().to_string().contains("vocabulary of 6144"));
    assert!(decoder.forward(&IDS, false).unwrap_err().to_string().contains("context of 8"));
}

/// llama.cpp's figures for one file.
struct Figures {
    name: String,
    kind: &'static str,
    weights: Arc<Weights>,
    context: usize,
    prompt: Vec<u32>,
    logits: Vec<f32>,
    greedy: Vec<u32>,
    logits_greedy: Vec<f32>,
}

fn numbers<T>(json: &Value, of: impl Fn(f64) -> T) -> Vec<T> {
    json.as_array().unwrap().iter().map(|x| of(x.as_f64().unwrap())).collect()
}

/// Every run of every fixture. Each file is made anew from the seed.
fn figures() -> Vec<Figures> {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for (tiny, kind) in TINY.iter().flat_map(|tiny| tiny.types.iter().map(move |kind| (tiny, *kind))) {
        let name = format!("{}-{kind}", tiny.name());
        let path = folder.path().join(format!("{name}.gguf"));
        std::fs::write(&path, tiny.write(kind, 1)).unwrap();
        let gguf = Gguf::read(&Source::File(path)).unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.json"));
        let json: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for run in json["runs"].as_array().unwrap() {
            let context = run["n_ctx"].as_u64().unwrap() as usize;
            let config = Config::read(&gguf, Some(context)).unwrap();
            all.push(Figures {
                name: name.clone(),
                kind,
                weights: Arc::new(Weights::load(&gguf, config).unwrap()),
                context,
                prompt: numbers(&run["prompt"], |x| x as u32),
                logits: numbers(&run["logits"], |x| x as f32),
                greedy: numbers(&run["greedy"], |x| x as u32),
                logits_greedy: numbers(&run["logits_greedy"], |x| x as f32),
            });
        }
    }
    all
}

#[test]
fn every_family_computes_what_llama_cpp_does() {
    for f in figures() {
        let Figures { name, context, prompt, .. } = &f;
        let place = format!("{name}, context {context}, {} tokens", prompt.len());
        // Where f32 is not summed in llama.cpp's order, Gemma's table of f16 makes more of the last bit.
        #[cfg(target_arch = "x86_64")]
        let same_order = is_x86_feature_detected!("avx512f");
        #[cfg(not(target_arch = "x86_64"))]
        let same_order = false;
        let bound = match f.kind {
            "f32" if same_order => 1e-8,
            "f32" => 1e-6,
            _ => 2e-3,
        };
        let mut decoder = Decoder::new(f.weights.clone());
        let whole = decoder.forward(prompt, true).unwrap().unwrap();
        let error = nmse(&whole, &f.logits);
        if std::env::var("XIAO_SHOW").is_ok() {
            eprintln!("{place}: {error:.1e}");
        }
        assert!(error <= bound, "{place}: {error:e}");

        // In parts, and once more after going back.
        decoder.truncate(0);
        for part in prompt[..prompt.len() - 1].chunks(5) {
            decoder.forward(part, false).unwrap();
        }
        let parts = decoder.forward(&prompt[prompt.len() - 1..], true).unwrap().unwrap();
        assert!(nmse(&parts, &f.logits) <= bound, "{place}, in parts: {:e}", nmse(&parts, &f.logits));
        decoder.forward(&[1, 2, 3], false).unwrap();
        decoder.truncate(prompt.len() - 3);
        let again = decoder.forward(&prompt[prompt.len() - 3..], true).unwrap().unwrap();
        assert!(nmse(&again, &f.logits) <= bound, "{place}: again {:e}", nmse(&again, &f.logits));

        if f.kind == "f32" {
            let (mut logits, mut said) = (again, Vec::new());
            for _ in 0..f.greedy.len() {
                let mut best = Vec::new();
                likeliest(&logits, 1, &mut best);
                said.push(best[0].1);
                logits = decoder.forward(&[best[0].1], true).unwrap().unwrap();
            }
            assert_eq!(said, f.greedy, "{place}");
            assert!(nmse(&logits, &f.logits_greedy) <= bound, "{place}: {:e}", nmse(&logits, &f.logits_greedy));
        }
    }
}

#[test]
fn a_memory_is_come_back_to_and_shares_its_pages() {
    let mut decoder = decoder(256);
    let ids: Vec<u32> = IDS.iter().cycle().take(100).copied().collect();
    decoder.forward(&ids, false).unwrap();
    let memory = decoder.memory();
    let next = decoder.forward(&[7], true).unwrap().unwrap();
    decoder.forward(&[8, 9, 10], false).unwrap();
    decoder.remember(&memory);
    assert_eq!(decoder.len(), 100);
    assert_eq!(decoder.forward(&[7], true).unwrap().unwrap(), next, "what went on after it left no trace");
    let mut other = decoder.fresh();
    other.remember(&memory);
    other.truncate(50);
    other.forward(&ids[50..], false).unwrap();
    assert!(nmse(&other.forward(&[7], true).unwrap().unwrap(), &next) < 1e-6);
}

#[test]
fn the_lens_ends_at_the_logits() {
    let mut decoder = decoder(64);
    decoder.set_lens(1);
    let plain = decoder.forward(&IDS, true).unwrap().unwrap();
    assert_eq!(decoder.guesses().iter().map(|g| g.layer).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(decoder.guesses().iter().all(|g| g.p > 0.0 && g.p <= 1.0));
    assert_eq!(decoder.spent().layers.len(), 4);
    decoder.set_lens(0);
    decoder.truncate(0);
    assert_eq!(decoder.forward(&IDS, true).unwrap().unwrap(), plain);
    assert!(decoder.guesses().is_empty());
}

#[test]
fn a_cache_in_f16_agrees_with_the_exact_one() {
    for f in figures().into_iter().filter(|f| f.kind == "f32") {
        let place = format!("{}, {} tokens", f.name, f.prompt.len());
        // The same weights with the cache that large models have.
        let mut weights = Arc::into_inner(f.weights).unwrap();
        weights.config.half_cache = true;
        let mut decoder = Decoder::new(Arc::new(weights));
        let whole = decoder.forward(&f.prompt, true).unwrap().unwrap();
        assert!(nmse(&whole, &f.logits) < 1e-4, "{place}: {:e}", nmse(&whole, &f.logits));
        decoder.truncate(0);
        let mut one_by_one = Vec::new();
        for id in &f.prompt {
            one_by_one = decoder.forward(&[*id], true).unwrap().unwrap();
        }
        assert!(nmse(&one_by_one, &f.logits) < 1e-4, "{place}, one by one: {:e}", nmse(&one_by_one, &f.logits));
        // Forgetting turns the keys back, which is exact for the first layer only.
        decoder.forget(2, 3);
        assert!(decoder.forward(&[7], true).unwrap().unwrap().iter().all(|x| x.is_finite()));
    }
}
