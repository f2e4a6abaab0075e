//! Prompts that are played: queued, held, layered and filled in one performance with the embedded model, which its
//! events alone show again.

use std::sync::Arc;
use std::time::Duration;

use xiao::desk;
use xiao::model::{Command, Model, Source, Worker, WorkerOptions};
use xiao::patch::{self, Patch};
use xiao::score::{Bus, Clock, Event, ParamId, Params, Policy, Queue, Received, Shutdown, Stamped, When};
use xiao::visuals::FrameState;

const PATCH: &str = r#"
missing = "no fan"
[words]
sky = ["moon", "sun"]
[prompts]
sea   = "O sea"
sky   = "The {word.sky} and {fan}"
spring = "春"
"#;

struct Show {
    patch: Patch,
    worker: Worker,
    params: Arc<Params>,
    events: Queue,
    played: Vec<Stamped>,
}

impl Show {
    fn template(&self, name: &str) -> patch::Template {
        self.patch.prompts.iter().find(|prompt| prompt.name == name).unwrap().template.clone()
    }

    fn choose(&self, name: &str, when: When) {
        self.worker.send(Command::Prompt { name: Some(name.into()), text: self.template(name), when });
    }

    /// Lets it play until this happens.
    fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let Received::Event(stamped) = self.events.receive(Duration::from_secs(60)) else { panic!("nothing came") };
            self.played.push((*stamped).clone());
            if wanted(&stamped.event) {
                return stamped.event.clone();
            }
        }
    }

    fn prompt(&mut self) -> String {
        match self.until(|e| matches!(e, Event::Prompt { .. })) {
            Event::Prompt { text, .. } => text,
            _ => unreachable!(),
        }
    }

    fn tokens(&mut self, n: usize) {
        (0..n).for_each(|_| drop(self.until(|e| matches!(e, Event::Token(_)))));
    }
}

#[test]
fn a_scripted_performance_is_shown_again_from_its_events() {
    let bus = Bus::new(Clock::live());
    let events = bus.subscribe("test", Policy::Whole, 100_000);
    let (params, shutdown) = (Arc::new(Params::default()), Shutdown::default());
    let worker = Worker::spawn(WorkerOptions {
        model: Model::load(&Source::Embedded).unwrap(),
        source: Source::Embedded,
        params: params.clone(),
        matrix: Default::default(),
        sampler: Default::default(),
        chat: Default::default(),
        bus: bus.clone(),
        seed: 3,
        shutdown: shutdown.clone(),
    })
    .unwrap();
    let patch = patch::parse("p.toml", PATCH).unwrap();
    let mut show = Show { patch, worker, params, events, played: Vec::new() };
    show.params.set(ParamId::Pace, 80.0);
    show.params.set(ParamId::Rest, 0.0);
    show.choose("sea", When::Now);
    show.tokens(4);
    let sea = show.template("sea");
    show.worker.send(Command::Layer { name: Some("sea".into()), text: sea });
    show.until(|e| matches!(e, Event::Layer { text, .. } if text.ends_with("O sea")));
    show.tokens(2);
    show.worker.send(Command::Hold { name: "spring".into(), text: show.template("spring") });
    assert_eq!(show.prompt(), "春");
    show.tokens(3);
    show.worker.send(Command::LetGo("spring".into()));
    let back = show.until(|e| matches!(e, Event::Restore { .. }));
    assert!(matches!(back, Event::Restore { name: Some(name), text, .. } if name == "sea" && text.contains("O sea")));
    show.tokens(2);
    show.params.set(ParamId::Word1, 1.0);
    show.choose("sky", When::Token);
    show.until(|e| matches!(e, Event::Queued { name: Some(name), when: When::Token, .. } if name == "sky"));
    assert_eq!(show.prompt(), "The sun and no fan");
    show.tokens(3);
    shutdown.request("test");
    let Show { worker, played, .. } = show;
    worker.join();

    // What a journal keeps shows the same.
    let kept: Vec<Stamped> =
        played.iter().map(|e| serde_json::from_str(&serde_json::to_string(e).unwrap()).unwrap()).collect();
    assert_eq!(played, kept);
    let shown = |events: &[Stamped]| {
        let (mut stage, mut page) = (FrameState::new(), desk::State::new());
        for event in events {
            stage.apply(event);
            page.take(event);
        }
        let lines = page.page.lines(60);
        lines.into_iter().map(|line| line.map(|i| page.page.glyph(i).ch).collect()).collect::<Vec<String>>().join("\n")
    };
    let text = shown(&kept);
    assert_eq!(text, shown(&played));
    assert!(text.matches("O sea").count() >= 4 && text.contains("The sun and no fan"), "{text}");
}
