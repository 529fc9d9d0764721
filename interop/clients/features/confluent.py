"""confluent-kafka, which is librdkafka with Python around it."""

import functools
import random

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka import admin as admin_module
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from feature import PATIENCE_S, Lacking, expect, run, timestamp, until


# A client that is dropped ends what it was asked to do.
@functools.cache
def admin(address):
    return AdminClient({"bootstrap.servers": address})


def done(futures):
    """What every future gave."""
    return {key: future.result(PATIENCE_S) for key, future in futures.items()}


def create(address, topic, partitions=1, **config):
    config = {name.replace("_", "."): value for name, value in config.items()}
    done(admin(address).create_topics([NewTopic(topic, partitions, 1, config=config)]))


def produce(address, topic, records, **config):
    """Sends dictionaries of arguments of `Producer.produce`; returns how many were acknowledged."""
    config = {name.replace("_", "."): value for name, value in config.items()}
    producer = Producer({"bootstrap.servers": address, **config})
    delivered = []

    def acknowledged(error, message):
        if error is not None:
            raise KafkaException(error)
        delivered.append(message.offset())

    for record in records:
        producer.produce(topic, on_delivery=acknowledged, **record)
        producer.poll(0)
    expect("records that were not delivered", producer.flush(PATIENCE_S), 0)
    return len(delivered)


def consumer(address, group, **config):
    config = {name.replace("_", "."): value for name, value in config.items()}
    return Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            **config,
        }
    )


def poll(client, timeout=0.1):
    """The next message, or None; fails on an error."""
    message = client.poll(timeout)
    if message is not None and message.error() is not None:
        raise KafkaException(message.error())
    return message


def read(client, count):
    """The next `count` messages."""
    messages = []

    def look():
        message = poll(client)
        if message is not None:
            messages.append(message)
        return len(messages) >= count

    until(f"{count} messages", look)
    return messages


def read_assigned(address, topic, count, partitions=1, offset=OFFSET_BEGINNING, **config):
    client = consumer(address, f"{topic}-none", **config)
    client.assign([TopicPartition(topic, index, offset) for index in range(partitions)])
    messages = read(client, count)
    client.close()
    return messages


def values(messages):
    return [message.value() for message in messages]


def topics(address, prefix):
    topic = f"{prefix}-topics"
    create(address, topic, partitions=3)
    client = admin(address)
    until("the topic is listed", lambda: topic in client.list_topics(timeout=10).topics, 0.1)
    described = client.list_topics(topic, timeout=10).topics[topic]
    expect("partitions", sorted(described.partitions), [0, 1, 2])
    expect("leaders", all(part.leader >= 0 for part in described.partitions.values()), True)
    try:
        create(address, topic)
        raise AssertionError("the same topic was created again")
    except KafkaException as error:
        expect("the error", error.args[0].name(), "TOPIC_ALREADY_EXISTS")
    done(client.delete_topics([topic]))
    until("it is gone", lambda: topic not in client.list_topics(timeout=10).topics, 0.1)


def configs(address, prefix):
    topic = f"{prefix}-configs"
    create(address, topic, retention_ms="60000")
    client = admin(address)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)

    def retention():
        return done(client.describe_configs([resource]))[resource]["retention.ms"].value

    expect("as created", retention(), "60000")
    if hasattr(client, "incremental_alter_configs"):
        entry = admin_module.ConfigEntry(
            "retention.ms",
            "120000",
            incremental_operation=admin_module.AlterConfigOpType.SET,
        )
        changed = ConfigResource(
            ConfigResource.Type.TOPIC, topic, incremental_configs=[entry]
        )
        done(client.incremental_alter_configs([changed]))
        remark = None
    else:
        changed = ConfigResource(
            ConfigResource.Type.TOPIC, topic, set_config={"retention.ms": "120000"}
        )
        done(client.alter_configs([changed]))
        remark = "by AlterConfigs"
    until("as altered", lambda: retention() == "120000", 0.1)
    return remark


def partitions(address, prefix):
    topic = f"{prefix}-partitions"
    create(address, topic, partitions=2)
    produce(address, topic, [{"value": b"before", "partition": 1}])
    client = admin(address)
    done(client.create_partitions([NewPartitions(topic, 5)]))

    def described():
        return len(client.list_topics(topic, timeout=10).topics[topic].partitions) == 5

    until("five partitions", described, 0.1)
    produce(address, topic, [{"value": b"after", "partition": 4}])
    found = read_assigned(address, topic, 2, partitions=5)
    expect("records", sorted(values(found)), [b"after", b"before"])


def acks(address, prefix):
    topic = f"{prefix}-acks"
    create(address, topic)
    for level in ["0", "1", "all"]:
        records = [{"value": f"{level}-{number}".encode()} for number in range(10)]
        produce(address, topic, records, acks=level)
    found = values(read_assigned(address, topic, 30))
    expected = [f"{level}-{n}".encode() for level in ["0", "1", "all"] for n in range(10)]
    expect("records", found, expected)


def records(address, prefix):
    topic = f"{prefix}-records"
    create(address, topic)
    headers = [("a", b"1"), ("a", b""), ("b", None)]
    sent = [
        {"key": b"key", "value": b"value", "timestamp": timestamp(1), "headers": headers},
        {"key": None, "value": b"without a key", "timestamp": timestamp(2)},
        {"key": b"deleted", "value": None, "timestamp": timestamp(3)},
        {"key": b"", "value": b"", "timestamp": timestamp(4)},
    ]
    produce(address, topic, sent)
    found = read_assigned(address, topic, 4)
    for record, message in zip(sent, found):
        got = (message.key(), message.value(), message.timestamp()[1], message.headers())
        expected = (record["key"], record["value"], record["timestamp"], record.get("headers"))
        expect("a record", got, expected)


def codecs(address, prefix):
    for codec in ["gzip", "snappy", "lz4", "zstd", "none"]:
        topic = f"{prefix}-{codec}"
        create(address, topic)
        sent = [f"{codec} {number} {'x' * 200}".encode() for number in range(100)]
        produce(
            address,
            topic,
            [{"value": value} for value in sent],
            compression_type=codec,
            linger_ms=50,
        )
        expect(codec, values(read_assigned(address, topic, 100)), sent)


def idempotent(address, prefix):
    topic = f"{prefix}-idempotent"
    create(address, topic)
    sent = [str(number).encode() for number in range(1_000)]
    produce(address, topic, [{"value": value} for value in sent], enable_idempotence=True)
    expect("records", values(read_assigned(address, topic, 1_000)), sent)


def large(address, prefix):
    topic = f"{prefix}-large"
    create(address, topic, max_message_bytes="11534336")
    value = random.Random(1).randbytes(10 * 1024 * 1024)
    produce(address, topic, [{"value": value}], message_max_bytes=11_534_336)
    (found,) = read_assigned(address, topic, 1, fetch_message_max_bytes=11_534_336)
    expect("10 MiB", found.value() == value, True)


def many_partitions(address, prefix):
    topic = f"{prefix}-many"
    create(address, topic, partitions=1_000)
    client = admin(address)
    until(
        "1,000 partitions",
        lambda: len(client.list_topics(topic, timeout=10).topics[topic].partitions) == 1_000,
        0.1,
    )
    sent = [{"value": str(index).encode(), "partition": index} for index in range(1_000)]
    expect("acknowledged", produce(address, topic, sent), 1_000)
    found = read_assigned(address, topic, 1_000, partitions=1_000)
    got = sorted((message.partition(), message.value()) for message in found)
    expect("records", got, [(index, str(index).encode()) for index in range(1_000)])


def seek_time(address, prefix):
    topic = f"{prefix}-time"
    create(address, topic)
    produce(
        address,
        topic,
        [{"value": str(n).encode(), "timestamp": timestamp(n)} for n in range(40)],
    )
    client = consumer(address, f"{prefix}-time")
    found = []
    for when in [timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1]:
        (answer,) = client.offsets_for_times([TopicPartition(topic, 0, when)], timeout=10)
        found.append(answer.offset if answer.offset >= 0 else None)
    expect("offsets", found, [0, 15, 39, None])
    client.assign([TopicPartition(topic, 0, 0)])
    read(client, 1)
    client.seek(TopicPartition(topic, 0, 15))
    expect("behind the seek", read(client, 1)[0].value(), b"15")
    client.close()


def delete_records(address, prefix):
    topic = f"{prefix}-delete"
    create(address, topic)
    produce(address, topic, [{"value": str(number).encode()} for number in range(10)])
    client = admin(address)
    if not hasattr(client, "delete_records"):
        raise Lacking("no delete_records in this client")
    deleted = done(client.delete_records([TopicPartition(topic, 0, 6)]))
    expect("low watermark", [result.low_watermark for result in deleted.values()], [6])
    found = read_assigned(address, topic, 4, offset=0)
    expect("records", values(found), [b"6", b"7", b"8", b"9"])


def commit(address, prefix):
    topic, group = f"{prefix}-commit", f"{prefix}-commit"
    create(address, topic)
    produce(address, topic, [{"value": str(number).encode()} for number in range(10)])
    client = consumer(address, group)
    wanted = TopicPartition(topic, 0, 7, "note")
    client.commit(offsets=[wanted], asynchronous=False)
    client.close()
    client = consumer(address, group)
    (found,) = client.committed([TopicPartition(topic, 0)], timeout=PATIENCE_S)
    expect("committed", (found.offset, found.metadata), (7, "note"))
    client.subscribe([topic])
    expect("the next record", read(client, 1)[0].value(), b"7")
    client.close()


class Member:
    """A consumer of a group, and what it was told."""

    def __init__(self, address, group, topics_or_pattern, **config):
        self.client = consumer(address, group, **config)
        self.owned = set()
        self.revoked = []
        self.rebalances = 0
        cooperative = config.get("partition_assignment_strategy") == "cooperative-sticky"

        def assigned(client, parts):
            self.rebalances += 1
            self.owned |= {(part.topic, part.partition) for part in parts}
            (client.incremental_assign if cooperative else client.assign)(parts)

        def revoked(client, parts):
            taken = {(part.topic, part.partition) for part in parts}
            self.revoked.append(taken)
            self.owned -= taken
            if cooperative:
                client.incremental_unassign(parts)
            else:
                client.unassign()

        self.client.subscribe(topics_or_pattern, on_assign=assigned, on_revoke=revoked)
        self.messages = []

    def poll(self):
        message = poll(self.client, 0.05)
        if message is not None:
            self.messages.append((message.partition(), message.offset()))
            self.client.commit(message=message, asynchronous=True)
        return message


def own(members, *counts):
    """Polls the members until each owns as many partitions as `counts` says."""

    def look():
        for member in members:
            member.poll()
        return [len(member.owned) for member in members] == list(counts)

    until(f"members own {counts}", look)


def filled(address, topic):
    """A topic of 4 partitions with 100 records in each."""
    create(address, topic, partitions=4)
    sent = [{"value": str(n).encode(), "partition": n % 4} for n in range(400)]
    expect("acknowledged", produce(address, topic, sent), 400)


def group(address, prefix):
    topic = f"{prefix}-group"
    filled(address, topic)
    first = Member(address, topic, [topic])
    own([first], 4)
    second = Member(address, topic, [topic])
    own([first, second], 2, 2)

    def all_read():
        first.poll()
        second.poll()
        return len(set(first.messages) | set(second.messages)) == 400

    until("all 400", all_read)
    second.client.close()
    own([first], 4)
    # What was committed last has arrived before this.
    first.client.commit(
        offsets=[TopicPartition(topic, index, 100) for index in range(4)], asynchronous=False
    )
    asked = [TopicPartition(topic, index) for index in range(4)]
    committed = first.client.committed(asked, timeout=PATIENCE_S)
    expect("committed", sum(part.offset for part in committed), 400)
    first.client.close()


def static(address, prefix):
    topic = f"{prefix}-static"
    filled(address, topic)
    settings = {"session_timeout_ms": 30_000}
    first = Member(address, topic, [topic], group_instance_id=f"{prefix}-a", **settings)
    second = Member(address, topic, [topic], group_instance_id=f"{prefix}-b", **settings)
    own([first, second], 2, 2)
    before = set(second.owned)
    seen = first.rebalances
    # librdkafka leaves no group as a static member.
    second.client.close()
    second = Member(address, topic, [topic], group_instance_id=f"{prefix}-b", **settings)

    def back():
        first.poll()
        second.poll()
        return len(second.owned) == 2

    until("the second member is back", back)
    expect("its partitions", second.owned, before)
    expect("rebalances of the first", first.rebalances, seen)
    first.client.close()
    second.client.close()


def cooperative(address, prefix):
    topic = f"{prefix}-cooperative"
    filled(address, topic)
    strategy = {"partition_assignment_strategy": "cooperative-sticky"}
    first = Member(address, topic, [topic], **strategy)
    own([first], 4)
    second = Member(address, topic, [topic], **strategy)
    own([first, second], 2, 2)
    taken = [len(parts) for parts in first.revoked]
    # Version 2.3 may give up two and then two more.
    expect("partitions that were given up at a time", max(taken), 2)
    # A member that closes while it has not been told its assignment, even an empty one, may hang
    # (librdkafka's issue 4884).
    for member in [first, second]:
        member.client.unsubscribe()
        own([member], 0)
        member.client.close()


def regex(address, prefix):
    for name in ["a", "b"]:
        topic = f"{prefix}-re-{name}"
        create(address, topic)
        produce(address, topic, [{"value": name.encode()}])
    client = consumer(
        address,
        f"{prefix}-regex",
        topic_metadata_refresh_interval_ms=500,
        metadata_max_age_ms=1_000,
    )
    client.subscribe([f"^{prefix}-re-.*"])
    expect("both", sorted(values(read(client, 2))), [b"a", b"b"])
    # The rebalance to come begins where the last commit ends.
    client.commit(asynchronous=False)
    create(address, f"{prefix}-re-c")
    produce(address, f"{prefix}-re-c", [{"value": b"c"}])
    expect("the new one", values(read(client, 1)), [b"c"])
    client.close()


def group_admin(address, prefix):
    topic = f"{prefix}-admin"
    filled(address, topic)
    client = admin(address)
    if not hasattr(client, "list_consumer_groups"):
        raise Lacking("no list_consumer_groups in this client")
    member = Member(address, topic, [topic])
    own([member], 4)
    until("all read", lambda: member.poll() is not None and len(member.messages) >= 400)
    member.client.commit(
        offsets=[TopicPartition(topic, index, 100) for index in range(4)], asynchronous=False
    )

    def listed():
        found = client.list_consumer_groups(request_timeout=10).result(PATIENCE_S)
        return topic in [entry.group_id for entry in found.valid]

    def described():
        found = client.describe_consumer_groups([topic], request_timeout=10)
        return found[topic].result(PATIENCE_S)

    expect("listed", listed(), True)
    live = described()
    expect("state and members", (live.state.name, len(live.members)), ("STABLE", 1))
    member.client.close()
    until("empty", lambda: described().state.name == "EMPTY", 0.1)
    asked = ConsumerGroupTopicPartitions(topic)
    offsets = client.list_consumer_group_offsets([asked])[topic].result(PATIENCE_S)
    expect("offsets", {part.offset for part in offsets.topic_partitions}, {100})
    zero = [TopicPartition(topic, index, 0) for index in range(4)]
    altered = ConsumerGroupTopicPartitions(topic, zero)
    client.alter_consumer_group_offsets([altered])[topic].result(PATIENCE_S)
    offsets = client.list_consumer_group_offsets([asked])[topic].result(PATIENCE_S)
    expect("altered", {part.offset for part in offsets.topic_partitions}, {0})
    done(client.delete_consumer_groups([topic]))
    expect("listed after it was deleted", listed(), False)


TRANSACTIONS = {"isolation_level": "read_committed"}


def transactional(address, name, timeout_ms=30_000):
    """A producer with a transactional id that may begin."""
    client = Producer(
        {
            "bootstrap.servers": address,
            "transactional.id": name,
            "transaction.timeout.ms": timeout_ms,
        }
    )
    client.init_transactions(PATIENCE_S)
    return client


def send(client, topic, words, partition=0):
    """Sends each word and waits until all are acknowledged."""
    errors = []
    for word in words:
        client.produce(
            topic,
            word.encode(),
            partition=partition,
            on_delivery=lambda error, _: errors.append(error) if error else None,
        )
    try:
        expect("records that were not sent", client.flush(PATIENCE_S), 0)
    except SystemError as error:
        # Version 2.16 raises a fatal error while it calls back.
        raise error.__cause__ from None
    if errors:
        raise KafkaException(errors[0])


def refused(act):
    """The name of the error that `act` must fail with."""
    try:
        act()
    except KafkaException as error:
        return error.args[0].name()
    raise AssertionError("it was not refused")


def words(kind, count=10):
    return [f"{kind}-{number}" for number in range(count)]


def texts(messages):
    return [message.value().decode() for message in messages]


def end_to_end(address, topic, expected, **config):
    """Reads until a last record, which is sent outside of transactions, and compares."""
    produce(address, topic, [{"value": b"end", "partition": 0}])
    found = texts(read_assigned(address, topic, len(expected) + 1, **config))
    expect("records of partition 0", found, [*expected, "end"])


def transaction(address, prefix):
    topic = f"{prefix}-transaction"
    create(address, topic, partitions=2)
    client = transactional(address, f"{prefix}-t")
    for kind in ["one", "no", "two"]:
        client.begin_transaction()
        for partition in [0, 1]:
            send(client, topic, words(kind, 5), partition)
        if kind == "no":
            client.abort_transaction(PATIENCE_S)
        else:
            client.commit_transaction(PATIENCE_S)
    found = read_assigned(address, topic, 20, partitions=2, **TRANSACTIONS)
    for partition in [0, 1]:
        got = [one.value().decode() for one in found if one.partition() == partition]
        expect(f"committed in {partition}", got, words("one", 5) + words("two", 5))
    end_to_end(address, topic, words("one", 5) + words("two", 5), **TRANSACTIONS)
    found = read_assigned(address, topic, 31, partitions=2, isolation_level="read_uncommitted")
    expect("uncommitted", len([one for one in found if one.value() != b"end"]), 30)


def fencing(address, prefix):
    topic = f"{prefix}-fencing"
    create(address, topic)
    first = transactional(address, f"{prefix}-f")
    first.begin_transaction()
    send(first, topic, words("first", 3))
    second = transactional(address, f"{prefix}-f")
    second.begin_transaction()
    send(second, topic, words("second", 3))
    sent = refused(lambda: send(first, topic, words("zombie", 3)))
    expect("the zombie's records", sent, "_FENCED")
    ended = refused(lambda: first.commit_transaction(PATIENCE_S))
    expect("the zombie's commit", ended, "_FENCED")
    second.commit_transaction(PATIENCE_S)
    end_to_end(address, topic, words("second", 3), **TRANSACTIONS)


def transactional_offsets(address, prefix):
    source, target, group = (f"{prefix}-{name}" for name in ["source", "target", "copiers"])
    create(address, source)
    create(address, target)
    produce(address, source, [{"value": word.encode()} for word in words("in")])
    reader = consumer(address, group, **TRANSACTIONS)
    reader.subscribe([source])
    client = transactional(address, f"{prefix}-c")
    for commits in [True, False]:
        client.begin_transaction()
        copied = texts(read(reader, 10) if commits else [])
        send(client, target, copied[:5] if commits else words("lost", 5))
        offset = TopicPartition(source, 0, 5 if commits else 10)
        metadata = reader.consumer_group_metadata()
        client.send_offsets_to_transaction([offset], metadata, PATIENCE_S)
        if commits:
            client.commit_transaction(PATIENCE_S)
        else:
            client.abort_transaction(PATIENCE_S)
    reader.close()
    other = consumer(address, group)
    (found,) = other.committed([TopicPartition(source, 0)], timeout=PATIENCE_S)
    expect("committed", found.offset, 5)
    other.close()
    end_to_end(address, target, words("in", 5), **TRANSACTIONS)


def transaction_timeout(address, prefix):
    topic = f"{prefix}-timeout"
    create(address, topic)
    client = transactional(address, f"{prefix}-o", timeout_ms=2_000)
    client.begin_transaction()
    send(client, topic, words("late", 3))
    end_to_end(address, topic, [], **TRANSACTIONS)
    ended = refused(lambda: client.commit_transaction(PATIENCE_S))
    expect("the late commit", ended, "_FENCED")


run(globals())
