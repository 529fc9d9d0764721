//! The attribute `#[rpc::service]`, as the crate `rpc` hands it on.
//!
//! `model` reads the trait, and says what is wrong with it where it is wrong. `expand`
//! writes the trait, its client and its server.

mod expand;
mod model;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes a service of a trait: beside the trait `Greeter` there are then a `GreeterClient`,
/// which has the same methods and calls them on a server, and a `GreeterServer`, which
/// serves an implementation of the trait.
///
/// | method | what it is | what the client's method returns |
/// |---|---|---|
/// | `async fn m(&self, …) -> T` | one reply | `Result<T, Error>` |
/// | `async fn m(&self, …) -> Result<T, E>` | one reply, of which either side travels | `Result<T, CallError<E>>` |
/// | `fn m(&self, …) -> impl Stream<Item = T>` | items, at most a window ahead of the caller | `Result<Streaming<T>, Error>` |
/// | `#[rpc(one_way)] async fn m(&self, …)` | no reply | `Result<(), Error>` |
/// | `#[rpc(blocking)] fn m(&self, …) -> …` | as without, on a thread that it may block | as without |
/// | `#[rpc(idempotent)] …` | as without; it may run twice for one call | as without |
///
/// Arguments and results implement serde's `Serialize` and `Deserialize`. Documentation of
/// the trait's methods is also that of the client's.
///
/// `#[rpc::service(codec = rpc::Json)]` names another codec than `rpc::Postcard`.
#[proc_macro_attribute]
pub fn service(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let service = model::Service::read(attribute.into(), item.into());
    let expanded = service.map(|service| expand::service(&service));
    expanded
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
