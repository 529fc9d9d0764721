//! What a connection costs that mostly waits: with a thread of its own, and as a task of
//! one thread with a selector.
//!
//! Now and then each client sends a frame and gets it back. Memory is what Linux says of
//! this process; elsewhere these columns are empty.
//!
//! `cargo run -p networking --example 03-idle`

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use networking::{FrameDecoder, FrameReader, frame};
use tokio::io::AsyncWriteExt as _;

/// Two sockets each, and some systems give a process no more than 256 descriptors.
const CONNECTIONS: usize = 100;
/// How often each client sends something before the memory is looked at.
const ROUNDS: usize = 3;
const FRAME_BYTES_MAX: usize = 1024;
/// Room for what one read brings: as much as a `FrameReader` has.
const READ_SIZE: usize = 16 * 1024;

fn main() -> Result<()> {
    println!("{CONNECTIONS} connections; each has sent {ROUNDS} small frames and is silent now\n");
    println!(
        "{:<30}{:>9}{:>24}",
        "who waits", "threads", "memory per connection"
    );
    // This one first: the memory of threads is kept for others after their end.
    let selector = measure(|sockets| thread::spawn(|| selector(sockets)))?;
    let threads = measure(|sockets| thread::spawn(|| thread_each(sockets)))?;
    print("a thread per connection", &threads);
    print("one thread with a selector", &selector);
    Ok(())
}

fn print(who: &str, more: &Process) {
    let threads = more.threads.map_or(String::new(), |n| n.to_string());
    let each = more.memory_kib.map_or(String::new(), |kib| {
        format!("{:.1} KiB", kib as f64 / CONNECTIONS as f64)
    });
    println!("{who:<30}{threads:>9}{each:>24}");
}

/// What the connections add to the process while they are served as `serve` does.
fn measure(
    serve: impl FnOnce(Vec<TcpStream>) -> thread::JoinHandle<Result<()>>,
) -> Result<Process> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (mut clients, mut served) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        clients.push(TcpStream::connect(listener.local_addr()?)?);
        served.push(listener.accept()?.0);
    }
    let before = Process::now();
    let server = serve(served);
    for _ in 0..ROUNDS {
        for client in &mut clients {
            client.write_all(&frame(b"ping"))?;
        }
        for client in &mut clients {
            let mut answer = [0; 8];
            client.read_exact(&mut answer)?;
            ensure!(answer[4..] == *b"ping", "another answer: {answer:?}");
        }
    }
    let more = Process::now().since(&before);
    drop(clients);
    server.join().expect("the server does not panic")?;
    Ok(more)
}

/// A thread per connection, which waits in `read`.
fn thread_each(sockets: Vec<TcpStream>) -> Result<()> {
    let serve = |mut socket: TcpStream| -> Result<()> {
        let mut decoder = FrameDecoder::new(FRAME_BYTES_MAX);
        let mut buffer = [0; READ_SIZE];
        loop {
            let count = socket.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            decoder.feed(&buffer[..count]);
            while let Some(payload) = decoder.next_frame()? {
                socket.write_all(&frame(&payload))?;
            }
        }
    };
    let threads = sockets.into_iter();
    let threads: Vec<_> = threads
        .map(|socket| thread::spawn(move || serve(socket)))
        .collect();
    for thread in threads {
        thread.join().expect("it does not panic")?;
    }
    Ok(())
}

/// One thread, which waits for all connections at once.
fn selector(sockets: Vec<TcpStream>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for socket in sockets {
            socket.set_nonblocking(true)?;
            let socket = tokio::net::TcpStream::from_std(socket)?;
            tasks.spawn(async move {
                let (reader, mut writer) = socket.into_split();
                let mut frames = FrameReader::new(reader, FRAME_BYTES_MAX);
                while let Some(payload) = frames.next(Duration::MAX).await? {
                    writer.write_all(&frame(&payload)).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    })
}

/// What the operating system says of this process.
#[derive(Debug)]
struct Process {
    threads: Option<usize>,
    memory_kib: Option<usize>,
}

impl Process {
    fn now() -> Process {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Process {
            threads: number("Threads:"),
            memory_kib: number("VmRSS:"),
        }
    }

    fn since(&self, before: &Process) -> Process {
        let more = |now: Option<usize>, before: Option<usize>| Some(now?.saturating_sub(before?));
        Process {
            threads: more(self.threads, before.threads),
            memory_kib: more(self.memory_kib, before.memory_kib),
        }
    }
}
