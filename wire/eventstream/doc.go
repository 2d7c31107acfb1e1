// Package eventstream writes answers that are streams of events: frames of
// application/vnd.amazon.eventstream, one an event, each with its own
// checksums. What an event holds is written by the codec of the operation's
// protocol.
package eventstream
