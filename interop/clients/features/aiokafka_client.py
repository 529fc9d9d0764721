"""aiokafka."""

import asyncio
import contextlib
import random
import time

import feature
from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from feature import PATIENCE_S, Lacking, expect, timestamp


async def until(what, look, every=0.05):
    """What `look` returns once it returns something, or fails after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE_S} s")
        await asyncio.sleep(every)


@contextlib.asynccontextmanager
async def admin(address):
    client = AIOKafkaAdminClient(bootstrap_servers=address)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def create(address, topic, partitions=1, **config):
    config = {name.replace("_", "."): value for name, value in config.items()}
    async with admin(address) as client:
        answer = await client.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])
    for error in getattr(answer, "topic_errors", []):
        if error[1] != 0:
            raise for_code(error[1])(error)


async def produce(address, topic, records, **config):
    """Sends dictionaries of arguments of `AIOKafkaProducer.send`; returns the offsets."""
    async with AIOKafkaProducer(bootstrap_servers=address, **config) as producer:
        sent = [await producer.send(topic, **record) for record in records]
        await producer.flush()
        return [getattr(await future, "offset", None) for future in sent]


@contextlib.asynccontextmanager
async def consumer(address, *names, group=None, **config):
    client = AIOKafkaConsumer(
        *names,
        bootstrap_servers=address,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **config,
    )
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def read(client, count):
    """The next `count` records."""
    found = []

    async def look():
        batches = await client.getmany(timeout_ms=100, max_records=count - len(found))
        for batch in batches.values():
            found.extend(batch)
        return len(found) >= count

    await until(f"{count} records", look, 0)
    return found


async def read_assigned(address, topic, count, partitions=1, offset=None, **config):
    async with consumer(address, **config) as client:
        parts = [TopicPartition(topic, index) for index in range(partitions)]
        client.assign(parts)
        if offset is None:
            await client.seek_to_beginning(*parts)
        else:
            client.seek(parts[0], offset)
        return await read(client, count)


def values(records):
    return [record.value for record in records]


async def topics(address, prefix):
    topic = f"{prefix}-topics"
    await create(address, topic, partitions=3)
    async with admin(address) as client:

        async def listed():
            return topic in await client.list_topics()

        await until("the topic is listed", listed)
        (described,) = await client.describe_topics([topic])
        parts = described["partitions"]
        expect("partitions", sorted(part["partition"] for part in parts), [0, 1, 2])
        expect("leaders", all(part["leader"] >= 0 for part in parts), True)
        try:
            await create(address, topic)
            raise AssertionError("the same topic was created again")
        except TopicAlreadyExistsError:
            pass
        await client.delete_topics([topic])

        async def gone():
            return not await listed()

        await until("it is gone", gone)


async def retention(client, topic):
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    (answer,) = await client.describe_configs([resource])
    (found,) = answer.resources
    return {entry[0]: entry[1] for entry in found[4]}["retention.ms"]


async def configs(address, prefix):
    topic = f"{prefix}-configs"
    await create(address, topic, retention_ms="60000")
    async with admin(address) as client:
        expect("as created", await retention(client, topic), "60000")
        changed = ConfigResource(
            ConfigResourceType.TOPIC, topic, configs={"retention.ms": "120000"}
        )
        await client.alter_configs([changed])

        async def altered():
            return await retention(client, topic) == "120000"

        await until("as altered", altered)
    return "by AlterConfigs"


async def partitions(address, prefix):
    topic = f"{prefix}-partitions"
    await create(address, topic, partitions=2)
    await produce(address, topic, [{"value": b"before", "partition": 1}])
    async with admin(address) as client:
        await client.create_partitions({topic: NewPartitions(5)})

        async def described():
            return len((await client.describe_topics([topic]))[0]["partitions"]) == 5

        await until("five partitions", described)
    await produce(address, topic, [{"value": b"after", "partition": 4}])
    found = await read_assigned(address, topic, 2, partitions=5)
    expect("records", sorted(values(found)), [b"after", b"before"])


async def acks(address, prefix):
    topic = f"{prefix}-acks"
    await create(address, topic)
    levels = [0, 1, "all"]
    for level in levels:
        sent = [{"value": f"{level}-{number}".encode()} for number in range(10)]
        await produce(address, topic, sent, acks=level)
    expected = [f"{level}-{n}".encode() for level in levels for n in range(10)]
    expect("records", values(await read_assigned(address, topic, 30)), expected)


async def records(address, prefix):
    topic = f"{prefix}-records"
    await create(address, topic)
    headers = [("a", b"1"), ("a", b"")]
    sent = [
        {"key": b"key", "value": b"value", "timestamp_ms": timestamp(1), "headers": headers},
        {"key": None, "value": b"without a key", "timestamp_ms": timestamp(2)},
        {"key": b"deleted", "value": None, "timestamp_ms": timestamp(3)},
        {"key": b"", "value": b"", "timestamp_ms": timestamp(4)},
    ]
    await produce(address, topic, sent)
    for record, found in zip(sent, await read_assigned(address, topic, 4)):
        got = (found.key, found.value, found.timestamp, list(found.headers))
        expected = (
            record["key"],
            record["value"],
            record["timestamp_ms"],
            record.get("headers", []),
        )
        expect("a record", got, expected)


async def codecs(address, prefix):
    for codec in ["gzip", "snappy", "lz4", "zstd", None]:
        topic = f"{prefix}-{codec}"
        await create(address, topic)
        sent = [f"{codec} {number} {'x' * 200}".encode() for number in range(100)]
        await produce(
            address,
            topic,
            [{"value": value} for value in sent],
            compression_type=codec,
            linger_ms=50,
        )
        expect(str(codec), values(await read_assigned(address, topic, 100)), sent)


async def idempotent(address, prefix):
    topic = f"{prefix}-idempotent"
    await create(address, topic)
    sent = [str(number).encode() for number in range(1_000)]
    await produce(address, topic, [{"value": value} for value in sent], enable_idempotence=True)
    expect("records", values(await read_assigned(address, topic, 1_000)), sent)


async def large(address, prefix):
    topic = f"{prefix}-large"
    await create(address, topic, max_message_bytes="11534336")
    value = random.Random(1).randbytes(10 * 1024 * 1024)
    await produce(address, topic, [{"value": value}], max_request_size=11_534_336)
    (found,) = await read_assigned(address, topic, 1, max_partition_fetch_bytes=11_534_336)
    expect("10 MiB", found.value == value, True)


async def many_partitions(address, prefix):
    topic = f"{prefix}-many"
    await create(address, topic, partitions=1_000)
    sent = [{"value": str(index).encode(), "partition": index} for index in range(1_000)]
    expect("acknowledged", await produce(address, topic, sent), [0] * 1_000)
    found = await read_assigned(address, topic, 1_000, partitions=1_000)
    got = sorted((record.partition, record.value) for record in found)
    expect("records", got, [(index, str(index).encode()) for index in range(1_000)])


async def seek_time(address, prefix):
    topic = f"{prefix}-time"
    await create(address, topic)
    sent = [{"value": str(n).encode(), "timestamp_ms": timestamp(n)} for n in range(40)]
    await produce(address, topic, sent)
    part = TopicPartition(topic, 0)
    async with consumer(address) as client:
        client.assign([part])
        found = []
        for when in [timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1]:
            answer = (await client.offsets_for_times({part: when}))[part]
            found.append(answer.offset if answer is not None else None)
        expect("offsets", found, [0, 15, 39, None])
        client.seek(part, 15)
        expect("behind the seek", (await read(client, 1))[0].value, b"15")


async def delete_records(address, prefix):
    topic = f"{prefix}-delete"
    await create(address, topic)
    await produce(address, topic, [{"value": str(number).encode()} for number in range(10)])
    part = TopicPartition(topic, 0)
    async with admin(address) as client:
        if not hasattr(client, "delete_records"):
            raise Lacking("no delete_records in this client")
        await client.delete_records({part: RecordsToDelete(before_offset=6)})
    async with consumer(address) as client:
        expect("earliest", (await client.beginning_offsets([part]))[part], 6)
    found = await read_assigned(address, topic, 4, offset=0)
    expect("records", values(found), [b"6", b"7", b"8", b"9"])


async def commit(address, prefix):
    topic, group_id = f"{prefix}-commit", f"{prefix}-commit"
    await create(address, topic)
    await produce(address, topic, [{"value": str(number).encode()} for number in range(10)])
    part = TopicPartition(topic, 0)
    async with consumer(address, group=group_id) as client:
        client.assign([part])
        await client.commit({part: (7, "note")})
    async with admin(address) as client:
        found = (await client.list_consumer_group_offsets(group_id))[part]
        expect("committed", (found.offset, found.metadata), (7, "note"))
    async with consumer(address, topic, group=group_id) as client:
        expect("the next record", (await read(client, 1))[0].value, b"7")


class Member(ConsumerRebalanceListener):
    """A consumer of a group that reads and commits in a task of its own."""

    def __init__(self, address, topic, **config):
        self.client = AIOKafkaConsumer(
            bootstrap_servers=address,
            group_id=topic,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            metadata_max_age_ms=1_000,
            **config,
        )
        self.client.subscribe([topic], listener=self)
        self.seen = set()
        self.rebalances = 0

    async def start(self):
        await self.client.start()
        self.task = asyncio.create_task(self.work())
        return self

    async def work(self):
        while True:
            for part, batch in (await self.client.getmany(timeout_ms=50)).items():
                self.seen.update((part.partition, record.offset) for record in batch)

    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        self.rebalances += 1

    async def stop(self):
        self.task.cancel()
        await self.client.stop()


async def own(members, *counts):
    async def look():
        return [len(member.client.assignment()) for member in members] == list(counts)

    await until(f"members own {counts}", look)


async def filled(address, topic):
    """A topic of 4 partitions with 100 records in each."""
    await create(address, topic, partitions=4)
    sent = [{"value": str(n).encode(), "partition": n % 4} for n in range(400)]
    await produce(address, topic, sent)


async def group(address, prefix):
    topic = f"{prefix}-group"
    await filled(address, topic)
    first = await Member(address, topic).start()
    await own([first], 4)
    second = await Member(address, topic).start()
    await own([first, second], 2, 2)

    async def all_read():
        return len(first.seen | second.seen) == 400

    await until("all 400", all_read)
    await second.stop()
    await own([first], 4)
    parts = [TopicPartition(topic, index) for index in range(4)]
    await first.client.commit({part: 100 for part in parts})
    committed = [await first.client.committed(part) for part in parts]
    expect("committed", sum(committed), 400)
    await first.stop()


async def stable(address, group_id):
    """No rebalance is going on."""
    async with admin(address) as client:

        async def look():
            (answer,) = await client.describe_consumer_groups([group_id])
            (found,) = answer.groups
            return found[2] == "Stable" and len(found[5]) == 2

        await until("the group is stable", look)


async def static(address, prefix):
    topic = f"{prefix}-static"
    await filled(address, topic)
    ids = [f"{prefix}-a", f"{prefix}-b"]
    first = await Member(address, topic, group_instance_id=ids[0]).start()
    second = await Member(address, topic, group_instance_id=ids[1]).start()
    await own([first, second], 2, 2)
    await stable(address, topic)
    before, seen = second.client.assignment(), first.rebalances
    await second.stop()
    second = await Member(address, topic, group_instance_id=ids[1]).start()
    await own([first, second], 2, 2)
    expect("its partitions", second.client.assignment(), before)
    expect("rebalances of the first", first.rebalances, seen)
    await first.stop()
    await second.stop()


async def cooperative(address, prefix):
    raise Lacking("no cooperative protocol in this client")


async def regex(address, prefix):
    for name in ["a", "b"]:
        topic = f"{prefix}-re-{name}"
        await create(address, topic)
        await produce(address, topic, [{"value": name.encode()}])
    async with consumer(address, group=f"{prefix}-regex", metadata_max_age_ms=1_000) as client:
        client.subscribe(pattern=f"^{prefix}-re-.*")
        expect("both", sorted(values(await read(client, 2))), [b"a", b"b"])
        # The rebalance to come begins where the last commit ends.
        await client.commit()
        await create(address, f"{prefix}-re-c")
        await produce(address, f"{prefix}-re-c", [{"value": b"c"}])
        expect("the new one", values(await read(client, 1)), [b"c"])


async def group_admin(address, prefix):
    topic = f"{prefix}-admin"
    await filled(address, topic)
    parts = [TopicPartition(topic, index) for index in range(4)]
    async with admin(address) as client:
        member = await Member(address, topic).start()
        await own([member], 4)
        await member.client.commit({part: 100 for part in parts})

        async def listed():
            return topic in [entry[0] for entry in await client.list_consumer_groups()]

        async def described():
            (answer,) = await client.describe_consumer_groups([topic])
            (found,) = answer.groups
            return found[2], len(found[5])

        expect("listed", await listed(), True)
        expect("state and members", await described(), ("Stable", 1))
        await member.stop()

        async def empty():
            return await described() == ("Empty", 0)

        await until("empty", empty)
        offsets = await client.list_consumer_group_offsets(topic)
        expect("offsets", {entry.offset for entry in offsets.values()}, {100})
        if not hasattr(client, "delete_consumer_groups"):
            return "without altering and deleting: no such calls in this client"
        await client.delete_consumer_groups([topic])
        expect("listed after it was deleted", await listed(), False)
    return "without altering offsets: no such call in this client"


TRANSACTIONS = {"isolation_level": "read_committed"}


async def transactional(address, name, timeout_ms=30_000):
    """A producer with a transactional id that may begin."""
    client = AIOKafkaProducer(
        bootstrap_servers=address, transactional_id=name, transaction_timeout_ms=timeout_ms
    )
    await client.start()
    return client


async def send(client, topic, texts, partition=0):
    """Sends each text and waits until all are acknowledged."""
    sent = [await client.send(topic, text.encode(), partition=partition) for text in texts]
    await client.flush()
    for future in sent:
        await asyncio.wait_for(future, PATIENCE_S)


async def refused(act):
    """The name of the error that `act` must fail with."""
    try:
        await act
    except KafkaError as error:
        return type(error).__name__
    raise AssertionError("it was not refused")


def words(kind, count=10):
    return [f"{kind}-{number}" for number in range(count)]


async def end_to_end(address, topic, expected, **config):
    """Reads until a last record, which is sent outside of transactions, and compares."""
    await produce(address, topic, [{"value": b"end", "partition": 0}])
    found = await read_assigned(address, topic, len(expected) + 1, **config)
    expect("records of partition 0", [v.decode() for v in values(found)], [*expected, "end"])


async def transaction(address, prefix):
    topic = f"{prefix}-transaction"
    await create(address, topic, partitions=2)
    client = await transactional(address, f"{prefix}-t")
    for kind in ["one", "no", "two"]:
        await client.begin_transaction()
        for partition in [0, 1]:
            await send(client, topic, words(kind, 5), partition)
        if kind == "no":
            await client.abort_transaction()
        else:
            await client.commit_transaction()
    await client.stop()
    found = await read_assigned(address, topic, 20, partitions=2, **TRANSACTIONS)
    for partition in [0, 1]:
        got = [one.value.decode() for one in found if one.partition == partition]
        expect(f"committed in {partition}", got, words("one", 5) + words("two", 5))
    await end_to_end(address, topic, words("one", 5) + words("two", 5), **TRANSACTIONS)
    found = await read_assigned(address, topic, 31, partitions=2)
    expect("uncommitted", len([one for one in found if one.value != b"end"]), 30)


async def fencing(address, prefix):
    topic = f"{prefix}-fencing"
    await create(address, topic)
    first = await transactional(address, f"{prefix}-f")
    await first.begin_transaction()
    await send(first, topic, words("first", 3))
    second = await transactional(address, f"{prefix}-f")
    await second.begin_transaction()
    await send(second, topic, words("second", 3))
    sent = await refused(send(first, topic, words("zombie", 3)))
    expect("the zombie's records", sent, "ProducerFenced")
    ended = await refused(first.commit_transaction())
    expect("the zombie's commit", ended, "ProducerFenced")
    await second.commit_transaction()
    await second.stop()
    await end_to_end(address, topic, words("second", 3), **TRANSACTIONS)


async def transactional_offsets(address, prefix):
    source, target, group = (f"{prefix}-{name}" for name in ["source", "target", "copiers"])
    await create(address, source)
    await create(address, target)
    await produce(address, source, [{"value": word.encode()} for word in words("in")])
    client = await transactional(address, f"{prefix}-c")
    async with consumer(address, source, group=group, **TRANSACTIONS) as reader:
        for commits in [True, False]:
            await client.begin_transaction()
            copied = [v.decode() for v in values(await read(reader, 10))] if commits else []
            await send(client, target, copied[:5] if commits else words("lost", 5))
            offsets = {TopicPartition(source, 0): 5 if commits else 10}
            await client.send_offsets_to_transaction(offsets, group)
            if commits:
                await client.commit_transaction()
            else:
                await client.abort_transaction()
    await client.stop()
    async with consumer(address, group=group) as other:
        expect("committed", await other.committed(TopicPartition(source, 0)), 5)
    await end_to_end(address, target, words("in", 5), **TRANSACTIONS)


async def transaction_timeout(address, prefix):
    topic = f"{prefix}-timeout"
    await create(address, topic)
    client = await transactional(address, f"{prefix}-o", timeout_ms=2_000)
    await client.begin_transaction()
    await send(client, topic, words("late", 3))
    await end_to_end(address, topic, [], **TRANSACTIONS)
    ended = await refused(client.commit_transaction())
    expect("the late commit", ended, "ProducerFenced")


def in_a_loop(function):
    return lambda address, prefix: asyncio.run(function(address, prefix))


NAMES = (
    "topics configs partitions acks records codecs idempotent large many_partitions seek_time "
    "delete_records commit group static cooperative regex group_admin "
    "transaction fencing transactional_offsets transaction_timeout"
)
feature.run({name: in_a_loop(globals()[name]) for name in NAMES.split()})
