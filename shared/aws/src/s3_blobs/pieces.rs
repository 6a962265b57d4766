//! The body of a request that is made piece by piece, of a length that was told before.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The pieces that are left.
struct PiecesBody {
    // Never locked: a body has to be `Sync`, which an iterator seldom is.
    pieces: Mutex<Box<dyn Iterator<Item = Bytes> + Send>>,
    left_bytes: u64,
}

/// A stream of `pieces`, which fails where they are not `length` bytes in all.
pub(super) fn stream(pieces: Box<dyn Iterator<Item = Bytes> + Send>, length: u64) -> ByteStream {
    ByteStream::new(SdkBody::from_body_1_x(PiecesBody { pieces: Mutex::new(pieces), left_bytes: length }))
}

impl PiecesBody {
    /// The next piece. The last one only once it is clear that none comes after it, because nobody asks any more then.
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let pieces = self.pieces.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut filled = pieces.by_ref().filter(|piece| !piece.is_empty());
        let Some(piece) = filled.next() else {
            return if self.left_bytes == 0 { Ok(None) } else { Err(other_length("fewer")) };
        };
        let left_bytes = self.left_bytes.checked_sub(piece.len() as u64).ok_or_else(|| other_length("more"))?;
        if left_bytes == 0 && filled.next().is_some() {
            return Err(other_length("more"));
        }
        self.left_bytes = left_bytes;
        Ok(Some(piece))
    }
}

impl Body for PiecesBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.next().map(|piece| piece.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

fn other_length(which: &str) -> io::Error {
    io::Error::other(format!("the pieces are {which} bytes than was told"))
}
