//! The bytes of messages, made from a run of bytes.
//!
//! They are written here from the declarations, field by field, and not by the code
//! under test. The same bytes make the same message; fewer bytes make a smaller one,
//! which is how proptest shrinks a failure to something that a person can read.

use wire_protocol::Form;

use super::declared::{Field, structs};

/// What messages are made from. Behind its end there are zeros.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    rest: &'a [u8],
}

impl<'a> Source<'a> {
    /// Makes messages from `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Source<'a> {
        Source { rest: bytes }
    }

    fn below(&mut self, end: u8) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else {
            return 0;
        };
        self.rest = rest;
        first % end
    }

    /// A number of `size` bytes. The ends are likelier than chance would have them.
    fn number(&mut self, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        match self.below(16) {
            0 => {}
            1 => bytes[0] = 0x80,
            2 => {
                bytes.fill(0xff);
                bytes[0] = 0x7f;
            }
            3 => bytes.fill(0xff),
            _ => bytes.fill_with(|| self.below(255)),
        }
        bytes
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 8] = ['a', 'Z', '0', '.', '_', 'é', '漢', '😀'];
        let letter = |source: &mut Self| LETTERS[usize::from(source.below(8))];
        match self.below(12) {
            // Long enough that a compact length takes two bytes.
            11 => letter(self).to_string().repeat(130),
            length => (0..length).map(|_| letter(self)).collect(),
        }
    }
}

/// The bytes of a message of type `name`.
pub(crate) fn random(name: &str, source: &mut Source<'_>, form: Form) -> Vec<u8> {
    let mut writer = Writer {
        form,
        out: Vec::new(),
    };
    writer.fields(name, source);
    writer.out
}

struct Writer {
    form: Form,
    out: Vec<u8>,
}

impl Writer {
    fn fields(&mut self, name: &str, source: &mut Source<'_>) {
        let fields = structs().get(name);
        let fields = fields.unwrap_or_else(|| panic!("there is a struct {name}"));
        let has = |field: &&Field| field.versions.contains(&self.form.version);
        let (plain, tagged): (Vec<&Field>, Vec<&Field>) = fields
            .iter()
            .filter(has)
            .partition(|field| field.tag.is_none());
        for field in plain {
            let null = field.null.contains(&self.form.version);
            self.value(&field.kind, null, source);
        }
        if self.form.flexible {
            self.tagged(&tagged, source);
        }
    }

    /// What ends a struct: the fields that are not what they are by default.
    fn tagged(&mut self, fields: &[&Field], source: &mut Source<'_>) {
        let mut written = Vec::new();
        for field in fields {
            let one = |source: &mut Source<'_>| {
                let form = self.form;
                let mut writer = Writer {
                    form,
                    out: Vec::new(),
                };
                writer.value(&field.kind, true, source);
                writer.out
            };
            let bytes = one(source);
            if bytes != self.default(&field.kind, field.default.as_deref()) {
                written.push((field.tag.expect("a tagged field"), bytes));
            }
        }
        self.varint(written.len());
        for (tag, bytes) in written {
            self.varint(tag as usize);
            self.varint(bytes.len());
            self.out.extend(bytes);
        }
    }

    /// The bytes of what a field is if nothing is said.
    fn default(&self, kind: &str, default: Option<&str>) -> Vec<u8> {
        let number = || match default {
            None => 0,
            Some(number) => number.parse::<i64>().expect("a number"),
        };
        match kind {
            "i32" => i32::try_from(number())
                .expect("an i32")
                .to_be_bytes()
                .to_vec(),
            "i64" => number().to_be_bytes().to_vec(),
            "Option<String>" => vec![0],
            name => {
                let fields = structs()[name].iter();
                let mut bytes: Vec<u8> = fields
                    .flat_map(|field| self.default(&field.kind, field.default.as_deref()))
                    .collect();
                bytes.push(0);
                bytes
            }
        }
    }

    fn value(&mut self, kind: &str, null: bool, source: &mut Source<'_>) {
        if let Some(inner) = inner(kind, "Option") {
            if null && source.below(4) == 0 {
                return self.null(inner);
            }
            return self.value(inner, false, source);
        }
        if let Some(inner) = inner(kind, "Vec") {
            let count = source.below(4);
            self.length(usize::from(count));
            return (0..count).for_each(|_| self.value(inner, false, source));
        }
        match kind {
            "bool" => self.out.push(source.below(2)),
            "i8" => self.out.extend(source.number(1)),
            "i16" | "ErrorCode" => self.out.extend(source.number(2)),
            "i32" => self.out.extend(source.number(4)),
            "i64" => self.out.extend(source.number(8)),
            "String" => self.string(&source.text()),
            "Bytes" | "Records" => {
                let size = source.below(40);
                self.length(usize::from(size));
                self.out.extend((0..size).map(|_| source.below(255)));
            }
            // Null but for version 0, whose empty list says the same.
            "MetadataTopics" => {
                let null = self.form.version > 0;
                self.value("Option<Vec<MetadataTopic>>", null, source);
            }
            name => self.fields(name, source),
        }
    }

    fn null(&mut self, kind: &str) {
        match kind {
            _ if self.form.flexible => self.out.push(0),
            "String" => self.out.extend([0xff; 2]),
            _ => self.out.extend([0xff; 4]),
        }
    }

    fn string(&mut self, text: &str) {
        if self.form.flexible {
            self.varint(text.len() + 1);
        } else {
            let length = i16::try_from(text.len()).expect("a short text");
            self.out.extend(length.to_be_bytes());
        }
        self.out.extend(text.as_bytes());
    }

    /// In front of an array or of bytes.
    fn length(&mut self, length: usize) {
        if self.form.flexible {
            return self.varint(length + 1);
        }
        let length = i32::try_from(length).expect("a short list");
        self.out.extend(length.to_be_bytes());
    }

    fn varint(&mut self, mut value: usize) {
        while value > 0x7f {
            let low = u8::try_from(value & 0x7f).expect("seven bits");
            self.out.push(low | 0x80);
            value >>= 7;
        }
        self.out.push(u8::try_from(value).expect("seven bits"));
    }
}

/// `T` of `outer<T>`.
fn inner<'a>(kind: &'a str, outer: &str) -> Option<&'a str> {
    kind.strip_prefix(outer)?
        .strip_prefix('<')?
        .strip_suffix('>')
}
