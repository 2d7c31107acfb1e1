package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/store"
	"github.com/garrison-security/garrison/trail"
	"github.com/garrison-security/garrison/wire/route"
	"github.com/garrison-security/garrison/wire/sigv4"
)

// Config is what a Gateway is made of.
type Config struct {
	Engine    store.Engine
	Directory Directory
	Sessions  Sessions
	// Guardrails are what organisations impose; nil: there are none.
	Guardrails Guardrails
	// Denials seals what EC2's denials were about; nil: they say what others' do.
	Denials  Denials
	Services []Service
	// Models are the generated services, served or not: their rows name what a refused call asked for.
	Models []*aws.Service
	// Unserved says why services that could be served are not, by name: those who ask for one are told.
	Unserved map[string]string
	// Partition is the installation's one partition; "" means "aws".
	Partition string
	// Regions are the Regions served; nil means all of the partition.
	Regions []string
	// Hosts are the endpoint's own names, under which buckets are addressed as <bucket>.<host>.
	Hosts []string
	// Client tells who sent a request; nil takes the other end of the connection for the client.
	Client func(*http.Request) (Client, error)
	// Internal answers /_garrison/; nil means 404.
	Internal http.Handler
	// Unattributed counts the calls that no account can be charged with.
	Unattributed *trail.Unattributed
	Limits       Limits
	// MinFree is the share of free space below which calls are refused before a write fails.
	MinFree float64
	Clock   func() time.Time // nil means time.Now
	Log     *slog.Logger
}

// Gateway takes calls in and carries them out. It is safe for concurrent use.
type Gateway struct {
	Config
	global     string // the Region of global services
	regions    map[string]bool
	operations map[operationName]*Operation
	models     map[string]*aws.Service // generated services, by name
	router     *route.Router
	keys       *sigv4.KeyCache
	limits     *limiter
	measures   *measures
	free       freeSpace
	cross      CrossOrigin // nil: no service has any
}

// keyCacheSize is how many signing keys are kept ready.
const keyCacheSize = 4096

// operationName names an operation without joining strings.
type operationName struct{ service, operation string }

// New checks the configuration and makes a Gateway. The caller closes the Engine.
func New(c Config) (*Gateway, error) {
	if c.Engine == nil || c.Directory == nil || c.Sessions == nil || c.Log == nil || c.Unattributed == nil {
		return nil, errors.New("gateway: Engine, Directory, Sessions, Unattributed and Log are needed")
	}
	if c.Partition == "" {
		c.Partition = "aws"
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Client == nil {
		c.Client = connectionOf
	}
	all, global, err := partitionRegions(c.Partition)
	if err != nil {
		return nil, err
	}
	if c.Regions == nil {
		c.Regions = all
	}
	g := &Gateway{Config: c, global: global, regions: map[string]bool{}, operations: map[operationName]*Operation{}, models: map[string]*aws.Service{}}
	for _, region := range c.Regions {
		if !slices.Contains(all, region) {
			return nil, errors.New("gateway: " + region + " is not a Region of partition " + c.Partition)
		}
		g.regions[region] = true
	}
	if at := slices.Index(c.Regions, global); at > 0 { // refusals name the first
		g.Regions = slices.Insert(slices.Delete(slices.Clone(c.Regions), at, at+1), 0, global)
	}
	for _, model := range c.Models {
		g.models[model.Name] = model
	}
	for _, service := range c.Services {
		if cross, ok := service.(CrossOrigin); ok {
			g.cross = cross
		}
		for _, op := range service.Operations() {
			name := operationName{op.row.Service.Name, op.row.Name}
			if g.operations[name] != nil {
				return nil, errors.New("gateway: " + name.service + ":" + name.operation + " stands in two tables")
			}
			if len(op.row.Actions) == 0 && op.free == "" {
				return nil, errors.New("gateway: " + name.service + ":" + name.operation + " has no action and is not free")
			}
			if op.idempotent == nil && tokenField(&op) >= 0 {
				return nil, errors.New("gateway: " + name.service + ":" + name.operation + " has a client token and is not made idempotent")
			}
			g.operations[name], g.models[name.service] = &op, op.row.Service
		}
	}
	if g.router, err = route.New(route.Options{Hosts: c.Hosts}); err != nil {
		return nil, err
	}
	g.keys = sigv4.NewKeyCache(keyCacheSize)
	g.limits = newLimiter(c.Limits)
	g.measures = newMeasures(g)
	g.free = freeSpace{engine: c.Engine, minimum: c.MinFree}
	return g, nil
}

// Served lists the operations served, as service name to operation names.
func (g *Gateway) Served() map[string][]string {
	served := map[string][]string{}
	for name := range g.operations {
		served[name.service] = append(served[name.service], name.operation)
	}
	for _, names := range served {
		slices.Sort(names)
	}
	return served
}

// region is where a call signed for a Region takes place: the global Region for a global service.
func (g *Gateway) region(service *aws.Service, signed string) string {
	if service != nil && service.Global {
		return g.global
	}
	return signed
}

// visible reports whether a caller may see err.
func visible(err error) bool {
	if _, ok := errors.AsType[*aws.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[aws.Modelled](err)
	return ok
}
