"""kafka-python."""

import random

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka import __version__ as version
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

from feature import PATIENCE_S, Lacking, expect, run, timestamp, until

IS_3 = not version.startswith("2.")


def admin(address):
    return KafkaAdminClient(bootstrap_servers=address)


def create(address, topic, partitions=1, **config):
    config = {name.replace("_", "."): value for name, value in config.items()}
    client = admin(address)
    client.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])
    client.close()


def produce(address, topic, records, **config):
    """Sends dictionaries of arguments of `KafkaProducer.send`; returns the offsets."""
    producer = KafkaProducer(bootstrap_servers=address, **config)
    sent = [producer.send(topic, **record) for record in records]
    producer.flush(PATIENCE_S)
    offsets = [future.get(PATIENCE_S).offset for future in sent]
    producer.close()
    return offsets


def consumer(address, group=None, **config):
    return KafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **config,
    )


def read(client, count):
    """The next `count` records."""
    found = []

    def look():
        # No more than are wanted: what is left over would be skipped.
        # Long enough for a rebalance: when a poll ends while a SyncGroup is on its way,
        # kafka-python 3.0.12 does nothing with its answer, and reads no new partition.
        for batch in client.poll(2_000, max_records=count - len(found)).values():
            found.extend(batch)
        return len(found) >= count

    until(f"{count} records", look)
    return found


def read_assigned(address, topic, count, partitions=1, offset=None, **config):
    client = consumer(address, **config)
    parts = [TopicPartition(topic, index) for index in range(partitions)]
    client.assign(parts)
    if offset is None:
        client.seek_to_beginning(*parts)
    else:
        client.seek(parts[0], offset)
    found = read(client, count)
    client.close()
    return found


def values(records):
    return [record.value for record in records]


def topics(address, prefix):
    topic = f"{prefix}-topics"
    create(address, topic, partitions=3)
    client = admin(address)
    until("the topic is listed", lambda: topic in client.list_topics(), 0.1)
    (described,) = client.describe_topics([topic])
    parts = described["partitions"]
    index = "partition_index" if "partition_index" in parts[0] else "partition"
    leader = "leader_id" if "leader_id" in parts[0] else "leader"
    expect("partitions", sorted(part[index] for part in parts), [0, 1, 2])
    expect("leaders", all(part[leader] >= 0 for part in parts), True)
    try:
        create(address, topic)
        raise AssertionError("the same topic was created again")
    except TopicAlreadyExistsError:
        pass
    client.delete_topics([topic])
    until("it is gone", lambda: topic not in client.list_topics(), 0.1)
    client.close()


def retention(client, topic):
    """The value of retention.ms, however this version shows it."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    described = client.describe_configs([resource])
    if isinstance(described, dict):
        entry = described[ConfigResourceType.TOPIC.name.lower()][topic]["retention.ms"]
        return entry["value"] if isinstance(entry, dict) else entry
    (answer,) = described
    (found,) = answer.resources
    entries = {entry[0]: entry[1] for entry in found[4]}
    return entries["retention.ms"]


def configs(address, prefix):
    topic = f"{prefix}-configs"
    create(address, topic, retention_ms="60000")
    client = admin(address)
    expect("as created", retention(client, topic), "60000")
    changed = ConfigResource(
        ConfigResourceType.TOPIC, topic, configs={"retention.ms": "120000"}
    )
    client.alter_configs([changed])
    until("as altered", lambda: retention(client, topic) == "120000", 0.1)
    client.close()
    return "" if IS_3 else "by AlterConfigs"


def partitions(address, prefix):
    topic = f"{prefix}-partitions"
    create(address, topic, partitions=2)
    produce(address, topic, [{"value": b"before", "partition": 1}])
    client = admin(address)
    client.create_partitions({topic: NewPartitions(5)})
    described = lambda: len(client.describe_topics([topic])[0]["partitions"]) == 5  # noqa: E731
    until("five partitions", described, 0.1)
    client.close()
    produce(address, topic, [{"value": b"after", "partition": 4}])
    found = read_assigned(address, topic, 2, partitions=5)
    expect("records", sorted(values(found)), [b"after", b"before"])


def acks(address, prefix):
    topic = f"{prefix}-acks"
    create(address, topic)
    # Version 2.2 puts such a request into its own queue and writes no byte of it.
    levels = [0, 1, "all"] if IS_3 else [1, "all"]
    for level in levels:
        sent = [{"value": f"{level}-{number}".encode()} for number in range(10)]
        options = {"enable_idempotence": False} if IS_3 else {}
        produce(address, topic, sent, acks=level, **options)
    expected = [f"{level}-{n}".encode() for level in levels for n in range(10)]
    expect("records", values(read_assigned(address, topic, len(expected))), expected)
    return "" if IS_3 else "without acks=0: this version never sends it"


def records(address, prefix):
    topic = f"{prefix}-records"
    create(address, topic)
    headers = [("a", b"1"), ("a", b"")]
    sent = [
        {"key": b"key", "value": b"value", "timestamp_ms": timestamp(1), "headers": headers},
        {"key": None, "value": b"without a key", "timestamp_ms": timestamp(2)},
        {"key": b"deleted", "value": None, "timestamp_ms": timestamp(3)},
        {"key": b"", "value": b"", "timestamp_ms": timestamp(4)},
    ]
    produce(address, topic, sent)
    for record, found in zip(sent, read_assigned(address, topic, 4)):
        got = (found.key, found.value, found.timestamp, list(found.headers))
        expected = (
            record["key"],
            record["value"],
            record["timestamp_ms"],
            record.get("headers", []),
        )
        expect("a record", got, expected)


def codecs(address, prefix):
    for codec in ["gzip", "snappy", "lz4", "zstd", None]:
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
        expect(str(codec), values(read_assigned(address, topic, 100)), sent)


def idempotent(address, prefix):
    if not IS_3:
        raise Lacking("no idempotent producer in this client")
    topic = f"{prefix}-idempotent"
    create(address, topic)
    sent = [str(number).encode() for number in range(1_000)]
    produce(address, topic, [{"value": value} for value in sent], enable_idempotence=True)
    expect("records", values(read_assigned(address, topic, 1_000)), sent)


def large(address, prefix):
    topic = f"{prefix}-large"
    create(address, topic, max_message_bytes="11534336")
    value = random.Random(1).randbytes(10 * 1024 * 1024)
    produce(address, topic, [{"value": value}], max_request_size=11_534_336)
    (found,) = read_assigned(address, topic, 1, max_partition_fetch_bytes=11_534_336)
    expect("10 MiB", found.value == value, True)


def many_partitions(address, prefix):
    topic = f"{prefix}-many"
    create(address, topic, partitions=1_000)
    sent = [{"value": str(index).encode(), "partition": index} for index in range(1_000)]
    expect("acknowledged", produce(address, topic, sent), [0] * 1_000)
    found = read_assigned(address, topic, 1_000, partitions=1_000)
    got = sorted((record.partition, record.value) for record in found)
    expect("records", got, [(index, str(index).encode()) for index in range(1_000)])


def seek_time(address, prefix):
    topic = f"{prefix}-time"
    create(address, topic)
    sent = [{"value": str(n).encode(), "timestamp_ms": timestamp(n)} for n in range(40)]
    produce(address, topic, sent)
    client = consumer(address)
    part = TopicPartition(topic, 0)
    client.assign([part])
    found = []
    for when in [timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1]:
        answer = client.offsets_for_times({part: when})[part]
        found.append(answer.offset if answer is not None else None)
    expect("offsets", found, [0, 15, 39, None])
    client.seek(part, 15)
    expect("behind the seek", read(client, 1)[0].value, b"15")
    client.close()


def delete_records(address, prefix):
    topic = f"{prefix}-delete"
    create(address, topic)
    produce(address, topic, [{"value": str(number).encode()} for number in range(10)])
    client = admin(address)
    if not hasattr(client, "delete_records"):
        raise Lacking("no delete_records in this client")
    client.delete_records({TopicPartition(topic, 0): 6})
    client.close()
    reader = consumer(address)
    part = TopicPartition(topic, 0)
    expect("earliest", reader.beginning_offsets([part])[part], 6)
    reader.close()
    found = read_assigned(address, topic, 4, offset=0)
    expect("records", values(found), [b"6", b"7", b"8", b"9"])


def offset_and_metadata(offset, metadata):
    """The tuple that this version has."""
    if "leader_epoch" in OffsetAndMetadata._fields:
        return OffsetAndMetadata(offset, metadata, -1)
    return OffsetAndMetadata(offset, metadata)


def commit(address, prefix):
    topic, group_id = f"{prefix}-commit", f"{prefix}-commit"
    create(address, topic)
    produce(address, topic, [{"value": str(number).encode()} for number in range(10)])
    part = TopicPartition(topic, 0)
    client = consumer(address, group_id)
    client.assign([part])
    client.commit({part: offset_and_metadata(7, "note")})
    client.close()
    client = consumer(address, group_id)
    client.assign([part])
    found = client.committed(part, metadata=True)
    expect("committed", (found.offset, found.metadata), (7, "note"))
    client.close()
    client = consumer(address, group_id)
    client.subscribe([topic])
    expect("the next record", read(client, 1)[0].value, b"7")
    client.close()


class Member(ConsumerRebalanceListener):
    """A consumer of a group, and what it was told."""

    def __init__(self, address, group_id, names, **config):
        self.client = consumer(address, group_id, **config)
        self.rebalances = 0
        self.revoked = []
        self.client.subscribe(names, listener=self)
        self.seen = []

    def on_partitions_assigned(self, assigned):
        self.rebalances += 1

    def on_partitions_revoked(self, revoked):
        if revoked:
            self.revoked.append(len(revoked))

    def owned(self):
        return self.client.assignment()

    def poll(self):
        for part, batch in self.client.poll(200).items():
            self.seen.extend((part.partition, record.offset) for record in batch)
            self.client.commit_async(
                {part: offset_and_metadata(batch[-1].offset + 1, "")}
            )


def own(members, *counts):
    """Polls the members until each owns as many partitions as `counts` says."""

    def look():
        for member in members:
            member.poll()
        return [len(member.owned()) for member in members] == list(counts)

    until(f"members own {counts}", look)


def filled(address, topic):
    """A topic of 4 partitions with 100 records in each."""
    create(address, topic, partitions=4)
    produce(address, topic, [{"value": str(n).encode(), "partition": n % 4} for n in range(400)])


def commit_all(client, topic):
    client.commit({TopicPartition(topic, i): offset_and_metadata(100, "") for i in range(4)})


def group(address, prefix):
    topic = f"{prefix}-group"
    filled(address, topic)
    first = Member(address, topic, [topic])
    own([first], 4)
    second = Member(address, topic, [topic])
    join([first, second])

    def all_read():
        first.poll()
        second.poll()
        return len(set(first.seen) | set(second.seen)) == 400

    until("all 400", all_read)
    second.client.close()
    own([first], 4)
    commit_all(first.client, topic)
    committed = [first.client.committed(TopicPartition(topic, index)) for index in range(4)]
    expect("committed", sum(committed), 400)
    first.client.close()


def join(members):
    """Two members that poll in one thread would wait for each other: each has its own."""
    import threading

    stop = threading.Event()

    def keep_polling(member):
        while not stop.is_set():
            member.poll()

    other = threading.Thread(target=keep_polling, args=(members[1],), daemon=True)
    other.start()
    try:
        until(
            "each owns 2",
            lambda: members[0].poll() or [len(member.owned()) for member in members] == [2, 2],
        )
    finally:
        stop.set()
        other.join()


def static(address, prefix):
    if not IS_3:
        raise Lacking("no static members in this client")
    topic = f"{prefix}-static"
    filled(address, topic)
    options = {"session_timeout_ms": 30_000, "max_poll_interval_ms": 60_000}
    first = Member(address, topic, [topic], group_instance_id=f"{prefix}-a", **options)
    second = Member(address, topic, [topic], group_instance_id=f"{prefix}-b", **options)
    join([first, second])
    before, seen = second.owned(), first.rebalances
    second.client.close(autocommit=False)
    second = Member(address, topic, [topic], group_instance_id=f"{prefix}-b", **options)
    join([first, second])
    expect("its partitions", second.owned(), before)
    expect("rebalances of the first", first.rebalances, seen)
    first.client.close()
    second.client.close()


def cooperative(address, prefix):
    try:
        from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    except ImportError as error:
        raise Lacking("no cooperative assignor in this client") from error
    topic = f"{prefix}-cooperative"
    filled(address, topic)
    options = {"partition_assignment_strategy": [CooperativeStickyAssignor]}
    first = Member(address, topic, [topic], **options)
    own([first], 4)
    second = Member(address, topic, [topic], **options)
    join([first, second])
    expect("given up", first.revoked, [2])
    first.client.close()
    second.client.close()


def regex(address, prefix):
    for name in ["a", "b"]:
        topic = f"{prefix}-re-{name}"
        create(address, topic)
        produce(address, topic, [{"value": name.encode()}])
    client = consumer(address, f"{prefix}-regex", metadata_max_age_ms=1_000)
    client.subscribe(pattern=f"^{prefix}-re-.*")
    expect("both", sorted(values(read(client, 2))), [b"a", b"b"])
    # The rebalance to come begins where the last commit ends.
    client.commit()
    create(address, f"{prefix}-re-c")
    produce(address, f"{prefix}-re-c", [{"value": b"c"}])
    expect("the new one", values(read(client, 1)), [b"c"])
    client.close()


def group_admin(address, prefix):
    topic = f"{prefix}-admin"
    filled(address, topic)
    client = admin(address)
    lister = getattr(client, "list_groups", None) or client.list_consumer_groups
    describer = getattr(client, "describe_groups", None) or client.describe_consumer_groups
    offsets_of = (
        getattr(client, "list_group_offsets", None) or client.list_consumer_group_offsets
    )
    deleter = getattr(client, "delete_groups", None) or client.delete_consumer_groups
    member = Member(address, topic, [topic])
    own([member], 4)

    def all_read():
        member.poll()
        return len(member.seen) >= 400

    until("all read", all_read)
    commit_all(member.client, topic)

    def listed():
        found = lister()
        return topic in [g["group_id"] if isinstance(g, dict) else g[0] for g in found]

    def described():
        found = describer([topic])
        entry = found[topic] if isinstance(found, dict) else found[0]
        if isinstance(entry, dict):
            return (entry.get("group_state") or entry.get("state")), len(entry["members"])
        return entry.state, len(entry.members)

    expect("listed", listed(), True)
    expect("state and members", described(), ("Stable", 1))
    member.client.close()
    until("empty", lambda: described() == ("Empty", 0), 0.1)
    offsets = offsets_of(topic)
    offsets = offsets.get(topic, offsets)
    expect("offsets", {entry.offset for entry in offsets.values()}, {100})
    remark = ""
    if hasattr(client, "alter_group_offsets"):
        zero = {TopicPartition(topic, i): offset_and_metadata(0, "") for i in range(4)}
        client.alter_group_offsets(topic, zero)
        altered = offsets_of(topic)
        altered = altered.get(topic, altered)
        expect("altered", {entry.offset for entry in altered.values()}, {0})
    else:
        remark = "without altering offsets: no such call in this client"
    deleter([topic])
    expect("listed after it was deleted", listed(), False)
    client.close()
    return remark


TRANSACTIONS = {"isolation_level": "read_committed"}


def transactional(address, name, timeout_ms=30_000):
    """A producer with a transactional id that may begin."""
    client = KafkaProducer(
        bootstrap_servers=address, transactional_id=name, transaction_timeout_ms=timeout_ms
    )
    client.init_transactions()
    return client


def send(client, topic, texts, partition=0):
    """Sends each text and waits until all are acknowledged."""
    sent = [client.send(topic, text.encode(), partition=partition) for text in texts]
    client.flush(PATIENCE_S)
    for future in sent:
        future.get(PATIENCE_S)


def refused(act):
    """The name of the error that `act` must fail with."""
    try:
        act()
    except KafkaError as error:
        return type(error).__name__
    raise AssertionError("it was not refused")


def words(kind, count=10):
    return [f"{kind}-{number}" for number in range(count)]


def end_to_end(address, topic, expected, **config):
    """Reads until a last record, which is sent outside of transactions, and compares."""
    produce(address, topic, [{"value": b"end", "partition": 0}])
    found = read_assigned(address, topic, len(expected) + 1, **config)
    expect("records of partition 0", [v.decode() for v in values(found)], [*expected, "end"])


def transaction(address, prefix):
    topic = f"{prefix}-transaction"
    create(address, topic, partitions=2)
    client = transactional(address, f"{prefix}-t")
    for kind in ["one", "no", "two"]:
        client.begin_transaction()
        for partition in [0, 1]:
            send(client, topic, words(kind, 5), partition)
        if kind == "no":
            client.abort_transaction()
        else:
            client.commit_transaction()
    client.close()
    found = read_assigned(address, topic, 20, partitions=2, **TRANSACTIONS)
    for partition in [0, 1]:
        got = [one.value.decode() for one in found if one.partition == partition]
        expect(f"committed in {partition}", got, words("one", 5) + words("two", 5))
    end_to_end(address, topic, words("one", 5) + words("two", 5), **TRANSACTIONS)
    found = read_assigned(address, topic, 31, partitions=2)
    expect("uncommitted", len([one for one in found if one.value != b"end"]), 30)


FENCED = {"ProducerFencedError", "InvalidProducerEpochError"}


def fencing(address, prefix):
    topic = f"{prefix}-fencing"
    create(address, topic)
    first = transactional(address, f"{prefix}-f")
    first.begin_transaction()
    send(first, topic, words("first", 3))
    second = transactional(address, f"{prefix}-f")
    second.begin_transaction()
    send(second, topic, words("second", 3))
    # The zombie asks for a new epoch when it is refused. Apache Kafka does not give it one, but
    # aborts the open transaction of the second producer for it.
    second.commit_transaction()
    sent = refused(lambda: send(first, topic, words("zombie", 3)))
    expect("the zombie's records", sent, "InvalidProducerEpochError")
    ended = refused(first.commit_transaction)
    # Its state is fatal then, and says no more.
    expect("the zombie's commit", ended in {*FENCED, "KafkaError"}, True)
    second.close()
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
        copied = [value.decode() for value in values(read(reader, 10))] if commits else []
        send(client, target, copied[:5] if commits else words("lost", 5))
        offset = offset_and_metadata(5 if commits else 10, "")
        metadata = reader.group_metadata() if IS_3 else group
        client.send_offsets_to_transaction({TopicPartition(source, 0): offset}, metadata)
        if commits:
            client.commit_transaction()
        else:
            client.abort_transaction()
    client.close()
    reader.close()
    other = consumer(address, group)
    expect("committed", other.committed(TopicPartition(source, 0)), 5)
    other.close()
    end_to_end(address, target, words("in", 5), **TRANSACTIONS)


def transaction_timeout(address, prefix):
    topic = f"{prefix}-timeout"
    create(address, topic)
    client = transactional(address, f"{prefix}-o", timeout_ms=2_000)
    client.begin_transaction()
    send(client, topic, words("late", 3))
    end_to_end(address, topic, [], **TRANSACTIONS)
    ended = refused(client.commit_transaction)
    expect("the late commit", ended in FENCED, True)


run(globals())
