//! The brokers of a cluster: where they listen, and the connections to them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_model::Clock;
use message_model::{BrokerId, Moment};
use wire_protocol::message::MetadataBroker;

use crate::address::{BrokerAddress, InvalidAddress};
use crate::broker::Broker;
use crate::error::Error;
use crate::link::Link;
use crate::part::Backoff;
use crate::settings::Settings;
use crate::target::Role;

/// The brokers of a cluster.
#[derive(Debug)]
pub(crate) struct Brokers {
    clock: Clock,
    settings: Settings,
    bootstrap: Vec<BrokerAddress>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// As the cluster said last.
    addresses: BTreeMap<BrokerId, BrokerAddress>,
    links: HashMap<(BrokerAddress, Role), Arc<Link>>,
}

impl Brokers {
    pub(crate) fn new(clock: Clock, settings: Settings, bootstrap: Vec<BrokerAddress>) -> Brokers {
        Brokers {
            clock,
            settings,
            bootstrap,
            known: Mutex::default(),
        }
    }

    /// Returns the same brokers, without connections.
    pub(crate) fn unconnected(&self) -> Brokers {
        let known = Known {
            addresses: self.known().addresses.clone(),
            links: HashMap::new(),
        };
        Brokers {
            clock: self.clock,
            settings: self.settings.clone(),
            bootstrap: self.bootstrap.clone(),
            known: Mutex::new(known),
        }
    }

    /// Returns where a broker listens, if that is known.
    pub(crate) fn address(&self, of: BrokerId) -> Option<BrokerAddress> {
        self.known().addresses.get(&of).cloned()
    }

    /// The brokers of the cluster are these, and no others; nothing changes if there are none.
    pub(crate) fn learn(&self, brokers: &[MetadataBroker]) {
        let addresses: BTreeMap<_, _> = brokers.iter().filter_map(address_of).collect();
        if addresses.is_empty() {
            return;
        }
        let mut known = self.known();
        let is_current = |address: &BrokerAddress| {
            self.bootstrap.contains(address) || addresses.values().any(|known| known == address)
        };
        // The connections to a broker that has left close when their last call ends.
        known.links.retain(|(address, _), _| is_current(address));
        known.addresses = addresses;
    }

    /// The broker `id` listens at `address`.
    pub(crate) fn learn_one(&self, id: BrokerId, address: BrokerAddress) {
        self.known().addresses.insert(id, address);
    }

    pub(crate) fn forget(&self, id: BrokerId) {
        self.known().addresses.remove(&id);
    }

    /// Returns the connection for a role to a broker that can be reached: one that there
    /// is, else the first that can be made. The brokers share the time that is left, so
    /// one that swallows packets leaves time for the next.
    ///
    /// # Errors
    /// As the last one that was tried.
    pub(crate) async fn any(&self, role: Role, deadline: Moment) -> Result<Arc<Broker>, Error> {
        let mut links: Vec<Arc<Link>> = Vec::new();
        for address in self.candidates() {
            let link = self.link(&address, role);
            if let Some(broker) = link.living() {
                return Ok(broker);
            }
            links.push(link);
        }
        links.sort_by_key(|link| link.is_failing());
        let mut last = Error::Bootstrap(InvalidAddress);
        let mut untried = u32::try_from(links.len()).unwrap_or(u32::MAX);
        for link in links {
            let now = self.clock.now();
            let share = now.plus(deadline.since(now) / untried);
            match link.connection(share).await {
                Ok(broker) => return Ok(broker),
                Err(error) => last = error,
            }
            untried -= 1;
        }
        Err(last)
    }

    /// The bootstrap addresses, and those that the cluster has told, each once.
    fn candidates(&self) -> Vec<BrokerAddress> {
        let mut candidates = self.bootstrap.clone();
        for address in self.known().addresses.values() {
            if !candidates.contains(address) {
                candidates.push(address.clone());
            }
        }
        candidates
    }

    /// Returns the link to a broker for a role; it may not be connected.
    pub(crate) fn link(&self, address: &BrokerAddress, role: Role) -> Arc<Link> {
        let mut known = self.known();
        let links = &mut known.links;
        let new = || Arc::new(self.new_link(address));
        let link = links.entry((address.clone(), role)).or_insert_with(new);
        Arc::clone(link)
    }

    fn new_link(&self, address: &BrokerAddress) -> Link {
        let clock = self.clock;
        let address = address.clone();
        let client_id: Arc<str> = self.settings.client_id.as_str().into();
        let patience = self.settings.connect_patience;
        let dial = move || {
            let (address, client_id) = (address.clone(), Arc::clone(&client_id));
            async move {
                let deadline = clock.now().plus(patience);
                Broker::dial(clock, &address, client_id, deadline).await
            }
        };
        Link::new(clock, self.backoff(), dial)
    }

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff {
            first: self.settings.backoff_first,
            max: self.settings.backoff_max,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address_of(broker: &MetadataBroker) -> Option<(BrokerId, BrokerAddress)> {
    let address = BrokerAddress {
        host: broker.host.clone(),
        port: u16::try_from(broker.port).ok()?,
    };
    Some((BrokerId(broker.node_id), address))
}
