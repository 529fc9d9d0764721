// kafkajs through the steps of ../steps.py, less reading: it consumes in groups only.
//
//     node steps.js ADDRESS TOPIC

const { Kafka, logLevel } = require('kafkajs')

const FIRST_TIMESTAMP = 1_700_000_000_000
const RECORDS = 40
const ACKS_ALL_FROM = 20
const timestamp = (number) => FIRST_TIMESTAMP + number * 10
const LOOK_UPS = [timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1]

async function main(address, topic) {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  // Neither partitions nor a replication factor: it sends -1 for both.
  await admin.createTopics({ topics: [{ topic }] })
  const producer = kafka.producer()
  await producer.connect()
  const acknowledged = []
  for (let number = 0; number < RECORDS; number += 1) {
    const [sent] = await producer.send({
      topic,
      acks: number < ACKS_ALL_FROM ? 1 : -1,
      messages: [{ value: `value-${number}`, partition: 0, timestamp: `${timestamp(number)}` }],
    })
    acknowledged.push(Number(sent.baseOffset))
  }
  await producer.disconnect()
  const found = []
  for (const at of LOOK_UPS) {
    const [answer] = await admin.fetchTopicOffsetsByTimestamp(topic, at)
    // It answers the end where no record is.
    found.push(Number(answer.offset) < RECORDS ? Number(answer.offset) : null)
  }
  await admin.deleteTopics({ topics: [topic] })
  const after = await admin.listTopics()
  await admin.disconnect()
  console.log(JSON.stringify({ acknowledged, found, 'topics after': after }))
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error)
  process.exit(1)
})
