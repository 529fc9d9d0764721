//! What a connection must look like after each event: a model that does everything
//! the slow way, one thing at a time.

use std::collections::BTreeSet;

use super::part::Order;
use super::scene::{End, Event, Kind, Lost, PIECES, Scene, Seen};

#[derive(Debug, Clone)]
pub(super) struct Expected {
    scene: Scene,
    seen: Seen,
    arrived: usize,
    has_half: bool,
    closed: Option<End>,
    beginning: Option<usize>,
    effects: usize,
    ready: BTreeSet<usize>,
    /// The requests that want an answer, in their order.
    asked: Vec<usize>,
    /// The answers that were ready, in the order in which they became so.
    answers: Vec<usize>,
    /// How many of them have their turn or had it.
    taken: usize,
    /// The answer that is being written, and how many pieces of it are left.
    writing: Option<(usize, usize)>,
    answered: usize,
    room: usize,
    writer_fails: bool,
    has_failed: bool,
    stops: bool,
    is_gone: bool,
    closing: Option<End>,
}

impl Expected {
    /// A connection on which nothing has happened.
    pub(super) fn new(scene: &Scene) -> Expected {
        Expected {
            scene: scene.clone(),
            seen: Seen::default(),
            arrived: 0,
            has_half: false,
            closed: None,
            beginning: None,
            effects: if scene.effects_at_once { usize::MAX } else { 0 },
            ready: BTreeSet::new(),
            asked: Vec::new(),
            answers: Vec::new(),
            taken: 0,
            writing: None,
            answered: 0,
            room: if scene.takes_all { usize::MAX } else { 0 },
            writer_fails: false,
            has_failed: false,
            stops: false,
            is_gone: false,
            closing: None,
        }
    }

    /// How many requests have arrived whole.
    pub(super) fn arrived(&self) -> usize {
        self.arrived
    }

    /// The request that is being begun.
    pub(super) fn being_begun(&self) -> Option<usize> {
        self.beginning
    }

    /// The events of `among` that can happen now, and those that follow from what
    /// has happened: an effect, an answer that is ready, a piece that is taken.
    pub(super) fn possible(&self, among: &[Event]) -> Vec<Event> {
        if self.seen.end.is_some() {
            return Vec::new();
        }
        let mut events: Vec<Event> = among
            .iter()
            .copied()
            .filter(|event| match event {
                Event::Half | Event::Arrives => {
                    let is_new = *event == Event::Arrives || !self.has_half;
                    is_new && self.arrived < self.scene.kinds.len() && self.closed.is_none()
                }
                Event::Closes | Event::Breaks => self.closed.is_none(),
                Event::Stop => !self.stops,
                Event::WriterFails => !self.writer_fails,
                Event::Effect | Event::Ready(_) | Event::Take => false,
            })
            .collect();
        if self.beginning.is_some() {
            events.push(Event::Effect);
        }
        events.extend(self.seen.waiting.iter().copied().map(Event::Ready));
        if self.writing.is_some() && !self.scene.takes_all {
            events.push(Event::Take);
        }
        events
    }

    /// What must be seen after `event`.
    pub(super) fn after(&mut self, event: Event) -> &Seen {
        match event {
            Event::Half => self.has_half = true,
            Event::Arrives => {
                self.has_half = false;
                self.arrived += 1;
            }
            Event::Effect => self.effects += 1,
            Event::Ready(number) => drop(self.ready.insert(number)),
            Event::Take => self.room += 1,
            Event::WriterFails => self.writer_fails = true,
            Event::Closes => self.closed = Some(End::Peer),
            Event::Breaks => self.closed = Some(End::Read(Lost::Broken)),
            Event::Stop => {
                self.stops = true;
                self.closing.get_or_insert(End::Stop);
            }
        }
        while self.seen.end.is_none() && self.step() {}
        &self.seen
    }

    /// Lets one thing happen that can happen; whether there was one.
    fn step(&mut self) -> bool {
        if let Some(number) = self.beginning.take_if(|number| *number < self.effects) {
            self.take_effect(number);
            return true;
        }
        if let Some(number) = self.seen.waiting.intersection(&self.ready).next().copied() {
            self.seen.waiting.remove(&number);
            self.answers.push(number);
            return true;
        }
        if let Some((number, left)) = self.writing {
            return self.write(number, left);
        }
        if !self.has_failed
            && let Some(number) = self.next_to_write()
        {
            self.taken += 1;
            self.writing = Some((number, PIECES));
            return true;
        }
        if self.closing.is_some() && self.beginning.is_none() && self.seen.waiting.is_empty() {
            self.seen.end = self.closing;
            return true;
        }
        self.read()
    }

    fn take_effect(&mut self, number: usize) {
        match self.scene.kinds[number] {
            Kind::Silence => {}
            Kind::Close => drop(self.closing.get_or_insert(End::Unanswerable)),
            Kind::Now => {
                self.asked.push(number);
                self.answers.push(number);
            }
            Kind::Later if self.is_gone => {}
            Kind::Later => {
                self.asked.push(number);
                self.seen.waiting.insert(number);
            }
        }
    }

    fn write(&mut self, number: usize, left: usize) -> bool {
        if self.writer_fails {
            self.writing = None;
            self.has_failed = true;
            self.lose(End::Write);
            return true;
        }
        if self.room == 0 {
            return self.read();
        }
        self.room -= 1;
        self.seen.written.push(number);
        self.writing = (left > 1).then_some((number, left - 1));
        self.answered += usize::from(left == 1);
        true
    }

    fn next_to_write(&self) -> Option<usize> {
        match self.scene.order {
            Order::AsReady => self.answers.get(self.taken).copied(),
            Order::AsRequested => {
                let turn = self.asked.get(self.taken).copied()?;
                self.answers.contains(&turn).then_some(turn)
            }
        }
    }

    fn read(&mut self) -> bool {
        let pending = self.asked.len() - self.answered;
        let wants =
            self.closing.is_none() && self.beginning.is_none() && pending < self.scene.pending_max;
        if wants && self.seen.begun < self.arrived {
            self.beginning = Some(self.seen.begun);
            self.seen.begun += 1;
            return true;
        }
        let has_more = self.seen.begun < self.arrived || self.has_half;
        let Some(closed) = self
            .closed
            .filter(|_| !self.is_gone && (wants || !has_more))
        else {
            return false;
        };
        let is_inside = self.has_half && closed == End::Peer;
        self.lose(if is_inside {
            End::Read(Lost::InsideARequest)
        } else {
            closed
        });
        true
    }

    fn lose(&mut self, reason: End) {
        self.is_gone = true;
        self.closing.get_or_insert(reason);
        self.seen.waiting.clear();
    }
}
