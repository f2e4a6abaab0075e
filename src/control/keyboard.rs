//! The keys: one table says what each does, and the help is made from it.
//!
//! The same keys play on the window and in the terminal. Pure; any thread.

use crate::score::{Action, Digit, Key, MorphSide, ParamId, SettingsAsk};

/// One row of the table of keys.
struct Row {
    keys: &'static [Key],
    /// What the help calls the keys.
    label: &'static str,
    /// What each of `keys` does, in their order.
    actions: fn(usize) -> Action,
    help: &'static str,
}

/// A fine and a coarse step of the arrow keys, as parts of the parameter's travel.
const FINE: f32 = 0.01;
const COARSE: f32 = 0.1;
/// One step of `t` and `T`: 0.05 of temperature.
const WARMTH: f32 = 0.025;

const DIGITS: &[Key] = &[
    Key::Char('1'),
    Key::Char('2'),
    Key::Char('3'),
    Key::Char('4'),
    Key::Char('5'),
    Key::Char('6'),
    Key::Char('7'),
    Key::Char('8'),
    Key::Char('9'),
];

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { keys: &[Key::Char(' ')], label: "space", actions: |_| Action::Toggle(ParamId::Hold),
        help: "hold: withhold the next token until pressed again" },
    Row { keys: &[Key::Char('t'), Key::Char('T')], label: "t  T",
        actions: |i| Action::Nudge(ParamId::Temperature, [-WARMTH, WARMTH][i]), help: "temperature down, up" },
    Row { keys: &[Key::Up, Key::Down], label: "↑  ↓", actions: |i| Action::SelectStep([-1, 1][i]),
        help: "choose a parameter" },
    Row { keys: &[Key::Tab, Key::BackTab], label: "Tab  Shift-Tab", actions: |i| Action::SelectGroup([1, -1][i]),
        help: "choose the next, the previous group" },
    Row { keys: &[Key::Left, Key::Right], label: "←  →", actions: |i| Action::NudgeSelected([-FINE, FINE][i]),
        help: "turn the chosen parameter, finely" },
    Row { keys: &[Key::PageDown, Key::PageUp], label: "PgDn  PgUp",
        actions: |i| Action::NudgeSelected([-COARSE, COARSE][i]), help: "turn it coarsely" },
    Row { keys: &[Key::Home, Key::End], label: "Home  End", actions: |i| Action::NudgeSelected([-1.0, 1.0][i]),
        help: "turn it all the way down, up" },
    Row { keys: &[Key::Char('L'), Key::Char('U')], label: "L  U",
        actions: |i| [Action::Learn, Action::Unlearn][i].clone(),
        help: "learn a control for the chosen parameter; take all from it" },
    Row { keys: &[Key::Char('n'), Key::Char('p')], label: "n  p", actions: |i| Action::PromptStep([1, -1][i]),
        help: "the next, the previous prompt" },
    Row { keys: &[Key::Char('N'), Key::Char('P')], label: "N  P", actions: |i| Action::SceneStep([1, -1][i]),
        help: "the next, the previous scene of the plan" },
    Row { keys: DIGITS, label: "1 … 9", actions: Action::PromptNth, help: "a prompt of the bank by its place" },
    Row { keys: &[Key::Char(':'), Key::Char('/')], label: ":  /", actions: |_| Action::Type,
        help: "type a prompt: Enter plays it, Tab layers it, Esc drops it" },
    Row { keys: &[Key::Char('E')], label: "E", actions: |_| Action::PromptError,
        help: "feed the last error back: it becomes the prompt" },
    Row { keys: &[Key::Char('r')], label: "r", actions: |_| Action::Again, help: "begin the prompt again" },
    Row { keys: &[Key::Backspace], label: "Backspace", actions: |_| Action::Rewind(1),
        help: "take back the last token" },
    Row { keys: &[Key::Char('b'), Key::Char('B')], label: "b  B",
        actions: |i| [Action::Branch, Action::BranchAtLeap][i].clone(),
        help: "the road not taken: here, at the last leap" },
    Row { keys: &[Key::Char('l'), Key::Char('e')], label: "l  e",
        actions: |i| [Action::Toggle(ParamId::Lock), Action::Escape][i].clone(),
        help: "lock the loop, escape from it" },
    Row { keys: &[Key::Char('s'), Key::Char('S')], label: "s  S",
        actions: |i| [Action::Snapshot(0), Action::Restore(0)][i].clone(),
        help: "keep the piece as it is, go back to it" },
    Row { keys: &[Key::Char('a'), Key::Char('A')], label: "a  A",
        actions: |i| Action::Await([Digit::Keep, Digit::Restore][i]),
        help: "then 1 … 8: keep the piece there, go back to it" },
    Row { keys: &[Key::Char('j'), Key::Char('J')], label: "j  J",
        actions: |i| Action::Await([Digit::Recall, Digit::Store][i]),
        help: "then 1 … 8: recall settings, store them; J 0: into the patch" },
    Row { keys: &[Key::Char('u')], label: "u", actions: |_| Action::Settings(SettingsAsk::Undo),
        help: "take back the last recall, scene or move of a parameter" },
    Row { keys: &[Key::Char('w')], label: "w", actions: |_| Action::Await(Digit::Blend),
        help: "then 1 … 9: the prompt to blend with; then 0: none" },
    Row { keys: &[Key::Char('x')], label: "x", actions: |_| Action::Crash,
        help: "crash the model; the show goes on" },
    Row { keys: &[Key::Char('[') , Key::Char(']')], label: "[  ]",
        actions: |i| Action::Keep([MorphSide::First, MorphSide::Second][i]),
        help: "keep the sound as the first, the second end of the morph" },
    Row { keys: &[Key::Char('{'), Key::Char('}')], label: "{  }",
        actions: |i| Action::Nudge(ParamId::Morph, [-COARSE, COARSE][i]), help: "cross from one to the other" },
    Row { keys: &[Key::Char('M')], label: "M", actions: |_| Action::Toggle(ParamId::Mute),
        help: "mute the sound" },
    Row { keys: &[Key::Char('!')], label: "!", actions: |_| Action::Panic,
        help: "panic: silence, no further token; again: back, to the last settings" },
    Row { keys: &[Key::Ctrl('g')], label: "Ctrl-G", actions: |_| Action::Panic,
        help: "the same, whatever is open: also while a prompt is typed" },
    Row { keys: &[Key::Enter], label: "Enter", actions: |_| Action::Note("marked".to_string()),
        help: "mark this moment in the recording" },
    Row { keys: &[Key::Char('v'), Key::Char('V')], label: "v  V",
        actions: |i| Action::Turn(ParamId::StageScene, [1, -1][i]), help: "the stage's next, previous scene" },
    Row { keys: &[Key::Char('c'), Key::Char('C')], label: "c  C",
        actions: |i| Action::Turn(ParamId::Palette, [1, -1][i]), help: "the next, the previous palette" },
    Row { keys: &[Key::Char('-'), Key::Char('+'), Key::Char('=')], label: "-  +",
        actions: |i| Action::Nudge(ParamId::TextSize, [-0.01, 0.01, 0.01][i]), help: "smaller, larger text" },
    Row { keys: &[Key::Char('y')], label: "y", actions: |_| Action::Toggle(ParamId::Vertical),
        help: "text in columns, from the right" },
    Row { keys: &[Key::Char('d')], label: "d", actions: |_| Action::Turn(ParamId::Doubt, 1),
        help: "how else doubt shows: not, as weight, as blur" },
    Row { keys: &[Key::Char('k')], label: "k", actions: |_| Action::Toggle(ParamId::Blackout),
        help: "black out the stage; again, light" },
    Row { keys: &[Key::Char('z')], label: "z", actions: |_| Action::Toggle(ParamId::Freeze),
        help: "freeze the picture; again, it goes on" },
    Row { keys: &[Key::Char('m')], label: "m", actions: |_| Action::Toggle(ParamId::Meters),
        help: "show or hide the meters" },
    Row { keys: &[Key::Char('i')], label: "i", actions: |_| Action::Toggle(ParamId::Plate),
        help: "show or hide the model's plate" },
    Row { keys: &[Key::Char('g')], label: "g", actions: |_| Action::Picture, help: "take a picture of the stage" },
    Row { keys: &[Key::Char('?'), Key::Char('h')], label: "?  h", actions: |_| Action::Help,
        help: "show this help, turn its page, as PgDn and PgUp then do" },
    Row { keys: &[Key::Escape], label: "Esc", actions: |_| Action::HideHelp, help: "close this help, or take back the prompt that waits" },
    Row { keys: &[Key::Char('q'), Key::Ctrl('c')], label: "q  Ctrl-C", actions: |_| Action::Quit,
        help: "end the performance" },
];

/// What a key asks for, if anything.
pub fn action(key: Key) -> Option<Action> {
    TABLE.iter().find_map(|row| {
        let place = row.keys.iter().position(|k| *k == key)?;
        Some((row.actions)(place))
    })
}

/// What a digit asks for after a key that waits for one; `None` for every other key.
pub fn digit(awaited: Digit, key: Key) -> Option<Action> {
    let Key::Char(c) = key else { return None };
    let place = c.to_digit(10)? as usize;
    Some(match awaited {
        Digit::Keep => Action::Snapshot(place.checked_sub(1)? as u8),
        Digit::Restore => Action::Restore(place.checked_sub(1)? as u8),
        Digit::Recall => Action::Settings(SettingsAsk::RecallNth(place.checked_sub(1)? as u8)),
        Digit::Store => Action::Settings(match place.checked_sub(1) {
            Some(place) => SettingsAsk::Store(place as u8),
            None => SettingsAsk::Save,
        }),
        Digit::Blend => Action::BlendNth(place.checked_sub(1)),
    })
}

/// Whether a key that is held down acts again and again: those that go a step do, those that switch or do something once
/// do not.
pub fn repeats(key: Key) -> bool {
    matches!(
        action(key),
        Some(Action::Nudge(..) | Action::NudgeSelected(_) | Action::SelectStep(_) | Action::Rewind(_))
    )
}

/// The table as lines of the help: what the keys are called, and what they do.
pub fn help() -> Vec<(String, String)> {
    TABLE.iter().map(|row| (row.label.to_string(), row.help.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_acts_once() {
        let mut seen = std::collections::HashSet::new();
        for row in TABLE {
            for key in row.keys {
                assert!(seen.insert(*key), "{key:?} stands twice in the table");
                assert!(action(*key).is_some());
            }
        }
        assert_eq!(action(Key::Char('o')), None);
    }

    #[test]
    fn keys_that_the_hand_knows() {
        assert_eq!(action(Key::Char('q')), Some(Action::Quit));
        assert_eq!(action(Key::Ctrl('c')), Some(Action::Quit));
        assert_eq!(action(Key::Char('c')), Some(Action::Turn(ParamId::Palette, 1)));
        assert_eq!(action(Key::Char('3')), Some(Action::PromptNth(2)));
        assert_eq!(action(Key::Char('T')), Some(Action::Nudge(ParamId::Temperature, WARMTH)));
        assert_eq!(action(Key::Char('P')), Some(Action::SceneStep(-1)));
        assert_eq!(action(Key::Up), Some(Action::SelectStep(-1)));
        assert_eq!(action(Key::PageUp), Some(Action::NudgeSelected(COARSE)));
        assert_eq!(action(Key::Escape), Some(Action::HideHelp));
        assert_eq!(action(Key::Char('i')), Some(Action::Toggle(ParamId::Plate)));
    }

    #[test]
    fn a_digit_means_what_was_asked_before_it() {
        let [two, none] = ['2', '0'].map(Key::Char);
        assert_eq!(digit(Digit::Keep, two), Some(Action::Snapshot(1)));
        assert_eq!(digit(Digit::Restore, two), Some(Action::Restore(1)));
        assert_eq!(digit(Digit::Blend, two), Some(Action::BlendNth(Some(1))));
        let settings = [digit(Digit::Recall, two), digit(Digit::Store, two), digit(Digit::Store, none)];
        let wanted = [SettingsAsk::RecallNth(1), SettingsAsk::Store(1), SettingsAsk::Save];
        assert_eq!(settings, wanted.map(|ask| Some(Action::Settings(ask))));
        assert_eq!((digit(Digit::Blend, none), digit(Digit::Keep, none)), (Some(Action::BlendNth(None)), None));
        assert_eq!((digit(Digit::Keep, Key::Char('x')), digit(Digit::Keep, Key::Enter)), (None, None));
        assert_eq!(action(Key::Char('A')), Some(Action::Await(Digit::Restore)));
        assert_eq!(action(Key::BackTab), Some(Action::SelectGroup(-1)));
    }

    #[test]
    fn only_steps_repeat_while_a_key_is_held() {
        let steps = [Key::Up, Key::Left, Key::PageUp, Key::End, Key::Backspace].into_iter();
        assert!(steps.chain("tT{}-+=".chars().map(Key::Char)).all(repeats));
        let once = [Key::Enter, Key::Escape, Key::Ctrl('c'), Key::Ctrl('g'), Key::Tab].into_iter();
        assert!(!once.chain(" xnNrblsS[]M!vcykzmig?q1jJuo".chars().map(Key::Char)).any(repeats));
    }

    #[test]
    fn the_help_has_a_line_for_every_row() {
        let help = help();
        assert_eq!(help.len(), TABLE.len());
        assert!(help.iter().all(|(label, text)| !label.is_empty() && label.len() + text.len() <= 72));
    }
}
