//! Which weights are told apart, where there are too many.

use crate::export::pieces::Piece;

/// The weights that are told apart.
pub(super) struct Heaviest {
    /// All that are heavier.
    above: u64,
    /// How many there still are of this weight.
    left: usize,
}

impl Heaviest {
    pub(super) fn of(pieces: &[Piece], most: usize) -> Self {
        let mut weights: Vec<u64> = pieces.iter().map(|piece| piece.weight).collect();
        let Some(at) = weights.len().checked_sub(most).filter(|at| *at > 0) else {
            return Self { above: 0, left: 0 };
        };
        let (_, above, heavier) = weights.select_nth_unstable(at - 1);
        let (above, heavier) = (*above, heavier.iter().filter(|weight| **weight > *above).count());
        Self { above, left: most - heavier }
    }

    pub(super) fn takes(&mut self, piece: &Piece) -> bool {
        if piece.weight == self.above && self.left > 0 {
            self.left -= 1;
            return true;
        }
        piece.weight > self.above
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::*;
    use crate::ids::ThreadId;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_heaviest_are_as_many_as_asked_for(
            weights in prop::collection::vec(1..9_u64, 0..40),
            most in 0..40_usize,
        ) {
            let piece = |&weight: &u64| {
                Piece { thread: ThreadId::new(0), part: 0, stack: None, class: None, weight }
            };
            let pieces: Vec<Piece> = weights.iter().map(piece).collect();
            let mut heaviest = Heaviest::of(&pieces, most);
            let kept = pieces.iter().filter(|piece| heaviest.takes(piece));
            let mut kept: Vec<u64> = kept.map(|piece| piece.weight).collect();
            let mut expected = weights;
            expected.sort_unstable_by_key(|weight| Reverse(*weight));
            expected.truncate(most);
            kept.sort_unstable_by_key(|weight| Reverse(*weight));
            prop_assert_eq!(kept, expected);
        }
    }
}
