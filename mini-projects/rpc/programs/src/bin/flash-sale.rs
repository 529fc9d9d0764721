//! `flash-sale`: a gateway that takes orders, and a stock that sells.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use lexopt::prelude::*;
use rpc_programs::flash_sale::{gateway, parse_stock, worker};
use rpc_programs::{Place, default_names, print, program};

const HELP: &str = "\
Sells few pieces to many buyers. The gateway puts orders into a topic, and the stock
answers in another one.

usage: flash-sale gateway --queue HOST:PORT [--names URI] [--listen HOST:PORT]
       flash-sale stock --queue HOST:PORT ITEM=PIECES...

  --queue HOST:PORT    where the queue is
  --names URI          the name service: file:/PATH, queue:HOST:PORT/TOPIC or
                       static:HOST:PORT,HOST:PORT (default: a file in the temporary directory)
  --listen HOST:PORT   where the gateway listens (default: 127.0.0.1:0, any free port)

  rpc-call URI FlashSale.buy '[\"Mei\", \"phone\"]'

There may be many gateways. A stock that is started again with the same items reads all
orders again, and goes on where it was. So it makes the topic keep all orders, and sells
nothing if the first ones are missing. Ctrl-C stops a gateway when the calls that run
have ended. Warnings go to stderr; RUST_LOG=info shows more.
";

async fn run() -> Result<()> {
    let mut queue = None;
    let mut place = Place {
        names: default_names(),
        listen: "127.0.0.1:0".to_owned(),
    };
    let mut words = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                return print(HELP);
            }
            Long("queue") => queue = Some(parser.value()?.string()?),
            Long("names") => place.names = parser.value()?.string()?,
            Long("listen") => place.listen = parser.value()?.string()?,
            Value(word) => words.push(word.string()?),
            unexpected => return Err(unexpected.unexpected().into()),
        }
    }
    let queue = queue.context("give --queue HOST:PORT (--help tells more)")?;
    let (part, items) = words.split_first().unzip();
    let items: &[String] = items.unwrap_or_default();
    match part.map(String::as_str) {
        Some("gateway") if items.is_empty() => gateway(&queue, &place).await,
        Some("stock") => {
            ensure!(!items.is_empty(), "name what is sold, such as phone=3");
            worker(&queue, parse_stock(items)?).await
        }
        _ => bail!("give gateway or stock (--help tells more)"),
    }
}

fn main() -> ExitCode {
    program("flash-sale", async {
        run().await?;
        Ok(ExitCode::SUCCESS)
    })
}
