//! OSCQuery: answers over HTTP what there is to play, its types, ranges and present values, as JSON.
//!
//! Pure: a request's bytes in, an answer's bytes out. After github.com/Vidvox/OSCQueryProposal, without its optional
//! parts: nothing is announced by mDNS, and nothing listened to over WebSockets; values come over OSC.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::Space;
use super::address::{self, Node, Place};
use super::outgoing::Outgoing;
use super::packet::Arg;

/// A request is no longer than this.
pub const LONGEST: usize = 8192;
/// Lines that a request's head may have.
const HEADERS: usize = 64;

/// The attributes of a node that may be asked for one by one.
const ATTRIBUTES: [&str; 9] =
    ["FULL_PATH", "CONTENTS", "TYPE", "VALUE", "RANGE", "ACCESS", "DESCRIPTION", "UNIT", "CLIPMODE"];

/// What the containers of the tree are.
const CONTAINERS: [(&str, &str); 6] = [
    ("/", "Everything there is"),
    ("/xiao", "A live instrument for small language models"),
    ("/xiao/param", "Parameters, each in its own unit"),
    ("/xiao/travel", "The same parameters, each from 0 to 1 of its travel"),
    ("/xiao/signal", "What is measured"),
    ("/xiao/do", "What can be set going"),
];

/// Where OSC is listened for, and all that can be told.
pub struct Known<'a> {
    pub at: SocketAddr,
    pub space: &'a Space,
    pub now: &'a Outgoing,
}

/// The answer to a request as it has come so far; none while it is not whole.
pub fn answer(request: &[u8], known: &Known) -> Option<Vec<u8>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let (method, target) = match head.parse(request) {
        Ok(httparse::Status::Partial) if request.len() < LONGEST => return None,
        Ok(httparse::Status::Complete(_)) => (head.method.unwrap_or_default(), head.path.unwrap_or_default()),
        _ => return Some(response("400 Bad Request", &json!({"error": "this is no request"}))),
    };
    if method != "GET" {
        return Some(response("405 Method Not Allowed", &json!({"error": "only GET is answered"})));
    }
    Some(match look(target, known) {
        Ok(value) => response("200 OK", &value),
        Err((status, error)) => response(status, &json!({ "error": error })),
    })
}

/// A status and what is wrong.
type Refusal = (&'static str, String);

fn look(target: &str, known: &Known) -> Result<Value, Refusal> {
    let (path, attribute) = target.split_once('?').unwrap_or((target, ""));
    let bad = |error: String| ("400 Bad Request", error);
    let path = decoded(path).filter(|path| path.starts_with('/')).ok_or(bad("this is no path".into()))?;
    if attribute == "HOST_INFO" {
        return Ok(host_info(known.at));
    }
    if !attribute.is_empty() && !ATTRIBUTES.contains(&attribute) {
        return Err(bad(format!("no node has {attribute:?}; there are {}", ATTRIBUTES.join(", "))));
    }
    let path = if path == "/" { "/" } else { path.trim_end_matches('/') };
    let node = tree(path, known).ok_or(("404 Not Found", format!("nothing stands at {path:?}")))?;
    match attribute {
        "" => Ok(Value::Object(node)),
        // A node without it, as a container is without VALUE.
        attribute => match node.get(attribute) {
            Some(value) => Ok(json!({ attribute: value })),
            None => Err(("204 No Content", String::new())),
        },
    }
}

/// `%E6%98%A5` is 春: the path as it is meant.
fn decoded(path: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(path.len()), path.as_bytes());
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                rest = after;
                let digit = |b: u8| (b as char).to_digit(16);
                (digit(digits[0])? * 16 + digit(digits[1])?) as u8
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn host_info(at: SocketAddr) -> Value {
    let mut info = json!({
        "NAME": "xiao",
        "OSC_PORT": at.port(),
        "OSC_TRANSPORT": "UDP",
        "EXTENSIONS": {
            "ACCESS": true, "VALUE": true, "RANGE": true, "DESCRIPTION": true, "UNIT": true, "CLIPMODE": true,
            "TAGS": false, "EXTENDED_TYPE": false, "CRITICAL": false, "OVERLOADS": false, "HTML": false,
            "LISTEN": false, "PATH_CHANGED": false,
        },
    });
    // Where every address of the machine is listened at, the asker knows better than we which one reaches it.
    if !at.ip().is_unspecified() {
        info["OSC_IP"] = json!(at.ip().to_string());
    }
    info
}

/// The node at a path with all that is below it.
fn tree(path: &str, known: &Known) -> Option<Map<String, Value>> {
    let mut root = None;
    for node in known.space.nodes() {
        let below = match path {
            "/" => &node.address[..],
            path => match node.address.strip_prefix(path) {
                Some(below) if below.is_empty() || below.starts_with('/') => below,
                _ => continue,
            },
        };
        let mut here = root.get_or_insert_with(|| container(path));
        let mut at = path.trim_end_matches('/').to_string();
        for part in below.split('/').skip(1) {
            at = format!("{at}/{part}");
            let contents = here.entry("CONTENTS").or_insert_with(|| json!({})).as_object_mut()?;
            here = contents.entry(part).or_insert_with(|| Value::Object(container(&at))).as_object_mut()?;
        }
        here.extend(attributes(node, known.now));
    }
    root
}

fn container(path: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("FULL_PATH".into(), json!(path));
    map.insert("ACCESS".into(), json!(0));
    if let Some((_, help)) = CONTAINERS.iter().find(|(known, _)| *known == path) {
        map.insert("DESCRIPTION".into(), json!(help));
    }
    map
}

fn attributes(node: &Node, now: &Outgoing) -> Map<String, Value> {
    const READ: u8 = 1;
    const WRITE: u8 = 2;
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.into(), value));
    put("DESCRIPTION", json!(node.help));
    let value =
        now.answer(&node.place).and_then(|mut said| (!said.args.is_empty()).then(|| plain(said.args.remove(0))));
    if let Some(value) = value.filter(|value| !value.is_null()) {
        put("VALUE", json!([value]));
    }
    let range = |min: f32, max: f32| json!([{ "MIN": number(min), "MAX": number(max) }]);
    let choice = |names: Vec<&str>| json!([{ "VALS": names }]);
    let (kind, access) = match &node.place {
        Place::Param(id) => {
            let spec = id.spec();
            let kind = address::kind(*id);
            match kind {
                "s" => put("RANGE", choice(spec.names().to_vec())),
                // The types T and F are the value themselves.
                "T" => {}
                _ => {
                    put("RANGE", range(spec.min, spec.max));
                    put("CLIPMODE", json!(["both"]));
                }
            }
            if !spec.unit.is_empty() {
                put("UNIT", json!([spec.unit]));
            }
            (if kind == "T" && now.params.get(*id) < 0.5 { "F" } else { kind }, READ | WRITE)
        }
        Place::Travel(_) => {
            put("RANGE", range(0.0, 1.0));
            put("CLIPMODE", json!(["both"]));
            ("f", READ | WRITE)
        }
        Place::Signal(id) => {
            let spec = id.spec();
            put("RANGE", range(spec.min, spec.max));
            if !spec.unit.is_empty() {
                put("UNIT", json!([spec.unit]));
            }
            ("f", READ)
        }
        Place::Prompt | Place::Scene => ("s", READ | WRITE),
        Place::Moment(_) | Place::Dump => ("N", WRITE),
        Place::Told(types) => (*types, READ),
    };
    put("TYPE", json!(kind));
    put("ACCESS", json!(access));
    map
}

/// An argument as JSON has it.
fn plain(arg: Arg) -> Value {
    match arg {
        Arg::Float(value) => number(value),
        Arg::Int(value) => json!(value),
        Arg::Bool(on) => json!(on),
        Arg::String(text) => json!(text),
        _ => Value::Null,
    }
}

/// 0.8 and not 0.800000011920929.
fn number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, |value| json!(value))
}

fn response(status: &str, body: &Value) -> Vec<u8> {
    let body = if status.starts_with("204") { String::new() } else { body.to_string() };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Names;
    use crate::score::{Event, MachineSample, ParamId, ParamValues, SignalId, Stamped};

    fn get(target: &str) -> (String, Value) {
        let names = Names {
            prompts: vec!["dawn".into(), "春".into()],
            scenes: vec!["storm".into()],
            settings: vec!["dusk".into()],
        };
        let mut now = Outgoing::new(ParamValues::default(), true);
        for event in [
            Event::Machine(MachineSample { values: vec![(SignalId::Cpu, 0.25)], ..Default::default() }),
            Event::Prompt { name: Some("春".into()), text: "春眠".into(), tokens: 2 },
            Event::Param { id: ParamId::Hold, value: 1.0, by: crate::score::Hand::Key },
        ] {
            now.event(&Stamped { seq: 0, t_ns: 0, event });
        }
        let known = Known { at: "127.0.0.1:9000".parse().unwrap(), space: &Space::new(names), now: &now };
        let bytes = answer(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(), &known).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        let status = head.lines().next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        (status.to_string(), serde_json::from_str(body).unwrap_or_default())
    }

    #[test]
    fn the_tree_tells_everything() {
        let (status, tree) = get("/");
        assert_eq!((status.as_str(), &tree["FULL_PATH"], &tree["ACCESS"]), ("200 OK", &json!("/"), &json!(0)));
        let xiao = &tree["CONTENTS"]["xiao"];
        assert_eq!(xiao["FULL_PATH"], "/xiao");
        let params = &xiao["CONTENTS"]["param"]["CONTENTS"];
        assert_eq!(
            params["sampler"]["CONTENTS"]["temperature"],
            json!({
                "FULL_PATH": "/xiao/param/sampler/temperature", "TYPE": "f", "ACCESS": 3, "VALUE": [0.8],
                "RANGE": [{"MIN": 0.0, "MAX": 2.0}], "CLIPMODE": ["both"],
                "DESCRIPTION": ParamId::Temperature.spec().help,
            })
        );
        let scene = &params["stage"]["CONTENTS"]["scene"];
        assert_eq!((&scene["TYPE"], &scene["VALUE"]), (&json!("s"), &json!(["page"])));
        assert_eq!(scene["RANGE"][0]["VALS"][1], "river");
        let hold = &params["generator"]["CONTENTS"]["hold"];
        assert_eq!((&hold["TYPE"], &hold["VALUE"], hold.get("RANGE")), (&json!("T"), &json!([true]), None));
        let top_k = &params["sampler"]["CONTENTS"]["top_k"];
        assert_eq!((&top_k["TYPE"], &top_k["VALUE"], &top_k["UNIT"]), (&json!("i"), &json!([40]), &json!(["tokens"])));
        let prompts = &xiao["CONTENTS"]["prompt"];
        assert_eq!(prompts["VALUE"], json!(["春"]));
        let dawn = &prompts["CONTENTS"]["dawn"];
        assert_eq!((&dawn["TYPE"], &dawn["ACCESS"]), (&json!("N"), &json!(2)));
        assert_eq!(xiao["CONTENTS"]["token"]["TYPE"], "sfff");
        assert!(xiao["CONTENTS"]["do"]["CONTENTS"]["generator"]["CONTENTS"]["crash"].is_object());
        // Every address is in it.
        let mut count = 0;
        let mut open = vec![&tree];
        while let Some(node) = open.pop() {
            assert!(node["FULL_PATH"].is_string() && node["ACCESS"].is_number(), "{node}");
            count += usize::from(node["TYPE"].is_string());
            open.extend(node["CONTENTS"].as_object().into_iter().flatten().map(|(_, node)| node));
        }
        assert_eq!(
            count,
            Space::new(Names {
                prompts: vec!["dawn".into(), "春".into()],
                scenes: vec!["storm".into()],
                settings: vec!["dusk".into()]
            })
            .nodes()
            .len()
        );
    }

    #[test]
    fn parts_and_single_attributes_are_answered() {
        for (target, wanted) in [
            ("/xiao/signal/machine/cpu?VALUE", json!({"VALUE": [0.25]})),
            ("/xiao/param/stage/hue?TYPE", json!({"TYPE": "f"})),
            ("/xiao/param/sound/level_db/?UNIT", json!({"UNIT": ["dB"]})),
            ("/xiao/param/sound/level_db?RANGE", json!({"RANGE": [{"MIN": -60.0, "MAX": 6.0}]})),
            ("/xiao/prompt/%E6%98%A5?FULL_PATH", json!({"FULL_PATH": "/xiao/prompt/春"})),
            ("/xiao/scene?ACCESS", json!({"ACCESS": 3})),
        ] {
            assert_eq!(get(target), ("200 OK".into(), wanted), "{target}");
        }
        let (_, sampler) = get("/xiao/param/sampler");
        assert_eq!(sampler["FULL_PATH"], "/xiao/param/sampler");
        assert_eq!(sampler["CONTENTS"]["top_p"]["FULL_PATH"], "/xiao/param/sampler/top_p");
        let (_, host) = get("/?HOST_INFO");
        assert_eq!((&host["OSC_PORT"], &host["OSC_TRANSPORT"]), (&json!(9000), &json!("UDP")));
        assert_eq!((&host["OSC_IP"], &host["EXTENSIONS"]["LISTEN"]), (&json!("127.0.0.1"), &json!(false)));
    }

    #[test]
    fn what_cannot_be_answered_has_its_status() {
        for (target, status) in [
            ("/xiao/param/sampler/temprature", "404 Not Found"),
            ("/xiao/par", "404 Not Found"),
            ("/nothing?VALUE", "404 Not Found"),
            ("/?NONSENSE", "400 Bad Request"),
            ("/xiao/%zz", "400 Bad Request"),
            ("/xiao/%ff", "400 Bad Request"),
            ("/xiao/%e", "400 Bad Request"),
            ("nothing", "400 Bad Request"),
            ("/xiao/param?VALUE", "204 No Content"),
            ("/xiao/signal/machine/fan?VALUE", "204 No Content"),
        ] {
            assert_eq!(get(target).0, status, "{target}");
        }
    }

    #[test]
    fn requests_that_are_none_are_refused_and_halves_are_waited_for() {
        let (space, now) = (Space::new(Names::default()), Outgoing::new(ParamValues::default(), true));
        let known = Known { at: "0.0.0.0:9000".parse().unwrap(), space: &space, now: &now };
        let first =
            |request: &[u8]| answer(request, &known).map(|bytes| String::from_utf8_lossy(&bytes)[9..12].to_string());
        assert_eq!(first(b""), None);
        assert_eq!(first(b"GET / HTTP/1.1\r\nHost"), None);
        assert_eq!(first(b"GET / HTTP/1.0\r\n\r\n").as_deref(), Some("200"));
        assert_eq!(first(b"POST / HTTP/1.1\r\n\r\n").as_deref(), Some("405"));
        assert_eq!(first(b"\x16\x03\x01\x02\x00").as_deref(), Some("400"));
        assert_eq!(first(&[b'a'; LONGEST]).as_deref(), Some("400"));
        let long = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'a'; LONGEST]].concat();
        assert_eq!(first(&long).as_deref(), Some("400"));
        assert_eq!(host_info(known.at).get("OSC_IP"), None);
    }
}
