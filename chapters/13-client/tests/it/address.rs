//! Addresses as text.

use client::{BrokerAddress, InvalidAddress};

#[test]
fn what_is_parsed_is_shown_again() {
    for text in ["localhost:9092", "127.0.0.1:1", "[::1]:9092"] {
        let address: BrokerAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "localhost",
        ":9092",
        "localhost:",
        "localhost:99999",
        "a:b",
    ] {
        assert_eq!(text.parse::<BrokerAddress>(), Err(InvalidAddress), "{text}");
    }
}
