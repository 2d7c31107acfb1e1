package hsm

import (
	"log/slog"
	"os"
	"slices"
)

// Clusters are the tokens that an installation has, by cluster.
type Clusters struct {
	Helper    string   // the helper program's path
	Variables []string // names of what modules are told of this process's environment
	Log       *slog.Logger
	List      []Cluster

	refused refusals
}

// Has says whether a token stands for a cluster.
func (c *Clusters) Has(id string) bool {
	return slices.ContainsFunc(c.List, func(cluster Cluster) bool { return cluster.ID == id })
}

// Open makes a store of a cluster's token, for whoever knows its user's PIN;
// ErrUnknown if no token stands for the cluster. A PIN that the token has
// refused is refused here for an hour.
func (c *Clusters) Open(id string, pin []byte) (*Store, error) {
	for _, cluster := range c.List {
		if cluster.ID == id {
			s := Open(Options{Cluster: cluster, Helper: c.Helper, Environment: c.environment(), PIN: pin, Log: c.Log})
			s.refused = c.refused.of(id, pin)
			s.onRefusal = func(err error) { c.refused.add(id, s.options.PIN, err) }
			return s, nil
		}
	}
	return nil, ErrUnknown
}

// environment is what the helper is told: never nil, which would be all there is.
func (c *Clusters) environment() []string {
	list := []string{}
	for _, name := range c.Variables {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, name+"="+value)
		}
	}
	return list
}
