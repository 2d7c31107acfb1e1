package sts_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	stsapi "github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/trail"
)

// computing is a service that speaks EC2's protocol, with the model of STS.
var computing = &aws.Service{
	Name: "ec2", SigningName: "ec2", EndpointPrefix: "ec2", Version: "2016-11-15", ActionPrefix: "ec2", EventSource: "ec2.amazonaws.com",
	Protocols: []aws.Protocol{aws.EC2Query}, Source: stsapi.Service.Source,
}

var describe = aws.Op[stsapi.GetAccessKeyInfoInput, stsapi.GetAccessKeyInfoOutput]{Service: computing, Name: "GetAccessKeyInfo"}

type computers struct{}

func (computers) Operations() []gateway.Operation {
	return []gateway.Operation{gateway.Op(describe, gateway.Account[stsapi.GetAccessKeyInfoInput],
		func(context.Context, *gateway.Call, gateway.Anything, *stsapi.GetAccessKeyInfoInput) (*stsapi.GetAccessKeyInfoOutput, error) {
			return nil, nil
		})}
}

func TestDenialsOfEC2AreEncodedForTheirAccount(t *testing.T) {
	p := newPlane(t)
	g, err := gateway.New(gateway.Config{
		Engine: p.engine, Directory: p.iam, Sessions: p.sts, Denials: p.sts, Services: []gateway.Service{p.iam, p.sts, computers{}},
		Unattributed: new(trail.Unattributed), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	alice := p.user("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sts:GetAccessKeyInfo","Resource":"*"}}`)
	_, err = gateway.Invoke(t.Context(), g, alice, describe, &stsapi.GetAccessKeyInfoInput{AccessKeyId: "AKIAIOSFODNN7EXAMPLE"})
	if err == nil {
		t.Fatal("alice was let in")
	}
	text, message, ok := strings.Cut(err.Error(), ". Encoded authorization failure message: ")
	if want := "You are not authorized to perform this operation. User: " + alice.ARN + " is not authorized to perform: sts:GetAccessKeyInfo with an explicit deny in an identity-based policy"; !ok || text != want {
		t.Fatalf("%q, want %q", err, want)
	}
	decode := func(who *aws.Principal, message string) (string, error) {
		out, err := gateway.Invoke(t.Context(), g, who, stsapi.DecodeAuthorizationMessage, &stsapi.DecodeAuthorizationMessageInput{EncodedMessage: message})
		if err != nil {
			return "", err
		}
		return *out.DecodedMessage, nil
	}
	decoded, err := decode(p.root[home], message)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Allowed, ExplicitDeny bool
		Context               struct {
			Principal        struct{ ID, Name, ARN string }
			Action, Resource string
			Conditions       struct {
				Items []struct {
					Key    string
					Values struct{ Items []struct{ Value string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(decoded), &got); err != nil {
		t.Fatal(err)
	}
	c := got.Context
	if got.Allowed || !got.ExplicitDeny || c.Action != "sts:GetAccessKeyInfo" || c.Resource != "*" || c.Principal.ARN != alice.ARN || c.Principal.ID != alice.ID || c.Principal.Name != "alice" {
		t.Errorf("%s", decoded)
	}
	found := false
	for _, item := range c.Conditions.Items {
		found = found || item.Key == "aws:username" && item.Values.Items[0].Value == "alice"
	}
	if !found {
		t.Errorf("no aws:username in %s", decoded)
	}

	middle := len(message) / 2
	edited := message[:middle] + string(message[middle]^1) + message[middle+1:]
	// It is for those of the account who may read it, and for nobody else; and it is whole or nothing.
	const invalid = "InvalidAuthorizationMessageException: Message is not valid"
	for name, c := range map[string]struct {
		who           *aws.Principal
		message, want string
	}{
		"the caller, who may not":  {alice, message, "because no identity-based policy allows the sts:DecodeAuthorizationMessage action"},
		"another account":          {p.root[other], message, invalid},
		"a message that is cut":    {p.root[home], message[:len(message)-4], invalid},
		"a message that is edited": {p.root[home], edited, invalid},
		"a message with a newline": {p.root[home], message[:4] + "\n" + message[4:], invalid},
		"no message":               {p.root[home], "x", invalid},
	} {
		if _, err := decode(c.who, c.message); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// A session token is no message.
	out, err := gateway.Invoke(t.Context(), g, alice, stsapi.GetSessionToken, &stsapi.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(p.root[home], out.Credentials.SessionToken); err == nil {
		t.Error("a session token was opened")
	}
}

// What is too long for DecodeAuthorizationMessage is not handed out.
func TestLongDenialsAreNotEncoded(t *testing.T) {
	p := newPlane(t)
	if text, err := p.sts.SealDenial(home, make([]byte, 9000)); text != "" || err != nil {
		t.Errorf("%d characters, %v", len(text), err)
	}
}
