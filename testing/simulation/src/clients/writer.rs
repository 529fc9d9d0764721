//! A writer: sends numbered batches outside of transactions.

use history::{Action, Outcome, Send};
use wire_protocol::ErrorCode;
use wire_protocol::message::InitProducerIdRequest;

use super::Setting;
use super::in_flight::{InFlight, Stopped};
use crate::batch::Instance;
use crate::network::Link;
use crate::node::PARTITIONS;
use crate::record::{Begun, place};
use crate::request::{Request, Response};

/// Sends until it is calm, as one process after the other.
pub(crate) async fn write(setting: Setting) {
    while !setting.is_calm.get() {
        one_process(&setting).await;
    }
}

async fn one_process(setting: &Setting) {
    // What is late on an old connection is a duplicate, or was given up.
    let mut link = Link::new(&setting.network, false);
    let process = setting.recorder.process();
    let instance = loop {
        match init(&mut link).await {
            Some(instance) => break instance,
            None => setting.back_off().await,
        }
    };
    let mut batches = InFlight::new(instance, None);
    loop {
        if setting.is_calm.get() || setting.sim.once_in(60) {
            return;
        }
        for _ in 0..setting.sim.pick(1..9) {
            add_batch(setting, &mut batches, process);
        }
        let recorder = &setting.recorder;
        let acknowledged = |one: &super::in_flight::Unanswered, base: i64| {
            for ((begun, _), at) in one.places.iter().zip(base..) {
                recorder.sent_at(*begun, 0, at);
                recorder.end(*begun, Outcome::Ok);
            }
        };
        match batches.flush(setting, &mut link, acknowledged).await {
            Ok(()) => setting.linger().await,
            Err(Stopped::Fenced) => {
                let about = format!("{:?} is fenced, and is in no transaction", batches.instance);
                recorder.complain("a batch that is next is taken", about);
                return;
            }
            Err(Stopped::GaveUp) => return,
        }
    }
}

fn add_batch(setting: &Setting, batches: &mut InFlight, process: u32) {
    let partition = i32::try_from(setting.sim.pick(0..2)).unwrap_or(0) % PARTITIONS;
    let values: Vec<u64> = (0..setting.sim.pick(1..4))
        .map(|_| setting.recorder.value())
        .collect();
    let begin = |value: &u64| -> (Begun, usize) {
        let send = Send {
            partition: place("in", partition),
            value: *value,
            offset: None,
        };
        (setting.recorder.begin(process, Action::Send(send)), 0)
    };
    let places = values.iter().map(begin).collect();
    batches.add(("in", partition), values, places);
}

async fn init(link: &mut Link) -> Option<Instance> {
    let request = Request::InitProducerId(InitProducerIdRequest::default());
    match link.call(request).await {
        Ok(Response::InitProducerId(answer)) if answer.error_code == ErrorCode::NONE => {
            Some(Instance {
                id: answer.producer_id,
                epoch: answer.producer_epoch,
            })
        }
        _ => None,
    }
}
