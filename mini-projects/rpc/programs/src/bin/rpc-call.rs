//! `rpc-call`: calls any method of any service. Methods are called by their names and take
//! JSON, so this program knows no service.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use lexopt::prelude::*;
use rpc::{CallError, Client, Error, Json, MethodName, Transport};
use rpc_programs::{
    balanced, complain, hint, print, printable_json, program, seconds, server_names, some_of,
};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokio::time::Instant;

const HELP: &str = "\
Calls a method, and prints the reply as JSON.

usage: rpc-call URI SERVICE.METHOD [ARGUMENTS] [--patience SECONDS] [--stream]

  URI                  the name service that knows the servers: file:/PATH,
                       queue:HOST:PORT/TOPIC or static:HOST:PORT,HOST:PORT
  ARGUMENTS            a JSON array with one element for each argument (default: [])
  --patience SECONDS   how long the call may take, with the look-up of the servers (default: 5)
  --stream             the method returns a stream: print each item on a line

  rpc-call static:127.0.0.1:7000 HelloService.hello '[\"Mei\"]'

Exit status: 0 the method returned a value, or the reader of the output has gone, 1 the
method returned its error, which is printed in the same way, 2 there is no reply, or it
cannot be written. Warnings go to stderr; RUST_LOG=info shows more.
";

/// The method has returned its error.
const EXIT_REFUSED: u8 = 1;

struct Arguments {
    uri: String,
    method: (&'static str, &'static str),
    /// What travels: an array, or null for no arguments.
    arguments: Box<RawValue>,
    patience: Duration,
    is_stream: bool,
}

impl Arguments {
    /// Returns the arguments; `None`: help is wanted.
    fn read() -> Result<Option<Arguments>> {
        let (mut words, mut patience, mut is_stream) = (Vec::new(), Duration::from_secs(5), false);
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("patience") => patience = seconds(&parser.value()?)?,
                Long("stream") => is_stream = true,
                Value(word) => words.push(word.string()?),
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        let [uri, method, arguments @ ..] = &words[..] else {
            bail!("give a URI, and SERVICE.METHOD");
        };
        ensure!(arguments.len() <= 1, "give all arguments in one array");
        // The program makes one call, so the names may live as long as it does.
        let method = method.clone().leak().split_once('.');
        let arguments = arguments.first().map_or("[]", String::as_str);
        let elements = serde_json::from_str::<Vec<IgnoredAny>>(arguments).map_err(|error| {
            anyhow!("the arguments are a JSON array such as '[\"Mei\", 3]', and {arguments} is none: {error}")
        })?;
        let arguments = match elements.is_empty() {
            true => "null",
            false => arguments,
        };
        Ok(Some(Arguments {
            uri: uri.clone(),
            method: method.context("name the method as SERVICE.METHOD")?,
            arguments: RawValue::from_string(arguments.to_owned())?,
            patience,
            is_stream,
        }))
    }
}

async fn run() -> Result<ExitCode> {
    let Some(given) = Arguments::read().context("the command line (--help tells more)")? else {
        print(HELP)?;
        return Ok(ExitCode::SUCCESS);
    };
    let began = Instant::now();
    let names = server_names(&given.uri, given.patience).await?;
    let (service, method) = given.method;
    let servers = some_of(&names.living(service));
    let left = given.patience.saturating_sub(began.elapsed());
    let client = balanced(names, service, left).context(given.uri)?;
    let name = MethodName::new::<Json>(service, method);
    let called = match given.is_stream {
        true => print_items(&client, name, &given.arguments).await,
        false => print_reply(&client, name, &given.arguments).await,
    };
    called.map_err(|error| match error.downcast_ref::<Error>() {
        Some(rpc) => anyhow!("{service}.{method} at {servers}: {rpc}{}", hint(*rpc)),
        None => error,
    })
}

async fn print_reply<T: Transport>(
    client: &Client<T>,
    name: MethodName,
    arguments: &RawValue,
) -> Result<ExitCode> {
    let called = client.try_call::<Json, _, Box<RawValue>, Box<RawValue>>(name, arguments);
    match called.await {
        Ok(value) => {
            print_line(&value)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(CallError::Service(error)) => {
            print_line(&error)?;
            Ok(ExitCode::from(EXIT_REFUSED))
        }
        Err(CallError::Rpc(error)) => Err(error.into()),
    }
}

async fn print_items<T: Transport>(
    client: &Client<T>,
    name: MethodName,
    arguments: &RawValue,
) -> Result<ExitCode> {
    let called = client.stream::<Json, _, Box<RawValue>>(name, arguments);
    let (mut items, mut count) = (called.await?, 0_u64);
    while let Some(item) = items.next().await {
        print_line(&item?)?;
        count += 1;
    }
    if count == 0 {
        complain("no items (a method that returns no stream is called without --stream)");
    }
    Ok(ExitCode::SUCCESS)
}

fn print_line(value: &RawValue) -> Result<()> {
    print(&format!("{}\n", printable_json(value.get())))
}

fn main() -> ExitCode {
    program("rpc-call", run())
}
