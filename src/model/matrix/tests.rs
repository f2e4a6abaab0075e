//! Every type against the product with its numbers in double precision.

use super::*;
