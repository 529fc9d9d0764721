//! A history as lines of JSON.

use history::{Outcome, ReadError, Step, read, write};

use crate::small::{Story, records, send};

#[test]
fn every_operation_comes_back_as_it_was() {
    let steps = vec![Step::Send(send(1, None)), Step::Poll(records(&[(3, 4)]))];
    let story = Story::default()
        .assigned(1, &[0, 1])
        .subscribed(1)
        .sought(1, Some(7))
        .sought(1, None)
        .sent(2, 5, 6)
        .tried(2, 7, Outcome::Failed)
        .polled(1, &[(6, 5), (7, 8)])
        .ran(3, steps.clone(), Outcome::Unknown)
        .left(3, steps, Outcome::Failed);
    let mut bytes = Vec::new();
    write(&story.0, &mut bytes).unwrap();
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 9);
    assert_eq!(read(&bytes[..]).unwrap(), story.0);
}

#[test]
fn a_line_is_short_and_can_be_searched() {
    let mut bytes = Vec::new();
    write(&Story::default().sent(2, 5, 6).0, &mut bytes).unwrap();
    let expected = r#"{"process":2,"invoked":0,"completed":1000,"action":{"send":{"partition":"orders-0","value":5,"offset":6}},"outcome":"ok"}"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{expected}\n"));
}

#[test]
fn a_line_that_is_no_operation_is_named() {
    let mut bytes = Vec::new();
    write(&Story::default().sent(2, 5, 6).0, &mut bytes).unwrap();
    bytes.extend_from_slice(b"{\"process\":2}\n");
    let error = read(&bytes[..]).unwrap_err();
    assert!(matches!(error, ReadError::Line { line: 2, .. }), "{error}");
}
