//! What a trait says about its service, or why it can be none.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse as _, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, Generics, Ident, ItemTrait, Pat, Path, PathArguments,
    PathSegment, ReceiverKind, Result, ReturnType, Token, TraitItem, TraitItemFn, Type,
    TypeParamBound,
};

/// Methods that every client has.
const RESERVED: [&str; 3] = ["new", "with_patience", "with_key"];

/// A service.
pub(crate) struct Service {
    pub(crate) item: ItemTrait,
    /// `None`: the default one.
    pub(crate) codec: Option<Path>,
    pub(crate) methods: Vec<Method>,
}

/// A method of a service.
pub(crate) struct Method {
    /// Documentation, `cfg` and the like: without `#[rpc(…)]`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) arguments: Vec<(Ident, Type)>,
    pub(crate) kind: Kind,
    /// Whether it may run twice for one call.
    pub(crate) is_idempotent: bool,
}

/// What a method gives back, and how.
pub(crate) enum Kind {
    /// One value.
    Reply { returns: Returns, is_blocking: bool },
    /// Items of this type.
    Stream(Box<Type>),
    /// Nothing, not even its end.
    OneWay,
}

/// What a method returns.
pub(crate) enum Returns {
    Value(Box<Type>),
    Result(Box<Type>, Box<Type>),
}

impl Service {
    /// Reads the attribute's arguments and the item behind it.
    pub(crate) fn read(attribute: TokenStream, item: TokenStream) -> Result<Service> {
        let codec = codec.parse2(attribute)?;
        let mut item = match syn::parse2::<syn::Item>(item)? {
            syn::Item::Trait(item) => item,
            other => return Err(Error::new(first_token(&other), "a service is a trait")),
        };
        no_generics(&item.generics, "a service")?;
        let mut methods: Vec<Method> = Vec::new();
        let mut errors = Errors(None);
        for inner in &mut item.items {
            match Method::read(inner) {
                Ok(method) => methods.push(method),
                Err(error) => errors.add(error),
            }
        }
        errors.0.map_or(Ok(()), Err)?;
        Ok(Service {
            item,
            codec,
            methods,
        })
    }
}

/// All that is wrong, so that one look at the compiler's output is enough.
struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }
}

/// `codec = PATH`, or nothing.
fn codec(input: ParseStream<'_>) -> Result<Option<Path>> {
    if input.is_empty() {
        return Ok(None);
    }
    let name = input.call(Ident::parse_any)?;
    if name != "codec" {
        let message = "the attribute takes `codec = …`, and nothing else";
        return Err(Error::new(name.span(), message));
    }
    input.parse::<Token![=]>()?;
    Path::parse(input).map(Some)
}

impl Method {
    fn read(item: &mut TraitItem) -> Result<Method> {
        let TraitItem::Fn(method) = item else {
            let message = "a service has methods, and nothing else";
            return Err(Error::new(first_token(item), message));
        };
        let marks = take_marks(&mut method.attrs)?;
        let kind_mark = marks.kind;
        let signature = &method.sig;
        if RESERVED.contains(&&*signature.ident.to_string()) {
            let message = "every client has a method of this name already";
            return Err(Error::new(signature.ident.span(), message));
        }
        if let Some(body) = &method.default {
            let message =
                "a method of a service has no body here: the server's implementation has it";
            return Err(Error::new(body.span(), message));
        }
        no_generics(&signature.generics, "a method of a service")?;
        takes_shared_self(method)?;
        let arguments = arguments(method)?;
        let kind = kind(method, kind_mark)?;
        if let (Kind::Stream(_) | Kind::OneWay, Some(span)) = (&kind, marks.idempotent) {
            let message =
                "only a method with one reply is `idempotent`: no other call is made again";
            return Err(Error::new(span, message));
        }
        Ok(Method {
            attributes: method.attrs.clone(),
            name: signature.ident.clone(),
            arguments,
            is_idempotent: marks.idempotent.is_some(),
            kind,
        })
    }
}

/// What `#[rpc(…)]` says of a method.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Blocking,
    OneWay,
}

/// All that is said of a method, and where.
#[derive(Default)]
struct Marks {
    kind: Option<(Mark, Span)>,
    idempotent: Option<Span>,
}

/// Takes `#[rpc(…)]` out, which the compiler does not know.
fn take_marks(attributes: &mut Vec<Attribute>) -> Result<Marks> {
    let mut marks = Marks::default();
    for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("rpc")) {
        let words = attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
        for word in words {
            let span = word.span();
            let is_second = match &*word.to_string() {
                "blocking" => marks.kind.replace((Mark::Blocking, span)).is_some(),
                "one_way" => marks.kind.replace((Mark::OneWay, span)).is_some(),
                "idempotent" => marks.idempotent.replace(span).is_some(),
                _ => {
                    let message =
                        "a method is marked `blocking`, `one_way` or `idempotent`, or not at all";
                    return Err(Error::new(span, message));
                }
            };
            if is_second {
                let message = "a method is `blocking` or `one_way`, and says each mark once";
                return Err(Error::new(span, message));
            }
        }
    }
    Ok(marks)
}

fn no_generics(generics: &Generics, what: &str) -> Result<()> {
    let clause = generics.where_clause.as_ref().map(Spanned::span);
    let parameters = (!generics.params.is_empty()).then(|| generics.params.span());
    match parameters.or(clause) {
        Some(span) => Err(Error::new(
            span,
            format!("{what} has no parameters of its own: both sides must know every type"),
        )),
        None => Ok(()),
    }
}

fn takes_shared_self(method: &TraitItemFn) -> Result<()> {
    let message = "a method of a service takes `&self`: many calls run at the same time";
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => {
            let is_shared = matches!(receiver.kind, ReceiverKind::Reference(_, _, None));
            let refusal = || Error::new(receiver.span(), message);
            is_shared.then_some(()).ok_or_else(refusal)
        }
        _ => Err(Error::new(method.sig.ident.span(), message)),
    }
}

fn arguments(method: &TraitItemFn) -> Result<Vec<(Ident, Type)>> {
    let mut arguments = Vec::new();
    for argument in method.sig.inputs.iter().skip(1) {
        let FnArg::Typed(argument) = argument else {
            continue; // The compiler itself refuses a second `self`.
        };
        let Pat::Ident(name) = &*argument.pat else {
            let message = "an argument of a service's method is a name and a type";
            return Err(Error::new(argument.pat.span(), message));
        };
        travels(&argument.ty, "an argument")?;
        arguments.push((name.ident.clone(), Type::clone(&argument.ty)));
    }
    Ok(arguments)
}

/// Refuses types that cannot travel whatever they consist of.
fn travels(ty: &Type, what: &str) -> Result<()> {
    let message = match ty {
        Type::Reference(_) => format!(
            "{what} travels to another process, so it is a value of its own: `String` for `&str`, `Vec<T>` for `&[T]`"
        ),
        Type::ImplTrait(_) => format!("{what} has a type with a name: both sides must know it"),
        _ => return Ok(()),
    };
    Err(Error::new(ty.span(), message))
}

fn kind(method: &TraitItemFn, mark: Option<(Mark, Span)>) -> Result<Kind> {
    let signature = &method.sig;
    let is_async = signature.asyncness.is_some();
    let refused = |span: Span, message: &str| Err(Error::new(span, message));
    if let Some(item) = stream_item(&signature.output) {
        let item = item?;
        travels(&item, "an item")?;
        return match mark {
            None if !is_async => Ok(Kind::Stream(Box::new(item))),
            None => refused(
                signature.asyncness.span(),
                "a method that returns a stream is no `async fn`: the stream does the waiting",
            ),
            Some((_, span)) => refused(span, "a method that returns a stream has no mark"),
        };
    }
    match mark {
        Some((Mark::OneWay, _)) => match &signature.output {
            ReturnType::Type(_, ty) => refused(
                ty.span(),
                "a `one_way` method returns nothing: nobody waits for it",
            ),
            ReturnType::Default if is_async => Ok(Kind::OneWay),
            ReturnType::Default => refused(signature.fn_token.span, NOT_ASYNC),
        },
        Some((Mark::Blocking, span)) if is_async => refused(
            span,
            "a method that blocks is no `async fn`: it runs on a thread of its own",
        ),
        None if !is_async => refused(signature.fn_token.span, NOT_ASYNC),
        mark => Ok(Kind::Reply {
            returns: returns(&signature.output)?,
            is_blocking: mark.is_some(),
        }),
    }
}

const NOT_ASYNC: &str =
    "write `async fn`, or `#[rpc(blocking)]` above a method that blocks its thread";

/// Returns what `impl Stream<Item = T>` says that its items are.
fn stream_item(output: &ReturnType) -> Option<Result<Type>> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    let Type::ImplTrait(returned) = &**ty else {
        return None;
    };
    let item = returned.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            (last.ident == "Stream").then(|| item_of(last))?
        }
        _ => None,
    });
    let message = "what a method returns has a name, or is `impl Stream<Item = T>`";
    Some(item.ok_or_else(|| Error::new(ty.span(), message)))
}

fn item_of(stream: &PathSegment) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = &stream.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(item.ty.clone()),
        _ => None,
    })
}

fn returns(output: &ReturnType) -> Result<Returns> {
    let ReturnType::Type(_, ty) = output else {
        return Ok(Returns::Value(Box::new(syn::parse_quote!(()))));
    };
    travels(ty, "a result")?;
    let Some(last) = last_segment(ty).filter(|last| last.ident == "Result") else {
        return Ok(Returns::Value(ty.clone()));
    };
    let PathArguments::AngleBracketed(sides) = &last.arguments else {
        return Err(Error::new(ty.span(), NO_ERROR_TYPE));
    };
    let sides: Vec<&Type> = sides.args.iter().filter_map(side).collect();
    match sides[..] {
        [value, error] => {
            travels(value, "a result")?;
            travels(error, "an error")?;
            let boxed = |side: &Type| Box::new(side.clone());
            Ok(Returns::Result(boxed(value), boxed(error)))
        }
        _ => Err(Error::new(ty.span(), NO_ERROR_TYPE)),
    }
}

const NO_ERROR_TYPE: &str = "write `Result<T, E>` with both types: the error travels too";

fn side(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(side) => Some(side),
        _ => None,
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Where an item begins: the whole of it would underline pages.
fn first_token(item: &impl quote::ToTokens) -> Span {
    let first = item.to_token_stream().into_iter().next();
    first.map_or_else(Span::call_site, |token| token.span())
}
