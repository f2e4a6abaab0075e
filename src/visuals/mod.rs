//! visuals
