//! Calls by hand, and each mistake.

use std::io::{self, Write as _};
use std::net::TcpListener;
use std::thread;

use tempfile::TempDir;

use crate::hello::{names, serve};
use crate::process::{CALL, run};

#[test]
fn a_reply_is_printed_and_an_error_of_the_method_too() {
    let dir = TempDir::new().unwrap();
    let (_server, address) = serve(&names(&dir));
    for uri in [names(&dir), format!("static:{address}")] {
        let call = |arguments| run(CALL, &[&uri, "HelloService.hello", arguments]);
        let printed = |status, text: &str| (status, text.to_owned(), String::new());
        assert_eq!(call(r#"["Mei"]"#), printed(0, "\"Hello, Mei\""));
        assert_eq!(call(r#"[""]"#), printed(1, "\"NoName\""));
    }
}

#[test]
fn each_item_of_a_stream_is_a_line() {
    let dir = TempDir::new().unwrap();
    let (_server, address) = serve(&names(&dir));
    let fixed = format!("static:{address}");
    let call = |method, arguments| run(CALL, &[&fixed, method, arguments, "--stream"]);
    let (status, items, error) = call("HelloService.hello_all", r#"[["Mei", "Bo"]]"#);
    assert_eq!((status, &*error), (0, ""));
    assert_eq!(items, "\"Hello, Mei\"\n\"Hello, Bo\"");
    let (status, items, error) = call("HelloService.hello", r#"["Mei"]"#);
    assert_eq!((status, &*items), (0, ""));
    assert!(error.starts_with("no items ("), "{error}");
}

/// Calls, and expects a message with `wanted` in it.
fn fails(arguments: &[&str], wanted: &str) {
    let (status, printed, error) = run(CALL, arguments);
    assert_eq!((status, &*printed), (2, ""), "{arguments:?}");
    assert!(error.starts_with("rpc-call: "), "{error}");
    assert!(error.contains(wanted), "{wanted}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_mistake_in_the_command_line_is_named() {
    let hello = "HelloService.hello";
    fails(&[], "give a URI, and SERVICE.METHOD");
    fails(&["file:", hello], "file:: a name service is static:HOST");
    fails(&["etcd:x", hello], "etcd:x: a name service is static:HOST");
    fails(&["file:/x", "hello"], "name the method as SERVICE.METHOD");
    let fails =
        |arguments: &[&str], wanted| fails(&[&["file:/x", hello], arguments].concat(), wanted);
    fails(
        &["Mei"],
        "and Mei is none: expected value at line 1 column 1",
    );
    fails(&["\"Mei\""], "a JSON array such as '[\"Mei\", 3]'");
    fails(&["\"Mei\"", "3"], "give all arguments in one array");
    fails(&["--patience", "soon"], "soon is no number of seconds");
}

#[test]
fn a_mistake_that_a_server_finds_is_named() {
    let dir = TempDir::new().unwrap();
    let (_server, address) = serve(&names(&dir));
    let (file, fixed) = (names(&dir), format!("static:{address}"));
    let (hello, all) = ("HelloService.hello", "HelloService.hello_all");
    fails(&[&file, "Helo.hello"], "no server of Helo is known");
    fails(
        &[&fixed, "Helo.hello"],
        "the server does not have this service",
    );
    fails(
        &[&file, "HelloService.helo"],
        "the service does not have this method",
    );
    fails(
        &[&file, hello, "[1]"],
        "give an array with one element for each argument",
    );
    fails(&[&file, all, "[[]]"], "it returns a stream (give --stream)");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let hello = "HelloService.hello";
    fails(
        &["queue:127.0.0.1:1/names", hello],
        ": cannot connect to 127.0.0.1:1: Conn",
    );
    fails(
        &[
            "static:127.0.0.1:1",
            hello,
            "[\"Mei\"]",
            "--patience",
            "0.2",
        ],
        "HelloService.hello at 127.0.0.1:1: the server cannot be reached: nothing was sent (does",
    );
    let many: Vec<String> = (1..1000).map(|port| format!("127.0.0.1:{port}")).collect();
    let many = format!("static:{}", many.join(","));
    let arguments = [&many, hello, "[\"Mei\"]", "--patience", "0.2"];
    fails(
        &arguments,
        "at 127.0.0.1:1, 127.0.0.1:10, 127.0.0.1:100 and 996 others: ",
    );
}

#[test]
fn what_is_no_rpc_server_is_a_hint() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("static:{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        io::copy(&mut stream, &mut io::sink())
    });
    // It depends on what comes first, the call or what is no hello.
    let arguments = [&uri, "HelloService.hello", "[\"Mei\"]", "--patience", "1"];
    fails(&arguments, "RPC server");
    let _ = server.join();
}
