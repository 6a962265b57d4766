//! Signatures as senders make them, and as nobody should. The rows are in `tests/cases`, the keys in `tests/fixtures` protect nothing.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod handshakes;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod schemes;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod support;
