package iam

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// ServiceCredential is a name and password, or an API key, of a user for one
// AWS service, as stored under the user's id and its own. Of the secret, 256
// random bits, the hash is kept.
type ServiceCredential struct {
	ID       string // ACCA…
	Holder   string // unique id of the user
	Service  string // codecommit.amazonaws.com
	Name     string // as the service knows it
	Hash     []byte // SHA-256 of the secret
	Inactive bool   `cbor:",omitempty"`
	Created  time.Time
	Expires  *time.Time `cbor:",omitempty"`
}

var serviceCredentials = store.NewTable[ServiceCredential]("iam/service-credential")

// serviceCredentialsPerUser is AWS's bound, for each service.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html
const serviceCredentialsPerUser = 2

// apiKeyServices have API keys, which may expire; the others of credentialServices have names and passwords.
var (
	apiKeyServices     = []string{"bedrock.amazonaws.com"}
	credentialServices = append([]string{"cassandra.amazonaws.com", "codecommit.amazonaws.com"}, apiKeyServices...)
)

func checkCredentialService(name string) error {
	if !slices.Contains(credentialServices, name) {
		return noSuchEntity("No such service %s is supported for Service Specific Credentials", name)
	}
	return nil
}

func (c *ServiceCredential) apiKey() bool { return slices.Contains(apiKeyServices, c.Service) }

// userForService finds the user that is to have a credential, and sets the conditions of its making.
func userForService(call *gateway.Call, in *iam.CreateServiceSpecificCredentialInput) (*User, error) {
	call.Condition("iam:ServiceSpecificCredentialServiceName", in.ServiceName)
	if in.CredentialAgeDays != nil {
		call.Condition("iam:ServiceSpecificCredentialAgeDays", strconv.Itoa(int(*in.CredentialAgeDays)))
	}
	return findUser(call, in.UserName)
}

// userCredential is a user's credential; nil where an error says that it is missing.
type userCredential struct {
	*User
	credential *ServiceCredential
}

func credentialNamed[In any](user func(*In) *string, id func(*In) string) gateway.Target[In, *userCredential] {
	find := callerOr(user)
	return func(call *gateway.Call, in *In) (*userCredential, error) {
		u, err := find(call, in)
		if u == nil {
			return nil, err
		}
		on := &userCredential{User: u}
		if err != nil {
			return on, err
		}
		on.credential, err = serviceCredentials.Get(call.Tx, call.Account, u.ID, id(in))
		if errors.Is(err, store.ErrNotFound) {
			return on, noSuchEntity("No such credential %s exists", id(in))
		}
		if err != nil {
			return nil, err
		}
		call.Condition("iam:ServiceSpecificCredentialServiceName", on.credential.Service)
		return on, nil
	}
}

// createServiceSpecificCredential answers the secret: once, and never again.
func (s *Service) createServiceSpecificCredential(_ context.Context, call *gateway.Call, u *User, in *iam.CreateServiceSpecificCredentialInput) (*iam.CreateServiceSpecificCredentialOutput, error) {
	if err := checkCredentialService(in.ServiceName); err != nil {
		return nil, err
	}
	c := &ServiceCredential{
		ID: aws.NewUniqueID("ACCA", call.Account), Holder: u.ID, Service: in.ServiceName, Created: second(call.Time),
	}
	if in.CredentialAgeDays != nil {
		if !c.apiKey() {
			return nil, validation("CredentialAgeDays is not supported for %s", c.Service)
		}
		c.Expires = new(c.Created.AddDate(0, 0, int(*in.CredentialAgeDays)))
	}
	have, err := allOf(call, serviceCredentials, u)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, other := range have {
		if other.Service == c.Service {
			names = append(names, other.Name)
		}
	}
	if len(names) >= serviceCredentialsPerUser {
		return nil, limitExceeded("ServiceSpecificCredentialsPerUser", serviceCredentialsPerUser)
	}
	c.Name = u.Name + "-at-" + call.Account
	for n := 1; slices.Contains(names, c.Name); n++ {
		c.Name = u.Name + "+" + strconv.Itoa(n) + "-at-" + call.Account
	}
	secret := c.newSecret()
	if err := serviceCredentials.Insert(call.Tx, call.Account, c, u.ID, c.ID); err != nil {
		return nil, err
	}
	return &iam.CreateServiceSpecificCredentialOutput{ServiceSpecificCredential: c.detail(u, call.Time, secret)}, nil
}

// newSecret gives the credential a new secret.
func (c *ServiceCredential) newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	secret := base64.StdEncoding.EncodeToString(b)
	if c.apiKey() {
		// As Bedrock's keys are: a mark by which scanners know them, and the name in clear.
		secret = "ABSK" + base64.StdEncoding.EncodeToString([]byte(c.Name+":"+secret))
	}
	hash := sha256.Sum256([]byte(secret))
	c.Hash = hash[:]
	return secret
}

// status is the credential's at a time.
func (c *ServiceCredential) status(now time.Time) iam.StatusType {
	if c.Expires != nil && !now.Before(*c.Expires) {
		return iam.StatusTypeExpired
	}
	return statusOf(c.Inactive)
}

func (c *ServiceCredential) detail(u *User, now time.Time, secret string) *iam.ServiceSpecificCredential {
	out := &iam.ServiceSpecificCredential{
		CreateDate: c.Created, ExpirationDate: c.Expires, ServiceName: c.Service, ServiceSpecificCredentialId: c.ID,
		UserName: u.Name, Status: c.status(now),
	}
	if c.apiKey() {
		out.ServiceCredentialAlias, out.ServiceCredentialSecret = &c.Name, &secret
	} else {
		out.ServiceUserName, out.ServicePassword = &c.Name, &secret
	}
	return out
}

func (s *Service) resetServiceSpecificCredential(_ context.Context, call *gateway.Call, on *userCredential, _ *iam.ResetServiceSpecificCredentialInput) (*iam.ResetServiceSpecificCredentialOutput, error) {
	var out *iam.ServiceSpecificCredential
	err := serviceCredentials.Update(call.Tx, call.Account, func(c *ServiceCredential) error {
		out = c.detail(on.User, call.Time, c.newSecret())
		return nil
	}, on.ID, on.credential.ID)
	if err != nil {
		return nil, err
	}
	return &iam.ResetServiceSpecificCredentialOutput{ServiceSpecificCredential: out}, nil
}

func (s *Service) updateServiceSpecificCredential(_ context.Context, call *gateway.Call, on *userCredential, in *iam.UpdateServiceSpecificCredentialInput) (*iam.UpdateServiceSpecificCredentialOutput, error) {
	inactive, err := isInactive(in.Status)
	if err != nil {
		return nil, err
	}
	return nil, serviceCredentials.Update(call.Tx, call.Account, func(c *ServiceCredential) error {
		c.Inactive = inactive
		return nil
	}, on.ID, on.credential.ID)
}

func (s *Service) deleteServiceSpecificCredential(_ context.Context, call *gateway.Call, on *userCredential, _ *iam.DeleteServiceSpecificCredentialInput) (*iam.DeleteServiceSpecificCredentialOutput, error) {
	return nil, serviceCredentials.Delete(call.Tx, call.Account, on.ID, on.credential.ID)
}

// usersOfCredentials finds the user whose credentials are listed, or stands for all users.
func usersOfCredentials(call *gateway.Call, in *iam.ListServiceSpecificCredentialsInput) (*User, error) {
	if in.AllUsers == nil || !*in.AllUsers {
		return callerOr(func(in *iam.ListServiceSpecificCredentialsInput) *string { return in.UserName })(call, in)
	}
	if in.UserName != nil {
		return nil, validation("UserName can't be given together with AllUsers")
	}
	return &User{Entity: Entity{Name: "*", Arn: entityARN(call, "user", "/", "*")}}, nil
}

func (s *Service) listServiceSpecificCredentials(_ context.Context, call *gateway.Call, u *User, in *iam.ListServiceSpecificCredentialsInput) (*iam.ListServiceSpecificCredentialsOutput, error) {
	service := ""
	if in.ServiceName != nil {
		service = *in.ServiceName
		if err := checkCredentialService(service); err != nil {
			return nil, err
		}
	}
	p, err := s.page(call, in.Marker, in.MaxItems, u.Arn+" "+service)
	if err != nil {
		return nil, err
	}
	var of []string
	if u.ID != "" {
		of = append(of, u.ID)
	}
	found, err := store.Collect(p, serviceCredentials.List(call.Tx, call.Account, p.After, of...), func(c *ServiceCredential) bool {
		return c.Service == cmp.Or(service, c.Service)
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: make([]iam.ServiceSpecificCredentialMetadata, 0, len(found))}
	for _, c := range found {
		holder := u
		if u.ID == "" {
			if holder, err = users.Get(call.Tx, call.Account, c.Holder); err != nil {
				return nil, err
			}
		}
		d := c.detail(holder, call.Time, "")
		out.ServiceSpecificCredentials = append(out.ServiceSpecificCredentials, iam.ServiceSpecificCredentialMetadata{
			UserName: d.UserName, Status: d.Status, ServiceUserName: d.ServiceUserName, ServiceCredentialAlias: d.ServiceCredentialAlias,
			CreateDate: d.CreateDate, ExpirationDate: d.ExpirationDate, ServiceSpecificCredentialId: d.ServiceSpecificCredentialId, ServiceName: d.ServiceName,
		})
	}
	out.IsTruncated, out.Marker = p.More(), p.Next
	return out, nil
}
