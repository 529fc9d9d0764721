//! Streams: no more items than there is room for, and an end for each.

use std::time::Duration;

use rpc::{Client, ClientSettings, Error, ServerSettings, ToClient};
use tokio::time::{Instant, sleep};

use crate::fixture::{KindsClient, Place, scripted, value, whole, with_body};

const WINDOW: u32 = 8;

fn settings() -> ClientSettings {
    ClientSettings {
        stream_window: WINDOW,
        ..ClientSettings::default()
    }
}

fn kinds(client: &Client) -> KindsClient {
    KindsClient::new(client.clone())
}

#[tokio::test(start_paused = true)]
async fn no_item_is_made_before_there_is_room_for_it() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(settings());
    let mut items = kinds(&client).count(1000).await.unwrap();
    for taken in 0..100 {
        sleep(Duration::from_millis(1)).await;
        let made = place.seen.produced();
        let most = taken + u64::from(WINDOW);
        assert!(made <= most, "{made} items are made, {taken} are taken");
        assert!(made > taken, "the caller waits for item {taken}");
        assert_eq!(items.next().await, Some(Ok(taken)));
    }
    // Other calls go on meanwhile.
    let echoed = kinds(&client).echo("text".to_owned()).await;
    assert_eq!(echoed, Ok("text".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn any_window_carries_any_number_of_items() {
    let place = Place::new(ServerSettings::default());
    for stream_window in [0, 1, 2, 3, 7, 100] {
        let client = place.client(ClientSettings {
            stream_window,
            ..settings()
        });
        for count in [0, 1, 2, 3, 50] {
            let mut items = kinds(&client).count(count).await.unwrap();
            for expected in 0..count {
                assert_eq!(items.next().await, Some(Ok(expected)));
            }
            assert_eq!(items.next().await, None);
        }
        assert_eq!(client.transport().in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_stops_its_method() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(settings());
    let mut items = kinds(&client).stall().await.unwrap();
    assert_eq!(items.next().await, Some(Ok(0)));
    assert_eq!(place.seen.dropped(), 0);
    let began = Instant::now();
    drop(items);
    place.seen.until(|seen| seen.dropped() == 1).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "it was its deadline");
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_by_its_deadline() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(settings());
    let patience = Duration::from_secs(3);
    let began = Instant::now();
    let mut items = kinds(&client)
        .with_patience(patience)
        .stall()
        .await
        .unwrap();
    assert_eq!(items.next().await, Some(Ok(0)));
    assert_eq!(items.next().await, Some(Err(Error::DeadlinePassed)));
    assert_eq!(began.elapsed(), patience);
    assert_eq!(items.next().await, None);
    place.seen.until(|seen| seen.dropped() == 1).await;
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_the_client_that_it_came_from() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(settings());
    let mut items = kinds(&client).count(100).await.unwrap();
    drop(client);
    for expected in 0..100 {
        assert_eq!(items.next().await, Some(Ok(expected)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_too_many_items_or_dies_ends_the_stream() {
    for count in [WINDOW, WINDOW + 1] {
        let client = scripted(settings(), move |mut server| async move {
            let call = server.call().await.unwrap();
            assert_eq!(call.credit, WINDOW);
            for _ in 0..count {
                let item = with_body(ToClient::Item(call.id), b"\x07");
                server.send(&item).await;
            }
            if count > WINDOW {
                server.send(&value(call.id, b"")).await;
            }
        });
        let mut items = kinds(&client).count(100).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        for _ in 0..WINDOW {
            assert_eq!(items.next().await, Some(Ok(7)));
        }
        assert_eq!(items.next().await, Some(Err(Error::Closed)));
        assert_eq!(client.transport().in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_for_a_call_that_wants_none_closes_the_connection() {
    let client = scripted(settings(), |mut server| async move {
        let call = server.call().await.unwrap();
        server.send(&whole(ToClient::Item(call.id))).await;
        assert!(server.message().await.is_none());
    });
    assert_eq!(kinds(&client).nothing().await, Err(Error::Closed));
}
