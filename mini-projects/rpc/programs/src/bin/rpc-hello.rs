//! `rpc-hello`: a server that greets, and its client.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use futures_util::{StreamExt as _, stream};
use lexopt::prelude::*;
use rpc::{CallError, Client, Service as _, Stream, Transport};
use rpc_programs::{
    HelloError, HelloService, HelloServiceClient, HelloServiceServer, Place, balanced, call_over,
    default_names, greet_original, hint, print, printable, program, seconds, serve, serve_original,
    serve_over, server_names, tell,
};

const HELP: &str = "\
A server that greets, and its client, which finds the server in a name service.

usage: rpc-hello serve [--names URI] [--listen HOST:PORT]
       rpc-hello greet NAME [--names URI] [--times N] [--patience SECONDS]
       rpc-hello serve --queue HOST:PORT
       rpc-hello greet NAME --queue HOST:PORT [--times N] [--patience SECONDS]
       rpc-hello serve-original [--listen HOST:PORT] [--patience SECONDS]
       rpc-hello greet-original NAME HOST:PORT [--times N] [--patience SECONDS]

serve-original and greet-original use the frames of the lectures' framework: its client in
Java calls the one, and the other calls its server.

  --names URI          the name service: file:/PATH, queue:HOST:PORT/TOPIC or
                       static:HOST:PORT,HOST:PORT (default: a file in the temporary directory)
  --listen HOST:PORT   where the server listens (default: 127.0.0.1:0, any free port)
  --queue HOST:PORT    requests and replies go through topics of this queue
  --times N            call so often, one call after the other (default: 1)
  --patience SECONDS   how long each call may take, and the connection to names and queue
                       before the first one (default: 5)

Start as many servers as you like: the calls take turns. Ctrl-C stops a server when the
calls that run have ended. Warnings go to stderr; RUST_LOG=info shows more. A server goes
on when its output cannot be written.
";

/// Says whom it greets.
struct Polite;

impl HelloService for Polite {
    async fn hello(&self, name: String) -> Result<String, HelloError> {
        tell(format_args!("called: hello({name:?})"));
        if name.is_empty() {
            return Err(HelloError::NoName);
        }
        Ok(format!("Hello, {name}"))
    }

    fn hello_all(&self, names: Vec<String>) -> impl Stream<Item = String> {
        tell(format_args!("called: hello_all({names:?})"));
        stream::iter(names).map(|name| format!("Hello, {name}"))
    }
}

struct Arguments {
    words: Vec<String>,
    place: Place,
    queue: Option<String>,
    times: u32,
    patience: Duration,
}

impl Arguments {
    /// Returns the arguments; `None`: help is wanted.
    fn read() -> Result<Option<Arguments>> {
        let mut given = Arguments {
            words: Vec::new(),
            place: Place {
                names: default_names(),
                listen: "127.0.0.1:0".to_owned(),
            },
            queue: None,
            times: 1,
            patience: Duration::from_secs(5),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("names") => given.place.names = parser.value()?.string()?,
                Long("listen") => given.place.listen = parser.value()?.string()?,
                Long("queue") => given.queue = Some(parser.value()?.string()?),
                Long("times") => given.times = parser.value()?.parse()?,
                Long("patience") => given.patience = seconds(&parser.value()?)?,
                Value(word) => given.words.push(word.string()?),
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        Ok(Some(given))
    }
}

async fn run() -> Result<()> {
    let read = Arguments::read().context("the command line (--help tells more)")?;
    let Some(given) = read else {
        return print(HELP);
    };
    let words: Vec<_> = given.words.iter().map(String::as_str).collect();
    match (&words[..], &given.queue) {
        (["serve"], None) => serve(&given.place, HelloServiceServer::new(Polite)).await,
        (["serve"], Some(queue)) => serve_over(queue, HelloServiceServer::new(Polite)).await,
        (["greet", name], None) => {
            let names = server_names(&given.place.names, given.patience).await?;
            let client = balanced(names, SERVICE, given.patience);
            let client = client.with_context(|| given.place.names.clone())?;
            greet(client, name, given.times).await
        }
        (["greet", name], Some(queue)) => {
            let client = call_over(queue, SERVICE, given.patience).await?;
            greet(client, name, given.times).await
        }
        (["serve-original"], None) => {
            let service = HelloServiceServer::new(Polite);
            serve_original(&given.place.listen, service, given.patience).await
        }
        (["greet-original", name, server], None) => {
            greet_original(server, name, given.times, given.patience).await
        }
        _ => bail!("give serve, or greet and a name (--help tells more)"),
    }
}

const SERVICE: &str = HelloServiceServer::<Polite>::NAME;

async fn greet<T: Transport>(client: Client<T>, name: &str, times: u32) -> Result<()> {
    ensure!(times > 0, "--times is at least 1");
    let service = HelloServiceClient::new(client);
    for _ in 0..times {
        let greeting = service.hello(name.to_owned()).await;
        let greeting = greeting.map_err(|error| match error {
            CallError::Rpc(error) => anyhow!("{error}{}", hint(error)),
            CallError::Service(error) => anyhow!("{error}"),
        })?;
        print(&format!("{}\n", printable(&greeting)))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    program("rpc-hello", async {
        run().await?;
        Ok(ExitCode::SUCCESS)
    })
}
