//! How the sections of a desk share a column that is too low for all of them. Pure.

/// What a section has: its lines, and so many of them it keeps while others still have more.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub lines: usize,
    pub least: usize,
}

/// How many lines each section gets below its title: the longest give way first, and keep their least.
pub fn heights(wishes: &[Wish], room: usize) -> Vec<usize> {
    let mut heights: Vec<usize> = wishes.iter().map(|wish| wish.lines).collect();
    while heights.iter().map(|height| height + 1).sum::<usize>() > room {
        let spare = |(i, height): &(usize, &usize)| **height > wishes[*i].least;
        let Some((longest, _)) = heights.iter().enumerate().filter(spare).max_by_key(|(_, height)| **height) else {
            break;
        };
        heights[longest] -= 1;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_give_way_first_and_keep_their_least() {
        let wishes = [(8, 3), (4, 2), (1, 1)].map(|(lines, least)| Wish { lines, least });
        assert_eq!(heights(&wishes, 20), [8, 4, 1]);
        assert_eq!(heights(&wishes, 12), [4, 4, 1]);
        assert_eq!(heights(&wishes, 3), [3, 2, 1]);
    }
}
