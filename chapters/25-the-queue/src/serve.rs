//! From a start to a clean end.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use broker::{ConnectionLimits, Error, FrameBudget, serve_connection};
use message_model::TopicPartition;
use networking::{AcceptLimits, accept_until, write_chunks};
use tokio::net::TcpListener;
use tokio::runtime;

use crate::data_dir::DataDir;
use crate::dispatch::answer;
use crate::process_limits::allow_many_open_files;
use crate::queue::Queue;
use crate::settings::Settings;
use crate::stop::Stop;

/// What to serve, and where.
#[derive(Debug)]
pub struct Serve {
    /// `HOST:PORT` to listen on; port 0 is any free one.
    pub listen: String,
    /// Where the data is.
    pub data_dir: PathBuf,
    /// Everything else.
    pub settings: Settings,
}

/// Serves until SIGTERM or SIGINT; then finishes the requests in progress,
/// makes everything safe against power loss and returns.
///
/// # Errors
/// When it cannot start (the message says what to do), or what was written
/// cannot be made safe at the end.
pub fn serve(options: Serve) -> Result<()> {
    allow_many_open_files();
    let data_dir = DataDir::take(&options.data_dir)?;
    let runtime = runtime::Builder::new_multi_thread()
        .max_blocking_threads(options.settings.num_io_threads)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(data_dir, options))
}

async fn run(data_dir: DataDir, options: Serve) -> Result<()> {
    let stop = Stop::on_signals().context("cannot listen for signals")?;
    let listener = bind(&options).await?;
    let address = listener.local_addr().context("cannot tell the port")?;
    let settings = options.settings;
    let queue = Arc::new(Queue::open(&data_dir, &settings, address)?);

    let background = start_background_work(&queue, &settings, &stop);
    announce(&format!("mqd ready on {address}"));
    accept_connections(listener, &queue, &settings, &stop).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);

    let topics = Arc::clone(&queue.topics);
    let unsafe_partitions = tokio::task::spawn_blocking(move || topics.sync_all()).await?;
    for (partition, error) in &unsafe_partitions {
        tracing::error!("{partition}: cannot be made safe: {error}");
    }
    if !unsafe_partitions.is_empty() {
        bail!("{} partitions could not be synced", unsafe_partitions.len());
    }
    tracing::info!("everything is on disk; good bye");
    Ok(())
}

async fn bind(options: &Serve) -> Result<TcpListener> {
    let listener = TcpListener::bind(&options.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: give --listen an address of this machine with a free port \
             (port 0 takes any)",
            options.listen
        )
    })?;
    let address = listener.local_addr().context("cannot tell the port")?;
    if address.ip().is_unspecified() && options.settings.advertised_listeners.is_none() {
        bail!(
            "--listen {} is on every address of this machine, so clients must be told which one to \
             dial: add --set advertised.listeners=HOST:{}",
            options.listen,
            address.port()
        );
    }
    Ok(listener)
}

/// The one line on stdout. If nobody reads it, it is served all the same.
fn announce(line: &str) {
    let mut stdout = std::io::stdout();
    if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        tracing::warn!("cannot write to stdout: {error}");
    }
    tracing::info!("{line}");
}

/// Tasks that run until the process ends.
fn start_background_work(
    queue: &Arc<Queue>,
    settings: &Settings,
    stop: &Stop,
) -> [tokio::task::JoinHandle<()>; 4] {
    let expiring = Arc::clone(queue);
    let stopping = Arc::clone(queue);
    let stop = stop.clone();
    [
        tokio::spawn(async move { expiring.waits.expire().await }),
        tokio::spawn(async move {
            stop.asked().await;
            stopping.waits.stop();
        }),
        tokio::spawn(every(
            settings.log_retention_check_interval_ms,
            queue,
            |queue| {
                let now = queue.clock.wall();
                queue.topics.apply_retention(now, &queue.waits)
            },
        )),
        tokio::spawn(every(
            settings.log_flush_offset_checkpoint_interval_ms,
            queue,
            |queue| queue.topics.save_recovery_points(),
        )),
    ]
}

/// Does `work` on the blocking pool, once per `interval`, and logs what it could not do.
fn every(
    interval: Duration,
    queue: &Arc<Queue>,
    work: fn(&Queue) -> Vec<(TopicPartition, Error)>,
) -> impl Future<Output = ()> + use<> {
    let queue = Arc::clone(queue);
    async move {
        loop {
            tokio::time::sleep(interval).await;
            let working = Arc::clone(&queue);
            let failed = tokio::task::spawn_blocking(move || work(&working)).await;
            for (partition, error) in failed.unwrap_or_default() {
                tracing::error!("{partition}: background work failed: {error}");
            }
        }
    }
}

async fn accept_connections(
    listener: TcpListener,
    queue: &Arc<Queue>,
    settings: &Settings,
    stop: &Stop,
) {
    let accept_limits = AcceptLimits {
        connections_max: settings.max_connections,
        drain: settings.drain_ms,
    };
    let limits = ConnectionLimits {
        request_bytes_max: settings.socket_request_max_bytes,
        budget: FrameBudget::new(settings.queued_max_request_bytes),
        idle: settings.connections_max_idle_ms,
        transfer: settings.transfer_timeout_ms,
    };
    accept_until(
        listener,
        accept_limits,
        stop.clone().asked(),
        |stream, _peer| {
            let queue = Arc::clone(queue);
            serve_connection(
                stream,
                limits.clone(),
                stop.clone().asked(),
                move |request| answer(Arc::clone(&queue), request),
                |mut socket, chunks| async move {
                    write_chunks(&mut socket, chunks).await?;
                    Ok(socket)
                },
            )
        },
    )
    .await;
}
