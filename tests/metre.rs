//! The model inside the program writes verse: opened with five characters, it keeps to five or seven.

use xiao::model::{Model, Source};
use xiao::train::card::count_metre;

/// Seeds from 1 on, at each temperature.
const SEEDS: u64 = 40;
/// Of the pieces, at least.
const SHARE: f64 = 0.6;

#[test]
fn the_embedded_model_keeps_the_metre_of_its_opening() {
    let model = Model::load(&Source::Embedded).unwrap();
    for temperature in [0.7, 1.0] {
        let metre = count_metre(&model, temperature, SEEDS, 2, &mut |_| {}).unwrap();
        assert_eq!(metre.pieces, SEEDS);
        assert!(metre.share() >= SHARE, "at {temperature}: {metre:?}");
    }
}
