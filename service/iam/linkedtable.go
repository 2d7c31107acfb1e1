package iam

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/garrison-security/garrison/service/iam/managed"
)

// linkedService is what AWS sets out for the role of one service.
type linkedService struct {
	principal string // "autoscaling.amazonaws.com"
	role      string // "AWSServiceRoleForAutoScaling", but for a suffix
	suffix    bool   // takes a custom one, so that there may be several
	policies  []string
}

//go:embed linkedroles.tsv
var linkedRoles string

// linkedServices are the services that have a role, by principal.
var linkedServices = sync.OnceValue(func() map[string]linkedService {
	all := map[string]linkedService{}
	for line := range strings.Lines(linkedRoles) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 4 {
			all[f[0]] = linkedService{f[0], f[1], f[2] == "suffix", strings.Split(f[3], ",")}
		}
	}
	return all
})

const linkedPath = "/aws-service-role/"

// policyARNs are the ARNs of the role's policies, as Entity.Attached has them.
func (l linkedService) policyARNs(partition string) []string {
	out := make([]string, len(l.policies))
	for i, name := range l.policies {
		out[i] = (&managed.Policy{Name: name, Path: linkedPath}).ARN(partition)
	}
	slices.SortFunc(out, compareAttached)
	return out
}

// trust is the role's trust policy, once as it is stored and once as AWS
// answers it when the role is made.
func (l linkedService) trust() (stored, answered string) {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + l.principal + `"},"Action":"sts:AssumeRole"}]}`,
		`{"Version": "2012-10-17", "Statement": [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": ["` + l.principal + `"]}}]}`
}
