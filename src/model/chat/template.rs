//! Runs a chat template, as far as it is trusted: it may compute for a while and write a few megabytes, no more.
//!
//! Templates are written for Python's Jinja2 as `transformers` sets it up: blocks swallow the line end behind them, and
//! methods of Python's strings and dictionaries are there.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};
use minijinja_contrib::pycompat;

/// What a template may cost: an instruction is one, and so are 64 bytes of text. A conversation of 100 turns in the
/// template of Llama 3.2 takes some thousands. Bounds memory to 20 MB.
const FUEL: u64 = 300_000;

/// Bytes of a template; of 70 published ones the longest has 30,000.
const MOST_SOURCE: usize = 1 << 17;

/// Calls, loops and values within each other.
const MOST_DEPTH: usize = 100;

/// Bytes of stack; only what is used is ever taken from the system.
const STACK: usize = 256 << 20;

/// Values within a value that is written out. Fuel is paid for building a list, but not for each time that one list
/// stands in another: sixty lines of `[a, a]` would write for ever. (What is left of this: a list so made and joined to
/// a text with `~`, which the engine offers no hook for.)
const MOST_ITEMS: usize = 100_000;

/// The day that a template is told when it asks, so that a performance replays as it was. Llama 3's own template takes
/// this one where it has no clock.
const TODAY: (i16, i8, i8) = (2024, 7, 26);

const NAME: &str = "chat";

pub(super) struct Template {
    environment: Environment<'static>,
    bos: String,
    eos: String,
    /// Whether a model that can is to think aloud before it answers. Only some templates ask.
    pub thinking: bool,
}

/// One message: who and what.
pub(super) type Message = (&'static str, String);

impl Template {
    /// Compiles a template. The error is one line.
    pub fn new(source: &str, bos: String, eos: String) -> Result<Template, String> {
        if source.len() > MOST_SOURCE {
            return Err(format!("the template has {} bytes, more than any model's", source.len()));
        }
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(|e| one_line(&e))?,
        );
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_recursion_limit(MOST_DEPTH);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(method);
        environment.set_formatter(|out, state, value| match python_word(value) {
            Some(word) => out.write_str(word).map_err(Error::from),
            None => {
                let mut left = MOST_ITEMS;
                small(value, &mut left, 0)?;
                minijinja::escape_formatter(out, state, value)
            }
        });
        environment.add_function("raise_exception", |problem: &str| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, problem.to_string()))
        });
        environment.add_function("strftime_now", today);
        environment.add_filter("tojson", to_json);
        // In Python nothing can be gone through in `None`.
        environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
        let source = plain_generation(source);
        on_deep_stack(|| environment.add_template_owned(NAME, source).map_err(|e| one_line(&e)))?;
        Ok(Template { environment, bos, eos, thinking: true })
    }

    /// Writes the messages down; `open` opens the model's turn at the end. The error is one line.
    pub fn render(&self, messages: &[Message], open: bool) -> Result<String, String> {
        let message = |(role, content): &Message| Value::from_pairs([("role", *role), ("content", content)]);
        let context = Value::from_pairs([
            ("messages", messages.iter().map(message).collect::<Value>()),
            ("add_generation_prompt", Value::from(open)),
            ("bos_token", Value::from(&self.bos)),
            ("eos_token", Value::from(&self.eos)),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
            ("enable_thinking", Value::from(self.thinking)),
        ]);
        let template = self.environment.get_template(NAME).map_err(|e| one_line(&e))?;
        on_deep_stack(|| template.render(context).map_err(|e| one_line(&e)))
    }
}

/// Runs on a thread with a stack of its own: what a template nests in itself (a list in a list, a hundred thousand
/// times, as far as its fuel reaches) is gone through and freed by functions that call themselves. Takes 30 µs more.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("chat template".to_string()).stack_size(STACK);
        let thread =
            thread.spawn_scoped(scope, work).map_err(|e| format!("the template has no thread to run on: {e}"))?;
        thread.join().unwrap_or_else(|_| Err("the template cannot be run".to_string()))
    })
}

/// What Python writes otherwise than minijinja.
fn python_word(value: &Value) -> Option<&'static str> {
    match value.kind() {
        ValueKind::Bool => Some(if value.is_true() { "True" } else { "False" }),
        ValueKind::None => Some("None"),
        _ => None,
    }
}

/// Refuses a value that holds more than `left` others.
fn small(value: &Value, left: &mut usize, depth: usize) -> Result<(), Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        return Ok(());
    }
    for key in value.try_iter()?.checked() {
        let key = key?;
        match left.checked_sub(1).filter(|_| depth < MOST_DEPTH) {
            Some(fewer) => *left = fewer,
            None => return Err(Error::new(ErrorKind::OutOfFuel, "a value is too large")),
        }
        match value.kind() {
            ValueKind::Map => small(&value.get_item(&key)?, left, depth + 1)?,
            _ => small(&key, left, depth + 1)?,
        }
    }
    Ok(())
}

/// Methods of Python's values. `format` with a width could ask for any amount of memory and is not paid for.
fn method(state: &mut State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    if name == "format" && value.as_str().is_some_and(|text| text.contains(':')) {
        return Err(Error::new(ErrorKind::InvalidOperation, "format with widths is not supported"));
    }
    pycompat::unknown_method_callback(state, value, name, args)
}

fn today(format: &str) -> Result<String, Error> {
    let problem = |e: jiff::Error| Error::new(ErrorKind::InvalidOperation, format!("strftime_now: {e}"));
    let (year, month, day) = TODAY;
    let now = jiff::civil::DateTime::new(year, month, day, 12, 0, 0, 0).map_err(problem)?;
    jiff::fmt::strtime::format(format, now).map_err(problem)
}

/// As Python's `json.dumps(value, ensure_ascii=False)`: minijinja's own is safe inside a web page, so that `<` would
/// become `\u003c`, and it writes first and counts then.
fn to_json(value: &Value, indent: Option<Value>, options: Kwargs) -> Result<String, Error> {
    // Options that only Python has (`ensure_ascii`, `sort_keys`) change nothing here.
    let indent = match indent {
        Some(indent) => Some(indent),
        None => options.get::<Option<Value>>("indent")?,
    };
    let indent = indent.and_then(|indent| indent.as_usize()).map(|indent| indent.min(8));
    let mut out = String::new();
    json(value, indent, 0, &mut out)?;
    Ok(out)
}

fn json(value: &Value, indent: Option<usize>, depth: usize, out: &mut String) -> Result<(), Error> {
    if depth > MOST_DEPTH || out.len() > MOST_SOURCE {
        return Err(Error::new(ErrorKind::InvalidOperation, "tojson: the value is too large"));
    }
    let newline = |depth: usize, out: &mut String| {
        if let Some(indent) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    let next = |i: usize, out: &mut String| {
        if i > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
        newline(depth + 1, out);
    };
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            let mut count = 0;
            for item in value.try_iter()?.checked() {
                next(count, out);
                json(&item?, indent, depth + 1, out)?;
                count += 1;
            }
            if count > 0 {
                newline(depth, out);
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            let mut count = 0;
            for key in value.try_iter()?.checked() {
                let key = key?;
                next(count, out);
                json_text(&key.to_string(), out);
                out.push_str(": ");
                json(&value.get_item(&key)?, indent, depth + 1, out)?;
                count += 1;
            }
            if count > 0 {
                newline(depth, out);
            }
            out.push('}');
        }
        _ => json_text(&value.to_string(), out),
    }
    Ok(())
}

fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// `{% generation %}` marks for training what the model said; it changes nothing in the text.
fn plain_generation(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let Some(length) = rest[at..].find("%}") else { break };
        let block = &rest[at + 2..at + length];
        let (left, right) = (block.starts_with(['-', '+']), block.ends_with(['-', '+']));
        let word = block[usize::from(left)..block.len() - usize::from(right && block.len() > 1)].trim();
        let stands_for = match word {
            "generation" => Some("if true"),
            "endgeneration" => Some("endif"),
            _ => None,
        };
        out.push_str(&rest[..at]);
        match stands_for {
            Some(words) => {
                let (before, after) = (&block[..usize::from(left)], &block[block.len() - usize::from(right)..]);
                out.extend(["{%", before, " ", words, " ", after, "%}"]);
            }
            None => out.push_str(&rest[at..at + length + 2]),
        }
        rest = &rest[at + length + 2..];
    }
    out + rest
}

/// An error of minijinja in one line, with the line of the template.
fn one_line(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_string);
    let what: String = what.chars().take(200).flat_map(char::escape_debug).collect();
    match error.line() {
        Some(line) => format!("the template fails in line {line}: {what}"),
        None => format!("the template fails: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, String> {
        let messages = [("user", "a<b".to_string()), ("assistant", "\"é\"\n".to_string())];
        Template::new(source, "<s>".to_string(), "</s>".to_string())?.render(&messages, true)
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        for (source, text) in [
            ("{{ {'a': messages[0].content} | tojson }}", r#"{"a": "a<b"}"#),
            ("{{ messages[1].content | tojson(ensure_ascii=false) }}", r#""\"é\"\n""#),
            ("{{ [1, [], {}, none, true, 2.5] | tojson }}", "[1, [], {}, null, true, 2.5]"),
            ("{{ [1, {'a': 2}] | tojson(indent=2) }}", "[\n  1,\n  {\n    \"a\": 2\n  }\n]"),
            ("{{ true }} {{ none }} {{ tools is iterable }}", "True None False"),
            ("{{ bos_token }}{{ ' x '.strip() }}{{ strftime_now('%d %b %Y') }}", "<s>x26 Jul 2024"),
            ("{%- generation -%} a {% endgeneration %}\n  {% if add_generation_prompt %}\nb{% endif %}", "a b"),
            ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{{ a.b.c }}", "01"),
        ] {
            assert_eq!(render(source).as_deref(), Ok(text), "{source}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        let error = render("a\n{{ raise_exception('no\\ntwo') }}").unwrap_err();
        assert_eq!(error, "the template fails in line 2: no\\ntwo");
    }
}
