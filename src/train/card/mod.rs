//! The model's card: all that is known of a model, in words for people.

#[cfg(test)]
pub(in crate::train) mod example;
