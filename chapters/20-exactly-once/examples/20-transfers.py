"""Transfers between two accounts, by confluent-kafka: one is committed, one is aborted, and in
the middle of the third another process takes over.

    python3 20-transfers.py HOST:PORT
"""

import sys

from confluent_kafka import KafkaException, Producer


def start():
    settings = {"bootstrap.servers": sys.argv[1], "transactional.id": "transfers"}
    producer = Producer(settings)
    producer.init_transactions()
    return producer


def transfer(producer, amount):
    producer.begin_transaction()
    producer.produce("accounts", partition=0, value=f"{amount} less")
    producer.produce("accounts", partition=1, value=f"{amount} more")
    producer.flush()


old = start()
transfer(old, 100)
old.commit_transaction()
transfer(old, 200)
old.abort_transaction()
transfer(old, 300)
new = start()
transfer(new, 400)
new.commit_transaction()
try:
    old.commit_transaction()
except KafkaException as error:
    print("the old process:", error.args[0].name())
