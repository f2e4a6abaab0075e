//! Reads the `[osc]` table of a patch: where Open Sound Control comes in, and where it goes out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use toml_edit::{Item, TableLike};

use super::error::Problems;
use super::reader::Reader;
use super::value::{described, key_span, number, switch, text};

/// Where it goes out at most; each costs a message for everything that moves.
const MOST_OUT: usize = 16;

/// Open Sound Control, off where a patch has no table for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Osc {
    /// Where it is listened, by UDP for OSC and by TCP for OSCQuery; none: nothing comes in.
    pub listen: Option<SocketAddr>,
    pub out: Vec<SocketAddr>,
    /// Whether signals go out, too.
    pub signals: bool,
}

/// What the command line asks for; it goes before what a patch says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OscWish {
    pub port: Option<u16>,
    pub address: Option<IpAddr>,
    pub out: Vec<SocketAddr>,
}

impl OscWish {
    /// What is to be, with this of the patch.
    pub fn over(&self, patch: Option<&Osc>) -> Option<Osc> {
        if patch.is_none() && *self == OscWish::default() {
            return None;
        }
        let mut osc = patch.cloned().unwrap_or(Osc { signals: true, ..Osc::default() });
        if let Some(port) = self.port {
            let address = self.address.or(osc.listen.map(|at| at.ip()));
            osc.listen = Some((address.unwrap_or(Ipv4Addr::LOCALHOST.into()), port).into());
        }
        if !self.out.is_empty() {
            osc.out = self.out.clone();
        }
        Some(osc)
    }
}

/// `127.0.0.1:9001`, `localhost:9001` or `[::1]:9001`. Other names are not looked up: that may take minutes, and xiao
/// asks nobody on the network.
///
/// # Errors
/// It is none of these, in one line.
pub fn target(text: &str) -> Result<SocketAddr, String> {
    let written = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let at: Option<SocketAddr> = written.as_deref().unwrap_or(text).parse().ok();
    at.filter(|at| at.port() != 0)
        .ok_or(format!("an address and a port are wanted, as in 127.0.0.1:9001, not {text:?}"))
}

/// The `[osc]` table.
pub(super) fn osc(table: &dyn TableLike, problems: &mut Problems) -> Osc {
    let mut read = Reader { place: "[osc]".into(), table, span: None, problems };
    read.keys(&["in", "address", "out", "signals"], &[]);
    let port = table.get("in").and_then(|item| port(item, problems));
    let address = table.get("address").and_then(|item| address(item, problems));
    if table.contains_key("address") && !table.contains_key("in") {
        problems.add(key_span(table, "address"), "[osc] address goes with \"in\", the port to listen at".into());
    }
    let out = table.get("out").map_or(Vec::new(), |item| out(item, problems));
    let signals = table.get("signals").and_then(|item| switch(item, "[osc] signals", problems));
    Osc {
        listen: port.map(|port| (address.unwrap_or(Ipv4Addr::LOCALHOST.into()), port).into()),
        out,
        signals: signals.unwrap_or(true),
    }
}

fn port(item: &Item, problems: &mut Problems) -> Option<u16> {
    let value = number(item, "[osc] in", 1.0, 65535.0, "", problems)?;
    if value.fract() != 0.0 {
        problems.add(item.span(), format!("[osc] in is a port, a whole number, not {value}"));
        return None;
    }
    Some(value as u16)
}

fn address(item: &Item, problems: &mut Problems) -> Option<IpAddr> {
    let word = text(item, "[osc] address", problems)?;
    let address = if word == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { word.parse().ok() };
    if address.is_none() {
        let message = format!(
            "[osc] address is one of this machine's, as in \"127.0.0.1\", or \"0.0.0.0\" for all of them, not {word:?}"
        );
        problems.add(item.span(), message);
    }
    address
}

fn out(item: &Item, problems: &mut Problems) -> Vec<SocketAddr> {
    let Some(list) = item.as_array() else {
        let message = format!("[osc] out takes a list, as in [\"127.0.0.1:9001\"], not {}", described(item));
        problems.add(item.span(), message);
        return Vec::new();
    };
    if list.len() > MOST_OUT {
        problems.add(item.span(), format!("[osc] out has {} places; there may be {MOST_OUT}", list.len()));
    }
    let mut places = Vec::new();
    for item in list.iter().cloned().map(Item::Value) {
        let Some(word) = text(&item, "[osc] out", problems) else { continue };
        match target(&word) {
            Ok(at) => places.push(at),
            Err(why) => problems.add(item.span(), format!("[osc] out: {why}")),
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Osc>, String> {
        let prompts = "[prompts]\nmoon = \"The moon\"\n";
        let text = if text.starts_with('[') { format!("{prompts}{text}") } else { format!("{text}\n{prompts}") };
        super::super::parse("p.toml", &text).map(|patch| patch.osc).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_off_until_asked_for_and_alone_until_told_otherwise() {
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(read(""), Ok(None));
        let osc = read("[osc]\nin = 9000").unwrap().unwrap();
        assert_eq!(osc, Osc { listen: at("127.0.0.1:9000"), out: vec![], signals: true });
        let text =
            "[osc]\nin = 9000\naddress = \"0.0.0.0\"\nout = [\"localhost:9001\", \"[::1]:9002\"]\nsignals = false";
        let osc = read(text).unwrap().unwrap();
        let out = vec![at("127.0.0.1:9001").unwrap(), at("[::1]:9002").unwrap()];
        assert_eq!(osc, Osc { listen: at("0.0.0.0:9000"), out: out.clone(), signals: false });
        let only_out = read("osc = { out = [\"127.0.0.1:9001\"] }").unwrap().unwrap();
        assert_eq!((only_out.listen, only_out.out.len()), (None, 1));
    }

    #[test]
    fn slips_are_explained_with_their_place() {
        for (text, wanted) in [
            ("[osc]\nin = 0", "p.toml:4:6: [osc] in is 0"),
            ("[osc]\nin = 70000", "outside 1 to 65535"),
            ("[osc]\nin = 9000.5", "whole number"),
            ("[osc]\nin = \"9000\"", "takes a number"),
            ("[osc]\nport = 9000", "[osc] has no \"port\""),
            ("[osc]\naddress = \"0.0.0.0\"", "goes with \"in\""),
            ("[osc]\nin = 9000\naddress = \"here\"", "one of this machine's"),
            ("[osc]\nout = \"127.0.0.1:9001\"", "takes a list"),
            ("[osc]\nout = [\"127.0.0.1\"]", "p.toml:4:8: [osc] out: an address and a port are wanted"),
            ("[osc]\nout = [\"example.org:9000\"]", "an address and a port are wanted"),
            ("[osc]\nout = [9001]", "takes text in quotes"),
            ("[osc]\nsignals = 1", "true or false"),
            ("osc = 9000", "[osc] is a table"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_patch() {
        let at = |text: &str| text.parse().unwrap();
        let patch = Osc { listen: Some(at("0.0.0.0:9000")), out: vec![at("10.0.0.2:1")], signals: false };
        assert_eq!(OscWish::default().over(None), None);
        assert_eq!(OscWish::default().over(Some(&patch)), Some(patch.clone()));
        let port = OscWish { port: Some(7000), ..OscWish::default() };
        let alone = Osc { listen: Some(at("127.0.0.1:7000")), out: vec![], signals: true };
        assert_eq!(port.over(None), Some(alone));
        assert_eq!(port.over(Some(&patch)).unwrap().listen, Some(at("0.0.0.0:7000")));
        let all = OscWish { port: Some(7000), address: "::1".parse().ok(), out: vec![at("10.0.0.3:1")] };
        let wanted = Osc { listen: Some(at("[::1]:7000")), out: vec![at("10.0.0.3:1")], signals: false };
        assert_eq!(all.over(Some(&patch)), Some(wanted));
    }
}
