//! A partition crashes between any two steps, and no batch is written twice or forgotten.

use spec_harness::case;

use super::world::{TORN, World};

type Step = fn(&mut World);

/// What may happen next.
const STEPS: [Step; 5] = [
    |world| world.send(0),
    |world| world.send(1),
    World::sync,
    World::sync_unheard,
    World::save,
];

#[test]
fn after_a_clean_stop() {
    case!(
        "After a stop all is in the snapshot, and each duplicate is still recognised.",
        || {
            let mut world = World::new(1, 0);
            for _ in 0..5 {
                world.send(0);
            }
            world.save();
            world.crash(0, TORN[1]);
            world.crash(0, TORN[1]);
        }
    );
}

#[test]
fn behind_the_snapshot() {
    case!(
        "What was written behind the snapshot is replayed, and pushes out what is older.",
        || {
            let mut world = World::new(2, 0);
            for _ in 0..3 {
                world.send(0);
                world.send(1);
            }
            world.sync();
            world.save();
            for _ in 0..4 {
                world.send(0);
            }
            world.renew(1);
            world.send(1);
            world.sync_unheard();
            world.crash(0, TORN[1]);
        }
    );
}

#[test]
fn any_four_steps_and_a_crash() {
    case!(
        "Four steps, whichever they are, then a crash: the table is what the log says.",
        || {
            // The shortest story first.
            (0..=4).for_each(|steps| each(&World::new(2, 0), steps));
        }
    );
}

/// Crashes each world that so many steps make of this one, in each way.
fn each(world: &World, steps: u32) {
    if steps > 0 {
        for step in STEPS {
            let mut next = world.clone();
            step(&mut next);
            each(&next, steps - 1);
        }
        return;
    }
    for torn in TORN {
        for kept in 0..=world.at_risk() {
            world.clone().crash(kept, torn);
        }
    }
}

#[test]
fn three_hundred_partitions() {
    case!(
        "A partition that lives long and crashes often: no batch is twice in its log.",
        || {
            for seed in 0..300 {
                life(seed);
            }
        }
    );
}

fn life(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    // As after two billion records.
    let mut world = World::new(3, i32::MAX - 20);
    world.story.push(format!("seed {seed}"));
    // Five batches may wait for an answer.
    let mut waiting = [0; 3];
    for _ in 0..60 {
        let client = random.usize(0..3);
        match random.u8(0..10) {
            0..=4 if waiting[client] < 5 => {
                world.send(client);
                waiting[client] += 1;
            }
            5 => {
                world.sync();
                waiting = [0; 3];
            }
            6 => world.sync_unheard(),
            7 => world.save(),
            8 if random.u8(0..4) == 0 => {
                world.renew(client);
                waiting[client] = 0;
            }
            9 => {
                let kept = random.usize(0..=world.at_risk());
                world.crash(kept, TORN[random.usize(0..TORN.len())]);
            }
            _ => {}
        }
    }
    world.crash(0, TORN[1]);
}
