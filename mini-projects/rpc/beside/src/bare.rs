//! The limit: a loop that echoes length-prefixed frames, with coalesced writes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

use crate::load::{Figures, TEXT, Times, call_all};

const BUFFER: usize = 64 * 1024;

/// Calls `each` with the frames that are whole, and returns how many bytes those are.
fn frames(arrived: &[u8], mut each: impl FnMut(&[u8])) -> usize {
    let mut rest = arrived;
    while let Some((prefix, behind)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*prefix) as usize;
        if behind.len() < length {
            break;
        }
        each(&behind[..length]);
        rest = &behind[length..];
    }
    arrived.len() - rest.len()
}

fn put(frame: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(frame.len() as u32).to_be_bytes());
    out.extend_from_slice(frame);
}

pub async fn serve(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // The client closes it when it has measured.
        let _ = echo(stream).await;
    }
}

async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut arrived = Vec::with_capacity(BUFFER);
    let mut out = Vec::with_capacity(BUFFER);
    while stream.read_buf(&mut arrived).await? > 0 {
        let whole = frames(&arrived, |frame| put(frame, &mut out));
        arrived.drain(..whole);
        stream.write_all(&out).await?;
        out.clear();
        arrived.reserve(BUFFER / 2);
    }
    Ok(())
}

pub async fn load(address: &str, in_flight: usize, length: Duration) -> Result<Figures> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut times = Times::start(length);
    let mut sent = VecDeque::new();
    let mut out = Vec::with_capacity(BUFFER);
    for _ in 0..in_flight {
        put(TEXT.as_bytes(), &mut out);
        sent.push_back(Instant::now());
    }
    let mut arrived = Vec::with_capacity(BUFFER);
    let mut is_over = false;
    loop {
        stream.write_all(&out).await?;
        out.clear();
        if sent.is_empty() {
            return Ok(times.figures());
        }
        arrived.reserve(BUFFER / 2);
        if stream.read_buf(&mut arrived).await? == 0 {
            bail!("the server is gone");
        }
        let whole = frames(&arrived, |_frame| {
            let began = sent.pop_front().expect("each frame comes back once");
            match times.note(began) {
                Some(now) if !is_over => {
                    put(TEXT.as_bytes(), &mut out);
                    sent.push_back(now);
                }
                _ => is_over = true,
            }
        });
        arrived.drain(..whole);
    }
}

/// The same frames, but each of the calls in flight is a task's, which waits for its own:
/// what every framework has to do at least.
pub async fn load_callers(address: &str, in_flight: usize, length: Duration) -> Result<Figures> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (incoming, outgoing) = stream.into_split();
    let shared = Arc::new(Shared::default());
    tokio::spawn(read(incoming, Arc::clone(&shared)));
    tokio::spawn(write(outgoing, Arc::clone(&shared)));
    call_all(in_flight, length, move || {
        let shared = Arc::clone(&shared);
        async move {
            let (caller, reply) = oneshot::channel();
            shared.send(TEXT.as_bytes(), caller);
            Ok(String::from_utf8(reply.await?)?)
        }
    })
    .await
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Default)]
struct Queue {
    out: Vec<u8>,
    /// In the order of their frames, which is that of the replies.
    callers: VecDeque<oneshot::Sender<Vec<u8>>>,
}

impl Shared {
    fn send(&self, frame: &[u8], caller: oneshot::Sender<Vec<u8>>) {
        let mut queue = self.queue.lock().expect("nobody panics");
        put(frame, &mut queue.out);
        queue.callers.push_back(caller);
        drop(queue);
        self.filled.notify_one();
    }
}

async fn read(mut incoming: OwnedReadHalf, shared: Arc<Shared>) -> Result<()> {
    let mut arrived = Vec::with_capacity(BUFFER);
    while incoming.read_buf(&mut arrived).await? > 0 {
        let whole = frames(&arrived, |frame| {
            let caller = shared
                .queue
                .lock()
                .expect("nobody panics")
                .callers
                .pop_front();
            let _ = caller
                .expect("each frame comes back once")
                .send(frame.to_vec());
        });
        arrived.drain(..whole);
        arrived.reserve(BUFFER / 2);
    }
    Ok(())
}

async fn write(mut outgoing: OwnedWriteHalf, shared: Arc<Shared>) -> Result<()> {
    loop {
        shared.filled.notified().await;
        let out = std::mem::take(&mut shared.queue.lock().expect("nobody panics").out);
        outgoing.write_all(&out).await?;
    }
}
