package kms

import (
	"cmp"
	"sync"
	"time"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/policy"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// Key is a KMS key in one Region, as stored under Region and id. Related
// multi-Region keys are records of their own that have an id in common.
type Key struct {
	ID          string // a UUID; of multi-Region keys mrk- and 32 hexadecimal digits
	Arn         string
	Region      string
	Account     string
	Manager     kms.KeyManagerType
	Description string `cbor:",omitempty"`
	Created     time.Time
	Spec        material.Spec
	Usage       kms.KeyUsageType
	Origin      kms.OriginType
	// State is as the last call left it: Enabled, Disabled, PendingImport, PendingDeletion or
	// PendingReplicaDeletion. What time made of it since, stateAt tells.
	State   kms.KeyState
	Policy  *Document
	Tags    []Tag    `cbor:",omitempty"`
	Aliases []string `cbor:",omitempty"` // names that select it, sorted
	Public  []byte   `cbor:",omitempty"` // of a pair: SubjectPublicKeyInfo, DER

	Materials []Material `cbor:",omitempty"` // oldest first
	Current   string     `cbor:",omitempty"` // ID of the material that encrypts; "" while there is none

	Window       int       `cbor:",omitempty"` // of a deletion, in days
	DeletionDate time.Time // zero unless State is PendingDeletion

	Rotation Rotation
	OnDemand int `cbor:",omitempty"` // on-demand rotations so far

	Store    string `cbor:",omitempty"` // id of the custom key store that holds it
	XksKeyID string `cbor:",omitempty"` // of the external key, in an external key store

	MultiRegion bool     `cbor:",omitempty"`
	Primary     string   `cbor:",omitempty"` // Region of the primary key
	Replicas    []string `cbor:",omitempty"` // Regions of the replicas, as all of them know

	tags lazyTags
}

// Rotation is a key's automatic rotation.
type Rotation struct {
	Enabled bool
	Period  int       // days
	Next    time.Time // zero unless Enabled
}

// Material is what is known of one material of a key but the secret itself.
type Material struct {
	ID          string
	State       kms.KeyMaterialState
	Imported    bool             `cbor:",omitempty"` // of keys with imported material: it is there now
	Description string           `cbor:",omitempty"`
	ValidTo     time.Time        // of imported material that expires; else zero
	Rotated     time.Time        // when it became current by a rotation; else zero
	Rotation    kms.RotationType `cbor:",omitempty"`
}

// Tag is a tag of a key.
type Tag struct{ Key, Value string }

// lazyTags is a record's tags as a map, made once.
type lazyTags struct {
	once sync.Once
	m    map[string]string
}

func (l *lazyTags) of(tags []Tag) map[string]string {
	l.once.Do(func() {
		if len(tags) == 0 {
			return
		}
		l.m = make(map[string]string, len(tags))
		for _, t := range tags {
			l.m[t.Key] = t.Value
		}
	})
	return l.m
}

// Document is a key policy's text with what is compiled of it. Users and roles
// stand in it by their unique ids.
type Document struct {
	Text string

	compile  sync.Once
	compiled *policy.Policy
}

// policy is the compiled document. One that can't be read lets nobody in.
func (d *Document) policy() *policy.Policy {
	d.compile.Do(func() {
		if doc, err := policy.Read([]byte(d.Text), policy.Resource); err == nil {
			d.compiled = policy.Compile(doc, "")
		}
	})
	return d.compiled
}

// keysByStore are the keys in custom key stores: those in an external one by
// their external keys, of which none has two.
var keysByStore = &store.Index[Key]{Name: "store", Unique: true, Of: func(k *Key, add func(...string)) {
	if k.Store != "" {
		add(k.Region, k.Store, cmp.Or(k.XksKeyID, k.ID))
	}
}}

// keys holds every key, by Region and id.
var keys = store.NewTable[Key]("kms/key", keysByDate, keysByStore)

// save stores a key that was changed.
func (k *Key) save(tx store.Tx) error { return keys.Put(tx, k.Account, k, k.Region, k.ID) }

// edit is a copy of a key, to change and save.
func edit(tx store.Tx, k *Key) (*Key, error) { return keys.Edit(tx, k.Account, k.Region, k.ID) }

// change saves what f makes of a key.
func change(tx store.Tx, k *Key, f func(*Key) error) error {
	return keys.Update(tx, k.Account, f, k.Region, k.ID)
}

// awsManaged tells AWS's own keys, which customers neither change nor delete.
func (k *Key) awsManaged() bool { return k.Manager == kms.KeyManagerTypeAws }

// external tells keys whose material is imported.
func (k *Key) external() bool { return k.Origin == kms.OriginTypeExternal }

// primary tells a multi-Region key that is the primary one.
func (k *Key) primary() bool { return k.MultiRegion && k.Primary == k.Region }

// material is the material with that ID.
func (k *Key) material(id string) (*Material, bool) {
	for i := range k.Materials {
		if k.Materials[i].ID == id {
			return &k.Materials[i], true
		}
	}
	return nil, false
}
