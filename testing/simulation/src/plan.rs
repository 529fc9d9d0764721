//! What a seed decides before anything happens.

use fastrand::Rng;

/// How a broker's life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// The process is killed: what it has written stays.
    Kill,
    /// The power fails: of what is not synced, anything may be lost.
    PowerFailure,
    /// It stops as it should.
    Stop,
    /// One operation of the disk fails, and a while later the power does. Until then some
    /// partitions may be offline.
    DiskFailure,
}

/// When a broker's life ends, counted from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before this operation of the disk, of those that change something.
    Operation(u64),
    /// Before this answer leaves.
    Answer(u64),
    /// After so many milliseconds.
    Time(u64),
}

/// What a seed decides before anything happens. Times are in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How the lives of the broker end, one after the other. After them one begins that stays.
    pub(crate) deaths: Vec<(Death, Moment)>,
    /// How long a message is on its way at most.
    pub(crate) delay_max: u64,
    /// A connection is cut at one of so many messages.
    pub(crate) cut_once_in: u64,
    /// How long a piece of blocking work takes at most.
    pub(crate) disk_delay_max: u64,
    /// A client that could be paused is, once in so many times.
    pub(crate) pause_once_in: u64,
    /// How long the clients begin new work.
    pub(crate) work: u64,
    /// How large segments of user topics are, and those of internal ones.
    pub(crate) segment_bytes: u32,
    /// How often recovery points are saved.
    pub(crate) save_interval: u64,
    pub(crate) writers: usize,
    pub(crate) transactors: usize,
    pub(crate) transforms: usize,
    pub(crate) members: usize,
}

impl Plan {
    /// Returns the plan of a seed.
    pub(crate) fn of(seed: u64) -> Plan {
        let mut random = Rng::with_seed(seed ^ 0x5eed);
        let deaths = (0..random.usize(0..4))
            .map(|_| death(&mut random))
            .collect();
        let mut choose = |choices: &[u64]| choices[random.usize(..choices.len())];
        let delay_max = choose(&[1, 5, 20]);
        let cut_once_in = choose(&[30, 100, 1_000_000]);
        let disk_delay_max = choose(&[0, 2, 10, 40]);
        let pause_once_in = choose(&[20, 60, 1_000]);
        let work = choose(&[300, 600, 1_000]);
        let segment_bytes = choose(&[400, 2_000, 100_000]);
        let save_interval = choose(&[50, 200, 1_000_000]);
        Plan {
            deaths,
            delay_max,
            cut_once_in,
            disk_delay_max,
            pause_once_in,
            work,
            segment_bytes: u32::try_from(segment_bytes).unwrap_or(u32::MAX),
            save_interval,
            writers: random.usize(0..3),
            transactors: random.usize(1..3),
            transforms: random.usize(0..3),
            members: random.usize(0..3),
        }
    }

    /// Whether something is lost in it that was written.
    pub(crate) fn has_losses(&self) -> bool {
        let mut deaths = self.deaths.iter();
        deaths.any(|(death, _)| matches!(death, Death::PowerFailure | Death::DiskFailure))
    }
}

fn death(random: &mut Rng) -> (Death, Moment) {
    let how = match random.u8(0..12) {
        0 => Death::Stop,
        1..4 => Death::Kill,
        4 => Death::DiskFailure,
        _ => Death::PowerFailure,
    };
    // Early moments are likely: starts are where brokers of the past have failed.
    let scale = random.u64(10..700);
    let when = match random.u8(0..4) {
        _ if how == Death::DiskFailure => Moment::Operation(random.u64(0..scale)),
        0 => Moment::Answer(random.u64(0..scale)),
        1 => Moment::Time(random.u64(0..scale)),
        _ => Moment::Operation(random.u64(0..scale)),
    };
    (how, when)
}
