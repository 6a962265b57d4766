//! Provider signatures and handshakes, over raw bytes.
