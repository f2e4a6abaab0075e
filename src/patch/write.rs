//! Writes what was learnt into a patch's text: one line more, or one value in the place of another. All else stays as the
//! performer wrote it, byte for byte.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::Kind;

/// Binds a control in the table of a controller.
///
/// `pattern` names the table, which is made where the patch has none; `control` is the control's word and `target` what
/// it plays, `option` what else is said of it, as an encoder's coding. A binding that is there already keeps its options where it
/// plays the same, and loses them with its target.
///
/// # Errors
/// In words, where the text is no TOML or the table is something else.
pub fn bind(
    text: &str,
    kind: Kind,
    pattern: &str,
    control: &str,
    target: &str,
    option: Option<(&str, Value)>,
) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.message().to_string())?;
    let controls = table(document.as_table_mut(), kind, pattern)?;
    match controls.get_mut(control) {
        Some(item) if target_of(item).as_deref() == Some(target) => {}
        Some(item) => {
            // What stands round the old value, a comment behind it above all, stays.
            let decor = item.as_value().map(|value| value.decor().clone());
            *item = binding(target, option);
            if let (Some(decor), Some(value)) = (decor, item.as_value_mut()) {
                *value.decor_mut() = decor;
            }
        }
        None => {
            controls.insert(control, binding(target, option));
        }
    }
    Ok(document.to_string())
}

/// Takes out every binding of the controllers that plays this; says which controls those were.
///
/// # Errors
/// In words, where the text is no TOML.
pub fn unbind(text: &str, target: &str) -> Result<(String, Vec<String>), String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.message().to_string())?;
    let mut gone = Vec::new();
    let mut from = |table: &mut dyn TableLike| {
        let of = table.iter().filter(|(_, item)| target_of(item).as_deref() == Some(target));
        let names: Vec<String> = of.map(|(name, _)| name.to_string()).collect();
        for name in names {
            table.remove(&name);
            gone.push(name);
        }
    };
    for section in ["midi", "gamepad"] {
        if let Some(controllers) = document.get_mut(section).and_then(Item::as_table_like_mut) {
            for (_, item) in controllers.iter_mut() {
                if let Some(table) = item.as_table_like_mut() {
                    from(table);
                }
            }
        }
    }
    if let Some(keys) = document.get_mut("keys").and_then(Item::as_table_like_mut) {
        from(keys);
    }
    Ok((document.to_string(), gone))
}

fn binding(target: &str, option: Option<(&str, Value)>) -> Item {
    let Some(option) = option else { return value(target) };
    value(InlineTable::from_iter([("to", target.into()), option]))
}

/// What a binding plays.
fn target_of(item: &Item) -> Option<String> {
    let to = item.as_str().or_else(|| item.as_table_like()?.get("to")?.as_str());
    to.map(str::to_string)
}

/// The table of a controller, made where it is not there.
fn table<'a>(root: &'a mut Table, kind: Kind, pattern: &str) -> Result<&'a mut dyn TableLike, String> {
    let (section, within) = match kind {
        Kind::Midi => ("midi", Some(pattern)),
        Kind::Gamepad => ("gamepad", Some(pattern)),
        Kind::Keyboard => ("keys", None),
    };
    let no_table = |name: &str| format!("\"{name}\" is no table, so nothing can be written into it");
    let item = root.entry(section).or_insert_with(|| {
        let mut table = Table::new();
        // `[midi."k"]` needs no `[midi]` above it.
        table.set_implicit(within.is_some());
        Item::Table(table)
    });
    let table = item.as_table_like_mut().ok_or_else(|| no_table(section))?;
    let Some(pattern) = within else { return Ok(table) };
    if !table.contains_key(pattern) {
        let mut new = Table::new();
        new.decor_mut().set_prefix("\n");
        table.insert(pattern, Item::Table(new));
    }
    let item = table.get_mut(pattern).expect("it was just put there");
    item.as_table_like_mut().ok_or_else(|| no_table(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::{BUILT_IN, parse};

    const PATCH: &str = "# mine\ntitle = 'x'   # odd   spacing\n[prompts]\nmoon = \"m\"\n\n[midi.\"nano*\"] # left hand\n\
                         cc1   = \"sampler.temperature\"   # the big one\n# between\ncc2 = { to = \"sound.level_db\", \
                         takeover = \"pickup\" }\n\n[params]\n\"sampler.top_k\" = 7\n";

    fn bound(text: &str, pattern: &str, control: &str, target: &str) -> String {
        let written = bind(text, Kind::Midi, pattern, control, target, None).unwrap();
        parse("p.toml", &written).unwrap();
        written
    }

    #[test]
    fn a_new_binding_is_one_line_more() {
        let written = bound(PATCH, "nano*", "ch2-cc3", "sampler.top_p");
        let line = "ch2-cc3 = \"sampler.top_p\"\n";
        assert!(written.contains(line), "{}", written);
        assert_eq!(written.replacen(line, "", 1), PATCH);
    }

    #[test]
    fn a_binding_that_changes_keeps_what_stands_round_it() {
        let written = bound(PATCH, "nano*", "cc1", "prompt.next");
        assert_eq!(written, PATCH.replace("\"sampler.temperature\" ", "\"prompt.next\" "));
        let written = bound(PATCH, "nano*", "cc2", "prompt.next");
        assert!(written.contains("cc2 = \"prompt.next\"\n"));
        // The same again changes nothing, options neither.
        assert_eq!(bound(PATCH, "nano*", "cc2", "sound.level_db"), PATCH);
    }

    #[test]
    fn an_encoder_says_its_coding() {
        let written =
            bind(PATCH, Kind::Midi, "nano*", "cc16", "sampler.top_p", Some(("encoder", "twos".into()))).unwrap();
        assert!(written.contains("cc16 = { to = \"sampler.top_p\", encoder = \"twos\" }\n"), "{}", written);
        parse("p.toml", &written).unwrap();
    }

    #[test]
    fn a_controller_that_was_not_there_has_a_table_behind_the_others() {
        let written = bound(PATCH, "MIDI Mix*", "note1", "prompt.moon");
        let table = "\n[midi.\"MIDI Mix*\"]\nnote1 = \"prompt.moon\"\n";
        assert_eq!(written, PATCH.replace("\n\n[params]", &format!("\n{table}\n[params]")));
        let alone = "[prompts]\nmoon = \"m\"\n";
        let written = bound(alone, "k", "cc1", "prompt.moon");
        assert_eq!(written, format!("{alone}\n[midi.k]\ncc1 = \"prompt.moon\"\n"));
        let keys = bind(alone, Kind::Keyboard, "", "f1", "prompt.moon", None).unwrap();
        assert!(keys.ends_with("[keys]\nf1 = \"prompt.moon\"\n"), "{}", keys);
    }

    #[test]
    fn every_shipped_patch_takes_a_binding_and_gives_it_back() {
        for (name, text) in BUILT_IN {
            let written = bound(text, "a new one*", "fine5", "sampler.min_p");
            let table = "\n[midi.\"a new one*\"]\nfine5 = \"sampler.min_p\"\n";
            assert_eq!(written.replacen(table, "", 1), text, "{name}: all else stays byte for byte");
            let again = bound(&written, "a new one*", "fine5", "sampler.min_p");
            assert_eq!(again, written, "{name}");
            let (without, gone) = unbind(&written, "sampler.min_p").unwrap();
            assert!(gone.contains(&"fine5".to_string()), "{name}");
            parse("p.toml", &without).unwrap();
        }
    }

    #[test]
    fn unlearning_takes_out_all_that_plays_the_target_and_nothing_else() {
        let (text, gone) = unbind(PATCH, "sampler.temperature").unwrap();
        assert_eq!(gone, ["cc1"]);
        assert!(text.contains("# between\ncc2 = { to") && text.contains("# left hand") && text.starts_with("# mine\n"));
        assert_eq!(unbind(PATCH, "sampler.min_p").unwrap(), (PATCH.to_string(), vec![]));
    }

    #[test]
    fn what_is_no_table_is_said() {
        assert!(bind("midi = 3", Kind::Midi, "k", "cc1", "x", None).unwrap_err().contains("\"midi\" is no table"));
        assert!(bind("[midi]\nk = 3", Kind::Midi, "k", "cc1", "x", None).unwrap_err().contains("\"k\" is no table"));
        assert!(bind("a = ", Kind::Midi, "k", "cc1", "x", None).is_err());
    }
}
