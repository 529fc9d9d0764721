//! Peers that send rubbish, or nothing, or too much, or do not read.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::api;
use broker::{Answer, ConnectionLimits, FrameBudget, Request};
use networking::Chunk;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use wire_protocol::encode_request;
use wire_protocol::message::MetadataRequest;

use crate::client::{
    PATIENCE, api_versions, closed, correlation_id, limits, receive, send, serve, simple,
};

#[tokio::test]
async fn what_we_never_offered_closes_the_connection() {
    for (key, version) in [(77_i16, 0_i16), (-1, 0), (0, 99), (3, -1), (3, i16::MAX)] {
        let (mut client, _task, _stop) = serve(limits(), simple).await;
        let mut request = api_versions(3, 5);
        request[..2].copy_from_slice(&key.to_be_bytes());
        request[2..4].copy_from_slice(&version.to_be_bytes());
        send(&mut client, &request).await;
        closed(&mut client).await;
    }
}

#[tokio::test]
async fn hostile_bytes_close_the_connection() {
    let huge_array = {
        let mut request = encode_request(&MetadataRequest::default(), 4, 5, "test");
        let end = request.len();
        request[end - 5..end - 1].copy_from_slice(&i32::MAX.to_be_bytes());
        networking::frame(&request)
    };
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        i32::MAX.to_be_bytes().to_vec(),
        (-1_i32).to_be_bytes().to_vec(),
        1_000_001_i32.to_be_bytes().to_vec(),
        networking::frame(b""),
        networking::frame(&[0, 3, 0]),
        networking::frame(&[0xff; 100]),
        huge_array,
    ] {
        let (mut client, task, _stop) = serve(limits(), simple).await;
        client.write_all(&bytes).await.unwrap();
        closed(&mut client).await;
        task.await.expect("nothing panics");
    }
}

/// Every prefix of a request, followed by the end of the stream.
#[tokio::test]
async fn a_request_that_is_cut_off_closes_the_connection() {
    let frame = networking::frame(&encode_request(&MetadataRequest::default(), 4, 5, "test"));
    for length in 0..frame.len() {
        let (mut client, task, _stop) = serve(limits(), simple).await;
        client.write_all(&frame[..length]).await.unwrap();
        client.shutdown().await.unwrap();
        closed(&mut client).await;
        task.await.expect("nothing panics");
    }
}

#[tokio::test]
async fn a_silent_peer_and_half_a_frame_are_closed() {
    let short = Duration::from_millis(50);
    let idle = ConnectionLimits {
        idle: short,
        ..limits()
    };
    let (mut client, _task, _stop) = serve(idle, simple).await;
    closed(&mut client).await;

    let slow = ConnectionLimits {
        transfer: short,
        ..limits()
    };
    let (mut client, _task, _stop) = serve(slow, simple).await;
    client.write_all(&[0, 0, 1, 0, 42]).await.unwrap();
    closed(&mut client).await;
}

/// One byte at a time would never be idle; the whole request has a deadline.
#[tokio::test]
async fn a_peer_that_drips_is_closed() {
    let slow = ConnectionLimits {
        transfer: Duration::from_millis(100),
        ..limits()
    };
    let (mut client, task, _stop) = serve(slow, simple).await;
    client.write_all(&[0, 0, 255, 255]).await.unwrap();
    let drip = async {
        while client.write_all(&[1]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let () = tokio::time::timeout(PATIENCE, drip)
        .await
        .expect("the broker closes it");
    task.await.expect("nothing panics");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off() {
    let slow = ConnectionLimits {
        transfer: Duration::from_millis(100),
        ..limits()
    };
    let large = |_| async {
        Ok(Answer::Reply(vec![Chunk::Bytes(
            vec![0; 100_000_000].into(),
        )]))
    };
    let (mut client, task, _stop) = serve(slow, large).await;
    send(&mut client, &api_versions(3, 5)).await;
    tokio::time::timeout(PATIENCE, task)
        .await
        .expect("it ends")
        .unwrap();
}

#[tokio::test]
async fn large_requests_wait_for_room_and_small_ones_do_not() {
    let budget = ConnectionLimits {
        budget: FrameBudget::new(150_000),
        ..limits()
    };
    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let running = Arc::new(Mutex::new((0, 0)));
    let shared = (
        Arc::clone(&started),
        Arc::clone(&go_on),
        Arc::clone(&running),
    );
    let answer = move |request: Request| {
        let (started, go_on, running) = shared.clone();
        async move {
            if request.header.correlation_id > 0 {
                {
                    let mut running = running.lock().unwrap();
                    running.0 += 1;
                    running.1 = running.1.max(running.0);
                }
                started.notify_one();
                go_on.notified().await;
                running.lock().unwrap().0 -= 1;
            }
            Ok(request.answer(&api::api_versions()))
        }
    };
    let large = |correlation_id| {
        let mut request = api_versions(0, correlation_id);
        request.resize(100_000, 0);
        request
    };
    let (mut first, _task, _stop) = serve(budget.clone(), answer.clone()).await;
    let (mut second, _task, _stop2) = serve(budget.clone(), answer.clone()).await;
    let (mut small, _task, _stop3) = serve(budget, answer).await;
    send(&mut first, &large(1)).await;
    started.notified().await;
    let sending = tokio::spawn(async move {
        send(&mut second, &large(2)).await;
        second
    });
    send(&mut small, &api_versions(0, 0)).await;
    assert_eq!(correlation_id(&receive(&mut small).await), 0);
    go_on.notify_one();
    assert_eq!(correlation_id(&receive(&mut first).await), 1);
    started.notified().await;
    go_on.notify_one();
    let mut second = sending.await.unwrap();
    assert_eq!(correlation_id(&receive(&mut second).await), 2);
    assert_eq!(
        running.lock().unwrap().1,
        1,
        "two of them never ran at a time"
    );
}

#[tokio::test]
async fn a_request_that_finds_no_room_is_closed_and_gives_its_share_back() {
    let budget = FrameBudget::new(100_000);
    let slow = ConnectionLimits {
        budget: budget.clone(),
        transfer: Duration::from_millis(100),
        ..limits()
    };
    let (mut holder, _task, _stop) = serve(slow.clone(), simple).await;
    // It has announced more than the whole budget, and takes all of it.
    holder.write_all(&500_000_i32.to_be_bytes()).await.unwrap();
    closed(&mut holder).await;
    let (mut next, _task, _stop) = serve(slow, simple).await;
    let mut request = api_versions(0, 5);
    request.resize(90_000, 0);
    send(&mut next, &request).await;
    assert_eq!(correlation_id(&receive(&mut next).await), 5);
}
