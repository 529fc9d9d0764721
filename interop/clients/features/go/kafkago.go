package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

var kafkaGo = map[string]feature{
	"topics":          kafkaGoTopics,
	"configs":         kafkaGoConfigs,
	"partitions":      kafkaGoPartitions,
	"acks":            kafkaGoAcks,
	"records":         kafkaGoRecords,
	"codecs":          kafkaGoCodecs,
	"idempotent":      func(string, string) string { panic(lacking("no idempotent producer in this client")) },
	"large":           kafkaGoLarge,
	"many-partitions": kafkaGoManyPartitions,
	"seek-time":       kafkaGoSeekTime,
	"delete-records":  func(string, string) string { panic(lacking("no DeleteRecords in this client")) },
	"commit":          kafkaGoCommit,
	"group":           kafkaGoGroup,
	"static":          func(string, string) string { panic(lacking("no static members in this client")) },
	"cooperative":     func(string, string) string { panic(lacking("no cooperative protocol in this client")) },
	"regex":           func(string, string) string { panic(lacking("no subscription by pattern in this client")) },
	"group-admin":     kafkaGoGroupAdmin,
}

func kafkaGoClient(address string) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(address), Timeout: patience}
}

func kafkaGoCreate(address, topic string, partitions int, configs ...kafka.ConfigEntry) {
	config := kafka.TopicConfig{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}
	answer := got(kafkaGoClient(address).CreateTopics(ctx(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}}))
	must(answer.Errors[topic])
}

// kafkaGoWrite sends each message to the partition that its WriterData names.
func kafkaGoWrite(address, topic string, messages []kafka.Message, change func(*kafka.Writer)) {
	writer := &kafka.Writer{
		Addr: kafka.TCP(address), Topic: topic, Balancer: kafka.BalancerFunc(
			func(message kafka.Message, partitions ...int) int { return message.WriterData.(int) }),
		RequiredAcks: kafka.RequireAll, MaxAttempts: 50, BatchTimeout: time.Millisecond,
	}
	if change != nil {
		change(writer)
	}
	defer writer.Close()
	must(writer.WriteMessages(ctx(), messages...))
}

func kafkaGoMessage(partition int, value string) kafka.Message {
	return kafka.Message{Value: []byte(value), WriterData: partition}
}

func kafkaGoNumbered(partitions, count int) []kafka.Message {
	var messages []kafka.Message
	for number := range count {
		messages = append(messages, kafkaGoMessage(number%partitions, fmt.Sprint(number)))
	}
	return messages
}

func kafkaGoReader(address, topic string, partition int) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{address}, Topic: topic, Partition: partition, MaxBytes: 16 << 20, MaxWait: 100 * time.Millisecond,
	})
}

func kafkaGoRead(reader *kafka.Reader, count int) []kafka.Message {
	var messages []kafka.Message
	limited := ctx()
	for len(messages) < count {
		messages = append(messages, got(reader.ReadMessage(limited)))
	}
	return messages
}

func kafkaGoReadAll(address, topic string, count int) []kafka.Message {
	reader := kafkaGoReader(address, topic, 0)
	defer reader.Close()
	return kafkaGoRead(reader, count)
}

func kafkaGoValues(messages []kafka.Message) []string {
	var values []string
	for _, message := range messages {
		values = append(values, string(message.Value))
	}
	return values
}

func kafkaGoDescribed(address string, topics ...string) map[string]kafka.Topic {
	found := map[string]kafka.Topic{}
	for _, topic := range got(kafkaGoClient(address).Metadata(ctx(), &kafka.MetadataRequest{Topics: topics})).Topics {
		found[topic.Name] = topic
	}
	return found
}

func kafkaGoTopics(address, prefix string) string {
	topic := prefix + "-topics"
	client := kafkaGoClient(address)
	kafkaGoCreate(address, topic, 3)
	has := func() bool { _, found := kafkaGoDescribed(address)[topic]; return found }
	until("the topic is listed", has)
	found := kafkaGoDescribed(address, topic)[topic]
	expect("partitions", len(found.Partitions), 3)
	for _, partition := range found.Partitions {
		expect("a leader", partition.Leader.Port > 0, true)
	}
	config := kafka.TopicConfig{Topic: topic, NumPartitions: 3, ReplicationFactor: 1}
	again := got(client.CreateTopics(ctx(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}}))
	expect("created again", errors.Is(again.Errors[topic], kafka.TopicAlreadyExists), true)
	deleted := got(client.DeleteTopics(ctx(), &kafka.DeleteTopicsRequest{Topics: []string{topic}}))
	must(deleted.Errors[topic])
	until("it is gone", func() bool { return !has() })
	return ""
}

func kafkaGoConfigs(address, prefix string) string {
	topic := prefix + "-configs"
	client := kafkaGoClient(address)
	kafkaGoCreate(address, topic, 1, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "60000"})
	retention := func() string {
		asked := kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"retention.ms"},
		}
		request := &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{asked}}
		return got(client.DescribeConfigs(ctx(), request)).Resources[0].ConfigEntries[0].ConfigValue
	}
	expect("as created", retention(), "60000")
	change := kafka.IncrementalAlterConfigsRequestConfig{Name: "retention.ms", Value: "120000", ConfigOperation: kafka.ConfigOperationSet}
	altered := got(client.IncrementalAlterConfigs(ctx(), &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{change},
		}},
	}))
	must(altered.Resources[0].Error)
	until("as altered", func() bool { return retention() == "120000" })
	return ""
}

func kafkaGoPartitions(address, prefix string) string {
	topic := prefix + "-partitions"
	kafkaGoCreate(address, topic, 2)
	kafkaGoWrite(address, topic, []kafka.Message{kafkaGoMessage(1, "before")}, nil)
	grown := got(kafkaGoClient(address).CreatePartitions(ctx(), &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 5}},
	}))
	must(grown.Errors[topic])
	until("five partitions", func() bool { return len(kafkaGoDescribed(address, topic)[topic].Partitions) == 5 })
	kafkaGoWrite(address, topic, []kafka.Message{kafkaGoMessage(4, "after")}, nil)
	for partition, value := range map[int]string{1: "before", 4: "after"} {
		reader := kafkaGoReader(address, topic, partition)
		expect("a record", kafkaGoValues(kafkaGoRead(reader, 1)), []string{value})
		reader.Close()
	}
	return ""
}

func kafkaGoAcks(address, prefix string) string {
	topic := prefix + "-acks"
	kafkaGoCreate(address, topic, 1)
	var expected []string
	for _, acks := range []kafka.RequiredAcks{kafka.RequireNone, kafka.RequireOne, kafka.RequireAll} {
		var messages []kafka.Message
		for _, number := range numbers(0, 10) {
			value := fmt.Sprintf("%d %s", acks, number)
			expected = append(expected, value)
			messages = append(messages, kafkaGoMessage(0, value))
		}
		kafkaGoWrite(address, topic, messages, func(writer *kafka.Writer) { writer.RequiredAcks = acks })
	}
	expect("records", kafkaGoValues(kafkaGoReadAll(address, topic, 30)), expected)
	return ""
}

func kafkaGoRecords(address, prefix string) string {
	topic := prefix + "-records"
	kafkaGoCreate(address, topic, 1)
	sent := []kafka.Message{
		{Key: []byte("key"), Value: []byte("value"), Time: timestamp(1), Headers: []kafka.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}}},
		{Value: []byte("without a key"), Time: timestamp(2)},
		{Key: []byte("deleted"), Time: timestamp(3)},
		{Key: []byte{}, Value: []byte{}, Time: timestamp(4)},
	}
	shown := func(message kafka.Message) string {
		headers := ""
		for _, header := range message.Headers {
			headers += fmt.Sprintf("%s=%q ", header.Key, header.Value)
		}
		// The client reads what is empty as null.
		orNull := func(bytes []byte) []byte {
			if len(bytes) == 0 {
				return nil
			}
			return bytes
		}
		return show(orNull(message.Key), orNull(message.Value), message.Time, headers)
	}
	var expected, found []string
	for _, message := range sent {
		expected = append(expected, shown(message))
	}
	for index := range sent {
		sent[index].WriterData = 0
	}
	kafkaGoWrite(address, topic, sent, nil)
	for _, message := range kafkaGoReadAll(address, topic, 4) {
		found = append(found, shown(message))
	}
	expect("records", found, expected)
	return "the client reads an empty key or value as null"
}

func kafkaGoCodecs(address, prefix string) string {
	for _, codec := range []kafka.Compression{kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd, 0} {
		topic := fmt.Sprintf("%s-%d", prefix, codec)
		kafkaGoCreate(address, topic, 1)
		kafkaGoWrite(address, topic, kafkaGoNumbered(1, 100), func(writer *kafka.Writer) { writer.Compression = codec })
		expect(topic, kafkaGoValues(kafkaGoReadAll(address, topic, 100)), numbers(0, 100))
	}
	return ""
}

func kafkaGoLarge(address, prefix string) string {
	topic := prefix + "-large"
	kafkaGoCreate(address, topic, 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "11534336"})
	value := make([]byte, 10<<20)
	got(rand.Read(value))
	message := kafka.Message{Value: value, WriterData: 0}
	kafkaGoWrite(address, topic, []kafka.Message{message}, func(writer *kafka.Writer) { writer.BatchBytes = 11 << 20 })
	expect("10 MiB", string(kafkaGoReadAll(address, topic, 1)[0].Value) == string(value), true)
	return ""
}

func kafkaGoManyPartitions(address, prefix string) string {
	topic := prefix + "-many"
	kafkaGoCreate(address, topic, 1_000)
	until("1,000 partitions", func() bool { return len(kafkaGoDescribed(address, topic)[topic].Partitions) == 1_000 })
	kafkaGoWrite(address, topic, kafkaGoNumbered(1_000, 1_000), nil)
	// A commit for each of 1,000 records, one after the other, would take most of the time.
	member := newKafkaGoMember(address, topic, false)
	until("1,000 records", func() bool { return len(member.messages()) >= 1_000 })
	member.close()
	return ""
}

func kafkaGoSeekTime(address, prefix string) string {
	topic := prefix + "-time"
	kafkaGoCreate(address, topic, 1)
	messages := kafkaGoNumbered(1, 40)
	for number := range messages {
		messages[number].Time = timestamp(number)
	}
	kafkaGoWrite(address, topic, messages, nil)
	var found []int64
	for _, when := range lookUps() {
		asked := map[string][]kafka.OffsetRequest{topic: {kafka.TimeOffsetOf(0, time.UnixMilli(when))}}
		answer := got(kafkaGoClient(address).ListOffsets(ctx(), &kafka.ListOffsetsRequest{Topics: asked}))
		offset := int64(-1)
		for at := range answer.Topics[topic][0].Offsets {
			offset = at
		}
		found = append(found, offset)
	}
	expect("offsets", found, []int64{0, 15, 39, -1})
	reader := kafkaGoReader(address, topic, 0)
	defer reader.Close()
	must(reader.SetOffsetAt(ctx(), time.UnixMilli(lookUps()[1])))
	expect("behind the seek", kafkaGoValues(kafkaGoRead(reader, 1)), []string{"15"})
	return ""
}

func kafkaGoCommitAt(address, group, topic string, partitions int, at int64, metadata string) {
	var commits []kafka.OffsetCommit
	for index := range partitions {
		commits = append(commits, kafka.OffsetCommit{Partition: index, Offset: at, Metadata: metadata})
	}
	answer := got(kafkaGoClient(address).OffsetCommit(ctx(), &kafka.OffsetCommitRequest{
		GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: commits},
	}))
	for _, partition := range answer.Topics[topic] {
		must(partition.Error)
	}
}

func kafkaGoCommitted(address, group, topic string) []kafka.OffsetFetchPartition {
	answer := got(kafkaGoClient(address).OffsetFetch(ctx(), &kafka.OffsetFetchRequest{
		GroupID: group, Topics: map[string][]int{topic: {0, 1, 2, 3}},
	}))
	must(answer.Error)
	return answer.Topics[topic]
}

func kafkaGoCommit(address, prefix string) string {
	topic := prefix + "-commit"
	kafkaGoCreate(address, topic, 1)
	kafkaGoWrite(address, topic, kafkaGoNumbered(1, 10), nil)
	// It does not ask again while a coordinator is being found.
	var answer *kafka.FindCoordinatorResponse
	until("a coordinator", func() bool {
		answer = got(kafkaGoClient(address).FindCoordinator(ctx(), &kafka.FindCoordinatorRequest{Key: topic, KeyType: kafka.CoordinatorKeyTypeConsumer}))
		return answer.Error == nil
	})
	kafkaGoCommitAt(address, topic, topic, 1, 7, "note")
	found := kafkaGoCommitted(address, topic, topic)[0]
	expect("committed", fmt.Sprintf("%d %s", found.CommittedOffset, found.Metadata), "7 note")
	member := newKafkaGoMember(address, topic, true)
	until("a record", func() bool { return len(member.messages()) > 0 })
	expect("the next record", member.messages()[0], "0 7")
	member.close()
	return ""
}

// A member of a group: the client's own reader, which rebalances by itself.
type kafkaGoMember struct {
	reader  *kafka.Reader
	lock    sync.Mutex
	seen    []string
	stop    context.CancelFunc
	stopped chan struct{}
}

func newKafkaGoMember(address, topic string, commits bool) *kafkaGoMember {
	// Each partition has a connection of its own, which asks again after MaxWait. With less, a
	// thousand of them keep a busy machine from everything else.
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{address}, GroupID: topic, Topic: topic, MaxBytes: 16 << 20, MaxWait: time.Second,
		HeartbeatInterval: 500 * time.Millisecond, StartOffset: kafka.FirstOffset,
	})
	limited, stop := context.WithCancel(context.Background())
	member := &kafkaGoMember{reader: reader, stop: stop, stopped: make(chan struct{})}
	go func() {
		defer close(member.stopped)
		for {
			message, err := reader.FetchMessage(limited)
			if err != nil {
				return
			}
			member.lock.Lock()
			member.seen = append(member.seen, fmt.Sprintf("%d %d", message.Partition, message.Offset))
			member.lock.Unlock()
			if commits && reader.CommitMessages(limited, message) != nil {
				return
			}
		}
	}()
	return member
}

func (member *kafkaGoMember) messages() []string {
	member.lock.Lock()
	defer member.lock.Unlock()
	return slices.Clone(member.seen)
}

func (member *kafkaGoMember) close() {
	member.stop()
	<-member.stopped
	must(member.reader.Close())
}

func kafkaGoMembers(address, group string) (string, []int) {
	answer := got(kafkaGoClient(address).DescribeGroups(ctx(), &kafka.DescribeGroupsRequest{GroupIDs: []string{group}}))
	var owned []int
	for _, member := range answer.Groups[0].Members {
		count := 0
		for _, topic := range member.MemberAssignments.Topics {
			count += len(topic.Partitions)
		}
		owned = append(owned, count)
	}
	return answer.Groups[0].GroupState, owned
}

func kafkaGoOwn(address, group string, counts ...int) {
	until(fmt.Sprintf("members own %v", counts), func() bool {
		state, owned := kafkaGoMembers(address, group)
		return state == "Stable" && slices.Equal(owned, counts)
	})
}

func kafkaGoFilled(address, topic string) {
	kafkaGoCreate(address, topic, 4)
	kafkaGoWrite(address, topic, kafkaGoNumbered(4, 400), nil)
}

func kafkaGoGroup(address, prefix string) string {
	topic := prefix + "-group"
	kafkaGoFilled(address, topic)
	first := newKafkaGoMember(address, topic, true)
	kafkaGoOwn(address, topic, 4)
	second := newKafkaGoMember(address, topic, true)
	kafkaGoOwn(address, topic, 2, 2)
	until("all 400", func() bool {
		all := map[string]bool{}
		for _, name := range append(first.messages(), second.messages()...) {
			all[name] = true
		}
		return len(all) == 400
	})
	second.close()
	kafkaGoOwn(address, topic, 4)
	first.close()
	sum := int64(0)
	for _, partition := range kafkaGoCommitted(address, topic, topic) {
		sum += partition.CommittedOffset
	}
	expect("committed", sum, 400)
	return ""
}

func kafkaGoGroupAdmin(address, prefix string) string {
	topic := prefix + "-admin"
	kafkaGoFilled(address, topic)
	client := kafkaGoClient(address)
	member := newKafkaGoMember(address, topic, true)
	kafkaGoOwn(address, topic, 4)
	until("all 400", func() bool { return len(member.messages()) >= 400 })
	listed := func() bool {
		groups := got(client.ListGroups(ctx(), &kafka.ListGroupsRequest{})).Groups
		return slices.ContainsFunc(groups, func(group kafka.ListGroupsResponseGroup) bool { return group.GroupID == topic })
	}
	expect("listed", listed(), true)
	member.close()
	until("empty", func() bool {
		state, owned := kafkaGoMembers(address, topic)
		return state == "Empty" && len(owned) == 0
	})
	kafkaGoCommitAt(address, topic, topic, 4, 0, "")
	for _, partition := range kafkaGoCommitted(address, topic, topic) {
		expect("altered", partition.CommittedOffset, 0)
	}
	deleted := got(client.DeleteGroups(ctx(), &kafka.DeleteGroupsRequest{GroupIDs: []string{topic}}))
	must(deleted.Errors[topic])
	expect("listed after it was deleted", listed(), false)
	return ""
}
