//! Bodies of hooks: the first line is the content type, empty for none, and what follows it the body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (line, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (&b""[..], input),
    };
    let content_type = std::str::from_utf8(line).ok().filter(|line| !line.is_empty());
    if let Ok(reading) = ingest::read(content_type, body) {
        assert!(reading.data.to_string().len() <= ingest::DECODED_LIMIT_BYTES);
        assert!(reading.files.iter().all(|file| !file.file_name.is_empty() && file.sha256.len() == 64));
    }
});
