package trail

import (
	"crypto/sha256"
	"encoding/binary"
)

// The chain, over events and not rows, so that re-sealing and regrouping keep it:
//
//	leaf = H(1, salt, stream, position, length of scope, scope, event)
//	head = H(2, previous head, leaf), from H(3, stream) before the first
//
// with H SHA-256, integers in 8 bytes, big-endian, and salt the first 16 bytes
// of H(4, seed of the block, position). Without the seed, which lies sealed with
// the events, a leaf tells nothing of its event.
const (
	domainLeaf  = 1
	domainHead  = 2
	domainStart = 3
	domainSalt  = 4
)

const saltSize = 16

// Head is the chain's state after an event.
type Head [hashSize]byte

func startHead(stream uint64) Head {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte{domainStart}, stream))
}

// link is the head after the event with that leaf.
func link(head Head, leaf []byte) Head {
	var b [1 + 2*hashSize]byte
	b[0] = domainHead
	copy(b[1:], head[:])
	copy(b[1+hashSize:], leaf[:hashSize])
	return sha256.Sum256(b[:])
}

// leafOf is the leaf of an event. It uses buffer and returns it for the next.
func leafOf(buffer []byte, seed *[seedSize]byte, stream, position uint64, scope string, event []byte) (Head, []byte) {
	var b [1 + seedSize + 8]byte
	b[0] = domainSalt
	copy(b[1:], seed[:])
	binary.BigEndian.PutUint64(b[1+seedSize:], position)
	salt := sha256.Sum256(b[:])
	buffer = append(append(buffer[:0], domainLeaf), salt[:saltSize]...)
	buffer = binary.BigEndian.AppendUint64(buffer, stream)
	buffer = binary.BigEndian.AppendUint64(buffer, position)
	buffer = binary.BigEndian.AppendUint64(buffer, uint64(len(scope)))
	buffer = append(buffer, scope...)
	buffer = append(buffer, event...)
	return sha256.Sum256(buffer), buffer
}

// blockKey is what a block is sealed under, in place of a store's key.
func blockKey(to []byte, stream, first, count uint64, header []byte) []byte {
	to = append(to, "garrison trail block 1 "...)
	to = binary.BigEndian.AppendUint64(to, stream)
	to = binary.BigEndian.AppendUint64(to, first)
	to = binary.BigEndian.AppendUint64(to, count)
	return append(to, header...)
}

// headKey is what the empty message is sealed under to vouch for a row's head,
// and for the blocks, by their indices, whose events were erased.
func headKey(to []byte, stream, first, count uint64, head Head, erased []int) []byte {
	to = append(to, "garrison trail head 1 "...)
	to = binary.BigEndian.AppendUint64(to, stream)
	to = binary.BigEndian.AppendUint64(to, first)
	to = binary.BigEndian.AppendUint64(to, count)
	to = append(to, head[:]...)
	for _, i := range erased {
		to = binary.BigEndian.AppendUint64(to, uint64(i))
	}
	return to
}
