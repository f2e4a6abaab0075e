//! What a template makes of turns: where one ends and the next begins, and whether it knows a system.
//!
//! Learnt from a few small conversations when a model is loaded, so that no table of families is needed.

use super::super::tokenizer::{TokenKind, Tokenizer};
use super::guard::{self, Contents, Guard, Rendered};
use super::template::{Message, Template};
use super::{Role, Turn};

pub(super) struct Shape {
    /// Whether the template takes a message of the system. If not, it goes before the first thing that is said.
    system: bool,
    /// What a finished conversation has behind the last content of the performer, and of the model.
    foot_user: String,
    foot_assistant: String,
    /// What stands before the performer's content.
    head_user: String,
    /// The texts of the tokens that end a turn.
    ends: Vec<String>,
    bos: String,
    /// Texts of the template that are always one token without being control tokens.
    pub markers: Vec<String>,
}

/// A conversation of the performer and the model in turn.
fn small_talk(count: usize) -> Vec<Turn> {
    let role = |i| if i % 2 == 0 { Role::User } else { Role::Assistant };
    (0..count).map(|i| Turn { role: role(i), text: format!("moon{i}") }).collect()
}

impl Shape {
    /// Tries the template. The error is one line without the file.
    pub fn learn(template: &Template, tokenizer: &Tokenizer) -> Result<Shape, String> {
        let mut shape = Shape {
            system: true,
            foot_user: String::new(),
            foot_assistant: String::new(),
            head_user: String::new(),
            ends: Vec::new(),
            bos: tokenizer.bos().map_or("", |bos| tokenizer.name(bos)).to_string(),
            markers: Vec::new(),
        };
        let talk = small_talk(3);
        let render = |shape: &Shape, system: Option<&str>, count: usize, open: bool| {
            let turns = &talk[..count];
            let contents = Guard::new(tokenizer, &[]).contents(system, turns);
            let marked = template.render(&shape.messages(&contents, turns, false), open)?;
            let rendered = guard::read(&marked, count);
            match rendered.turns.iter().any(|span| span.start.is_none() || span.end.is_none()) {
                true => Err("the template leaves out what it is given".to_string()),
                false => Ok(rendered),
            }
        };
        let opened = render(&shape, None, 1, true)?;
        let whole = render(&shape, None, 3, true)?;
        shape.system = render(&shape, Some("sun"), 1, true).is_ok_and(|r| r.system.start.is_some());

        let behind = |r: &Rendered, i: usize| r.text[r.turns[i].end.unwrap_or(r.text.len())..].to_string();
        shape.foot_user = render(&shape, None, 1, false).map(|r| behind(&r, 0)).unwrap_or_default();
        let finished = render(&shape, None, 2, false).map(|r| behind(&r, 1)).ok();
        let ends = tokenizer.ends().iter().map(|id| tokenizer.name(*id));
        // Some files also call the performer's header an end of the model's turn.
        let ends = ends.filter(|end| finished.as_ref().is_none_or(|foot| foot.contains(end)));
        shape.ends = ends.filter(|end| !end.is_empty()).map(str::to_string).collect();
        shape.foot_assistant = finished.unwrap_or_default();
        if let (Some(from), Some(to)) = (whole.turns[1].end, whole.turns[2].start)
            && let Some(gap) = whole.text.get(from..to)
        {
            shape.head_user = gap[shape.foot(gap, Role::Assistant)..].to_string();
        }

        let marker = |text: &str| text.len() > 2 && text.starts_with(['<', '[']);
        for text in [&opened.text, &whole.text] {
            for found in tokenizer.written_out(text, marker) {
                let id = tokenizer.find(&text[found.clone()]);
                if id.is_some_and(|id| tokenizer.kind(id) == TokenKind::UserDefined) {
                    shape.markers.push(text[found].to_string());
                }
            }
        }
        shape.markers.sort();
        shape.markers.dedup();
        Ok(shape)
    }

    /// The messages for a template. In the strict form the sides take turns, and the performer begins.
    pub fn messages(&self, contents: &Contents, turns: &[Turn], strict: bool) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        let mut folded = None;
        match &contents.system {
            Some(system) if self.system => messages.push(("system", system.clone())),
            system => folded = system.clone(),
        }
        for (turn, content) in turns.iter().zip(&contents.turns) {
            let role = match turn.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            let first = messages.last().is_none_or(|(role, _)| *role == "system");
            if first && role == "assistant" && (strict || folded.is_some()) {
                messages.push(("user", folded.take().unwrap_or_default()));
            }
            match (messages.last_mut(), folded.take()) {
                (Some((last, text)), _) if strict && *last == role => text.extend(["\n\n", content]),
                (_, Some(system)) => messages.push((role, format!("{system}\n\n{content}"))),
                (_, None) => messages.push((role, content.clone())),
            }
        }
        messages
    }

    /// How much of what stands between two contents belongs to the first.
    fn foot(&self, gap: &str, role: Role) -> usize {
        let last_end = |text: &String| gap.rfind(text.as_str()).map(|at| at + text.len());
        if let Some(end) = self.ends.iter().filter_map(last_end).max() {
            return gap.len() - gap[end..].trim_start().len();
        }
        let foot = match role {
            Role::User => &self.foot_user,
            Role::Assistant => &self.foot_assistant,
        };
        if gap.starts_with(foot.as_str()) { foot.len() } else { 0 }
    }

    /// Where the first turn begins, given where its content does.
    fn first(&self, rendered: &Rendered, content: usize) -> usize {
        let text = &rendered.text;
        let from = rendered.system.end.filter(|end| *end <= content).unwrap_or(0);
        let lead = &text[from..content];
        if self.ends.iter().any(|end| lead.contains(end.as_str())) {
            return from + self.foot(lead, Role::User);
        }
        if let Some(at) = text[..content].rfind(&self.head_user) {
            return at;
        }
        if text.starts_with(&self.bos) { self.bos.len().min(content) } else { from }
    }

    /// The end of the head and the beginning of each turn, in bytes.
    pub fn places(&self, rendered: &Rendered, turns: &[Turn]) -> (usize, Vec<usize>) {
        let text = &rendered.text;
        let mut places: Vec<Option<usize>> = Vec::with_capacity(turns.len());
        for (i, span) in rendered.turns.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| Some((rendered.turns[i].end?, turns[i].role)));
            places.push(match (before, span.start) {
                _ if i == 0 => Some(span.start.map_or(0, |content| self.first(rendered, content))),
                (Some((from, role)), to) => {
                    let gap = text.get(from..to.unwrap_or(text.len()));
                    gap.map(|gap| from + self.foot(gap, role))
                }
                (None, Some(to)) => {
                    let head = if turns[i].role == Role::User { self.head_user.as_str() } else { "" };
                    Some(if text[..to].ends_with(head) { to - head.len() } else { to })
                }
                (None, None) => None,
            });
        }
        let first = places.first().copied().flatten().unwrap_or(0);
        // The system spoke inside of the first turn: what it said stays when the turn goes.
        let content = rendered.turns.first().and_then(|span| span.start).unwrap_or(first);
        let inside = rendered.system.end.is_some_and(|end| end > first && end <= content);
        let head = if inside { content } else { first };
        // A turn that was not found begins where the next one does.
        let mut next = text.len();
        let mut found: Vec<usize> = places
            .iter()
            .rev()
            .map(|place| {
                next = place.unwrap_or(next).min(next);
                next.max(head)
            })
            .collect();
        found.reverse();
        (head, found)
    }
}
