//go:build !race

package pebble_test

const raceDetector = false
