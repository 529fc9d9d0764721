//! Member ids, which each broker makes up itself, by names that the exchange gives them.

use bytes::{BufMut as _, BytesMut};
use kafka_protocol::messages::ApiKey;
use serde_json::Value;

use super::exchange::Step;

/// The first header version of requests whose strings have a compact length.
const FLEXIBLE_HEADER: i16 = 2;

/// The member ids of an exchange by their names.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Name in braces, and id. Of two names of an id the first one counts.
    named: Vec<(String, String)>,
}

impl Members {
    /// Takes the member id of an answer to `step`, if the step names it.
    pub(crate) fn learn(&mut self, step: &Step, answer: &Value) {
        let id = answer["member_id"].as_str().unwrap_or_default();
        if !step.course.member.is_empty() && !id.is_empty() {
            let name = format!("{{{}}}", step.course.member);
            self.named.push((name, id.to_owned()));
        }
    }

    /// The request of `step` with the ids in place of their names.
    pub(crate) fn fill(&self, step: &Step) -> Vec<u8> {
        let header = ApiKey::try_from(step.api).map(|api| api.request_header_version(step.version));
        let is_flexible = header == Ok(FLEXIBLE_HEADER);
        let mut frame = step.frame.clone();
        for (name, id) in &self.named {
            frame = replace(&frame, &string(name, is_flexible), &string(id, is_flexible));
        }
        frame
    }

    /// `answer` with the names in place of their ids.
    pub(crate) fn name(&self, answer: &mut Value) {
        match answer {
            Value::String(text) => {
                if let Some((name, _)) = self.named.iter().find(|(_, id)| id == text) {
                    name.clone_into(text);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.name(item)),
            Value::Object(entries) => entries.values_mut().for_each(|value| self.name(value)),
            _ => {}
        }
    }
}

/// `text` as it is on the wire: with its length in two bytes, or one more in seven bits each.
fn string(text: &str, is_flexible: bool) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    if is_flexible {
        let mut rest = text.len() + 1;
        while rest >= 0x80 {
            bytes.put_u8(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
            rest >>= 7;
        }
        bytes.put_u8(u8::try_from(rest).unwrap_or_default());
    } else {
        bytes.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
    }
    bytes.put_slice(text.as_bytes());
    bytes.to_vec()
}

fn replace(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(what) {
            replaced.extend_from_slice(with);
            rest = behind;
        } else {
            replaced.push(*first);
            rest = behind;
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::{GroupId, HeartbeatRequest};
    use kafka_protocol::protocol::StrBytes;
    use serde_json::json;

    use super::*;

    fn beat(version: i16, member: &str) -> Step {
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(StrBytes::from_static_str("g")))
            .with_generation_id(3)
            .with_member_id(StrBytes::from_string(member.to_owned()));
        Step::new(version, &request)
    }

    #[test]
    fn a_name_in_a_request_becomes_the_id_with_its_own_length() {
        let id = "i".repeat(200);
        let mut members = Members::default();
        members.learn(&beat(0, "").names("a"), &json!({"member_id": id}));
        for version in [0, 3, 4] {
            let filled = members.fill(&beat(version, "{a}"));
            assert_eq!(filled, beat(version, &id).frame, "version {version}");
            let other = beat(version, "{ab}");
            assert_eq!(members.fill(&other), other.frame, "version {version}");
        }
    }

    #[test]
    fn an_id_in_an_answer_becomes_its_name() {
        let mut members = Members::default();
        let answer = json!({"member_id": "x-1"});
        members.learn(&beat(0, "").names("a"), &answer);
        members.learn(&beat(0, ""), &json!({"member_id": "x-2"}));
        let mut answer = json!({"leader": "x-1", "members": ["x-1", "x-2"]});
        members.name(&mut answer);
        assert_eq!(answer, json!({"leader": "{a}", "members": ["{a}", "x-2"]}));
    }
}
