// Three Go clients: interop-go CLIENT ADDRESS FEATURE PREFIX; see ../README.md.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	// Timestamp of record 0, and from one record to the next, in milliseconds.
	firstTimestamp = int64(1_700_000_000_000)
	timestampStep  = int64(10)
	patience       = 50 * time.Second
)

// A feature returns a remark, or nothing.
type feature func(address, prefix string) string

// A client has no such feature.
type lacking string

// What every feature does on a failure; main reports it.
func fail(format string, values ...any) { panic(fmt.Errorf(format, values...)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

func expect(what string, seen, expected any) {
	if fmt.Sprint(seen) != fmt.Sprint(expected) {
		fail("%s: expected %v, got %v", what, shorten(expected), shorten(seen))
	}
}

func shorten(value any) string {
	text := fmt.Sprint(value)
	if len(text) > 300 {
		return fmt.Sprintf("%s… (%d bytes)", text[:300], len(text))
	}
	return text
}

// until looks again and again, for as long as a feature may take.
func until(what string, look func() bool) {
	deadline := time.Now().Add(patience)
	for !look() {
		if time.Now().After(deadline) {
			fail("%s: not within %v", what, patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func timestamp(number int) time.Time {
	return time.UnixMilli(firstTimestamp + int64(number)*timestampStep)
}

// The timestamps that every client looks up: the first, one between two, the last, one behind it.
func lookUps() []int64 {
	at := func(number int) int64 { return timestamp(number).UnixMilli() }
	return []int64{at(0), at(15) - 1, at(39), at(39) + 1}
}

func numbers(from, to int) []string {
	var all []string
	for number := from; number < to; number++ {
		all = append(all, fmt.Sprint(number))
	}
	return all
}

// A record as text, to be compared.
func show(key, value []byte, at time.Time, headers string) string {
	text := func(bytes []byte) string {
		if bytes == nil {
			return "null"
		}
		return fmt.Sprintf("%q", bytes)
	}
	return fmt.Sprintf("%s %s %d %s", text(key), text(value), at.UnixMilli(), headers)
}

func main() {
	clients := map[string]map[string]feature{
		"franz-go": franzGo,
		"kafka-go": kafkaGo,
		"sarama":   saramaClient,
	}
	if len(os.Args) != 5 || clients[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "interop-go franz-go|kafka-go|sarama ADDRESS FEATURE PREFIX")
		os.Exit(2)
	}
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case lacking:
			fmt.Println(string(problem))
			os.Exit(3)
		case error:
			fmt.Fprintln(os.Stderr, strings.TrimSpace(problem.Error()))
			os.Exit(1)
		default:
			panic(problem)
		}
	}()
	run := clients[os.Args[1]][os.Args[3]]
	if run == nil {
		panic(errors.New("no such feature in this program"))
	}
	fmt.Println(run(os.Args[2], os.Args[4]))
}
