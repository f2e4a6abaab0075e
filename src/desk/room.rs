//! How the sections of a desk share a column that is too low for all of them. Pure.

/// What a section has: its lines, and so many of them it keeps while others still have more.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub lines: usize,
    pub least: usize,
}

/// Where a section stands: its first row, and how many of its lines are there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub row: usize,
    pub lines: usize,
    /// Its one line stands behind its title.
    pub behind: bool,
}

/// Places for sections below each other, with a blank line between where there is one for each. Where there is too little
/// room, those of one line stand behind their titles, and what still does not fit is left out from the end.
pub fn places(wishes: &[Wish], room: usize) -> Vec<Place> {
    let tight = wishes.iter().map(|wish| wish.lines + 1).sum::<usize>() > room;
    let saved = if tight { wishes.iter().filter(|wish| wish.lines == 1).count() } else { 0 };
    let heights = heights(wishes, room + saved);
    let used = heights.iter().map(|height| height + 1).sum::<usize>() - saved;
    let gap = usize::from(used + wishes.len() <= room + 1);
    let mut row = 0;
    let mut places = Vec::new();
    for (wish, lines) in wishes.iter().zip(heights) {
        let behind = tight && wish.lines == 1;
        let tall = if behind { 1 } else { 1 + lines };
        if row + tall > room {
            break;
        }
        places.push(Place { row, lines, behind });
        row += tall + gap;
    }
    places
}

/// How many lines each section gets below its title: the longest give way first, and keep their least.
fn heights(wishes: &[Wish], room: usize) -> Vec<usize> {
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

    #[test]
    fn single_lines_stand_behind_their_titles_where_room_is_short() {
        let wishes = [(3, 2), (1, 1), (1, 1)].map(|(lines, least)| Wish { lines, least });
        let rows = |room| places(&wishes, room).iter().map(|p| (p.row, p.lines, p.behind)).collect::<Vec<_>>();
        assert_eq!(rows(10), [(0, 3, false), (5, 1, false), (8, 1, false)]);
        assert_eq!(rows(8), [(0, 3, false), (4, 1, false), (6, 1, false)]);
        assert_eq!(rows(7), [(0, 3, false), (4, 1, true), (5, 1, true)]);
        assert_eq!(rows(5), [(0, 2, false), (3, 1, true), (4, 1, true)]);
        assert_eq!(rows(4), [(0, 2, false), (3, 1, true)]);
    }
}
