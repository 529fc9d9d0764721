package main

import (
	"errors"
	"time"

	"github.com/IBM/sarama"
)

func saramaClient(address, topic string) (seen outcome, err error) {
	addresses := []string{address}
	config := sarama.NewConfig()
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	admin, err := sarama.NewClusterAdmin(addresses, config)
	if err != nil {
		return seen, err
	}
	defer admin.Close()
	err = admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)
	if err != nil {
		return seen, err
	}
	for _, part := range []struct {
		from, to int
		acks     sarama.RequiredAcks
	}{{0, acksAllFrom, sarama.WaitForLocal}, {acksAllFrom, records, sarama.WaitForAll}} {
		config.Producer.RequiredAcks = part.acks
		producer, err := sarama.NewSyncProducer(addresses, config)
		if err != nil {
			return seen, err
		}
		for number := part.from; number < part.to; number++ {
			_, offset, err := producer.SendMessage(&sarama.ProducerMessage{
				Topic:     topic,
				Value:     sarama.StringEncoder(value(number)),
				Timestamp: timestamp(number),
			})
			if err != nil {
				return seen, err
			}
			seen.Acknowledged = append(seen.Acknowledged, offset)
		}
		producer.Close()
	}
	client, err := sarama.NewClient(addresses, config)
	if err != nil {
		return seen, err
	}
	defer client.Close()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return seen, err
	}
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return seen, err
	}
	for len(seen.Values) < records {
		select {
		case message := <-partition.Messages():
			seen.Values = append(seen.Values, string(message.Value))
		case <-time.After(patience):
			return seen, errors.New("no message")
		}
	}
	if err = partition.Close(); err != nil {
		return seen, err
	}
	for _, at := range lookUps() {
		offset, err := client.GetOffset(topic, 0, at)
		if err != nil {
			return seen, err
		}
		seen.Found = append(seen.Found, offsetOrNone(offset))
	}
	if err = admin.DeleteTopic(topic); err != nil {
		return seen, err
	}
	left, err := admin.ListTopics()
	if err != nil {
		return seen, err
	}
	for name := range left {
		seen.TopicsAfter = append(seen.TopicsAfter, name)
	}
	return seen, nil
}
