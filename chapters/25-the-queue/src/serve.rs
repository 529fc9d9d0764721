//! From a start to a clean end.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use broker::{Broker, ConnectionLimits, Failed, serve_connection};
use exactly_once::Rules;
use networking::{AcceptLimits, ByteBudget, accept_until};
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::runtime;

use crate::data_dir::DataDir;
use crate::dispatch::answer;
use crate::process_limits::{OpenFiles, allow_many_open_files};
use crate::queue::{self, Queue, lane_widths};
use crate::settings::Settings;
use crate::stop::Stop;

/// How many connections may wait to be accepted. A dial beyond is tried again by its kernel, a
/// second later. Linux takes the lower one of this and `net.core.somaxconn`, which is 4,096.
const BACKLOG: u32 = 4096;

/// What to serve, and where.
#[derive(Debug)]
pub struct Serve {
    /// `HOST:PORT` to listen on; port 0 is any free one.
    pub listen: String,
    /// Where the data is.
    pub data_dir: PathBuf,
    /// Everything else.
    pub settings: Settings,
    /// The rules for producers that hold.
    pub rules: Rules,
}

/// Serves until SIGTERM or SIGINT; then finishes the requests in progress,
/// makes everything safe against power loss and returns.
///
/// # Errors
/// When it cannot start (the message says what to do), or what was written
/// cannot be made safe at the end.
pub fn serve(options: Serve) -> Result<()> {
    let files = OpenFiles::share(&options.settings, allow_many_open_files());
    let data_dir = DataDir::take(&options.data_dir)?;
    let runtime = runtime::Builder::new_multi_thread()
        .max_blocking_threads(blocking_threads(&options.settings))
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(data_dir, files, options))
}

async fn run(data_dir: DataDir, files: OpenFiles, options: Serve) -> Result<()> {
    let stop = Stop::on_signals().context("cannot listen for signals")?;
    let listener = bind(&options).await?;
    let address = listener.local_addr().context("cannot tell the port")?;
    let settings = options.settings;
    warn_of(options.rules);
    let made_of = (address, options.rules);
    let queue = Arc::new(queue::open(&data_dir, &settings, files, made_of)?);

    let background = start_background_work(&queue, &settings, &stop);
    announce(&format!("mqd ready on {address}"));
    let accept_limits = AcceptLimits {
        connections_max: files.connections,
        drain: settings.drain_ms,
    };
    accept_connections(listener, &queue, accept_limits, &settings, &stop).await;
    background.iter().for_each(tokio::task::JoinHandle::abort);
    make_safe(&queue.broker).await
}

/// Says what may happen because a rule for producers does not hold.
fn warn_of(rules: Rules) {
    for rule in rules.left_out() {
        tracing::warn!(
            "THE RULE {rule} DOES NOT HOLD (--without-rule {rule}): {}",
            rule.risk()
        );
    }
}

/// Syncs every partition that is served.
///
/// # Errors
/// When records may not be on disk. That a recovery point could not be saved is
/// only a warning: the next start takes longer.
async fn make_safe(broker: &Broker) -> Result<()> {
    let all = broker.topics.sync_all().await;
    for (partition, error) in &all.not_saved {
        tracing::warn!(
            "{partition}: its recovery point is not saved, the next start checks more: {error}"
        );
    }
    for (partition, error) in &all.not_synced {
        tracing::error!("{partition}: cannot be made safe: {error}");
    }
    let lost = all.not_synced.len() + all.offline;
    if lost > 0 {
        bail!("{lost} partitions could not be synced; the log above says why");
    }
    tracing::info!("everything is on disk; good bye");
    Ok(())
}

/// Every lane's threads at the same time, the chunks that are read for answers
/// among them, and one to spare.
fn blocking_threads(settings: &Settings) -> usize {
    let widths = lane_widths(settings);
    widths.syncs + 2 * widths.reads + widths.rolls + widths.administration + widths.openings + 1
}

/// Listens on the first address of `host_and_port` on which that is possible.
async fn listen(host_and_port: &str) -> io::Result<TcpListener> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in lookup_host(host_and_port).await? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A broker that starts again does not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn bind(options: &Serve) -> Result<TcpListener> {
    let listener = listen(&options.listen).await.with_context(|| {
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
) -> [tokio::task::JoinHandle<()>; 11] {
    let broker = &queue.broker;
    let (expiring, stopping) = (Arc::clone(broker), Arc::clone(queue));
    let groups = || Arc::clone(&queue.groups);
    let (loaded, driven, cleaned) = (groups(), groups(), groups());
    let transactions = || Arc::clone(&queue.transactions);
    let (read, decided) = (transactions(), transactions());
    let stop = stop.clone();
    [
        tokio::spawn(async move { expiring.services.expire_waits().await }),
        tokio::spawn(async move {
            stop.asked().await;
            stopping.broker.services.fetches.stop();
            stopping.groups.stop();
            stopping.transactions.stop();
        }),
        tokio::spawn(async move { loaded.load().await }),
        tokio::spawn(async move { read.load().await }),
        tokio::spawn(async move { driven.drive().await }),
        tokio::spawn(async move { cleaned.expire_offsets().await }),
        tokio::spawn(async move { decided.drive().await }),
        tokio::spawn(every(
            settings.producer_id_expiration_check_interval_ms,
            Arc::clone(broker),
            async |broker| {
                let now = broker.services.clock.wall();
                broker.topics.expire_producers(now).await
            },
        )),
        tokio::spawn(every(
            settings.log_retention_check_interval_ms,
            Arc::clone(broker),
            async |broker| {
                let now = broker.services.clock.wall();
                broker.topics.apply_retention(now).await
            },
        )),
        tokio::spawn(every(
            settings.log_flush_offset_checkpoint_interval_ms,
            Arc::clone(broker),
            async |broker| broker.topics.save_recovery_points().await,
        )),
        tokio::spawn(clean(settings.log_cleaner_backoff_ms, Arc::clone(broker))),
    ]
}

/// Compacts what is to be compacted, and waits for `backoff` when there is nothing.
async fn clean(backoff: Duration, broker: Arc<Broker>) {
    loop {
        let all = broker.topics.compact().await;
        for (partition, error) in all.failed {
            tracing::error!("{partition}: cannot be compacted: {error}");
        }
        if all.compacted == 0 {
            tokio::time::sleep(backoff).await;
        }
    }
}

/// Does `work` once per `interval`, and logs what it could not do.
async fn every<Work>(interval: Duration, broker: Arc<Broker>, work: Work)
where
    Work: AsyncFn(&Broker) -> Failed,
{
    loop {
        tokio::time::sleep(interval).await;
        for (partition, error) in work(&broker).await {
            tracing::error!("{partition}: background work failed: {error}");
        }
    }
}

async fn accept_connections(
    listener: TcpListener,
    queue: &Arc<Queue>,
    accept_limits: AcceptLimits,
    settings: &Settings,
    stop: &Stop,
) {
    let limits = ConnectionLimits {
        request_bytes_max: settings.socket_request_max_bytes,
        budget: ByteBudget::new(settings.queued_max_request_bytes as usize),
        idle: settings.connections_max_idle_ms,
        progress: settings.transfer_timeout_ms,
        pending_max: settings.pending_max,
    };
    let serve = |stream, _peer| {
        let queue = Arc::clone(queue);
        serve_connection(
            stream,
            Arc::clone(&queue.broker.services),
            limits.clone(),
            stop.clone().asked(),
            move |request| answer(Arc::clone(&queue), request),
        )
    };
    accept_until(listener, accept_limits, stop.clone().asked(), serve).await;
}
