//! Requests as JSON, of bounded size.

use crate::failure::{Failure, Result};
use serde::de::DeserializeOwned;

/// The longest request: enough for the kernel's own limit on arguments and environment (2 MiB) after JSON's escapes.
const LONGEST: usize = 8 << 20;

/// Reads one request; `what` names it in messages. `serde_json` limits nesting by itself.
pub(crate) fn request<T: DeserializeOwned>(what: &str, input: &[u8]) -> Result<T> {
    if input.len() > LONGEST {
        return Err(Failure::invalid(format!(
            "the {what} request is too long: {} bytes, at most {LONGEST} are accepted",
            input.len()
        )));
    }
    serde_json::from_slice(input)
        .map_err(|error| Failure::invalid(format!("the {what} request is not acceptable: {error}")))
}
