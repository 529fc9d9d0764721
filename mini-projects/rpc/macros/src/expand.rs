//! The trait of a service, its client and its server, as source text.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Ident, Type};

use crate::model::{Kind, Method, Returns, Service};

/// Returns all that the attribute makes of a trait.
pub(crate) fn service(service: &Service) -> TokenStream {
    let definition = definition(service);
    let client = client(service);
    let server = server(service);
    quote!(#definition #client #server)
}

/// The trait itself: its futures and streams may move between threads.
fn definition(service: &Service) -> TokenStream {
    let item = &service.item;
    let (attributes, vis, name) = (&item.attrs, &item.vis, &item.ident);
    let supertraits = item.supertraits.iter();
    let methods = service.methods.iter().map(|method| {
        let (attributes, name) = (&method.attributes, &method.name);
        let arguments = parameters(method);
        let returned = match &method.kind {
            Kind::Reply {
                returns,
                is_blocking: true,
            } => returns.to_token_stream(),
            Kind::Reply {
                returns,
                is_blocking: false,
            } => future(&returns.to_token_stream()),
            Kind::Stream(item) => {
                quote!(impl ::rpc::Stream<Item = #item> + ::core::marker::Send)
            }
            Kind::OneWay => future(&quote!(())),
        };
        quote!(#(#attributes)* fn #name(&self, #arguments) -> #returned;)
    });
    quote! {
        #(#attributes)*
        #vis trait #name:
            ::core::marker::Send + ::core::marker::Sync + 'static #(+ #supertraits)*
        {
            #(#methods)*
        }
    }
}

fn future(output: &TokenStream) -> TokenStream {
    quote!(impl ::core::future::Future<Output = #output> + ::core::marker::Send)
}

fn parameters(method: &Method) -> TokenStream {
    let (names, types) = names_and_types(method);
    quote!(#(#names: #types),*)
}

fn names_and_types(method: &Method) -> (Vec<&Ident>, Vec<&Type>) {
    let arguments = method.arguments.iter();
    arguments.map(|(name, ty)| (name, ty)).unzip()
}

impl ToTokens for Returns {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Returns::Value(value) => value.to_tokens(tokens),
            Returns::Result(value, error) => {
                tokens.extend(quote!(::core::result::Result<#value, #error>));
            }
        }
    }
}

/// Returns a `where` clause with each type of the methods that does not travel by itself.
///
/// A type that cannot travel is then one error, at the type, and none about code that
/// nobody has written.
fn travelling<'a>(methods: impl IntoIterator<Item = &'a Method>) -> TokenStream {
    let types = methods.into_iter().flat_map(|method| {
        let arguments = method.arguments.iter().map(|(_, ty)| ty);
        let returned: Vec<&Type> = match &method.kind {
            Kind::Reply { returns, .. } => match returns {
                Returns::Value(value) => vec![value],
                Returns::Result(value, error) => vec![value, error],
            },
            Kind::Stream(item) => vec![item],
            Kind::OneWay => vec![],
        };
        arguments.chain(returned)
    });
    let bounds = types.map(|ty| quote_spanned!(ty.span()=> #ty: ::rpc::Travels,));
    quote!(where #(#bounds)*)
}

fn client(service: &Service) -> TokenStream {
    let (vis, name) = (&service.item.vis, &service.item.ident);
    let client = format_ident!("{name}Client");
    let about = format!("Calls the methods of a [`{name}`] on a server.");
    let methods = service.methods.iter().map(|method| call(service, method));
    quote! {
        #[doc = #about]
        ///
        /// Cheap to clone; all clones share one transport.
        #[derive(Debug)]
        #vis struct #client<T = ::rpc::Tcp> {
            client: ::rpc::Client<T>,
        }

        impl<T> ::core::clone::Clone for #client<T> {
            fn clone(&self) -> Self {
                Self { client: ::core::clone::Clone::clone(&self.client) }
            }
        }

        impl<T: ::rpc::Transport> #client<T> {
            /// Returns a client that calls through `client`.
            #[must_use]
            #vis fn new(client: ::rpc::Client<T>) -> Self {
                Self { client }
            }

            /// Returns a client over the same transport, whose calls may take `patience`.
            #[must_use]
            #vis fn with_patience(&self, patience: ::core::time::Duration) -> Self {
                Self { client: self.client.with_patience(patience) }
            }

            /// Returns a client over the same transport, whose calls go where `key` says if
            /// the transport chooses between servers by keys.
            #[must_use]
            #vis fn with_key(&self, key: ::core::primitive::u64) -> Self {
                Self { client: self.client.with_key(key) }
            }

            #(#methods)*
        }
    }
}

/// The client's method.
fn call(service: &Service, method: &Method) -> TokenStream {
    let (vis, service_name) = (&service.item.vis, service.item.ident.to_string());
    let codec = codec(service);
    let name = &method.name;
    let wire_name = wire_name(name);
    let attributes = documentation(method);
    let parameters = parameters(method);
    let (names, _) = names_and_types(method);
    let travelling = travelling([method]);
    let idempotent = method.is_idempotent.then(|| quote!(.idempotent()));
    let error = quote!(::rpc::Error);
    let (function, returned, error) = match &method.kind {
        Kind::Reply {
            returns: Returns::Value(value),
            ..
        } => (quote!(call::<#codec, _, _>), quote!(#value), error),
        Kind::Reply {
            returns: Returns::Result(value, of_service),
            ..
        } => {
            let error = quote!(::rpc::CallError<#of_service>);
            (quote!(try_call::<#codec, _, _, _>), quote!(#value), error)
        }
        Kind::Stream(item) => (
            quote!(stream::<#codec, _, _>),
            quote!(::rpc::Streaming<#item>),
            error,
        ),
        Kind::OneWay => (quote!(send::<#codec, _>), quote!(()), error),
    };
    quote! {
        #(#attributes)*
        ///
        /// # Errors
        /// If the call did not come back: see [`rpc::Error`](::rpc::Error).
        // ANCHOR: client-method
        #vis async fn #name(
            &self,
            #parameters
        ) -> ::core::result::Result<#returned, #error>
        #travelling
        {
            const METHOD: ::rpc::MethodName =
                ::rpc::MethodName::new::<#codec>(#service_name, #wire_name) #idempotent;
            self.client.#function(METHOD, (#(#names,)*)).await
        }
        // ANCHOR_END: client-method
    }
}

/// What of a method's attributes is also for the client's method.
fn documentation(method: &Method) -> Vec<&Attribute> {
    let kept = ["doc", "cfg", "deprecated"];
    let attributes = method.attributes.iter();
    attributes
        .filter(|attribute| kept.iter().any(|kept| attribute.path().is_ident(kept)))
        .collect()
}

fn server(service: &Service) -> TokenStream {
    let (vis, name) = (&service.item.vis, &service.item.ident);
    let server = format_ident!("{name}Server");
    let about = format!("Serves an implementation of [`{name}`].");
    let wire_name = name.to_string();
    let codec = codec(service);
    let travelling = travelling(&service.methods);
    let methods = service.methods.iter().map(|method| served(name, method));
    quote! {
        #[doc = #about]
        #[derive(Debug)]
        #vis struct #server<S>(S);

        impl<S: #name> #server<S> {
            /// Returns what [`rpc::Server::with_service`](::rpc::Server::with_service) takes.
            #vis fn new(service: S) -> Self {
                Self(service)
            }
        }

        impl<S: #name> ::rpc::Service for #server<S>
        #travelling
        {
            const NAME: &'static str = #wire_name;
            type Codec = #codec;

            fn methods<C: ::rpc::Codec>(
                self: &::std::sync::Arc<Self>,
            ) -> ::std::vec::Vec<::rpc::Method> {
                ::std::vec![#(#methods),*]
            }
        }
    }
}

/// An entry of the server's list of methods.
fn served(service: &Ident, method: &Method) -> TokenStream {
    let name = &method.name;
    let wire_name = wire_name(name);
    let (names, types) = names_and_types(method);
    let pattern = quote!((#(#names,)*): (#(#types,)*));
    let call = quote!(<S as #service>::#name(&service.0, #(#names),*));
    let in_a_future = |sink: TokenStream, run: TokenStream| {
        quote! {
            move |#pattern #sink| {
                let service = ::std::sync::Arc::clone(&service);
                async move { #run }
            }
        }
    };
    let (constructor, closure) = match &method.kind {
        Kind::Reply {
            returns,
            is_blocking,
        } => {
            let (constructor, waits) = match is_blocking {
                true => (quote!(blocking::<C, _>), quote!()),
                false => (quote!(new::<C, _, _>), quote!(.await)),
            };
            let run = match returns {
                Returns::Value(_) => quote!(::rpc::value::<C, _>(&#call #waits)),
                Returns::Result(..) => quote!(::rpc::result::<C, _, _>(&#call #waits)),
            };
            let closure = match is_blocking {
                true => quote!(move |#pattern| #run),
                false => in_a_future(quote!(), run),
            };
            (constructor, closure)
        }
        Kind::OneWay => {
            let run = quote!(::rpc::value::<C, _>(&#call.await));
            (quote!(new::<C, _, _>), in_a_future(quote!(), run))
        }
        Kind::Stream(_) => {
            let sink = quote!(, sink: ::rpc::Sink);
            let run = quote!(sink.send_all::<C, _>(#call).await);
            (quote!(streaming::<C, _, _>), in_a_future(sink, run))
        }
    };
    quote! {
        ::rpc::Method::#constructor(#wire_name, {
            let service = ::std::sync::Arc::clone(self);
            #closure
        })
    }
}

fn codec(service: &Service) -> TokenStream {
    match &service.codec {
        Some(codec) => codec.to_token_stream(),
        None => quote!(::rpc::Postcard),
    }
}

/// Returns what a method is called on the wire: `match` for `r#match`.
fn wire_name(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}
