//! A piece that is interrupted for another, to go on exactly as it was: with the loop that was held and the road that
//! was chosen, which a piece that was kept for later leaves behind.

use super::trail::Kept;
use super::{Generator, Restored};

/// See the module.
pub struct Interrupted {
    kept: Box<Kept>,
    forced: Option<u32>,
    barred: (Vec<u32>, u32),
    held: Option<u32>,
}

impl Generator {
    /// The piece as it is, while another is played.
    pub fn interrupt(&mut self) -> Interrupted {
        let kept = Box::new(self.keep());
        Interrupted { kept, forced: self.forced, barred: self.barred.clone(), held: self.held }
    }

    /// Goes on with a piece that was interrupted.
    pub fn take_up(&mut self, interrupted: Interrupted) -> Restored {
        let Interrupted { kept, forced, barred, held } = interrupted;
        let restored = self.go_back(*kept);
        (self.forced, self.barred, self.held) = (forced, barred, held);
        restored
    }
}
