package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/api/s3control"
	"github.com/garrison-security/garrison/api/sqs"
	"github.com/garrison-security/garrison/api/sts"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
)

// generated again from their sources, all files are as they are committed.
func TestCommittedFilesAreInStep(t *testing.T) {
	src := testSources(t)
	services, err := readServices("services.txt")
	if err != nil {
		t.Fatal(err)
	}
	files, err := generateAll(src, services)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := outOfStep("..", files)
	if err != nil || len(wrong) > 0 {
		t.Errorf("out of step, run make generate: %v, %v", wrong, err)
	}
}

func TestOutOfStepTells(t *testing.T) {
	root := t.TempDir()
	files := map[string][]byte{"api/a/a.go": []byte(generated + "package a\n"), "modelgen/unmatched.txt": []byte("x\n")}
	if err := writeAll(root, files); err != nil {
		t.Fatal(err)
	}
	check := func(want ...string) {
		t.Helper()
		if wrong, err := outOfStep(root, files); err != nil || !slices.Equal(wrong, want) {
			t.Errorf("out of step: %v, %v, want %v", wrong, err, want)
		}
	}
	check()
	stale := filepath.Join(root, "api", "a", "b.go")
	if err := os.WriteFile(stale, files["api/a/a.go"], 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "api", "a", "own.go"), []byte("package a\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	check("api/a/b.go")
	files["api/a/a.go"] = []byte(generated + "package a // other\n")
	delete(files, "modelgen/unmatched.txt")
	files["api/c/c.go"] = []byte("package c\n")
	check("api/a/a.go", "api/c/c.go", "api/a/b.go")
	if err := writeAll(root, files); err != nil {
		t.Fatal(err)
	}
	check()
	if _, err := os.Stat(filepath.Join(root, "api", "a", "own.go")); err != nil {
		t.Error("a file that is not generated is gone")
	}
}

// TestProtocolTestModels generates a package from each model of the protocol
// tests and parses its text; package wire's tests compile them.
func TestProtocolTestModels(t *testing.T) {
	dir := shared.Path(t, "data/protocol-tests")
	found, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	models := 0
	for _, path := range found {
		if folder := filepath.Base(filepath.Dir(path)); folder != "models" && !strings.HasSuffix(path, ".model.json") {
			continue
		}
		models++
		c, err := readModel(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := newModel("test", c, &overlay{})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if _, err := goPackage("test", m); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		text, err := modelText(m)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		service := &aws.Service{Name: "test", Source: string(text)}
		if len(service.Operations()) != len(c.Operations) {
			t.Errorf("%s: %d operations, want %d", path, len(service.Operations()), len(c.Operations))
		}
	}
	if models != 26 {
		t.Errorf("%d models, want 26", models)
	}
}

func TestRowOf(t *testing.T) {
	create := iam.CreateUser.Row()
	if create.Access != aws.AccessWrite || create.ReadOnly || create.DataEvent || create.Unsigned || create.Method != "POST" ||
		create.ResultWrapper != "CreateUserResult" || !slices.Equal(create.Actions, []string{"iam:CreateUser"}) ||
		!slices.Equal(create.ActionsWhen, []aws.ActionWhen{{Parameter: "Tags", Action: "iam:TagUser"}}) {
		t.Errorf("CreateUser = %+v", create)
	}
	if r := create.Resources; len(r) != 1 || r[0].Type != "user" || !r[0].Required ||
		r[0].ARN != "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}" {
		t.Errorf("CreateUser acts on %+v", r)
	}
	if !slices.Contains(create.ConditionKeys, "iam:PermissionsBoundary") {
		t.Errorf("CreateUser's condition keys are %v", create.ConditionKeys)
	}
	if list := iam.ListUsers.Row(); !list.ReadOnly || list.Access != aws.AccessList || len(list.Errors) == 0 {
		t.Errorf("ListUsers = %+v", list)
	}
	if put := iam.PutUserPolicy.Row(); put.Access != aws.AccessPermissions || put.Output != nil {
		t.Errorf("PutUserPolicy = %+v", put)
	}
	if e := iam.Service.Shape("NoSuchEntityException").Error; *e != (aws.ErrorTrait{Code: "NoSuchEntity", Status: 404, Sender: true}) {
		t.Errorf("NoSuchEntityException = %+v", e)
	}
	for op, want := range map[*aws.Operation]bool{
		sts.AssumeRoleWithSAML.Row(): true, sts.AssumeRoleWithWebIdentity.Row(): true, sts.AssumeRole.Row(): false,
		sts.GetCallerIdentity.Row(): false, kms.Decrypt.Row(): false,
	} {
		if op.Unsigned != want {
			t.Errorf("%s: unsigned %v, want %v", op.Name, op.Unsigned, want)
		}
	}
	if encrypt := kms.Encrypt.Row(); !encrypt.ReadOnly || encrypt.DataEvent || encrypt.Access != aws.AccessWrite {
		t.Errorf("Encrypt = %+v", encrypt)
	}
	if reEncrypt := kms.ReEncrypt.Row(); !slices.Equal(reEncrypt.Actions, []string{"kms:ReEncryptFrom"}) {
		t.Errorf("ReEncrypt needs %v", reEncrypt.Actions)
	}
	get := s3.GetObject.Row()
	if !get.DataEvent || !get.ReadOnly || get.URI != "/{Bucket}/{Key+}" ||
		!slices.Equal(get.ActionsWhen, []aws.ActionWhen{{Parameter: "VersionId", Action: "s3:GetObjectVersion"}}) {
		t.Errorf("GetObject = %+v", get)
	}
	if location := s3.GetBucketLocation.Row(); !location.UnwrappedOutput || location.DataEvent {
		t.Errorf("GetBucketLocation = %+v", location)
	}
	if block := s3control.GetPublicAccessBlock.Row(); block.EventName != "GetAccountPublicAccessBlock" || block.HostPrefix != "{AccountId}." {
		t.Errorf("s3control GetPublicAccessBlock = %+v", block)
	}
	for service, want := range map[*aws.Service]bool{iam.Service: true, sts.Service: false, organizations.Service: true, kms.Service: false} {
		if service.Global != want {
			t.Errorf("%s: global %v, want %v", service.Name, service.Global, want)
		}
	}
	if !s3.Service.NoErrorWrapping || s3control.Service.NoErrorWrapping ||
		s3.Service.XMLNamespace != "http://s3.amazonaws.com/doc/2006-03-01/" {
		t.Error("S3's errors have no root of their own, its namespace is the model's")
	}
	if root := s3.Service.Shape("CreateMultipartUploadOutput").LocationName; root != "InitiateMultipartUploadResult" {
		t.Errorf("CreateMultipartUpload answers <%s>", root)
	}
}

// SQS serves clients of two protocols from one schema.
func TestSQSSpeaksTwoProtocols(t *testing.T) {
	s := sqs.Service
	if !slices.Equal(s.Protocols, []aws.Protocol{aws.AWSJSON10, aws.AWSQuery}) || !s.QueryCompatible ||
		s.XMLNamespace != "http://queue.amazonaws.com/doc/2012-11-05/" {
		t.Errorf("sqs = %v %v %s", s.Protocols, s.QueryCompatible, s.XMLNamespace)
	}
	if create := sqs.CreateQueue.Row(); create.ResultWrapper != "CreateQueueResult" || create.Input.Members[1].WireName() != "Attribute" {
		t.Errorf("CreateQueue = %+v", create)
	}
	attributes := s.Shape("QueueAttributeMap")
	if !attributes.Flattened || attributes.Key.WireName() != "Name" || attributes.Elem.WireName() != "Value" {
		t.Errorf("QueueAttributeMap = %+v", attributes)
	}
	for shape, want := range map[string]aws.ErrorTrait{
		"QueueDoesNotExist":     {Code: "AWS.SimpleQueueService.NonExistentQueue", Status: 400, Sender: true},
		"InvalidAttributeValue": {Code: "InvalidAttributeValue", Status: 400, Sender: true},
		"OverLimit":             {Code: "OverLimit", Status: 403, Sender: true},
	} {
		if got := *s.Shape(shape).Error; got != want {
			t.Errorf("%s = %+v, want %+v", shape, got, want)
		}
	}
	for _, shape := range s.Operations() {
		for _, member := range shape.Input.Members {
			if member.Name == "MessageBody" && !member.Sensitive {
				t.Error("a message's body is not marked sensitive")
			}
		}
	}
}

// BenchmarkParse reads a service's model, as the first call of the service does.
func BenchmarkParse(b *testing.B) {
	for _, service := range []*aws.Service{iam.Service, s3.Service} {
		b.Run(service.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				again := aws.Service{Name: service.Name, Source: service.Source}
				again.Operations()
			}
		})
	}
}

func TestModelPathFindsTheNewest(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"kms/2014-11-01/service-2.json.gz", "ec2/2016-11-15/service-2.json", "ec2/2015-10-01/service-2.json", "iam.json.gz"} {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for service, want := range map[string]string{
		"kms": "kms/2014-11-01/service-2.json.gz", "ec2": "ec2/2016-11-15/service-2.json", "iam": "iam.json.gz", "sqs": "",
	} {
		got, err := modelPath(dir, service)
		if (err != nil) != (want == "") || want != "" && got != filepath.Join(dir, filepath.FromSlash(want)) {
			t.Errorf("modelPath of %s = %s, %v, want %s", service, got, err, want)
		}
	}
}
