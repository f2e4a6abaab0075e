//! Palettes: the stage's colours by what they say, never by what they are called.
//!
//! Two colours carry everything: one for words, one for what is improbable or wrong. They differ in lightness as well as
//! in hue, and a flaw has its own line besides, so that nothing is told by hue alone. Every colour that carries words
//! keeps a contrast of 7:1 to the ground and to the brightest field that `stage.background` 0.5 lets through (WCAG 2.2,
//! success criterion 1.4.6); a test holds all of them to it. Plain data; any thread.

use super::scene::{Color, mixed};

/// The colours of a stage, sRGB with alpha.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Palette {
    pub name: &'static str,
    /// What everything stands on.
    pub ground: Color,
    /// The model's words.
    pub paper: Color,
    /// A word in the moment in which it comes.
    pub lit: Color,
    /// The performer's words.
    pub prompt: Color,
    /// What is improbable or wrong.
    pub accent: Color,
    /// How far doubt takes that towards the ground: as far as its contrast allows, and no further than a tenth.
    pub doubt: f32,
    /// Small words that explain.
    pub label: Color,
    /// What a bar has not filled.
    pub track: Color,
    /// A lamp in the dark and embers: light that carries no words.
    pub lamp: Color,
}

/// The palettes in the order of the names of `stage.palette`.
pub const PALETTES: [Palette; 5] = [
    // Warm paper and amber on a dark ground. Blue and amber are told apart by every kind of colour blindness.
    Palette {
        name: "ink",
        ground: [0x00, 0x00, 0x00, 255],
        paper: [0xf6, 0xf0, 0xe2, 255],
        lit: [0xff, 0xff, 0xff, 255],
        prompt: [0x8f, 0xc4, 0xd4, 255],
        accent: [0xff, 0xae, 0x3c, 255],
        doubt: 0.10,
        label: [0xb4, 0xb6, 0xb2, 255],
        track: [0x80, 0x88, 0x88, 70],
        lamp: [0xff, 0x87, 0x3e, 255],
    },
    // Ink and cinnabar, the seal's red, on paper: for daylight and for white walls.
    Palette {
        name: "paper",
        ground: [0xf4, 0xef, 0xe3, 255],
        paper: [0x17, 0x15, 0x13, 255],
        lit: [0x00, 0x00, 0x00, 255],
        prompt: [0x15, 0x3c, 0x5c, 255],
        accent: [0x84, 0x18, 0x0e, 255],
        doubt: 0.04,
        label: [0x45, 0x42, 0x3d, 255],
        track: [0x6a, 0x66, 0x60, 70],
        lamp: [0xd8, 0x4e, 0x32, 255],
    },
    // One phosphor, told apart by lightness alone: a terminal at night.
    Palette {
        name: "phosphor",
        ground: [0x01, 0x05, 0x03, 255],
        paper: [0x8c, 0xf0, 0xb0, 255],
        lit: [0xe4, 0xff, 0xee, 255],
        prompt: [0x6f, 0xc9, 0x92, 255],
        accent: [0xf2, 0xff, 0xd0, 255],
        doubt: 0.10,
        label: [0x7d, 0xbb, 0x93, 255],
        track: [0x5a, 0x90, 0x6c, 70],
        lamp: [0x5c, 0xe0, 0x8c, 255],
    },
    // Ash and ember: warm and dim, for the dark before midnight.
    Palette {
        name: "ember",
        ground: [0x0a, 0x05, 0x03, 255],
        paper: [0xef, 0xd9, 0xc4, 255],
        lit: [0xff, 0xf3, 0xe6, 255],
        prompt: [0xc4, 0xb0, 0xc9, 255],
        accent: [0xff, 0x9c, 0x62, 255],
        doubt: 0.04,
        label: [0xbb, 0xac, 0x9f, 255],
        track: [0x8a, 0x78, 0x6c, 70],
        lamp: [0xff, 0x48, 0x30, 255],
    },
    // White on black and nothing between, for weak projectors and weak eyes.
    Palette {
        name: "plain",
        ground: [0x00, 0x00, 0x00, 255],
        paper: [0xff, 0xff, 0xff, 255],
        lit: [0xff, 0xff, 0xff, 255],
        prompt: [0xbf, 0xdf, 0xff, 255],
        accent: [0xff, 0xe0, 0x40, 255],
        doubt: 0.10,
        label: [0xe0, 0xe0, 0xe0, 255],
        track: [0xa0, 0xa0, 0xa0, 90],
        lamp: [0xc8, 0xc8, 0xc8, 255],
    },
];

impl Palette {
    /// The palette at a value of `stage.palette`.
    pub fn of(value: f32) -> &'static Palette {
        &PALETTES[(value.max(0.0).round() as usize).min(PALETTES.len() - 1)]
    }

    /// What a bar has filled.
    pub fn bar(&self) -> Color {
        [self.label[0], self.label[1], self.label[2], 230]
    }

    /// What stands behind words that lie over others. White under a hundredth of it less would still be seen.
    pub fn panel(&self) -> Color {
        mixed(self.ground, self.label, 0.05)
    }

    /// The luminance behind words at its worst: what `picture.wgsl` lets the field add to a dark ground or take from a
    /// light one.
    #[cfg(test)]
    pub fn behind_words(&self) -> f32 {
        let ground = luminance(self.ground);
        if self.is_light() { ground * (1.0 - 0.12) } else { ground + 0.014 }
    }

    /// Whether words are darker than the ground.
    pub fn is_light(&self) -> bool {
        luminance(self.ground) > luminance(self.paper)
    }
}

/// One 8-bit channel of sRGB as light, 0..1 (IEC 61966-2-1).
pub fn linear(channel: u8) -> f32 {
    let c = f32::from(channel) / 255.0;
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

/// Relative luminance, 0..1.
pub fn luminance(color: Color) -> f32 {
    0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2])
}

/// The contrast of two luminances, 1 to 21 (WCAG 2.2).
pub fn contrast(a: f32, b: f32) -> f32 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::ParamId;

    #[test]
    fn the_table_is_that_of_the_parameter() {
        let names: Vec<_> = PALETTES.iter().map(|p| p.name).collect();
        assert_eq!(names, ParamId::Palette.spec().names());
        assert_eq!((Palette::of(-3.0).name, Palette::of(1.0).name, Palette::of(99.0).name), ("ink", "paper", "plain"));
    }

    #[test]
    fn a_palette_of_one_hue_has_its_lamp_in_it() {
        let [.., phosphor, _, plain] = PALETTES;
        assert!(phosphor.lamp[1] > phosphor.lamp[0].max(phosphor.lamp[2]));
        assert!(plain.lamp[0] == plain.lamp[1] && plain.lamp[1] == plain.lamp[2]);
    }

    #[test]
    fn every_colour_that_carries_words_has_a_contrast_of_7() {
        for palette in PALETTES {
            for color in [palette.paper, palette.lit, palette.prompt, palette.accent, palette.label] {
                let found = contrast(luminance(color), palette.behind_words());
                assert!(found >= 7.0, "{} {color:?}: {found}", palette.name);
            }
        }
    }

    /// Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
    const BLINDNESS: [[[f32; 3]; 3]; 3] = [
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ];

    #[test]
    fn words_and_the_accent_are_told_apart_without_hue() {
        for palette in PALETTES {
            for blind in BLINDNESS {
                let seen = |c: Color| {
                    let rgb = [linear(c[0]), linear(c[1]), linear(c[2])];
                    blind
                        .map(|row| row.iter().zip(rgb).map(|(m, v)| m * v).sum::<f32>().clamp(0.0, 1.0).powf(1.0 / 2.4))
                };
                let (a, b) = (seen(palette.paper), seen(palette.accent));
                let apart = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
                assert!(apart > 0.13, "{}: {apart}", palette.name);
            }
        }
    }
}
