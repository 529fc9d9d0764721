//! Servers that greet, and their client.

use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{HELLO, Process, run};
use crate::queue::Queue;

/// A server, and its address.
pub(crate) fn serve(names: &str) -> (Process, String) {
    let mut server = Process::start(HELLO, &["serve", "--names", names]);
    let place = server.find("HelloService is ready on ");
    let (address, _) = place.split_once(", in ").unwrap();
    (server, address.to_owned())
}

pub(crate) fn names(dir: &TempDir) -> String {
    format!("file:{}", dir.path().join("names").display())
}

fn greet(arguments: &[&str]) -> (i32, String, String) {
    run(HELLO, &[&["greet", "Mei"], arguments].concat())
}

#[test]
fn calls_take_turns_between_the_servers_that_the_names_have() {
    let dir = TempDir::new().unwrap();
    take_turns(&names(&dir));
}

#[test]
fn names_may_be_in_the_queue() {
    let queue = Queue::start();
    take_turns(&format!("queue:{}/names", queue.address));
}

fn take_turns(names: &str) {
    let servers = [serve(names).0, serve(names).0, serve(names).0];
    let (status, greetings, error) = greet(&["--names", names, "--times", "6"]);
    assert_eq!((status, &*error), (0, ""));
    assert_eq!(greetings, ["Hello, Mei"; 6].join("\n"));
    for (server, signal) in servers
        .into_iter()
        .zip([Signal::INT, Signal::TERM, Signal::INT])
    {
        server.send(signal);
        let rest = server.rest();
        let calls = rest.iter().filter(|line| *line == "called: hello(\"Mei\")");
        assert_eq!(calls.count(), 2, "{rest:?}");
        assert_eq!(rest.last().unwrap(), "stopped");
    }
    let (status, _, error) = greet(&["--names", names]);
    assert_eq!(status, 2);
    assert!(
        error.contains("no server of HelloService is known"),
        "{error}"
    );
}

#[test]
fn a_killed_server_costs_no_call() {
    let dir = TempDir::new().unwrap();
    let names = names(&dir);
    let (killed, address) = serve(&names);
    let (_living, _) = serve(&names);
    drop(killed);
    // Its name is still there.
    assert!(TcpStream::connect(address).is_err());
    let (status, greetings, _) = greet(&["--names", &names, "--times", "4"]);
    assert_eq!((status, greetings), (0, ["Hello, Mei"; 4].join("\n")));
}

#[test]
fn a_server_of_fixed_names_is_one_of_them() {
    let dir = TempDir::new().unwrap();
    let (gone, address) = serve(&names(&dir));
    drop(gone);
    let fixed = format!("static:{address}");
    let arguments = ["serve", "--names", &fixed, "--listen", &address];
    let mut server = Process::start(HELLO, &arguments);
    server.find(", in static:");
    assert_eq!(greet(&["--names", &fixed]).1, "Hello, Mei");
    let (status, _, error) = run(HELLO, &["serve", "--names", &fixed]);
    assert_eq!(status, 2);
    assert!(
        error.contains(&format!("{fixed} does not have 127.0.0.1:")),
        "{error}"
    );
}

#[test]
fn an_address_of_no_machine_is_not_written_down() {
    let dir = TempDir::new().unwrap();
    let names = names(&dir);
    let arguments = ["serve", "--names", &names, "--listen", "0.0.0.0:0"];
    let (status, _, error) = run(HELLO, &arguments);
    assert_eq!(status, 2);
    assert!(error.contains("is none of one machine"), "{error}");
}

#[test]
fn requests_and_replies_go_through_the_queue() {
    let queue = Queue::start();
    let over = ["--queue", &queue.address];
    let mut server = Process::start(HELLO, &[&["serve"], &over[..]].concat());
    server.find("HelloService is ready on HelloService-requests");
    let (status, greetings, error) = greet(&[&over[..], &["--times", "2"]].concat());
    assert_eq!(
        (status, &*greetings, &*error),
        (0, "Hello, Mei\nHello, Mei", "")
    );
    server.send(Signal::INT);
    assert_eq!(server.rest().last().unwrap(), "stopped");
    // No server answers now.
    let (status, _, error) = greet(&[&over[..], &["--patience", "0.2"]].concat());
    assert_eq!(status, 2);
    let wanted = "rpc-hello: no reply before the deadline: the method may have run (give more";
    assert!(error.starts_with(wanted), "{error}");
}

#[test]
fn the_frames_of_the_original_carry_greetings_and_errors() {
    let mut server = Process::start(HELLO, &["serve-original"]);
    let place = server.find("HelloService is ready on ");
    let (address, _) = place.split_once(", for the original").unwrap();
    let greet = |name| run(HELLO, &["greet-original", name, address, "--times", "2"]);
    let greetings = "Hello, Mei\nHello, Mei".to_owned();
    assert_eq!(greet("Mei"), (0, greetings, String::new()));
    let (status, _, error) = greet("");
    assert_eq!(status, 2, "{error}");
    assert!(error.contains("NoName"), "{error}");
    server.send(Signal::INT);
    assert_eq!(server.rest().last().unwrap(), "stopped");
}

/// A listener whose connections nothing answers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn patience_is_also_for_a_queue_and_a_server_that_say_nothing() {
    let (_listener, address) = silent();
    let patience = ["--patience", "0.3"];
    let (status, _, error) = greet(&[&["--queue", &address], &patience[..]].concat());
    assert_eq!(status, 2);
    assert!(
        error.contains("does not answer within --patience"),
        "{error}"
    );
    let names = format!("queue:{address}/names");
    let (status, _, error) = greet(&[&["--names", &names], &patience[..]].concat());
    assert_eq!(status, 2);
    assert!(
        error.contains("the name service does not answer"),
        "{error}"
    );
    let original = [&["greet-original", "Mei", &address], &patience[..]].concat();
    let (status, _, error) = run(HELLO, &original);
    assert_eq!(status, 2);
    assert!(error.contains("(give more --patience)"), "{error}");
}

#[test]
fn what_a_server_of_the_original_says_does_nothing_to_a_terminal() {
    // What it answers to the call with the id 1: a code, an error, and a result.
    let answer = |code: i32, error: &str, result: &str| {
        let ints = [0, 1, 1, code, error.len().try_into().unwrap()];
        let mut frame: Vec<u8> = ints.into_iter().flat_map(i32::to_be_bytes).collect();
        frame.extend([error, result].concat().bytes());
        let length = i32::try_from(frame.len() + 4).unwrap();
        [&length.to_be_bytes()[..], &frame].concat()
    };
    let greet = |answer: Vec<u8>| {
        let (listener, address) = silent();
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(&answer).unwrap();
            // Until the client closes.
            io::copy(&mut stream, &mut io::sink())
        });
        let ended = run(HELLO, &["greet-original", "Mei", &address]);
        let _ = server.join();
        ended
    };
    let escape = "\u{1b}[2Jgone";
    let printed = |status, out: &str| (status, out.to_owned(), String::new());
    let greeting = format!("\0{escape}");
    assert_eq!(
        greet(answer(0, "", &greeting)),
        printed(0, "\\u{1b}[2Jgone")
    );
    let (status, _, error) = greet(answer(-1, escape, ""));
    assert_eq!(status, 2);
    assert!(error.ends_with(": \\u{1b}[2Jgone"), "{error}");
    let (_, _, error) = greet(answer(-1, "", ""));
    assert!(
        error.contains("the error -1 and does not say why"),
        "{error}"
    );
    let (_, _, error) = greet(Vec::from(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert!(error.contains("is it a server of the original?"), "{error}");
}
