//! URIs, and servers that are in one.

use rpc_names::{Error, LEASE, open};

#[tokio::test]
async fn the_servers_of_static_offer_every_service_and_stay() {
    let names = open("static:b.example:2,127.0.0.1:1,[::1]:3", LEASE)
        .await
        .unwrap();
    let servers = ["127.0.0.1:1", "[::1]:3", "b.example:2"];
    assert_eq!(names.living("Greeter"), servers);
    assert_eq!(names.living("Any other one"), servers);
}

#[tokio::test]
async fn no_other_server_can_register_there() {
    let names = open("static:127.0.0.1:1", LEASE).await.unwrap();
    let refused = names.register("Greeter", "127.0.0.1:2").await;
    assert!(matches!(refused, Err(Error::Fixed)), "{refused:?}");
    assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
}

#[tokio::test]
async fn a_uri_that_is_none() {
    let words = [
        "",
        "static",
        "file:",
        "/run/names",
        "http://127.0.0.1:1/names",
    ];
    let places = [
        "static:",
        "static:127.0.0.1",
        "static:127.0.0.1:1,,",
        "queue:127.0.0.1:1",
    ];
    for uri in words.into_iter().chain(places) {
        let opened = open(uri, LEASE).await;
        assert!(
            matches!(opened, Err(Error::UnknownUri)),
            "{uri}: {opened:?}"
        );
    }
    let opened = open("queue:127.0.0.1/names", LEASE).await;
    assert!(
        matches!(opened, Err(Error::Queue(client::Error::Bootstrap(_)))),
        "{opened:?}"
    );
}
