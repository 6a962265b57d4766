//! Documents that a command is given: a file, or standard input when its name is `-`.

use std::{
    fs,
    io::{self, Read},
};

use crate::failure::Failure;

/// The name that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// The bytes of the document called `name`, as they are.
///
/// *Errors*: it cannot be read.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, Failure> {
    if name != STDIN {
        return fs::read(name).map_err(|error| Failure::Usage(format!("The file {name} cannot be read: {error}.")));
    }
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Usage(format!("Standard input cannot be read: {error}."))),
    }
}
