package s3

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// setting is one of a bucket's configurations that is kept as it was put: JSON of the API's structure.
type setting struct {
	JSON []byte

	decoded atomic.Value          // what JSON says, once it was asked for: a pointer to its kind's shape, written to by nobody
	rules   atomic.Pointer[rules] // of a lifecycle configuration, once they were asked for
}

// settings are all of them: bucket, kind, and of a kind of which there may be many, the name.
var settings = store.NewTable[setting]("s3/setting")

// kind is a kind of configuration of shape C; its value is the name of its rows.
type kind[C any] string

const (
	cors        kind[s3.CORSConfiguration]               = "cors"
	websites    kind[s3.WebsiteConfiguration]            = "website"
	payments    kind[s3.RequestPaymentConfiguration]     = "request-payment"
	accelerated kind[s3.AccelerateConfiguration]         = "accelerate"
	analytics   kind[s3.AnalyticsConfiguration]          = "analytics"
	metrics     kind[s3.MetricsConfiguration]            = "metrics"
	tiering     kind[s3.IntelligentTieringConfiguration] = "intelligent-tiering"
	inventories kind[s3.InventoryConfiguration]          = "inventory"
)

// get is the bucket's configuration of a name, "" where there is one alone; nil: it has none.
func (k kind[C]) get(tx store.Tx, b *Bucket, name string) (*C, error) {
	row, err := settings.Get(tx, b.Account, b.ID, string(k), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decoded[C](row)
}

func decoded[C any](row *setting) (*C, error) {
	if known, ok := row.decoded.Load().(*C); ok {
		return known, nil
	}
	c := new(C)
	if err := json.Unmarshal(row.JSON, c); err != nil {
		return nil, err
	}
	row.decoded.Store(c)
	return c, nil
}

func (k kind[C]) put(tx store.Tx, b *Bucket, name string, c *C) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return settings.Put(tx, b.Account, &setting{JSON: text}, b.ID, string(k), name)
}

func (k kind[C]) delete(tx store.Tx, b *Bucket, name string) error {
	err := settings.Delete(tx, b.Account, b.ID, string(k), name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// dropSettings gives up all configurations of a bucket that is about to go.
func (b *Bucket) dropSettings(tx store.Tx) error {
	return settings.DeleteAll(tx, b.Account, b.ID)
}

// Bounds of the configurations of which a bucket may have many.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketMetricsConfiguration.html
const (
	maxSettings  = 1000 // of a kind
	settingsPage = 100
	maxSettingID = 64
)

func noSuchConfiguration() error {
	return fault(http.StatusNotFound, "NoSuchConfiguration", "The specified configuration does not exist.")
}

// mismatch is the refusal of a configuration under another name than its own.
func (k kind[C]) mismatch() error {
	if k == kind[C](inventories) {
		return fault(http.StatusBadRequest, "IdMismatch", "Document ID does not match the specified configuration ID.")
	}
	return malformedXML()
}

// putNamed keeps a configuration under its name, which body and query both say.
func (k kind[C]) putNamed(call *gateway.Call, b *onBucket, name, inside string, c *C) error {
	switch {
	case c == nil:
		return malformedXML()
	case name == "" || len(name) > maxSettingID || !settingName(name):
		return fault(http.StatusBadRequest, "InvalidConfigurationId", "The specified configuration id is invalid.")
	case name != inside:
		return k.mismatch()
	}
	n := 0
	for entry, err := range settings.List(call.Tx, b.Account, nil, b.ID, string(k)) {
		if err != nil {
			return err
		}
		if entry.Parts[2] != name {
			n++
		}
	}
	if n >= maxSettings {
		return fault(http.StatusBadRequest, "TooManyConfigurations", "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.")
	}
	return k.put(call.Tx, b.Bucket, name, c)
}

func settingName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return true
}

func (k kind[C]) getNamed(call *gateway.Call, b *onBucket, name string) (*C, error) {
	c, err := k.get(call.Tx, b.Bucket, name)
	if err == nil && c == nil {
		err = noSuchConfiguration()
	}
	return c, err
}

func (k kind[C]) deleteNamed(call *gateway.Call, b *onBucket, name string) error {
	if _, err := k.getNamed(call, b, name); err != nil {
		return err
	}
	return k.delete(call.Tx, b.Bucket, name)
}

// list is a page of the bucket's configurations of a kind, and the token of the next; nil: there is none.
func (k kind[C]) list(s *Service, call *gateway.Call, b *onBucket, token *string) (page []C, next *string, err error) {
	of := store.Listing{Name: "s3:settings", Account: b.Account, Filter: b.ID + "\x00" + string(k)}
	after, err := s.Tokens.Open(of, text(token))
	if err != nil {
		return nil, nil, invalidArgument("The continuation token provided is incorrect", "continuation-token", text(token))
	}
	rows, more, err := store.Page(settings.List(call.Tx, b.Account, after, b.ID, string(k)), settingsPage, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		c, err := decoded[C](row)
		if err != nil {
			return nil, nil, err
		}
		page = append(page, *c)
	}
	sealed, err := s.Tokens.Seal(of, more)
	return page, some(sealed), err
}

func (s *Service) namedOperations() []gateway.Operation {
	return slices.Concat(s.analyticsOperations(), s.metricsOperations(), s.tieringOperations(), s.inventoryOperations())
}
