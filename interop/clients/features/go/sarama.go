package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var saramaClient = map[string]feature{
	"topics":          saramaTopics,
	"configs":         saramaConfigs,
	"partitions":      saramaPartitions,
	"acks":            saramaAcks,
	"records":         saramaRecords,
	"codecs":          saramaCodecs,
	"idempotent":      saramaIdempotent,
	"large":           saramaLarge,
	"many-partitions": saramaManyPartitions,
	"seek-time":       saramaSeekTime,
	"delete-records":  saramaDeleteRecords,
	"commit":          saramaCommit,
	"group":           saramaGroup,
	"static":          saramaStatic,
	"cooperative":     func(string, string) string { panic(lacking("no cooperative protocol in this client")) },
	"regex":           func(string, string) string { panic(lacking("no subscription by pattern in this client")) },
	"group-admin":     saramaGroupAdmin,
}

// saramaConfig is what a user of a current broker sets.
func saramaConfig(change func(*sarama.Config)) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Producer.Return.Successes = true
	// A broker may not know yet of a topic that was just created, nor have its offsets.
	config.Producer.Retry.Max = 50
	config.Metadata.Retry.Max = 40
	config.Producer.Timeout = time.Minute
	config.Net.ReadTimeout = 2 * time.Minute
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Return.Errors = true
	if change != nil {
		change(config)
	}
	return config
}

func saramaAdmin(address string) sarama.ClusterAdmin {
	return got(sarama.NewClusterAdmin([]string{address}, saramaConfig(nil)))
}

func saramaCreate(address, topic string, partitions int32, configs map[string]*string) {
	admin := saramaAdmin(address)
	defer admin.Close()
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}
	must(admin.CreateTopic(topic, detail, false))
}

func saramaProduce(address string, messages []*sarama.ProducerMessage, change func(*sarama.Config)) {
	producer := got(sarama.NewSyncProducer([]string{address}, saramaConfig(change)))
	defer producer.Close()
	err := producer.SendMessages(messages)
	var failed sarama.ProducerErrors
	if errors.As(err, &failed) {
		// The list says only how many.
		err = fmt.Errorf("%w, the first: %w", err, failed[0].Err)
	}
	must(err)
}

func saramaMessage(topic string, partition int32, value string) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(value)}
}

func saramaNumbered(topic string, partitions, count int) []*sarama.ProducerMessage {
	var messages []*sarama.ProducerMessage
	for number := range count {
		messages = append(messages, saramaMessage(topic, int32(number%partitions), fmt.Sprint(number)))
	}
	return messages
}

func saramaReadFrom(address, topic string, partitions, count int, offset int64, change func(*sarama.Config)) []*sarama.ConsumerMessage {
	consumer := got(sarama.NewConsumer([]string{address}, saramaConfig(change)))
	all := make(chan *sarama.ConsumerMessage)
	for index := range partitions {
		reader := got(consumer.ConsumePartition(topic, int32(index), offset))
		go func() {
			for message := range reader.Messages() {
				all <- message
			}
		}()
	}
	var found []*sarama.ConsumerMessage
	late := time.After(patience)
	for len(found) < count {
		select {
		case message := <-all:
			found = append(found, message)
		case <-late:
			fail("%d messages, then none", len(found))
		}
	}
	return found
}

func saramaReadAll(address, topic string, partitions, count int) []*sarama.ConsumerMessage {
	return saramaReadFrom(address, topic, partitions, count, sarama.OffsetOldest, nil)
}

func saramaValues(messages []*sarama.ConsumerMessage) []string {
	var values []string
	for _, message := range messages {
		values = append(values, string(message.Value))
	}
	return values
}

func saramaTopics(address, prefix string) string {
	topic := prefix + "-topics"
	admin := saramaAdmin(address)
	saramaCreate(address, topic, 3, nil)
	has := func() bool { _, found := got(admin.ListTopics())[topic]; return found }
	until("the topic is listed", has)
	found := got(admin.DescribeTopics([]string{topic}))[0]
	expect("partitions", len(found.Partitions), 3)
	for _, partition := range found.Partitions {
		expect("a leader", partition.Leader >= 0, true)
	}
	again := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}, false)
	expect("created again", errors.Is(again, sarama.ErrTopicAlreadyExists), true)
	must(admin.DeleteTopic(topic))
	until("it is gone", func() bool { return !has() })
	return ""
}

func text(value string) *string { return &value }

func saramaConfigs(address, prefix string) string {
	topic := prefix + "-configs"
	admin := saramaAdmin(address)
	saramaCreate(address, topic, 1, map[string]*string{"retention.ms": text("60000")})
	retention := func() string {
		asked := sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}
		return got(admin.DescribeConfig(asked))[0].Value
	}
	expect("as created", retention(), "60000")
	change := map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: text("120000")},
	}
	must(admin.IncrementalAlterConfig(sarama.TopicResource, topic, change, false))
	until("as altered", func() bool { return retention() == "120000" })
	return ""
}

func saramaPartitions(address, prefix string) string {
	topic := prefix + "-partitions"
	saramaCreate(address, topic, 2, nil)
	saramaProduce(address, []*sarama.ProducerMessage{saramaMessage(topic, 1, "before")}, nil)
	admin := saramaAdmin(address)
	must(admin.CreatePartitions(topic, 5, nil, false))
	until("five partitions", func() bool { return len(got(admin.DescribeTopics([]string{topic}))[0].Partitions) == 5 })
	saramaProduce(address, []*sarama.ProducerMessage{saramaMessage(topic, 4, "after")}, nil)
	found := saramaValues(saramaReadAll(address, topic, 5, 2))
	slices.Sort(found)
	expect("records", found, []string{"after", "before"})
	return ""
}

func saramaAcks(address, prefix string) string {
	topic := prefix + "-acks"
	saramaCreate(address, topic, 1, nil)
	var expected []string
	for _, acks := range []sarama.RequiredAcks{sarama.NoResponse, sarama.WaitForLocal, sarama.WaitForAll} {
		var messages []*sarama.ProducerMessage
		for _, number := range numbers(0, 10) {
			value := fmt.Sprintf("%d %s", acks, number)
			expected = append(expected, value)
			messages = append(messages, saramaMessage(topic, 0, value))
		}
		saramaProduce(address, messages, func(config *sarama.Config) { config.Producer.RequiredAcks = acks })
	}
	expect("records", saramaValues(saramaReadAll(address, topic, 1, 30)), expected)
	return ""
}

func saramaRecords(address, prefix string) string {
	topic := prefix + "-records"
	saramaCreate(address, topic, 1, nil)
	headers := []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte{}}}
	sent := []*sarama.ProducerMessage{
		{Topic: topic, Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder("value"), Timestamp: timestamp(1), Headers: headers},
		{Topic: topic, Value: sarama.StringEncoder("without a key"), Timestamp: timestamp(2)},
		{Topic: topic, Key: sarama.StringEncoder("deleted"), Timestamp: timestamp(3)},
		{Topic: topic, Key: sarama.ByteEncoder{}, Value: sarama.ByteEncoder{}, Timestamp: timestamp(4)},
	}
	saramaProduce(address, sent, nil)
	var found []string
	for _, message := range saramaReadAll(address, topic, 1, 4) {
		headers := ""
		for _, header := range message.Headers {
			headers += fmt.Sprintf("%s=%q ", header.Key, header.Value)
		}
		found = append(found, show(message.Key, message.Value, message.Timestamp, headers))
	}
	expect("records", found, []string{
		show([]byte("key"), []byte("value"), timestamp(1), `a="1" a="" `),
		show(nil, []byte("without a key"), timestamp(2), ""),
		show([]byte("deleted"), nil, timestamp(3), ""),
		show([]byte{}, []byte{}, timestamp(4), ""),
	})
	return ""
}

func saramaCodecs(address, prefix string) string {
	for _, codec := range []sarama.CompressionCodec{
		sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD, sarama.CompressionNone,
	} {
		topic := prefix + "-" + codec.String()
		saramaCreate(address, topic, 1, nil)
		saramaProduce(address, saramaNumbered(topic, 1, 100), func(config *sarama.Config) { config.Producer.Compression = codec })
		expect(codec.String(), saramaValues(saramaReadAll(address, topic, 1, 100)), numbers(0, 100))
	}
	return ""
}

func saramaIdempotent(address, prefix string) string {
	topic := prefix + "-idempotent"
	saramaCreate(address, topic, 1, nil)
	saramaProduce(address, saramaNumbered(topic, 1, 1_000), func(config *sarama.Config) {
		config.Producer.Idempotent = true
		config.Producer.RequiredAcks = sarama.WaitForAll
		config.Net.MaxOpenRequests = 1
	})
	expect("records", saramaValues(saramaReadAll(address, topic, 1, 1_000)), numbers(0, 1_000))
	return ""
}

func saramaLarge(address, prefix string) string {
	topic := prefix + "-large"
	saramaCreate(address, topic, 1, map[string]*string{"max.message.bytes": text("11534336")})
	value := make([]byte, 10<<20)
	got(rand.Read(value))
	message := &sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(value)}
	saramaProduce(address, []*sarama.ProducerMessage{message}, func(config *sarama.Config) { config.Producer.MaxMessageBytes = 11 << 20 })
	found := saramaReadFrom(address, topic, 1, 1, sarama.OffsetOldest, func(config *sarama.Config) { config.Consumer.Fetch.Default = 11 << 20 })
	expect("10 MiB", string(found[0].Value) == string(value), true)
	return ""
}

func saramaManyPartitions(address, prefix string) string {
	topic := prefix + "-many"
	saramaCreate(address, topic, 1_000, nil)
	admin := saramaAdmin(address)
	until("1,000 partitions", func() bool { return len(got(admin.DescribeTopics([]string{topic}))[0].Partitions) == 1_000 })
	saramaProduce(address, saramaNumbered(topic, 1_000, 1_000), func(config *sarama.Config) {
		// On a busy machine a broker does not know of all partitions for many seconds.
		config.Producer.Retry.Max = 600
	})
	found := map[string]bool{}
	for _, message := range saramaReadAll(address, topic, 1_000, 1_000) {
		expect("a record", fmt.Sprint(message.Partition), string(message.Value))
		found[string(message.Value)] = true
	}
	expect("records", len(found), 1_000)
	return ""
}

func saramaSeekTime(address, prefix string) string {
	topic := prefix + "-time"
	saramaCreate(address, topic, 1, nil)
	messages := saramaNumbered(topic, 1, 40)
	for number, message := range messages {
		message.Timestamp = timestamp(number)
	}
	saramaProduce(address, messages, nil)
	client := got(sarama.NewClient([]string{address}, saramaConfig(nil)))
	defer client.Close()
	var found []int64
	for _, when := range lookUps() {
		found = append(found, got(client.GetOffset(topic, 0, when)))
	}
	expect("offsets", found, []int64{0, 15, 39, -1})
	next := saramaReadFrom(address, topic, 1, 1, found[1], nil)
	expect("behind the seek", saramaValues(next), []string{"15"})
	return ""
}

func saramaDeleteRecords(address, prefix string) string {
	topic := prefix + "-delete"
	saramaCreate(address, topic, 1, nil)
	saramaProduce(address, saramaNumbered(topic, 1, 10), nil)
	must(saramaAdmin(address).DeleteRecords(topic, map[int32]int64{0: 6}))
	client := got(sarama.NewClient([]string{address}, saramaConfig(nil)))
	defer client.Close()
	expect("earliest", got(client.GetOffset(topic, 0, sarama.OffsetOldest)), 6)
	expect("records", saramaValues(saramaReadAll(address, topic, 1, 4)), numbers(6, 10))
	return "a consumer cannot begin below the earliest offset"
}

func saramaCommitted(address, group, topic string) map[int32]*sarama.OffsetFetchResponseBlock {
	found := got(saramaAdmin(address).ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1, 2, 3}}))
	return found.Blocks[topic]
}

func saramaCommitAt(address, group, topic string, partitions int32, at int64, metadata string) {
	client := got(sarama.NewClient([]string{address}, saramaConfig(nil)))
	defer client.Close()
	offsets := got(sarama.NewOffsetManagerFromClient(group, client))
	for index := range partitions {
		manager := got(offsets.ManagePartition(topic, index))
		manager.MarkOffset(at, metadata)
		manager.ResetOffset(at, metadata)
		defer manager.AsyncClose()
	}
	offsets.Commit()
	must(offsets.Close())
}

func saramaCommit(address, prefix string) string {
	topic := prefix + "-commit"
	saramaCreate(address, topic, 1, nil)
	saramaProduce(address, saramaNumbered(topic, 1, 10), nil)
	saramaCommitAt(address, topic, topic, 1, 7, "note")
	block := saramaCommitted(address, topic, topic)[0]
	expect("committed", fmt.Sprintf("%d %s", block.Offset, block.Metadata), "7 note")
	member := newSaramaMember(address, topic, nil)
	until("a record", func() bool { return len(member.messages()) > 0 })
	expect("the next record", member.messages()[0], "0 7")
	member.close()
	return ""
}

// A member of a group; Consume runs in a goroutine of its own.
type saramaMember struct {
	group      sarama.ConsumerGroup
	lock       sync.Mutex
	owned      []int32
	seen       []string
	rebalances int
	stop       context.CancelFunc
	stopped    chan struct{}
}

func newSaramaMember(address, topic string, change func(*sarama.Config)) *saramaMember {
	group := got(sarama.NewConsumerGroup([]string{address}, topic, saramaConfig(change)))
	limited, stop := context.WithCancel(context.Background())
	member := &saramaMember{group: group, stop: stop, stopped: make(chan struct{})}
	go func() {
		for range group.Errors() {
		}
	}()
	go func() {
		defer close(member.stopped)
		for limited.Err() == nil {
			_ = group.Consume(limited, []string{topic}, member)
		}
	}()
	return member
}

func (member *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	member.lock.Lock()
	defer member.lock.Unlock()
	member.rebalances++
	member.owned = nil
	for _, partitions := range session.Claims() {
		member.owned = append(member.owned, partitions...)
	}
	return nil
}

func (member *saramaMember) Cleanup(sarama.ConsumerGroupSession) error {
	member.lock.Lock()
	defer member.lock.Unlock()
	member.owned = nil
	return nil
}

func (member *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			member.lock.Lock()
			member.seen = append(member.seen, fmt.Sprintf("%d %d", message.Partition, message.Offset))
			member.lock.Unlock()
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (member *saramaMember) partitions() []int32 {
	member.lock.Lock()
	defer member.lock.Unlock()
	owned := slices.Clone(member.owned)
	slices.Sort(owned)
	return owned
}

func (member *saramaMember) messages() []string {
	member.lock.Lock()
	defer member.lock.Unlock()
	return slices.Clone(member.seen)
}

func (member *saramaMember) close() {
	member.stop()
	<-member.stopped
	must(member.group.Close())
}

func saramaOwn(what int, members ...*saramaMember) {
	until(fmt.Sprintf("each owns %d", what), func() bool {
		return !slices.ContainsFunc(members, func(member *saramaMember) bool { return len(member.partitions()) != what })
	})
}

func saramaFilled(address, topic string) {
	saramaCreate(address, topic, 4, nil)
	saramaProduce(address, saramaNumbered(topic, 4, 400), nil)
}

func saramaGroup(address, prefix string) string {
	topic := prefix + "-group"
	saramaFilled(address, topic)
	first := newSaramaMember(address, topic, nil)
	saramaOwn(4, first)
	second := newSaramaMember(address, topic, nil)
	saramaOwn(2, first, second)
	until("all 400", func() bool {
		all := map[string]bool{}
		for _, name := range append(first.messages(), second.messages()...) {
			all[name] = true
		}
		return len(all) == 400
	})
	second.close()
	saramaOwn(4, first)
	first.close()
	saramaCommitAt(address, topic, topic, 4, 100, "")
	sum := int64(0)
	for _, block := range saramaCommitted(address, topic, topic) {
		sum += block.Offset
	}
	expect("committed", sum, 400)
	return ""
}

func saramaStatic(address, prefix string) string {
	topic := prefix + "-static"
	saramaFilled(address, topic)
	named := func(name string) func(*sarama.Config) {
		return func(config *sarama.Config) {
			config.Consumer.Group.InstanceId = prefix + name
			config.Consumer.Group.Session.Timeout = 30 * time.Second
		}
	}
	first, second := newSaramaMember(address, topic, named("-a")), newSaramaMember(address, topic, named("-b"))
	saramaOwn(2, first, second)
	before, seen := second.partitions(), first.rebalances
	second.close()
	second = newSaramaMember(address, topic, named("-b"))
	saramaOwn(2, first, second)
	expect("its partitions", second.partitions(), before)
	expect("rebalances of the first", first.rebalances, seen)
	first.close()
	second.close()
	return ""
}

func saramaGroupAdmin(address, prefix string) string {
	topic := prefix + "-admin"
	saramaFilled(address, topic)
	admin := saramaAdmin(address)
	member := newSaramaMember(address, topic, nil)
	saramaOwn(4, member)
	listed := func() bool { _, found := got(admin.ListConsumerGroups())[topic]; return found }
	described := func() string {
		group := got(admin.DescribeConsumerGroups([]string{topic}))[0]
		return fmt.Sprintf("%s %d", group.State, len(group.Members))
	}
	expect("listed", listed(), true)
	expect("state and members", described(), "Stable 1")
	member.close()
	until("empty", func() bool { return described() == "Empty 0" })
	offsets := func() string {
		all := map[int64]bool{}
		for _, block := range saramaCommitted(address, topic, topic) {
			all[block.Offset] = true
		}
		return fmt.Sprint(all)
	}
	saramaCommitAt(address, topic, topic, 4, 100, "")
	expect("offsets", offsets(), "map[100:true]")
	saramaCommitAt(address, topic, topic, 4, 0, "")
	expect("altered", offsets(), "map[0:true]")
	must(admin.DeleteConsumerGroup(topic))
	expect("listed after it was deleted", listed(), false)
	return ""
}
