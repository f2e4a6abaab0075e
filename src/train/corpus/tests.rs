use super::*;

/// Measures the real corpus: `XIAO_CORPUS=folder cargo test --lib train::corpus -- --ignored --nocapture`.
#[test]
#[ignore]
fn real() {
    let folder = PathBuf::from(std::env::var_os("XIAO_CORPUS").unwrap());
    let t = std::time::Instant::now();
    let corpus = Corpus::read(&[folder], &[("en-epic.txt".into(), 0.3)]).unwrap();
    println!("read {:?}", t.elapsed());
    println!("{:#?}", corpus.report);
    let peak = || {
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find(|l| l.starts_with("VmHWM"))
            .unwrap()
            .to_string()
    };
    println!("{}", peak());
    for size in [6144, 8192] {
        let t = std::time::Instant::now();
        let vocabulary = crate::train::Vocabulary::train(&corpus, size).unwrap();
        println!("{size}: {} in {:?}; {}", vocabulary.tokens.len(), t.elapsed(), peak());
        let h = hex(&Sha256::digest(format!("{vocabulary:?}")));
        println!("sha {h}");
        let tokenizer = vocabulary.tokenizer().unwrap();
        println!("{:?}", tokenizer.warnings());
        for script in Script::ALL {
            let held: Vec<Piece> = corpus.held_out.iter().filter(|p| p.script == script).cloned().collect();
            let n: usize = encode(&tokenizer, &held, 2).iter().map(|ids| ids.len() - 2).sum();
            let c: usize = held.iter().map(|p| p.text.chars().count()).sum();
            let b: usize = held.iter().map(|p| p.text.len()).sum();
            println!("{script}: {} tokens/char {} tokens/byte", n as f64 / c as f64, n as f64 / b as f64);
        }
        let t = std::time::Instant::now();
        let all = encode(&tokenizer, &corpus.training, 2);
        println!("encode {} tokens in {:?}", all.iter().map(Vec::len).sum::<usize>(), t.elapsed());
        println!("{}", peak());
    }
}
