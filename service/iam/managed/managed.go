// Package managed holds the AWS managed policies: read-only, the same in all
// accounts, and free of cost until the first of them is asked for. They are
// embedded compressed, some dozens to a block; asking for one inflates the
// list of names, once, and the policy's block.
//
// AWS's own ids and descriptions of them, and versions that are no longer the
// default, are not here.
package managed

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/garrison-security/garrison/policy"
)

// Policy is an AWS managed policy. It is never changed.
type Policy struct {
	Name, Path string
	Version    string // the default version's id: "v3"
	Created    time.Time
	Updated    time.Time

	block, at, size int // where the document stands, inflated

	compile  sync.Once
	compiled *policy.Policy
}

// owner is the account in the ARNs of AWS's policies.
const owner = ":iam::aws:policy"

// Get is the policy that an ARN of the partition names, or nil.
func Get(partition, arn string) *Policy {
	rest, ok := strings.CutPrefix(arn, "arn:")
	if ok {
		rest, ok = strings.CutPrefix(rest, partition)
	}
	if ok {
		rest, ok = strings.CutPrefix(rest, owner)
	}
	if !ok {
		return nil
	}
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	all := list()
	i, found := slices.BinarySearchFunc(all, name, func(p *Policy, name string) int { return cmp.Compare(p.Name, name) })
	if !found || all[i].Path != rest[:len(rest)-len(name)] {
		return nil
	}
	return all[i]
}

// Is tells whether an ARN is one of an AWS managed policy, existing or not.
func Is(arn string) bool {
	_, rest, _ := strings.Cut(arn, ":")
	_, rest, _ = strings.Cut(rest, ":")
	return strings.HasPrefix(rest, owner[1:]+"/")
}

// All yields the policies whose names come after the one given, by name.
func All(after string) iter.Seq[*Policy] {
	all := list()
	i, found := slices.BinarySearchFunc(all, after, func(p *Policy, name string) int { return cmp.Compare(p.Name, name) })
	if found {
		i++
	}
	return slices.Values(all[i:])
}

// ARN is the policy's ARN in a partition.
func (p *Policy) ARN(partition string) string { return "arn:" + partition + owner + p.Path + p.Name }

// ID is the policy's unique id. It is ours, made of the name.
func (p *Policy) ID() string {
	sum := sha256.Sum256([]byte(p.Path + p.Name))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// Document is the text of the default version.
func (p *Policy) Document() string {
	block := inflated(p.block)
	return string(block[p.at : p.at+p.size])
}

// Compiled is the default version, ready to decide; nil, which denies, if it can't be read.
func (p *Policy) Compiled(partition string) *policy.Policy {
	p.compile.Do(func() {
		if doc, err := policy.Read([]byte(p.Document()), policy.Identity); err == nil {
			p.compiled = policy.Compile(doc, p.ARN(partition))
		}
	})
	return p.compiled
}
