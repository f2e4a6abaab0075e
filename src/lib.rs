//! **xiao**: a live-performance instrument for small language models.
//!
//! candle generates on a worker thread; the tokens, the time they took and the state of the machine become *events* of
//! one [`score`]; a stage (nannou window, terminal, plain text or offscreen frames) shows them, a sonifier sounds them,
//! a journal keeps them, MIDI and OSC take them to the performer's other instruments, and hands (keys, MIDI, gamepads,
//! OSC) turn parameters that act on the very next token.
//!
//! ```text
//!  hands: MIDI · OSC · pads · keys ─► params ─┐                          ┌─► visuals   (nannou window | offscreen frames)
//!                                             ▼                          ├─► audio     (cpal | WAV, FLAC)
//!                                             │                          ├─► MIDI out  (midir)
//!                                             │                          ├─► network   (OSC, OSCQuery)
//!  patch (TOML): prompts, matrix ───► generator (worker thread) ─► score ┼─► terminal  (ratatui | plain lines)
//!                                             ▲                          └─► journal   (the recording)
//!  machine: cpu · memory · heat · energy ─────┘
//! ```
//!
//! # Layers
//!
//! Imports point downwards only, and the siblings of layer 4 do not import each other; `tests/layers.rs` keeps it so.
//!
//! | layer | modules | what they own |
//! |---|---|---|
//! | 6 | `main` → [`cli`] → [`session`] | wiring: the only place where threads meet |
//! | 5 | [`train`] | a model of one's own: from texts to its file |
//! | 4 | [`model`] [`machine`] [`control`] [`audio`] [`visuals`] [`terminal`] [`journal`] [`network`] | one noun of the instrument each |
//! | 3 | [`desk`] | what the performer sees, before it is drawn |
//! | 2 | [`patch`] | the performer's file: schema, validation, matrix |
//! | 1 | [`score`] | events, parameters, signals, clock, bus, queues |
//!
//! Only [`model`] sees candle, only it and [`train`] tokenizers, only [`train`] gemm, only [`visuals`] nannou and wgpu,
//! only [`visuals::shader`] naga, only `audio::output` cpal, only `audio::bank` rodio, only `control::midi` and
//! `control::midi_out` midir, only `control::gamepad` gilrs, only `control::link` rusty_link, only [`network`] rosc and the
//! network's sockets.
//!
//! # Threads
//!
//! | thread | owns | rule |
//! |---|---|---|
//! | main | the stage: window (with the view's second one), terminal or plain lines | shows events; never waited for by the others |
//! | awake | nothing | holds the screen saver off while there is a window |
//! | picture | one picture of the stage | writes it and ends |
//! | view | the terminal, beside another stage | the performer's page; only with `--view terminal` |
//! | keys | nothing | hands on the terminal's keys; there while a stage or view is in the terminal |
//! | worker | the model | commands in, events out; a panic becomes a fault event and the model comes back |
//! | audio callback | the sound engine | no allocation, lock, log or file; [`audio::Cue`]s in, reports out, by rings |
//! | machine | the sensors | one sample each 200 ms |
//! | journal | the recording | flushed four times a second; a `kill -9` costs less than a second |
//! | recorder | the sound files | takes the sound from a ring; a WAV is brought up to date four times a second |
//! | silent | the sound engine, while no device plays | the same at the clock's pace, so that a recording has its sound |
//! | look, timer, replay | nothing | look for a lost device; end a show in time; relay a recording's events at theirs |
//! | samples | nothing | decodes the artist's own sounds while it plays already, hands them over and ends |
//! | ffmpeg | nothing | listens to the program ffmpeg while it joins a film |
//! | hash | nothing | reads a large model's file once while it plays already, says its SHA-256 and ends |
//! | trainers | a share of each batch | as many as there are cores, in `xiao train` only: a show never trains |
//! | MIDI out | the ports of synthesisers and of controllers that are told what they show | there only while the patch has either; sleeps until an event comes or a message is due; ends each note it began |
//! | network | the network's sockets | there only while OSC is asked for; never waits for a peer; hands take what it heard from an inbox |
//! | hands | MIDI inputs, gamepads, patch and shader files, the sound's device | polls, turns messages into actions, actions into parameters and events; checks shaders; plays the patch's scenes |
//! | gilrs | nothing | two, of the library: they watch for gamepads that are plugged in |
//! | shader | nothing | reads one shader's text where a panic ends nobody else, and ends |

pub mod audio;
pub mod cli;
pub mod control;
pub mod desk;
pub mod journal;
pub mod machine;
pub mod model;
pub mod network;
pub mod patch;
pub mod score;
pub mod session;
pub mod terminal;
pub mod train;
pub mod visuals;
