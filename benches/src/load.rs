//! A load generator on raw keep-alive connections.
//!
//! It is closed: every connection has one request under way, so a slow server is asked less often and latencies
//! are those at the load the server can take.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::Outcome;

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// So much time has passed.
    Elapsed(Duration),
    /// So many requests were sent in all.
    Sent(usize),
}

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// One per request, smallest first.
    pub latencies: Vec<Duration>,
}

impl Measured {
    /// Requests answered in a second.
    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that `percent` of the requests stayed under, in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        percentile(&self.latencies, percent).as_secs_f64() * 1_000.0
    }
}

/// The value that `percent` of `sorted` stay under.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let position = sorted.len() * percent / 100;
    sorted.get(position.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Sends what `request` makes of a number over `connections` at once; every number is used once.
///
/// *Errors*: an answer other than `202`.
pub async fn put_under(
    address: SocketAddr,
    connections: usize,
    until: Until,
    request: impl Fn(usize) -> Vec<u8> + Clone + Send + 'static,
) -> Outcome<Measured> {
    let begun = Instant::now();
    let mut senders = JoinSet::new();
    for lane in 0..connections {
        let request = request.clone();
        senders.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut latencies = Vec::new();
            for number in (lane..).step_by(connections) {
                let done = match until {
                    Until::Elapsed(limit) => begun.elapsed() >= limit,
                    Until::Sent(limit) => number >= limit,
                };
                if done {
                    break;
                }
                let request = request(number);
                let sent = Instant::now();
                let answer = client.exchange(&request).await?;
                latencies.push(sent.elapsed());
                if answer.status != 202 {
                    return Err(format!("answered {}: {}", answer.status, answer.body).into());
                }
            }
            Outcome::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(lane) = senders.join_next().await {
        latencies.extend(lane??);
    }
    let elapsed = begun.elapsed();
    latencies.sort_unstable();
    Ok(Measured { elapsed, latencies })
}

/// The bytes of a request that carries JSON.
pub fn json_request(method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| ("authorization", format!("Bearer {token}")));
    request_with(method, path, authorization.as_slice(), body)
}

/// The bytes of a request that carries JSON, with these headers.
pub fn request_with(method: &str, path: &str, headers: &[(&str, String)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One keep-alive connection. It understands answers with a `Content-Length` only, which all of ours have.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Client {
    /// A connection to `address`.
    pub async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(4_096) })
    }

    /// Sends `request` and waits for its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Outcome<Answer> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head_length = loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.receive().await?;
        };
        let (status, body_length) = read_head(&self.received[..head_length])?;
        while self.received.len() < head_length + body_length {
            self.receive().await?;
        }
        let body = String::from_utf8_lossy(&self.received[head_length..]).into_owned();
        Ok(Answer { status, body })
    }

    async fn receive(&mut self) -> Outcome<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}

fn read_head(head: &[u8]) -> Outcome<(u16, usize)> {
    let head = str::from_utf8(head)?;
    let status = head.split(' ').nth(1).ok_or("no status line")?.parse()?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, length)| length.trim().parse())?;
    Ok((status, length))
}
