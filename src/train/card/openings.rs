//! What the model is asked for its card: openings of our own, so that nothing of the corpus is given to it.

use crate::train::Script;

/// Openings of two characters and of five, in turn.
const CHINESE: [&str; 20] = [
    "春江",
    "小灯明一室",
    "秋夜",
    "雨后山如洗",
    "古寺",
    "何人吹短笛",
    "明月",
    "石上听流水",
    "故园",
    "风来花自落",
    "孤舟",
    "城南多细雨",
    "白云",
    "半夜闻归雁",
    "落叶",
    "门前三尺雪",
    "青山",
    "一叶随波去",
    "寒梅",
    "客里逢新岁",
];

const ENGLISH: [&str; 20] = [
    "The moon",
    "O gentle wind",
    "In the night",
    "A small lamp",
    "The river",
    "When I was young",
    "My heart",
    "Beyond the hill",
    "The old house",
    "Sing to me",
    "Winter came",
    "A bird alone",
    "The sea",
    "There was a door",
    "Sweet sleep",
    "Upon the snow",
    "The stars",
    "I heard her",
    "Grey morning",
    "Under the oak",
];

/// The openings for one script; seed `s` is given number `s - 1`, and beyond the last one they begin again.
pub fn of(script: Script) -> &'static [&'static str; 20] {
    match script {
        Script::Chinese => &CHINESE,
        Script::English => &ENGLISH,
    }
}

/// The opening that belongs to a seed, counted from 1.
pub fn for_seed(script: Script, seed: u64) -> &'static str {
    of(script)[(seed.max(1) - 1) as usize % 20]
}

/// Those of five characters, from which a metre may follow.
pub fn five() -> impl Iterator<Item = &'static str> + Clone {
    CHINESE.into_iter().filter(|opening| opening.chars().count() == 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opening_is_taken_for_its_script_and_comes_once() {
        let mut seen = std::collections::HashSet::new();
        for script in Script::ALL {
            for opening in of(script) {
                assert_eq!(Script::of(opening), script);
                assert!(seen.insert(*opening), "{opening}");
            }
        }
        assert_eq!(five().count(), 10);
        assert_eq!((for_seed(Script::English, 1), for_seed(Script::English, 21)), ("The moon", "The moon"));
    }
}
