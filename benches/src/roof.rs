//! The roof: what this machine can do at all for a server that makes a body durable before it answers.
//!
//! hyper and SQLite with the settings of local mode, one commit per request, and nothing else.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use tokio::net::TcpListener;

use crate::Outcome;

/// Prints its address, then serves until the process is killed.
pub async fn serve(state_dir: &Path) -> Outcome<()> {
    let bodies = Arc::new(Mutex::new(open(&state_dir.join("roof.db"))?));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("The roof is ready at http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let bodies = Arc::clone(&bodies);
        tokio::spawn(http1::Builder::new().serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let bodies = Arc::clone(&bodies);
                async move { Ok::<_, Infallible>(answer(&bodies, request).await) }
            }),
        ));
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch("CREATE TABLE bodies(id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    Ok(connection)
}

async fn answer(bodies: &Mutex<Connection>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let kept = match request.into_body().collect().await {
        Ok(body) => keep(&bodies.lock().unwrap_or_else(PoisonError::into_inner), &body.to_bytes()).is_ok(),
        Err(_) => false,
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = if kept { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE };
    response
}

/// One statement outside of a transaction is one commit.
fn keep(bodies: &Connection, body: &[u8]) -> rusqlite::Result<usize> {
    bodies.prepare_cached("INSERT INTO bodies(body) VALUES (?1)")?.execute([body])
}
