//! Four ways to keep an order and a cart together, and one that does not. What carries each
//! of them out dies before each of its steps, and comes back. Each design is a small model:
//! a list of steps, and what happens when the dead one is back.

use std::fmt;

/// What is stored, and where.
#[derive(Debug, Clone, Copy, Default)]
struct World {
    /// What each side shows to others.
    order: bool,
    cart: bool,
    /// What nobody else may use: rows are locked, or goods are reserved.
    order_held: bool,
    cart_held: bool,
    /// The coordinator has written its decision down.
    is_decided: bool,
    /// There is a row in the outbox, or a half message that is open.
    is_pending: bool,
    /// The outcome of the half message is in the queue.
    is_said: bool,
    /// How often the message was sent to the cart.
    copies: u32,
}

impl World {
    /// The cart system does what the message says, once: it knows the message's id.
    fn send(&mut self) {
        self.copies += 1;
        self.cart = true;
    }

    fn sides(self) -> &'static str {
        match (self.order, self.cart) {
            (true, true) => "both",
            (false, false) => "neither",
            (true, false) => "order only",
            (false, true) => "cart only",
        }
    }

    fn held(self) -> &'static str {
        match (self.order_held, self.cart_held) {
            (true, true) => "order, cart",
            (true, false) => "order",
            (false, true) => "cart",
            (false, false) => "",
        }
    }
}

/// One step, and its name.
type Step = (&'static str, fn(&mut World));

struct Design {
    name: &'static str,
    steps: &'static [Step],
    /// What happens when what died is back; returns what had to be asked meanwhile.
    recover: fn(&mut World) -> &'static str,
}

const PREPARE_ORDER: fn(&mut World) = |world| world.order_held = true;
const PREPARE_CART: fn(&mut World) = |world| world.cart_held = true;
const DECIDE: fn(&mut World) = |world| world.is_decided = true;
const COMMIT_ORDER: fn(&mut World) = |world| (world.order, world.order_held) = (true, false);
const COMMIT_CART: fn(&mut World) = |world| (world.cart, world.cart_held) = (true, false);

/// Two-phase commit, and try-confirm-cancel: what is prepared waits for the decision, which
/// only the coordinator's log has.
fn ask_the_coordinator(world: &mut World) -> &'static str {
    if !world.order_held && !world.cart_held {
        return "";
    }
    if world.is_decided {
        COMMIT_ORDER(world);
        COMMIT_CART(world);
    } else {
        (world.order_held, world.cart_held) = (false, false);
    }
    "the coordinator"
}

const DESIGNS: [Design; 5] = [
    Design {
        name: "commit, then send",
        steps: &[
            ("commit the order", |world| world.order = true),
            ("send", World::send),
        ],
        recover: |_| "",
    },
    Design {
        name: "2PC (rows locked)",
        steps: &[
            ("prepare the order", PREPARE_ORDER),
            ("prepare the cart", PREPARE_CART),
            ("write the decision", DECIDE),
            ("commit the order", COMMIT_ORDER),
            ("commit the cart", COMMIT_CART),
        ],
        recover: ask_the_coordinator,
    },
    Design {
        name: "TCC (goods reserved)",
        steps: &[
            ("try the order", PREPARE_ORDER),
            ("try the cart", PREPARE_CART),
            ("write the decision", DECIDE),
            ("confirm the order", COMMIT_ORDER),
            ("confirm the cart", COMMIT_CART),
        ],
        recover: ask_the_coordinator,
    },
    Design {
        name: "outbox",
        steps: &[
            ("commit order and row", |world| {
                (world.order, world.is_pending) = (true, true);
            }),
            ("send the row", World::send),
            ("delete the row", |world| world.is_pending = false),
        ],
        recover: |world| {
            if world.is_pending {
                world.send();
                world.is_pending = false;
            }
            ""
        },
    },
    Design {
        name: "half message",
        steps: &[
            ("send the half message", |world| world.is_pending = true),
            ("commit the order", |world| world.order = true),
            ("say commit", |world| world.is_said = true),
            ("copy", World::send),
            ("write the op record", |world| world.is_pending = false),
        ],
        recover: |world| {
            if !world.is_pending {
                return "";
            }
            // The database knows, and any producer can look into it.
            if world.order {
                world.send();
            }
            world.is_pending = false;
            if world.is_said { "" } else { "any producer" }
        },
    },
];

/// What a crash before a step leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) design: &'static str,
    pub(crate) step: &'static str,
    /// Until what died is back.
    pub(crate) meanwhile: &'static str,
    pub(crate) held: &'static str,
    pub(crate) asks: &'static str,
    pub(crate) end: &'static str,
    pub(crate) copies: u32,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  {:<21} | {:<10} | {:<11} | {:<15} | {:<10} | {:>6}",
            self.step, self.meanwhile, self.held, self.asks, self.end, self.copies
        )
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for design in &DESIGNS {
        for (crash, (step, _)) in design.steps.iter().enumerate() {
            let mut world = World::default();
            for (_, carry_out) in &design.steps[..crash] {
                carry_out(&mut world);
            }
            let meanwhile = world;
            let asks = (design.recover)(&mut world);
            rows.push(Row {
                design: design.name,
                step,
                meanwhile: meanwhile.sides(),
                held: meanwhile.held(),
                asks,
                end: world.sides(),
                copies: world.copies,
            });
        }
    }
    rows
}

fn main() {
    println!(
        "dies before             | meanwhile  | held        | must answer     | in the end | copies"
    );
    println!(
        "------------------------|------------|-------------|-----------------|------------|-------"
    );
    let mut last = "";
    for row in rows() {
        if row.design != last {
            println!("{}", row.design);
            last = row.design;
        }
        println!("{row}");
    }
}
