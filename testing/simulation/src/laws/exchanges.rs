//! Laws about instances of producers.

use wire_protocol::ErrorCode;

use super::Violation;
use crate::batch::Instance;
use crate::exchange::{Exchange, Exchanged};
use crate::record::RunRecord;

/// A new instance, and when it was answered.
struct Inited<'a> {
    arrived: u64,
    left: u64,
    id: &'a str,
    instance: Instance,
    goes_on: bool,
}

fn inited(record: &RunRecord) -> Vec<Inited<'_>> {
    let of = |exchange| match exchange {
        &Exchange {
            arrived,
            left,
            what:
                Exchanged::Init {
                    ref id,
                    instance,
                    goes_on,
                },
        } => Some(Inited {
            arrived,
            left,
            id: id.as_str(),
            instance,
            goes_on,
        }),
        _ => None,
    };
    record.exchanges.iter().filter_map(of).collect()
}

/// When the next instance has been answered, no call of one before it has an effect.
pub(super) fn no_call_after_the_fence(record: &RunRecord) -> Result<(), Violation> {
    let inited = inited(record);
    for exchange in &record.exchanges {
        let Exchanged::OfInstance {
            instance,
            call,
            code: ErrorCode::NONE,
        } = &exchange.what
        else {
            continue;
        };
        let fence = inited.iter().find(|one| {
            one.instance.id == instance.id
                && one.instance.epoch > instance.epoch
                && one.left < exchange.arrived
        });
        if let Some(fence) = fence {
            return Err(Violation::new(
                "no zombie does anything after the fence",
                format!(
                    "{call} was taken after {} had got epoch {}",
                    fence.id, fence.instance.epoch
                ),
            ));
        }
    }
    Ok(())
}

/// An instance that is asked for after another one was answered has a higher epoch.
pub(super) fn each_instance_is_newer(record: &RunRecord) -> Result<(), Violation> {
    let inited = inited(record);
    for (place, one) in inited.iter().enumerate() {
        let older = inited[..place].iter().find(|before| {
            before.id == one.id
                && before.left < one.arrived
                && !one.goes_on
                && before.instance.id == one.instance.id
                && before.instance.epoch >= one.instance.epoch
        });
        if let Some(older) = older {
            return Err(Violation::new(
                "each instance has an epoch of its own",
                format!(
                    "{} got epoch {} after epoch {} had been given to another process",
                    one.id, one.instance.epoch, older.instance.epoch
                ),
            ));
        }
    }
    Ok(())
}
