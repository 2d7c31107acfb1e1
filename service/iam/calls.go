package iam

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/api/catalog"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy/reference"
)

// Calls tells of records which action of which service was tried.
type Calls struct {
	actions map[callName]calledAction
	tracked map[string][]string // by service: the actions that are told apart, sorted
}

type callName struct{ source, event string }

type calledAction struct {
	namespace, action string
	data              bool // recorded as a data event, which reports don't tell apart
}

// CallsOf learns the operations of services, served or not.
func CallsOf(services []gateway.Service) *Calls {
	c := &Calls{actions: map[callName]calledAction{}, tracked: map[string][]string{}}
	seen := map[string]bool{}
	for _, service := range services {
		for _, served := range service.Operations() {
			of := served.Row().Service
			if seen[of.Name] {
				continue
			}
			seen[of.Name] = true
			for _, row := range of.Operations() {
				if len(row.Actions) == 0 {
					continue
				}
				namespace, action, _ := strings.Cut(row.Actions[0], ":")
				name := callName{of.EventSource, row.EventName}
				if _, known := c.actions[name]; !known {
					c.actions[name] = calledAction{namespace, action, row.DataEvent}
				}
				if !row.DataEvent {
					c.tracked[namespace] = append(c.tracked[namespace], action)
				}
			}
		}
	}
	for namespace, actions := range c.tracked {
		slices.Sort(actions)
		c.tracked[namespace] = slices.Compact(actions)
	}
	return c
}

// otherwiseCalled are the services whose records name them otherwise than policies do.
var otherwiseCalled = map[string]string{"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}

// of is what was tried; no namespace where the record is of no service of
// AWS's, no action where it is none that reports tell apart.
func (c *Calls) of(source, event string) (namespace, action string) {
	if c != nil {
		if called, ok := c.actions[callName{source, event}]; ok {
			if called.data {
				return called.namespace, ""
			}
			return called.namespace, called.action
		}
	}
	namespace, _, _ = strings.Cut(source, ".")
	if other, ok := otherwiseCalled[namespace]; ok {
		namespace = other
	}
	if reference.Find(namespace) == nil {
		return "", ""
	}
	return namespace, ""
}

// trackedIn are the actions of a service that reports tell apart.
func (c *Calls) trackedIn(namespace string) []string {
	if c == nil {
		return nil
	}
	return c.tracked[namespace]
}

// serviceName is a service as reports call it.
func serviceName(namespace string) string {
	if s := reference.Find(namespace); s != nil && s.Name != "" {
		return s.Name
	}
	if s := catalog.Lookup(namespace); s != nil {
		return s.ServiceID
	}
	return namespace
}
