"""aiokafka through the steps of `steps.py`."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import steps


async def produce(address, topic, acks, numbers):
    """Returns the offsets at which the records were acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=address, acks=acks)
    await producer.start()
    offsets = []
    for number in numbers:
        sent = await producer.send_and_wait(
            topic, steps.value(number), partition=0, timestamp_ms=steps.timestamp(number)
        )
        offsets.append(sent.offset)
    await producer.stop()
    return offsets


async def walk(address, topic):
    """Returns what each step gave."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(name=topic, num_partitions=1, replication_factor=1)])
    acknowledged = await produce(address, topic, 1, steps.ACKS_1)
    acknowledged += await produce(address, topic, "all", steps.ACKS_ALL)

    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=address)
    await consumer.start()
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    values = [(await consumer.getone()).value.decode() for _ in acknowledged]
    found = []
    for timestamp in steps.LOOK_UPS:
        answer = (await consumer.offsets_for_times({partition: timestamp}))[partition]
        found.append(answer and answer.offset)
    await consumer.stop()
    await admin.delete_topics([topic])
    after = await admin.list_topics()
    await admin.close()
    return steps.Outcome(acknowledged, values, found, list(after))


def main(address, topic):
    """Fails when a step never ends."""
    return asyncio.run(asyncio.wait_for(walk(address, topic), steps.PATIENCE_S))


steps.run(main)
