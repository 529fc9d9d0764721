// kafkajs: node kafkajs.js ADDRESS FEATURE PREFIX; see README.md.

const { Kafka, logLevel, CompressionTypes } = require('kafkajs')
const crypto = require('crypto')
const assert = require('assert')

const PATIENCE_MS = 50_000
const FIRST_TIMESTAMP = 1_700_000_000_000
const [address, feature, prefix] = process.argv.slice(2)
const kafka = new Kafka({
  brokers: [address],
  logLevel: logLevel.NOTHING,
  retry: { retries: 8 },
})
const admin = kafka.admin()

class Lacking extends Error {}

const timestamp = (number) => FIRST_TIMESTAMP + number * 10
const numbers = (from, to) => Array.from({ length: to - from }, (_, index) => from + index)
const expect = (what, got, expected) => assert.deepStrictEqual(got, expected, `${what}: got ${JSON.stringify(got)?.slice(0, 300)}, expected ${JSON.stringify(expected)?.slice(0, 300)}`)
const text = (buffer) => (buffer === null || buffer === undefined ? null : buffer.toString())

async function until(what, look, every = 50) {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}

async function create(topic, numPartitions = 1, configs = {}) {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
}

async function produce(topic, messages, { producer: options = {}, ...send } = {}) {
  const producer = kafka.producer(options)
  await producer.connect()
  const sent = await producer.send({ topic, messages, ...send })
  await producer.disconnect()
  return sent
}

// A member of a group, which reads from the beginning where nothing is committed.
async function member(groupId, topics, options = {}) {
  const consumer = kafka.consumer({ groupId, ...options.consumer })
  const state = { consumer, messages: [], owned: [], rebalances: 0 }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    state.rebalances += 1
    state.owned = Object.entries(payload.memberAssignment).flatMap(([topic, parts]) =>
      parts.map((part) => `${topic} ${part}`),
    )
  })
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => {
      state.messages.push({ topic, partition, ...message })
    },
    ...options.run,
  })
  return state
}

async function readAll(topic, count, options) {
  const reader = await member(`${topic}-reader`, [topic], options)
  await until(`${count} messages`, () => reader.messages.length >= count, 10)
  await reader.consumer.disconnect()
  return reader.messages
}

const inOrder = (messages) => [...messages].sort((a, b) => Number(a.offset) - Number(b.offset))
const values = (messages) => inOrder(messages).map((message) => text(message.value))

async function own(members, ...counts) {
  await until(`members own ${counts}`, () => members.every((m, index) => m.owned.length === counts[index]))
}

async function filled(topic) {
  await create(topic, 4)
  await produce(topic, numbers(0, 400).map((n) => ({ value: `${n}`, partition: n % 4 })))
}

const partitionsOf = async (topic) => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions

// A producer with a transactional id that may begin.
async function transactional(transactionalId, transactionTimeout = 30_000) {
  const producer = kafka.producer({ transactionalId, transactionTimeout, maxInFlightRequests: 1, idempotent: true, retry: { retries: 3 } })
  await producer.connect()
  return producer
}

const words = (kind, count = 10) => numbers(0, count).map((number) => `${kind}-${number}`)
const messages = (texts, partition = 0) => texts.map((value) => ({ value, partition }))

// The type of the error that `act` must fail with.
async function refused(act) {
  try {
    await act()
  } catch (error) {
    return error.type ?? error.cause?.type ?? error.name
  }
  throw new Error('it was not refused')
}

// Reads until a last record, which is sent outside of transactions, and compares.
async function endToEnd(topic, expected) {
  await produce(topic, messages(['end']))
  const found = await readAll(topic, expected.length + 1)
  expect('records of partition 0', values(found), [...expected, 'end'])
}

const features = {
  async topics() {
    const topic = `${prefix}-topics`
    await create(topic, 3)
    await until('the topic is listed', async () => (await admin.listTopics()).includes(topic))
    const found = await partitionsOf(topic)
    expect('partitions', found.map((part) => part.partitionId).sort(), [0, 1, 2])
    expect('leaders', found.every((part) => part.leader >= 0), true)
    // It answers false instead of throwing.
    const again = await admin.createTopics({ topics: [{ topic }] })
    expect('created again', again, false)
    await admin.deleteTopics({ topics: [topic] })
    await until('it is gone', async () => !(await admin.listTopics()).includes(topic))
  },

  async configs() {
    const topic = `${prefix}-configs`
    await create(topic, 1, { 'retention.ms': '60000' })
    const retention = async () => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }],
      })
      return resources[0].configEntries[0].configValue
    }
    expect('as created', await retention(), '60000')
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: 'retention.ms', value: '120000' }] }],
    })
    await until('as altered', async () => (await retention()) === '120000')
    return 'by AlterConfigs'
  },

  async partitions() {
    const topic = `${prefix}-partitions`
    await create(topic, 2)
    await produce(topic, [{ value: 'before', partition: 1 }])
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
    await until('five partitions', async () => (await partitionsOf(topic)).length === 5)
    await produce(topic, [{ value: 'after', partition: 4 }])
    expect('records', (await readAll(topic, 2)).map((m) => text(m.value)).sort(), ['after', 'before'])
  },

  async acks() {
    const topic = `${prefix}-acks`
    await create(topic)
    const expected = []
    for (const acks of [0, 1, -1]) {
      const sent = numbers(0, 10).map((n) => ({ value: `${acks} ${n}`, partition: 0 }))
      expected.push(...sent.map((message) => message.value))
      await produce(topic, sent, { acks })
    }
    expect('records', values(await readAll(topic, 30)), expected)
  },

  async records() {
    const topic = `${prefix}-records`
    await create(topic)
    const sent = [
      { key: 'key', value: 'value', timestamp: `${timestamp(1)}`, headers: { a: ['1', ''], b: 'x' } },
      { key: null, value: 'without a key', timestamp: `${timestamp(2)}` },
      { key: 'deleted', value: null, timestamp: `${timestamp(3)}` },
      { key: '', value: '', timestamp: `${timestamp(4)}` },
    ]
    await produce(topic, sent.map((message) => ({ ...message, partition: 0 })))
    const found = inOrder(await readAll(topic, 4))
    expect('records', found.map((m) => [text(m.key), text(m.value), m.timestamp]), sent.map((m) => [m.key, m.value, m.timestamp]))
    expect('headers', [].concat(found[0].headers.a).map(text).concat(text(found[0].headers.b)), ['1', '', 'x'])
  },

  async codecs() {
    for (const [name, compression] of [['gzip', CompressionTypes.GZIP], ['none', CompressionTypes.None]]) {
      const topic = `${prefix}-${name}`
      await create(topic)
      const sent = numbers(0, 100).map((n) => ({ value: `${name} ${n} ${'x'.repeat(200)}`, partition: 0 }))
      await produce(topic, sent, { compression })
      expect(name, values(await readAll(topic, 100)), sent.map((message) => message.value))
    }
    return 'gzip only: the other codecs are not in this client'
  },

  async idempotent() {
    const topic = `${prefix}-idempotent`
    await create(topic)
    const sent = numbers(0, 1_000).map((n) => ({ value: `${n}`, partition: 0 }))
    await produce(topic, sent, { producer: { idempotent: true, maxInFlightRequests: 1 } })
    expect('records', values(await readAll(topic, 1_000)), sent.map((message) => message.value))
  },

  async large() {
    const topic = `${prefix}-large`
    await create(topic, 1, { 'max.message.bytes': '11534336' })
    const value = crypto.randomBytes(10 * 1024 * 1024)
    await produce(topic, [{ value, partition: 0 }])
    const [found] = await readAll(topic, 1, { consumer: { maxBytesPerPartition: 11_534_336 } })
    expect('10 MiB', Buffer.compare(found.value, value), 0)
  },

  async 'many-partitions'() {
    const topic = `${prefix}-many`
    await create(topic, 1_000)
    await until('1,000 partitions', async () => (await partitionsOf(topic)).length === 1_000)
    await produce(topic, numbers(0, 1_000).map((n) => ({ value: `${n}`, partition: n })))
    const reader = await member(`${topic}-reader`, [topic])
    // What a broker refuses at first is sent again, with what it did not refuse.
    const seen = () => new Set(reader.messages.map((m) => `${m.partition} ${text(m.value)}`))
    await until('1,000 different messages', () => seen().size >= 1_000)
    expect('records', seen(), new Set(numbers(0, 1_000).map((n) => `${n} ${n}`)))
    await reader.consumer.disconnect()
  },

  async 'seek-time'() {
    const topic = `${prefix}-time`
    await create(topic)
    await produce(topic, numbers(0, 40).map((n) => ({ value: `${n}`, partition: 0, timestamp: `${timestamp(n)}` })))
    const found = []
    for (const when of [timestamp(0), timestamp(15) - 1, timestamp(39), timestamp(39) + 1]) {
      const [answer] = await admin.fetchTopicOffsetsByTimestamp(topic, when)
      found.push(Number(answer.offset))
    }
    // Where no record is, it answers the end.
    expect('offsets', found, [0, 15, 39, 40])
    const reader = await member(topic, [topic])
    reader.consumer.seek({ topic, partition: 0, offset: '15' })
    await until('a record', () => reader.messages.some((message) => message.offset === '39'))
    // What it had fetched before the seek may come first.
    const from = reader.messages.map((message) => Number(message.offset)).lastIndexOf(15)
    expect('behind the seek', values(reader.messages.slice(from)), numbers(15, 40).map(String))
    await reader.consumer.disconnect()
  },

  async 'delete-records'() {
    const topic = `${prefix}-delete`
    await create(topic)
    await produce(topic, numbers(0, 10).map((n) => ({ value: `${n}`, partition: 0 })))
    await until('its leader is known', async () => (await partitionsOf(topic)).every((part) => part.leader >= 0))
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
    const [{ low }] = await admin.fetchTopicOffsets(topic)
    expect('earliest', low, '6')
    expect('records', values(await readAll(topic, 4)), ['6', '7', '8', '9'])
  },

  async commit() {
    const topic = `${prefix}-commit`
    await create(topic)
    await produce(topic, numbers(0, 10).map((n) => ({ value: `${n}`, partition: 0 })))
    const first = await member(topic, [topic], { run: { autoCommit: false } })
    await own([first], 1)
    await first.consumer.commitOffsets([{ topic, partition: 0, offset: '7', metadata: 'note' }])
    await first.consumer.disconnect()
    const [{ partitions }] = await admin.fetchOffsets({ groupId: topic, topics: [topic] })
    expect('committed', [partitions[0].offset, partitions[0].metadata], ['7', 'note'])
    const second = await member(topic, [topic])
    await until('a record', () => second.messages.length > 0)
    expect('the next record', text(second.messages[0].value), '7')
    await second.consumer.disconnect()
  },

  async group() {
    const topic = `${prefix}-group`
    await filled(topic)
    const first = await member(topic, [topic])
    await own([first], 4)
    const second = await member(topic, [topic])
    await own([first, second], 2, 2)
    const seen = () => new Set([...first.messages, ...second.messages].map((m) => `${m.partition} ${m.offset}`)).size
    await until('all 400', () => seen() === 400)
    await second.consumer.disconnect()
    await own([first], 4)
    await first.consumer.commitOffsets(numbers(0, 4).map((partition) => ({ topic, partition, offset: '100' })))
    await first.consumer.disconnect()
    const [{ partitions }] = await admin.fetchOffsets({ groupId: topic, topics: [topic] })
    expect('committed', partitions.reduce((sum, part) => sum + Number(part.offset), 0), 400)
  },

  async static() {
    throw new Lacking('no static members in this client')
  },

  async cooperative() {
    throw new Lacking('no cooperative protocol in this client')
  },

  async regex() {
    for (const name of ['a', 'b']) {
      await create(`${prefix}-re-${name}`)
      await produce(`${prefix}-re-${name}`, [{ value: name }])
    }
    const reader = await member(`${prefix}-regex`, [new RegExp(`^${prefix}-re-.*`)])
    await until('both', () => reader.messages.length === 2)
    expect('both', reader.messages.map((m) => text(m.value)).sort(), ['a', 'b'])
    await reader.consumer.disconnect()
    return 'the pattern is compared once, when it is subscribed to'
  },

  async 'group-admin'() {
    const topic = `${prefix}-admin`
    await filled(topic)
    const reader = await member(topic, [topic])
    await own([reader], 4)
    await reader.consumer.commitOffsets(numbers(0, 4).map((partition) => ({ topic, partition, offset: '100' })))
    const listed = async () => (await admin.listGroups()).groups.some((group) => group.groupId === topic)
    const described = async () => {
      const [group] = (await admin.describeGroups([topic])).groups
      return `${group.state} ${group.members.length}`
    }
    expect('listed', await listed(), true)
    expect('state and members', await described(), 'Stable 1')
    const offsets = async () => {
      const [{ partitions }] = await admin.fetchOffsets({ groupId: topic, topics: [topic] })
      return [...new Set(partitions.map((part) => part.offset))]
    }
    await reader.consumer.disconnect()
    await until('empty', async () => (await described()) === 'Empty 0')
    expect('offsets', await offsets(), ['100'])
    await admin.setOffsets({ groupId: topic, topic, partitions: numbers(0, 4).map((partition) => ({ partition, offset: '0' })) })
    expect('altered', await offsets(), ['0'])
    await admin.deleteGroups([topic])
    expect('listed after it was deleted', await listed(), false)
  },

  async transaction() {
    const topic = `${prefix}-transaction`
    await create(topic, 2)
    const producer = await transactional(`${prefix}-t`)
    for (const kind of ['one', 'no', 'two']) {
      const transaction = await producer.transaction()
      for (const partition of [0, 1]) {
        await transaction.send({ topic, messages: messages(words(kind, 5), partition) })
      }
      if (kind === 'no') await transaction.abort()
      else await transaction.commit()
    }
    await producer.disconnect()
    await produce(topic, [...messages(['end'], 0), ...messages(['end'], 1)])
    const committed = await readAll(topic, 22)
    for (const partition of [0, 1]) {
      const got = values(committed.filter((one) => one.partition === partition))
      expect(`committed in ${partition}`, got, [...words('one', 5), ...words('two', 5), 'end'])
    }
    const reader = await member(`${topic}-all`, [topic], { consumer: { readUncommitted: true } })
    await until('32 messages', () => reader.messages.length >= 32, 10)
    await reader.consumer.disconnect()
    expect('uncommitted', reader.messages.length, 32)
  },

  async fencing() {
    const topic = `${prefix}-fencing`
    await create(topic)
    const first = await transactional(`${prefix}-f`)
    const zombie = await first.transaction()
    await zombie.send({ topic, messages: messages(words('first', 3)) })
    const second = await transactional(`${prefix}-f`)
    const transaction = await second.transaction()
    await transaction.send({ topic, messages: messages(words('second', 3)) })
    const sent = await refused(() => zombie.send({ topic, messages: messages(words('zombie', 3)) }))
    expect("the zombie's records", sent, 'INVALID_PRODUCER_EPOCH')
    const ended = await refused(() => zombie.commit())
    expect("the zombie's commit", ended, 'INVALID_PRODUCER_EPOCH')
    await transaction.commit()
    await endToEnd(topic, words('second', 3))
  },

  async 'transactional-offsets'() {
    const [source, target, group] = ['source', 'target', 'copiers'].map((name) => `${prefix}-${name}`)
    await create(source)
    await create(target)
    await produce(source, messages(words('in')))
    const reader = await member(group, [source], { run: { autoCommit: false } })
    await until('10 messages', () => reader.messages.length >= 10, 10)
    const producer = await transactional(`${prefix}-c`)
    for (const commits of [true, false]) {
      const transaction = await producer.transaction()
      const texts = commits ? values(reader.messages).slice(0, 5) : words('lost', 5)
      await transaction.send({ topic: target, messages: messages(texts) })
      const partitions = [{ partition: 0, offset: commits ? '5' : '10' }]
      await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: source, partitions }] })
      if (commits) await transaction.commit()
      else await transaction.abort()
    }
    await reader.consumer.disconnect()
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [source] })
    expect('committed', found.partitions[0].offset, '5')
    await endToEnd(target, words('in', 5))
  },

  async 'transaction-timeout'() {
    const topic = `${prefix}-timeout`
    await create(topic)
    const producer = await transactional(`${prefix}-o`, 2_000)
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: messages(words('late', 3)) })
    await endToEnd(topic, [])
    const ended = await refused(() => transaction.commit())
    expect('the late commit', FENCED.includes(ended), true)
  },
}

const FENCED = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH']

async function main() {
  await admin.connect()
  const remark = await features[feature]()
  await admin.disconnect()
  console.log(remark ?? '')
}

main().then(
  () => process.exit(0),
  (error) => {
    if (error instanceof Lacking) {
      console.log(error.message)
      process.exit(3)
    }
    console.error(error)
    process.exit(1)
  },
)
