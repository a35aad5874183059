//! Processes and threads with their ends, by id.

/// Values in the order of their numbers. They come in that order and without gaps, so that the place of a value is
/// mostly its number.
#[derive(Debug)]
pub(super) struct Listed<T, E> {
    number: fn(&T) -> u32,
    all: Vec<(T, Option<E>)>,
}

impl<T: Clone, E> Listed<T, E> {
    pub(super) fn new(number: fn(&T) -> u32) -> Self {
        Self { number, all: Vec::new() }
    }

    /// Adds a value, unless there is one with its number.
    pub(super) fn add(&mut self, value: &T) {
        if let Err(at) = self.find((self.number)(value)) {
            self.all.insert(at, (value.clone(), None));
        }
    }

    pub(super) fn get(&self, number: u32) -> Option<&(T, Option<E>)> {
        self.find(number).ok().map(|at| &self.all[at])
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut (T, Option<E>)> {
        self.find(number).ok().map(|at| &mut self.all[at])
    }

    pub(super) fn values(&self) -> &[(T, Option<E>)] {
        &self.all
    }

    pub(super) fn into_values(self) -> Vec<(T, Option<E>)> {
        self.all
    }

    /// The place of a number, or where it would be.
    fn find(&self, number: u32) -> Result<usize, usize> {
        let known = |(value, _): &(T, Option<E>)| (self.number)(value);
        match self.all.get(number as usize) {
            Some(value) if known(value) == number => Ok(number as usize),
            _ if self.all.last().is_none_or(|last| known(last) < number) => Err(self.all.len()),
            _ => self.all.binary_search_by_key(&number, known),
        }
    }
}
