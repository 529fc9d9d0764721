//! A frame of 20 bytes, and how much memory a decoder that believes it asks for.
//!
//! Nothing is allocated for the naive decoder: it only says what it would ask for.

use std::process::ExitCode;

use bytes::Bytes;
use networking::frame;
use wire_protocol::message::{MetadataRequest, MetadataTopic, MetadataTopics};
use wire_protocol::{Malformed, Reader, RequestHeader, Wire};

fn main() -> ExitCode {
    // Metadata (3), version 4, correlation id 1, client id "x"; then 2,147,483,647 topics.
    let payload = [
        &[0, 3, 0, 4, 0, 0, 0, 1, 0, 1, b'x'][..],
        &[0x7f, 0xff, 0xff, 0xff],
        &[1],
    ];
    let payload = Bytes::from(payload.concat());
    let hostile = frame(&payload);
    println!("{} bytes arrive: {hostile:02x?}\n", hostile.len());

    match naive_request_for(&payload) {
        Ok(bytes) => println!("A decoder that believes the count asks for {bytes} bytes,"),
        Err(error) => println!("even the naive decoder stops: {error}"),
    }
    println!(
        "{} for each topic, before it has read one of them.\n",
        size_of::<MetadataTopic>()
    );

    let ours = RequestHeader::decode(&payload)
        .and_then(|(_, mut body)| MetadataRequest::decode(&mut body));
    match ours {
        Err(error) => println!("Ours asks for none, and says:\n  {error}."),
        Ok(_) => println!("Ours has believed it too."),
    }

    let honest = honest_request();
    println!(
        "\nAn honest request for three topics has {} bytes, and is read: {:?}",
        honest.len(),
        names(&honest)
    );
    ExitCode::SUCCESS
}

/// How many bytes `Vec::with_capacity(count)` would ask for, with the count as it arrived.
fn naive_request_for(payload: &[u8]) -> Result<usize, Malformed> {
    let mut reader = Reader::new(payload);
    reader.take(2 + 2 + 4)?;
    reader.nullable_string()?;
    let count = reader.u32()? as usize;
    Ok(count * size_of::<MetadataTopic>())
}

fn honest_request() -> Bytes {
    let topics = ["orders", "payments", "clicks"];
    let request = MetadataRequest {
        topics: MetadataTopics(Some(topics.map(topic).into())),
        ..MetadataRequest::default()
    };
    wire_protocol::encode_request(&request, 4, 2, "x").into()
}

fn topic(name: &str) -> MetadataTopic {
    MetadataTopic {
        name: name.to_owned(),
    }
}

fn names(payload: &Bytes) -> Result<Vec<String>, Malformed> {
    let (_, mut body) = RequestHeader::decode(payload)?;
    let request = MetadataRequest::decode(&mut body)?;
    let topics = request.topics.0.unwrap_or_default();
    Ok(topics.into_iter().map(|topic| topic.name).collect())
}
