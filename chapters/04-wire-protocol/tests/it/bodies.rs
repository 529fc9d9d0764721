//! Every message of the table, behind one type: a body of bytes in, a body of bytes out.

use bytes::Bytes;
use networking::Chunk;
use wire_protocol::message::*;
use wire_protocol::{ApiKey, Decoder, Encoder, Form, Malformed, Request, Wire};

use super::random::{Random, Source};

/// A message of the table.
#[derive(Clone, Copy)]
pub(crate) struct Body {
    /// Its type, such as `FetchRequest`.
    pub(crate) name: &'static str,
    /// Its API.
    pub(crate) api: ApiKey,
    /// Whether it is a request.
    pub(crate) is_request: bool,
    /// Encodes a random value.
    pub(crate) random: fn(&mut Source<'_>, Form) -> Vec<u8>,
    /// Decodes; says how many bytes are left.
    pub(crate) decode: fn(&[u8], Form) -> Result<usize, Malformed>,
    /// Decodes a frame, and nothing else.
    pub(crate) read: fn(&Bytes, Form) -> Result<(), Malformed>,
    /// How much memory decoding the frame takes.
    pub(crate) measure: fn(&Bytes, Form) -> Result<usize, Malformed>,
    /// Decodes and encodes again.
    pub(crate) recode: fn(&[u8], Form) -> Result<Vec<u8>, Malformed>,
    /// Decodes and prints.
    pub(crate) debug: fn(&[u8], Form) -> Result<String, Malformed>,
}

impl Body {
    /// The forms that are on the wire: every version that we advertise.
    pub(crate) fn forms(&self) -> Vec<Form> {
        let form = |version| Form {
            version,
            flexible: self.api.is_flexible(version),
        };
        self.api.advertised().map(form).collect()
    }

    /// Those, and each of them with compact lengths and tagged fields too: the
    /// versions that come later have them.
    pub(crate) fn forms_and_flexible(&self) -> Vec<Form> {
        let mut forms = self.forms();
        let flexible = |form: &Form| Form {
            flexible: true,
            ..*form
        };
        forms.extend(self.forms().iter().map(flexible));
        forms
    }
}

/// All requests, each followed by its response.
pub(crate) fn all() -> Vec<Body> {
    macro_rules! bodies {
        ($($request:ident),*) => { vec![$(
            body::<$request>($request::KEY, true),
            body::<<$request as Request>::Response>($request::KEY, false),
        )*] };
    }
    let all = bodies!(
        ProduceRequest,
        FetchRequest,
        ListOffsetsRequest,
        MetadataRequest,
        FindCoordinatorRequest,
        ApiVersionsRequest,
        CreateTopicsRequest,
        DeleteTopicsRequest,
        InitProducerIdRequest,
        DescribeConfigsRequest
    );
    assert_eq!(all.len(), 2 * ApiKey::ALL.len(), "an API is missing above");
    all
}

fn body<M: Wire + Random + std::fmt::Debug + 'static>(api: ApiKey, is_request: bool) -> Body {
    let name = std::any::type_name::<M>();
    Body {
        name: name.rsplit("::").next().unwrap_or(name),
        api,
        is_request,
        random: |source, form| encode(&M::random(source, form.version), form),
        decode: |bytes, form| {
            let frame = Bytes::copy_from_slice(bytes);
            let mut input = decoder(&frame, form);
            M::decode(&mut input).map(|_| input.remaining())
        },
        read: |frame, form| M::decode(&mut decoder(frame, form)).map(|_| ()),
        measure: |frame, form| M::measure(&mut decoder(frame, form)),
        recode: |bytes, form| decode::<M>(bytes, form).map(|message| encode(&message, form)),
        debug: |bytes, form| decode::<M>(bytes, form).map(|message| format!("{message:?}")),
    }
}

fn decode<M: Wire>(bytes: &[u8], form: Form) -> Result<M, Malformed> {
    M::decode(&mut decoder(&Bytes::copy_from_slice(bytes), form))
}

fn decoder(frame: &Bytes, form: Form) -> Decoder<'_> {
    Decoder::new(frame, form.version, form.flexible)
}

/// The bytes of a value.
pub(crate) fn encode(value: &impl Wire, form: Form) -> Vec<u8> {
    let mut out = Encoder::new(form.version, form.flexible);
    value.encode(&mut out);
    joined(out.finish())
}

/// The bytes of chunks that are all in memory.
pub(crate) fn joined(chunks: Vec<Chunk>) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) => all.extend_from_slice(&bytes),
            Chunk::File(_) => panic!("nothing here is in a file"),
        }
    }
    all
}
