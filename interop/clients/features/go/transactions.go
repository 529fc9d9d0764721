package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func init() {
	franzGo["transaction"] = franzTransaction
	franzGo["fencing"] = franzFencing
	franzGo["transactional-offsets"] = franzTransactionalOffsets
	franzGo["transaction-timeout"] = franzTransactionTimeout
	saramaClient["transaction"] = saramaTransaction
	saramaClient["fencing"] = saramaFencing
	saramaClient["transactional-offsets"] = saramaTransactionalOffsets
	saramaClient["transaction-timeout"] = saramaTransactionTimeout
	for _, name := range []string{"transaction", "fencing", "transactional-offsets", "transaction-timeout"} {
		kafkaGo[name] = func(string, string) string { panic(lacking("no transactions in this client")) }
	}
}

func words(kind string, count int) []string {
	var all []string
	for number := range count {
		all = append(all, fmt.Sprint(kind, "-", number))
	}
	return all
}

// franz-go.

var franzCommitted = kgo.FetchIsolationLevel(kgo.ReadCommitted())

func franzTransactional(address, name string, timeout time.Duration) *kgo.Client {
	return franzClient(address, kgo.TransactionalID(name), kgo.TransactionTimeout(timeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

func franzSend(client *kgo.Client, topic string, partition int32, values []string) error {
	var records []*kgo.Record
	for _, value := range values {
		records = append(records, franzRecord(topic, partition, value))
	}
	return client.ProduceSync(ctx(), records...).FirstErr()
}

// franzEndToEnd reads until a last record, which is sent outside of transactions, and compares.
func franzEndToEnd(address, topic string, expected []string) {
	franzProduce(address, []*kgo.Record{franzRecord(topic, 0, "end")})
	found := franzValues(franzReadAssigned(address, topic, 1, len(expected)+1, franzCommitted))
	expect("records of partition 0", found, append(slices.Clone(expected), "end"))
}

func franzTransaction(address, prefix string) string {
	topic := prefix + "-transaction"
	franzCreate(address, topic, 2, nil)
	client := franzTransactional(address, prefix+"-t", time.Minute)
	for _, kind := range []string{"one", "no", "two"} {
		must(client.BeginTransaction())
		must(franzSend(client, topic, 0, words(kind, 5)))
		must(franzSend(client, topic, 1, words(kind, 5)))
		must(client.EndTransaction(ctx(), kgo.TransactionEndTry(kind != "no")))
	}
	client.Close()
	committed := append(words("one", 5), words("two", 5)...)
	for partition := range int32(2) {
		var got []string
		for _, record := range franzReadAssigned(address, topic, 2, 20, franzCommitted) {
			if record.Partition == partition {
				got = append(got, string(record.Value))
			}
		}
		expect("committed", got, committed)
	}
	franzEndToEnd(address, topic, committed)
	all := franzValues(franzReadAssigned(address, topic, 2, 31))
	expect("uncommitted", len(slices.DeleteFunc(all, func(value string) bool { return value == "end" })), 30)
	return ""
}

func franzFencing(address, prefix string) string {
	topic := prefix + "-fencing"
	franzCreate(address, topic, 1, nil)
	first := franzTransactional(address, prefix+"-f", time.Minute)
	must(first.BeginTransaction())
	must(franzSend(first, topic, 0, words("first", 3)))
	second := franzTransactional(address, prefix+"-f", time.Minute)
	must(second.BeginTransaction())
	must(franzSend(second, topic, 0, words("second", 3)))
	sent := franzSend(first, topic, 0, words("zombie", 3))
	fenced := errors.Is(sent, kerr.InvalidProducerEpoch)
	expect(fmt.Sprint("the zombie's records are of an old epoch: ", sent), fenced, true)
	ended := first.EndTransaction(ctx(), kgo.TryCommit)
	expect(fmt.Sprint("the zombie's commit is refused: ", ended), ended != nil, true)
	must(second.EndTransaction(ctx(), kgo.TryCommit))
	second.Close()
	franzEndToEnd(address, topic, words("second", 3))
	return ""
}

func franzTransactionalOffsets(address, prefix string) string {
	source, target, group := prefix+"-source", prefix+"-target", prefix+"-copiers"
	franzCreate(address, source, 1, nil)
	franzCreate(address, target, 1, nil)
	var records []*kgo.Record
	for _, word := range words("in", 10) {
		records = append(records, franzRecord(source, 0, word))
	}
	franzProduce(address, records)
	session := got(kgo.NewGroupTransactSession(kgo.SeedBrokers(address), kgo.TransactionalID(prefix+"-c"),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(source), franzCommitted,
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets(),
		kgo.RecordPartitioner(kgo.ManualPartitioner())))
	for _, commits := range []bool{true, false} {
		copied := session.PollRecords(ctx(), 5)
		must(copied.Err())
		must(session.Begin())
		for _, record := range copied.Records() {
			value := string(record.Value)
			if !commits {
				value = "lost"
			}
			must(session.ProduceSync(ctx(), franzRecord(target, 0, value)).FirstErr())
		}
		ended := got(session.End(ctx(), kgo.TransactionEndTry(commits)))
		expect("committed", ended, commits)
	}
	session.Close()
	offsets := got(franzAdmin(address).FetchOffsets(ctx(), group))
	found, _ := offsets.Lookup(source, 0)
	expect("the group's offset", found.At, 5)
	franzEndToEnd(address, target, words("in", 5))
	return ""
}

func franzTransactionTimeout(address, prefix string) string {
	topic := prefix + "-timeout"
	franzCreate(address, topic, 1, nil)
	client := franzTransactional(address, prefix+"-o", 2*time.Second)
	must(client.BeginTransaction())
	must(franzSend(client, topic, 0, words("late", 3)))
	franzEndToEnd(address, topic, nil)
	expect("the late commit is refused", client.EndTransaction(ctx(), kgo.TryCommit) != nil, true)
	return ""
}

// sarama.

func saramaTransactional(address, name string, timeout time.Duration) sarama.SyncProducer {
	return got(sarama.NewSyncProducer([]string{address}, saramaConfig(func(config *sarama.Config) {
		config.Producer.Transaction.ID = name
		config.Producer.Transaction.Timeout = timeout
		config.Producer.Idempotent = true
		config.Producer.RequiredAcks = sarama.WaitForAll
		config.Net.MaxOpenRequests = 1
	})))
}

func saramaSend(producer sarama.SyncProducer, topic string, partition int32, values []string) error {
	var messages []*sarama.ProducerMessage
	for _, value := range values {
		messages = append(messages, saramaMessage(topic, partition, value))
	}
	return producer.SendMessages(messages)
}

func saramaReadCommitted(config *sarama.Config) {
	config.Consumer.IsolationLevel = sarama.ReadCommitted
}

// saramaEndToEnd reads until a last record, which is sent outside of transactions, and compares.
func saramaEndToEnd(address, topic string, expected []string) {
	saramaProduce(address, []*sarama.ProducerMessage{saramaMessage(topic, 0, "end")}, nil)
	found := saramaReadFrom(address, topic, 1, len(expected)+1, sarama.OffsetOldest, saramaReadCommitted)
	expect("records of partition 0", saramaValues(found), append(slices.Clone(expected), "end"))
}

func saramaTransaction(address, prefix string) string {
	topic := prefix + "-transaction"
	saramaCreate(address, topic, 2, nil)
	producer := saramaTransactional(address, prefix+"-t", time.Minute)
	for _, kind := range []string{"one", "no", "two"} {
		must(producer.BeginTxn())
		must(saramaSend(producer, topic, 0, words(kind, 5)))
		must(saramaSend(producer, topic, 1, words(kind, 5)))
		if kind == "no" {
			must(producer.AbortTxn())
		} else {
			must(producer.CommitTxn())
		}
	}
	must(producer.Close())
	committed := append(words("one", 5), words("two", 5)...)
	found := saramaReadFrom(address, topic, 2, 20, sarama.OffsetOldest, saramaReadCommitted)
	for partition := range int32(2) {
		var got []string
		for _, message := range found {
			if message.Partition == partition {
				got = append(got, string(message.Value))
			}
		}
		expect("committed", got, committed)
	}
	saramaEndToEnd(address, topic, committed)
	all := saramaValues(saramaReadAll(address, topic, 2, 31))
	expect("uncommitted", len(slices.DeleteFunc(all, func(value string) bool { return value == "end" })), 30)
	return ""
}

func saramaFencing(address, prefix string) string {
	topic := prefix + "-fencing"
	saramaCreate(address, topic, 1, nil)
	first := saramaTransactional(address, prefix+"-f", time.Minute)
	must(first.BeginTxn())
	must(saramaSend(first, topic, 0, words("first", 3)))
	second := saramaTransactional(address, prefix+"-f", time.Minute)
	must(second.BeginTxn())
	must(saramaSend(second, topic, 0, words("second", 3)))
	sent := saramaSend(first, topic, 0, words("zombie", 3))
	var failed sarama.ProducerErrors
	expect(fmt.Sprint("the zombie's records are refused: ", sent), errors.As(sent, &failed), true)
	for _, failure := range failed {
		expect("what a record of the zombie is refused with", failure.Err, error(sarama.ErrInvalidProducerEpoch))
	}
	expect("what the zombie's commit is refused with", first.CommitTxn(), error(sarama.ErrInvalidProducerEpoch))
	must(second.CommitTxn())
	must(second.Close())
	saramaEndToEnd(address, topic, words("second", 3))
	return ""
}

func saramaTransactionalOffsets(address, prefix string) string {
	source, target, group := prefix+"-source", prefix+"-target", prefix+"-copiers"
	saramaCreate(address, source, 1, nil)
	saramaCreate(address, target, 1, nil)
	var messages []*sarama.ProducerMessage
	for _, word := range words("in", 10) {
		messages = append(messages, saramaMessage(source, 0, word))
	}
	saramaProduce(address, messages, nil)
	copied := saramaValues(saramaReadFrom(address, source, 1, 10, sarama.OffsetOldest, saramaReadCommitted))
	producer := saramaTransactional(address, prefix+"-c", time.Minute)
	for _, commits := range []bool{true, false} {
		must(producer.BeginTxn())
		values, offset := copied[:5], int64(5)
		if !commits {
			values, offset = words("lost", 5), 10
		}
		must(saramaSend(producer, target, 0, values))
		offsets := map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 0, Offset: offset}}}
		must(producer.AddOffsetsToTxn(offsets, group))
		if commits {
			must(producer.CommitTxn())
		} else {
			must(producer.AbortTxn())
		}
	}
	must(producer.Close())
	expect("the group's offset", saramaCommitted(address, group, source)[0].Offset, 5)
	saramaEndToEnd(address, target, words("in", 5))
	return ""
}

func saramaTransactionTimeout(address, prefix string) string {
	topic := prefix + "-timeout"
	saramaCreate(address, topic, 1, nil)
	producer := saramaTransactional(address, prefix+"-o", 2*time.Second)
	must(producer.BeginTxn())
	must(saramaSend(producer, topic, 0, words("late", 3)))
	saramaEndToEnd(address, topic, nil)
	expect("the late commit is refused", producer.CommitTxn() != nil, true)
	return ""
}
