package validate

import (
	"slices"
	"strings"

	"github.com/garrison-security/garrison/aws"
)

func (c *checker) checkPrincipals(s *statement) {
	p := s.principal
	if p == nil {
		return
	}
	switch {
	case c.kind == SCP:
		c.at(scpSyntaxErrorPrincipal, p.at)
		return
	case c.kind == Identity:
		c.at(unsupportedPrincipal, p.at, "policy_type", c.kind.String())
		return
	case c.kind == RCP:
		if p.not || !p.everyone() {
			c.at(rcpSyntaxErrorPrincipal, p.at)
		}
		return
	}
	if p.not && s.allows() && !c.trust {
		c.at(allowWithNotPrincipal, p.at)
	}
	for i := range p.items {
		c.principal(&p.items[i])
	}
}

// everyone tells whether the element names all principals and nobody else.
func (p *principals) everyone() bool {
	return p.anyone || len(p.items) == 1 && p.items[0].kind == "AWS" && p.items[0].value == "*"
}

func (c *checker) principal(p *principal) {
	if c.variable(p.text) {
		return
	}
	if wild(p.value) && !(p.kind == "AWS" && p.value == "*") {
		c.at(unsupportedWildcardInPrincipal, p.at, "principal_key", p.kind)
		return
	}
	switch p.kind {
	case "AWS":
		c.awsPrincipal(p)
	case "Federated":
		switch {
		case !c.trust:
			c.at(federatedPrincipalNotSupported, p.at)
		case !domain(p.value) && provider(p.value) == "":
			c.at(invalidFederatedPrincipalSyntaxInRoleTrustPolicy, p.at)
		}
	case "Service":
		if !servicePrincipal(p.value) {
			c.at(invalidServicePrincipalFormat, p.at, "expectedFormat", "service-name.amazonaws.com")
		}
	}
}

// awsPrincipal looks at an account, an ARN or a unique id.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func (c *checker) awsPrincipal(p *principal) {
	switch arn, err := aws.ParseARN(p.value); {
	case p.value == "*" || accountID(p.value):
	case err == nil:
		if !slices.Contains(partitions, arn.Partition) {
			c.at(invalidPartition, p.at, "service", arn.Service, "partition", arn.Partition, "partitions", strings.Join(partitions, ", "))
		}
	case strings.HasPrefix(p.value, "AROA"):
		c.at(invalidRoleReference, p.at, "roleid", p.value)
	case strings.HasPrefix(p.value, "AIDA"):
		c.at(invalidUserReference, p.at, "userid", p.value)
	case strings.HasPrefix(p.value, "arn:"):
		c.at(missingARNField, p.at, "fields", "6")
	}
}

// servicePrincipal tells a service's principal by its form: name.amazonaws.com,
// name.Region.amazonaws.com, or such of another partition.
func servicePrincipal(s string) bool {
	name, rest, ok := strings.Cut(s, ".")
	if !ok || name == "" || s != strings.ToLower(s) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return false
	}
	return strings.HasSuffix("."+rest, ".amazonaws.com") || strings.HasSuffix("."+rest, ".amazonaws.com.cn") ||
		strings.HasSuffix("."+rest, ".amazonaws.eu") || strings.HasSuffix("."+rest, ".aws.internal") || rest == "amazon.com" || strings.HasSuffix(rest, ".amazon.com")
}

// domain tells a domain name, such as an OpenID Connect provider's, perhaps with a path.
func domain(s string) bool {
	host, _, _ := strings.Cut(s, "/")
	return strings.Contains(host, ".") && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && !strings.ContainsAny(host, ": \t") && !strings.Contains(host, "..")
}

// provider is the kind of the identity provider that an ARN names: "saml-provider", "oidc-provider" or "".
func provider(s string) string {
	arn, err := aws.ParseARN(s)
	if err != nil || arn.Service != "iam" {
		return ""
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	if name == "" || kind != "saml-provider" && kind != "oidc-provider" {
		return ""
	}
	return kind
}

// issuer is the host (and path) of an OpenID Connect principal; "" for others.
func (p *principal) issuer() string {
	switch {
	case p.kind != "Federated":
	case provider(p.value) == "oidc-provider":
		_, name, _ := strings.Cut(p.value, ":oidc-provider/")
		return name
	case provider(p.value) == "" && domain(p.value):
		return p.value
	}
	return ""
}
