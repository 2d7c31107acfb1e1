package kms_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	api "github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/api/sqs"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms"
)

// storing is a service that keeps what it is given under its callers' keys: a
// queue's name is sealed, and opened again.
type storing struct{ keys *kms.Keys }

func (s *storing) Operations() []gateway.Operation {
	return []gateway.Operation{gateway.Op(sqs.CreateQueue, gateway.Account[sqs.CreateQueueInput],
		func(ctx context.Context, call *gateway.Call, _ gateway.Anything, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
			context := map[string]string{"aws:sqs:arn": in.QueueName}
			plaintext, sealed, arn, err := s.keys.DataKey(ctx, call, in.Attributes["KmsMasterKeyId"], context)
			if err != nil {
				return nil, err
			}
			opened, err := s.keys.OpenDataKey(ctx, call, sealed, context)
			if err != nil || string(opened) != string(plaintext) || len(plaintext) != 32 {
				return nil, err
			}
			return &sqs.CreateQueueOutput{QueueUrl: &arn}, nil
		})}
}

func TestKeysForServices(t *testing.T) {
	store := new(storing)
	p := newPlane(t)
	store.keys = p.kms.For("sqs")
	p.serve(store)
	const queues = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}`
	alice := p.user("alice", queues)
	admin := p.user("admin", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sqs:*","kms:*"],"Resource":"*"}}`)
	through := p.key(governed(document(statement("Allow", `{"AWS":"`+home+`"}`, "kms:*", ""),
		statement("Allow", `{"AWS":"`+alice.ARN+`"}`, "kms:*", `{"StringEquals":{"kms:ViaService":"sqs.us-east-1.amazonaws.com"}}`))))
	direct := p.key()
	put := func(key string) string {
		in := &sqs.CreateQueueInput{QueueName: "q"}
		if key != "" {
			in.Attributes = map[string]string{"KmsMasterKeyId": key}
		}
		return try(p, alice, sqs.CreateQueue, in)
	}
	if got := put(*through.Arn); got != "" {
		t.Errorf("with a key that serves through the service: %s", got)
	}
	if may(p, alice, through.KeyId, nil) {
		t.Error("the key serves directly, too")
	}
	if got := put(direct.KeyId); !strings.Contains(got, "is not authorized to perform: kms:GenerateDataKey on resource: "+*direct.Arn) {
		t.Errorf("with a key that alice may not use: %s", got)
	}
	if got := put(""); got != "" {
		t.Errorf("with the AWS managed key: %s", got)
	}
	aws := call(p, admin, api.DescribeKey, &api.DescribeKeyInput{KeyId: "alias/aws/sqs"}).KeyMetadata
	if *aws.KeyManager != "AWS" || put(aws.KeyId) != "" {
		t.Errorf("the AWS managed key is %+v", aws)
	}
	for name, got := range map[string]string{
		"Encrypt":             try(p, admin, api.Encrypt, &api.EncryptInput{KeyId: aws.KeyId, Plaintext: []byte("x")}),
		"ScheduleKeyDeletion": try(p, admin, api.ScheduleKeyDeletion, &api.ScheduleKeyDeletionInput{KeyId: aws.KeyId}),
		"PutKeyPolicy":        try(p, admin, api.PutKeyPolicy, &api.PutKeyPolicyInput{KeyId: aws.KeyId, Policy: document()}),
		"DisableKey":          try(p, p.root, api.DisableKey, &api.DisableKeyInput{KeyId: aws.KeyId}),
	} {
		if !strings.Contains(got, "not authorized") {
			t.Errorf("%s of an AWS managed key: %q", name, got)
		}
	}
	var recorded []string
	for _, e := range p.events() {
		if e.UserIdentity.InvokedBy == "sqs.amazonaws.com" {
			recorded = append(recorded, strings.TrimSpace(e.UserIdentity.UserName+" "+e.EventName+" "+e.ErrorCode))
		}
	}
	want := []string{"alice GenerateDataKey", "alice Decrypt", "alice GenerateDataKey AccessDenied", "alice GenerateDataKey", "alice Decrypt", "alice GenerateDataKey", "alice Decrypt"}
	if strings.Join(recorded, "\n") != strings.Join(want, "\n") {
		t.Errorf("the record holds\n%s", strings.Join(recorded, "\n"))
	}
}

// An AWS managed key appears when it is first described, if its caller may; it is rotated every year.
func TestAWSManagedKeys(t *testing.T) {
	p := newPlane(t)
	mallory := p.user("mallory", "")
	if got := try(p, mallory, api.DescribeKey, &api.DescribeKeyInput{KeyId: "alias/aws/ebs"}); !strings.Contains(got, "not authorized") {
		t.Errorf("DescribeKey = %q", got)
	}
	if n := len(call(p, p.root, api.ListAliases, &api.ListAliasesInput{}).Aliases); n != 0 {
		t.Errorf("%d aliases after a refusal", n)
	}
	first := p.describe("alias/aws/ebs")
	if again := p.describe("alias/aws/ebs"); again.KeyId != first.KeyId || *again.Description != "Default key that protects my EBS volumes when no other key is defined" {
		t.Errorf("DescribeKey = %+v", again)
	}
	if got := call(p, p.root, api.GetKeyRotationStatus, &api.GetKeyRotationStatusInput{KeyId: first.KeyId}); !*got.KeyRotationEnabled {
		t.Errorf("GetKeyRotationStatus = %+v", got)
	}
	if got := try(p, p.root, api.DescribeKey, &api.DescribeKeyInput{KeyId: "alias/aws/none"}); !strings.Contains(got, "is not found") {
		t.Errorf("DescribeKey = %q", got)
	}
}

// sealing is a service that clears each data key once it has used it, and whose
// first attempt loses to another change of the key.
type sealing struct {
	keys     *kms.Keys
	lose     func()
	attempts int
}

func (s *sealing) Operations() []gateway.Operation {
	return []gateway.Operation{gateway.Op(sqs.CreateQueue, gateway.Account[sqs.CreateQueueInput],
		func(ctx context.Context, call *gateway.Call, _ gateway.Anything, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
			plaintext, sealed, arn, err := s.keys.DataKey(ctx, call, in.QueueName, nil)
			if err != nil {
				return nil, err
			}
			opened, err := s.keys.OpenDataKey(ctx, call, sealed, nil)
			if err != nil {
				return nil, err
			}
			if s.attempts++; s.attempts == 1 {
				s.lose()
			}
			if string(opened) != string(plaintext) || strings.Trim(string(plaintext), "\x00") == "" {
				return nil, errors.New("the data key is another, or none")
			}
			clear(plaintext)
			clear(opened)
			return &sqs.CreateQueueOutput{QueueUrl: &arn}, nil
		})}
}

// A service that is carried out again, after it cleared what a key store had
// made for it, is given it once more.
func TestDataKeysOfKeyStoresForServices(t *testing.T) {
	p := newProxied(t)
	p.proxy.AddKey("ext")
	key := p.key(in(p.connect(externalStore("one")), "ext"))
	s := &sealing{keys: p.kms.For("sqs")}
	s.lose = func() {
		call(p.plane, p.root, api.TagResource, &api.TagResourceInput{KeyId: key.KeyId, Tags: []api.Tag{{TagKey: "n"}}})
	}
	p.serve(s)
	if got := try(p.plane, p.root, sqs.CreateQueue, &sqs.CreateQueueInput{QueueName: key.KeyId}); got != "" {
		t.Error(got)
	}
	if s.attempts < 2 {
		t.Errorf("%d attempts", s.attempts)
	}
}
