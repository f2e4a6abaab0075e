//! Settings: any of the parameters under a name, `[settings.NAME]`, to be recalled in the middle of a piece.
//!
//! Only what is written and whether it holds together, and how it is written anew; the hands recall and store. They are
//! not the snapshots of `generator.snapshot`, which keep the piece, its text.

#[cfg(test)]
mod tests;

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::Prompt;
use super::error::{Problems, did_you_mean};
use super::load::{is_name, read_param, section};
use super::reader::Reader;
use super::value::{described, key_span, text};
use crate::score::{ParamId, param::Curve, param::PARAMS};

/// Places that are stored into while playing. The settings of the names 1 to 8 are what stands there at first.
pub const PLACES: usize = 8;

const MOST: usize = 64;
/// The slowest recall takes an hour, as the slowest scene does.
const LONGEST_S: f32 = 3600.0;

/// Keys of `[settings]` that are no names.
const OF_TABLE: [&str; 3] = ["hold", "between", "corners"];
/// Keys of `[settings.NAME]` that are no parameters.
const KEYS: [&str; 3] = ["prompt", "blend", "over_s"];

/// What a patch says about settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Beginnings of the names of parameters that are stored while playing; empty: all of them.
    pub hold: Vec<String>,
    /// The ends of `settings.morph`, by name; those that are not stored yet hold nothing.
    pub between: Option<[String; 2]>,
    /// The corners of `settings.x` and `settings.y`: left and right below, left and right above.
    pub corners: Option<[String; 4]>,
    /// In the order of the file.
    pub named: Vec<Setting>,
}

/// Parameters under a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    pub name: String,
    /// Played with them, an index into the bank; none: the text goes on.
    pub prompt: Option<usize>,
    /// The second prompt of `generator.blend`; none: it stays.
    pub blend: Option<usize>,
    /// Seconds in which a recall leads to them; none: `settings.over_s` says.
    pub over_s: Option<f32>,
    /// What they do not name stays where it is.
    pub params: Vec<(ParamId, f32)>,
}

impl Settings {
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.named.iter().find(|setting| setting.name == name)
    }

    /// The same for a name that a person gave.
    ///
    /// # Errors
    /// No settings are called so; one line with the nearest that are.
    pub fn find(&self, name: &str) -> Result<&Setting, String> {
        let near = || did_you_mean(name, self.named.iter().map(|setting| setting.name.as_str()));
        self.get(name).ok_or_else(|| match place(name) {
            Some(_) => format!("nothing is stored in place {name}"),
            None => format!("there are no settings {name:?}{}", near()),
        })
    }

    /// Whether a parameter is stored while playing.
    pub fn holds(&self, id: ParamId) -> bool {
        let below = |group: &String| id.name().strip_prefix(group.as_str()).is_some_and(|rest| rest.starts_with('.'));
        id.is_setting() && (self.hold.is_empty() || self.hold.iter().any(|word| word == id.name() || below(word)))
    }
}

/// The place, counted from 0, that goes by this name.
pub fn place(name: &str) -> Option<usize> {
    (0..PLACES).find(|place| (place + 1).to_string() == name)
}

pub(super) fn read(root: &dyn TableLike, prompts: &[Prompt], problems: &mut Problems) -> Settings {
    let Some(table) = section(root, "settings", problems) else { return Settings::default() };
    let mut settings = Settings::default();
    if let Some(item) = table.get("hold") {
        settings.hold = hold(item, problems);
    }
    for (name, item) in table.iter().filter(|(key, _)| !OF_TABLE.contains(key)) {
        let at = key_span(table, name);
        match item.as_table_like() {
            _ if settings.named.len() == MOST => {
                problems.add(at, format!("[settings] has more than {MOST}; take some out"));
            }
            Some(_) if !is_name(name) => {
                problems.add(at, format!("[settings] {name:?} may hold only letters, digits, - and _"));
            }
            Some(inner) => settings.named.push(setting(name, inner, prompts, problems)),
            None => {
                let near = match did_you_mean(name, OF_TABLE) {
                    near if near.is_empty() => format!("; settings have a name: write [settings.{name}] above them"),
                    near => near,
                };
                problems.add(at, format!("[settings] has no \"{name}\"{near}"));
            }
        }
    }
    settings.between = ends("between", "[\"day\", \"night\"]", table, &settings.named, problems);
    settings.corners = ends("corners", "[\"a\", \"b\", \"c\", \"d\"]", table, &settings.named, problems);
    settings
}

/// A list of so many names of settings or places.
fn ends<const N: usize>(
    key: &str,
    example: &str,
    table: &dyn TableLike,
    named: &[Setting],
    problems: &mut Problems,
) -> Option<[String; N]> {
    let item = table.get(key)?;
    let words = item.as_array().map(|list| list.iter().map(|value| value.as_str()).collect::<Option<Vec<&str>>>());
    let Some(words) = words.flatten().and_then(|words| <[&str; N]>::try_from(words).ok()) else {
        problems.add(item.span(), format!("[settings] {key} names {N} settings, as in {example}"));
        return None;
    };
    for word in words.iter().filter(|word| place(word).is_none() && !named.iter().any(|known| known.name == **word)) {
        let near = did_you_mean(word, named.iter().map(|known| known.name.as_str()));
        problems.add(item.span(), format!("[settings] {key}: there are no settings \"{word}\"{near}"));
    }
    Some(words.map(str::to_string))
}

fn setting(name: &str, table: &dyn TableLike, prompts: &[Prompt], problems: &mut Problems) -> Setting {
    let place = format!("[settings.{name}]");
    let mut params = Vec::new();
    for (key, item) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
        match did_you_mean(key, KEYS) {
            near if item.as_table_like().is_none() && !key.contains('.') && !near.is_empty() => {
                problems.add(key_span(table, key), format!("{place} has no \"{key}\"{near}"));
            }
            _ => read_param(&place, table, (key, item), "", &mut params, problems),
        }
    }
    for (id, _) in params.iter().filter(|(id, _)| id.name().starts_with("settings.")) {
        let message = format!("{place} cannot hold \"{}\", which is about settings itself; take it out", id.name());
        problems.add(key_span(table, id.name()).or_else(|| key_span(table, "settings")), message);
    }
    let mut read = Reader { place, table, span: None, problems };
    let over_s = read.number("over_s", 0.0, LONGEST_S);
    let [prompt, blend] = ["prompt", "blend"].map(|key| prompt(key, &mut read, prompts));
    Setting { name: name.to_string(), prompt, blend, over_s, params }
}

/// The place in the bank of the prompt that is named.
fn prompt(key: &str, read: &mut Reader, prompts: &[Prompt]) -> Option<usize> {
    let names = prompts.iter().enumerate().map(|(at, prompt)| (prompt.name.as_str(), at));
    read.find(key, "[prompts] has it not", names)
}

fn hold(item: &Item, problems: &mut Problems) -> Vec<String> {
    let Some(list) = item.as_array() else {
        let found = described(item);
        problems.add(item.span(), format!("[settings] hold is a list, as in [\"sampler\", \"sound\"], not {found}"));
        return Vec::new();
    };
    let mut words = Vec::new();
    for value in list {
        let item = Item::Value(value.clone());
        let Some(word) = text(&item, "[settings] hold", problems) else { continue };
        let all = Settings { hold: vec![word.clone()], ..Settings::default() };
        if !ParamId::ALL.iter().any(|id| all.holds(*id)) {
            let groups = PARAMS.iter().filter(|p| p.id.is_setting()).filter_map(|p| p.name.split('.').next());
            let near = match did_you_mean(&word, groups.chain(PARAMS.iter().map(|p| p.name))) {
                near if near.is_empty() => "; name groups of parameters, as sampler, sound, sound.hum, stage".into(),
                near => near,
            };
            problems.add(value.span(), format!("[settings] hold: nothing of \"{word}\" can be stored{near}"));
        }
        words.push(word);
    }
    words
}

/// Writes settings into a patch's text, in the place of those of the same names. All else stays byte for byte.
///
/// # Errors
/// In words, where the text is no TOML or `settings` is something else.
pub fn write(patch: &str, settings: &[Setting]) -> Result<String, String> {
    let mut document: DocumentMut = patch.parse().map_err(|e: toml_edit::TomlError| e.message().to_string())?;
    let no_table = |name: &str| format!("\"{name}\" is no table, so nothing can be written into it");
    let all = document.as_table_mut().entry("settings").or_insert_with(|| {
        let mut table = Table::new();
        // `[settings.1]` needs no `[settings]` above it.
        table.set_implicit(true);
        Item::Table(table)
    });
    let all = all.as_table_like_mut().ok_or_else(|| no_table("settings"))?;
    for setting in settings {
        if !all.contains_key(&setting.name) {
            let mut new = Table::new();
            new.decor_mut().set_prefix("\n");
            all.insert(&setting.name, Item::Table(new));
        }
        let table = all.get_mut(&setting.name).and_then(Item::as_table_like_mut);
        let table = table.ok_or_else(|| no_table(&setting.name))?;
        for (id, number) in &setting.params {
            match there(table, id.name()) {
                // What stands round the old value, a comment behind it above all, stays.
                Some(item) => {
                    let decor = item.as_value().map(|value| value.decor().clone());
                    *item = written(*id, *number);
                    if let (Some(decor), Some(value)) = (decor, item.as_value_mut()) {
                        *value.decor_mut() = decor;
                    }
                }
                None => drop(table.insert(id.name(), written(*id, *number))),
            }
        }
    }
    Ok(document.to_string())
}

/// Where a table has a parameter, in quotes or in tables within.
fn there<'a>(table: &'a mut dyn TableLike, name: &str) -> Option<&'a mut Item> {
    if table.contains_key(name) {
        return table.get_mut(name);
    }
    let (first, rest) = name.split_once('.')?;
    there(table.get_mut(first)?.as_table_like_mut()?, rest)
}

/// A parameter's value as a performer writes it.
fn written(id: ParamId, number: f32) -> Item {
    match id.spec().curve {
        Curve::Switch => value(number >= 0.5),
        Curve::Step => match id.spec().name_of(number) {
            Some(word) => value(word),
            None => value(number as i64),
        },
        // The shortest that is the same f32: 0.1, and not 0.10000000149.
        Curve::Lin | Curve::Exp => value(number.to_string().parse::<f64>().unwrap_or(f64::from(number))),
    }
}
