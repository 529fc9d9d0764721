//! A call from one process to another, through the queue.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::say;
use crate::screen::Paint;

/// Whom the server greets.
const NAME: &str = "Mei";

/// The running server. Dropping it kills it.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server with `rpc-hello`, calls it from another process, and shows what the call
/// returned. Both know the queue, and neither knows the other.
pub(super) fn show(program: &Path, queue: SocketAddr, paint: Paint) -> Result<()> {
    let command = |words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).args(["--queue", &queue.to_string()]);
        command.stdin(Stdio::null());
        command
    };
    let starting = || format!("starting {}", program.display());
    let server = command(&["serve"]).stdout(Stdio::null()).spawn();
    let server = Server(server.with_context(starting)?);
    let greet = ["greet", NAME, "--patience", "30"];
    let output = command(&greet).output().with_context(starting)?;
    drop(server);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let (reply, error) = (text(&output.stdout), text(&output.stderr));
    ensure!(output.status.success(), "the call failed: {error}");
    ensure!(
        reply == format!("Hello, {NAME}"),
        "the call returned {reply:?}"
    );
    let call = paint.bold("call   ");
    say!("\n{call} HelloService.hello({NAME:?}), sent to another process through the queue,");
    say!("        returned {reply:?}. Request and reply are records, too.");
    Ok(())
}
