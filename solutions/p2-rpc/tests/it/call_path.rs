//! What the timers of a call path cost.

use std::time::Duration;

use message_model::Moment;
use rpc_solution::{CallId, CallPath, Hello, Received, Side, ToClient};

#[test]
fn calls_that_end_in_time_cost_hardly_a_timer() {
    let mut path = CallPath::new(CallId::ONE_WAY, 16);
    let hello = ToClient::Hello(Hello::OURS);
    assert_eq!(path.receive(hello), Received::Nothing);
    let mut now = Moment::START;
    let (mut steps, mut alarms) = (0, 0);
    for _ in 0..100_000 {
        now = now.plus(Duration::from_micros(10));
        let deadline = now.plus(Duration::from_secs(1));
        let (id, alarm) = path.call(deadline, 0, ()).unwrap();
        alarms += u32::from(alarm.is_some());
        let reply = ToClient::Reply(id, Ok(Side::Value));
        assert!(matches!(path.receive(reply), Received::Reply(..)));
        if path.next_deadline().is_some_and(|deadline| deadline <= now) {
            assert_eq!(path.expire(now), []);
            steps += 1;
        }
    }
    // One for each of the 32 slots, and then one each second.
    assert!(steps <= 64, "{steps} steps");
    assert_eq!(alarms, 32);
}
