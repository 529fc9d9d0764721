package main

import (
	"context"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

func kafkaGo(address, topic string) (seen outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := kafka.DialContext(ctx, "tcp", address)
	if err != nil {
		return seen, err
	}
	defer connection.Close()
	err = connection.CreateTopics(kafka.TopicConfig{Topic: topic, NumPartitions: 1, ReplicationFactor: 1})
	if err != nil {
		return seen, err
	}
	client := &kafka.Client{Addr: kafka.TCP(address), Timeout: patience}
	for _, part := range []struct {
		from, to int
		acks     kafka.RequiredAcks
	}{{0, acksAllFrom, kafka.RequireOne}, {acksAllFrom, records, kafka.RequireAll}} {
		// The writer does not say at which offset a record is, so the low-level client sends.
		for number := part.from; number < part.to; number++ {
			record := kafka.Record{Time: timestamp(number), Value: kafka.NewBytes([]byte(value(number)))}
			sent, err := client.Produce(ctx, &kafka.ProduceRequest{
				Topic:        topic,
				Partition:    0,
				RequiredAcks: part.acks,
				Records:      kafka.NewRecordReader(record),
			})
			if err != nil {
				return seen, err
			}
			if sent.Error != nil {
				return seen, sent.Error
			}
			seen.Acknowledged = append(seen.Acknowledged, sent.BaseOffset)
		}
	}
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers:   []string{address},
		Topic:     topic,
		Partition: 0,
		MaxWait:   100 * time.Millisecond,
	})
	defer reader.Close()
	for len(seen.Values) < records {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			return seen, err
		}
		seen.Values = append(seen.Values, string(message.Value))
	}
	for _, at := range lookUps() {
		leader, err := kafka.DialLeader(ctx, "tcp", address, topic, 0)
		if err != nil {
			return seen, err
		}
		offset, err := leader.ReadOffset(time.UnixMilli(at))
		if err != nil {
			return seen, err
		}
		leader.Close()
		seen.Found = append(seen.Found, offsetOrNone(offset))
	}
	if err = connection.DeleteTopics(topic); err != nil {
		return seen, err
	}
	left, err := connection.ReadPartitions()
	if err != nil {
		return seen, err
	}
	for _, partition := range left {
		seen.TopicsAfter = append(seen.TopicsAfter, partition.Topic)
	}
	return seen, nil
}
