//! The network: Open Sound Control in and out over UDP, and OSCQuery over HTTP, by which other programs find what
//! there is to play.
//!
//! Off until asked for. Only this module sees rosc and the network's sockets. All but [`socket`] and [`http`] is pure;
//! those two never wait for anybody, and are run by the thread `xiao-network`.

pub mod address;
pub mod complaints;
pub mod http;
pub mod inbox;
pub mod incoming;
pub mod outgoing;
pub mod packet;
pub mod pattern;
pub mod query;
pub mod socket;
#[cfg(test)]
mod tests;

pub use address::{Names, Space};
pub use inbox::Inbox;
pub use socket::Line;
