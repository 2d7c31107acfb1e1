package front

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/netip"
)

// Proxies are the networks whose word about where a connection or a request
// comes from is taken. Nobody else's is.
type Proxies []netip.Prefix

// trusts says whether an address is a proxy's.
func (p Proxies) trusts(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// preamble is how a connection in version 2 of the PROXY protocol begins. Version 1 is not taken: it
// begins like a request.
//
// https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, section 2.2
const preamble = "\r\n\r\n\x00\r\nQUIT\n"

// maxPreamble bounds what follows the fixed part: addresses and what the proxy adds.
const maxPreamble = 2048

// told is what a proxy's preamble says.
type told struct {
	client netip.AddrPort // not valid: the proxy speaks for itself
	// tls says whether the client speaks TLS with the proxy; known, whether the preamble says so.
	tls, known bool
}

var errPreamble = errors.New("front: a malformed PROXY preamble")

// readPreamble reads a preamble, exactly, after its first byte.
func readPreamble(from io.Reader) (told, error) {
	var head [16]byte
	head[0] = preamble[0]
	if _, err := io.ReadFull(from, head[1:]); err != nil {
		return told{}, err
	}
	length := binary.BigEndian.Uint16(head[14:])
	if string(head[:12]) != preamble || length > maxPreamble {
		return told{}, errPreamble
	}
	block := make([]byte, 16+int(length))
	copy(block, head[:])
	if _, err := io.ReadFull(from, block[16:]); err != nil {
		return told{}, err
	}
	return parsePreamble(block)
}

// parsePreamble reads a whole block. What stands for no client of TCP, over
// IPv4 or IPv6, is refused, unless the proxy says that it speaks for itself.
func parsePreamble(block []byte) (told, error) {
	var t told
	rest := block[16:]
	switch command, family := block[12], block[13]; {
	case command == 0x20: // LOCAL: the rest means nothing
		return t, nil
	case command == 0x21 && family == 0x11 && len(rest) >= 12:
		source, _ := netip.AddrFromSlice(rest[:4])
		t.client = netip.AddrPortFrom(source, binary.BigEndian.Uint16(rest[8:]))
		rest = rest[12:]
	case command == 0x21 && family == 0x21 && len(rest) >= 36:
		source, _ := netip.AddrFromSlice(rest[:16])
		t.client = netip.AddrPortFrom(source.Unmap(), binary.BigEndian.Uint16(rest[32:]))
		rest = rest[36:]
	default:
		return t, errPreamble
	}
	if a := t.client.Addr(); a.IsUnspecified() || a.IsMulticast() {
		return t, errPreamble
	}
	return t, t.additions(block, rest)
}

// Kinds of what a proxy adds to the addresses.
const (
	additionCRC32C = 0x03
	additionSSL    = 0x20
)

// additions reads what follows the addresses: type, length and value each.
func (t *told) additions(block, rest []byte) error {
	for len(rest) > 0 {
		if len(rest) < 3 {
			return errPreamble
		}
		kind, size := rest[0], int(binary.BigEndian.Uint16(rest[1:]))
		if rest = rest[3:]; size > len(rest) {
			return errPreamble
		}
		value := rest[:size]
		rest = rest[size:]
		switch kind {
		case additionCRC32C:
			if size != 4 {
				return errPreamble
			}
			sum := binary.BigEndian.Uint32(value)
			clear(value) // of block, which is summed as if it held none
			if crc32.Checksum(block, crc32.MakeTable(crc32.Castagnoli)) != sum {
				return errPreamble
			}
		case additionSSL:
			if size < 5 || t.known {
				return errPreamble
			}
			t.tls, t.known = value[0]&1 != 0, true
		}
	}
	return nil
}
