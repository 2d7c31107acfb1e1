package codecs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/wire"
	"github.com/garrison-security/garrison/wire/codecs"
)

// sdkModules are the modules of AWS's Go SDK whose snapshots are tested, each
// at the release it is fetched at, and the model it speaks.
var sdkModules = map[string]string{
	"iam@v1.64.9": "iam", "sts@v1.51.9": "sts", "kms@v1.62.5": "kms", "sqs@v1.52.11": "sqs", "sso@v1.39.4": "sso", "ssooidc@v1.44.4": "sso-oidc",
	"cloudwatch@v1.75.6": "cloudwatch", "configservice@v1.74.11": "config", "organizations@v1.62.7": "organizations",
	"ssoadmin@v1.52.5": "sso-admin", "secretsmanager@v1.50.11": "secretsmanager", "s3@v1.114.9": "s3",
}

// snapshot is a request or an answer as the SDK's own tests keep it.
type snapshot struct {
	first  string // "POST /path", or the status
	header http.Header
	body   []byte
}

func readSnapshot(t *testing.T, path string) snapshot {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(raw))
	s := snapshot{header: http.Header{}}
	first, _ := r.ReadString('\n')
	s.first = strings.TrimSpace(first)
	blank := !strings.Contains(s.first, " ") // requests have a blank line above their header
	for {
		line, err := r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" && (blank || err != nil) {
			break
		}
		if blank = true; line != "" {
			name, value, _ := strings.Cut(line, ": ")
			s.header.Add(name, value)
		}
	}
	s.body, _ = io.ReadAll(r)
	return s
}

// TestSDKSnapshots decodes what AWS's Go SDK keeps of its own requests and of
// AWS's answers, and writes it again without loss. Its values are placeholders
// that break constraints, so these are left out.
func TestSDKSnapshots(t *testing.T) {
	const sdk = "github.com/aws/aws-sdk-go-v2/service/"
	fetch := []string{"mod", "download", "-json"}
	for module := range sdkModules {
		fetch = append(fetch, sdk+module)
	}
	command := exec.Command("go", fetch...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("the SDK's modules can't be fetched: %v\n%s", err, out)
	}
	for modules := json.NewDecoder(bytes.NewReader(out)); modules.More(); {
		var module struct{ Path, Version, Dir string }
		if err := modules.Decode(&module); err != nil {
			t.Fatal(err)
		}
		model := sdkModules[strings.TrimPrefix(module.Path, sdk)+"@"+module.Version]
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			service := load(t, shared.Path(t, "models/"+model+".json.gz"), "vectors")
			types := newTypes(2)
			types.free = true
			snapshotsIn(t, module.Dir, service, types)
		})
	}
}

// newer are the operations that later releases of the SDK call with members,
// or kinds of members, that our models do not have.
var newer = map[string]bool{
	"CreateBucketMetadataConfiguration": true, "GetObjectAttributes": true, "ListParts": true,
	"PutObjectLockConfiguration": true, "PutObjectRetention": true,
}

func snapshotsIn(t *testing.T, dir string, service *aws.Service, types *goTypes) {
	requests, _ := filepath.Glob(filepath.Join(dir, "request_snapshot", "*.request.snap"))
	answers, _ := filepath.Glob(filepath.Join(dir, "response_snapshot", "*.response.snap"))
	for _, path := range requests {
		op := service.Operation(strings.TrimSuffix(filepath.Base(path), ".request.snap"))
		if op != nil && op.Input != nil && !newer[op.Name] {
			requestSnapshot(t, types, op, readSnapshot(t, path))
		}
	}
	for _, path := range answers {
		op := service.Operation(strings.TrimSuffix(filepath.Base(path), ".response.snap"))
		if op != nil && op.Output != nil {
			answerSnapshot(t, types, op, readSnapshot(t, path))
		}
	}
	t.Logf("%s: %d requests, %d answers", filepath.Base(dir), len(requests), len(answers))
}

func requestSnapshot(t *testing.T, types *goTypes, op *aws.Operation, s snapshot) {
	u, typ, _ := types.operation(op)
	p := protocolOf(op, s)
	_, uri, _ := strings.Cut(s.first, " ")
	path, query, _ := strings.Cut(uri, "?")
	labels := map[string]string{}
	if p == aws.RESTJSON || p == aws.RESTXML {
		labels, _ = labelsOf(op.URI, path)
		if bucket, ok := labelsOf(op.URI, "/__Bucket__"+strings.TrimSuffix(path, "/")); ok && strings.HasPrefix(op.URI, "/{Bucket}") {
			labels = bucket
		}
	}
	v := reflect.New(typ)
	req := &wire.Request{RawQuery: query, Header: wire.HTTPHeader(s.header), Body: bytes.NewReader(s.body)}
	if err := codecs.For(p).Decode(u, req, s.body, labels, v.Interface()); err != nil {
		t.Errorf("%s: %v\n%.500s", op.Name, err, s.body)
		return
	}
	_, again, _, err := sentBy(p, u, v)
	if err != nil {
		t.Errorf("%s: %v", op.Name, err)
		return
	}
	if err := equalBodies(p, u.Input, s.body, again); err != nil {
		t.Errorf("%s request: %v", op.Name, err)
	}
}

func answerSnapshot(t *testing.T, types *goTypes, op *aws.Operation, s snapshot) {
	u, _, typ := types.operation(op)
	p := protocolOf(op, s)
	mirror := *u
	mirror.Input = unconstrained(u.Output)
	v := reflect.New(typ)
	req := &wire.Request{Header: wire.HTTPHeader(s.header), Body: bytes.NewReader(s.body)}
	if err := codecs.For(p).Decode(&mirror, req, s.body, nil, v.Interface()); err != nil {
		t.Errorf("%s: %v\n%.500s", op.Name, err, s.body)
		return
	}
	var to wire.Response
	if err := codecs.For(p).Encode(&wire.Answer{Protocol: p, Service: op.Service, Operation: u}, v.Interface(), &to); err != nil {
		t.Errorf("%s: %v", op.Name, err)
		return
	}
	if status := strconv.Itoa(to.Status); status != s.first {
		t.Errorf("%s: status %s, want %s", op.Name, status, s.first)
	}
	if err := equalBodies(p, u.Output, s.body, to.Body); err != nil {
		t.Errorf("%s answer: %v", op.Name, err)
	}
}

func protocolOf(op *aws.Operation, s snapshot) aws.Protocol {
	switch p := op.Service.Protocols[0]; {
	case s.header.Get("Smithy-Protocol") == "rpc-v2-cbor" || s.header.Get("Content-Type") == "application/cbor":
		return aws.RPCV2CBOR
	case strings.HasPrefix(s.header.Get("Content-Type"), "application/x-amz-json-1.0"):
		return aws.AWSJSON10
	default:
		return p
	}
}

// equalBodies compares what came with what is written, but for members that
// the model of our release does not know.
func equalBodies(p aws.Protocol, s *aws.Shape, want, have []byte) error {
	switch p {
	case aws.AWSQuery, aws.EC2Query:
		w, err := url.ParseQuery(string(want))
		if err != nil {
			return err
		}
		h, _ := url.ParseQuery(string(have))
		delete(w, "Action")
		delete(w, "Version")
		for name, values := range h {
			if !reflect.DeepEqual(values, w[name]) {
				return fmt.Errorf("%s is %q, want %q", name, values, w[name])
			}
			delete(w, name)
		}
		for name := range w {
			if first, _, _ := strings.Cut(name, "."); knownParameter(s, first) && !strings.Contains(name, ".") {
				return fmt.Errorf("%s is lost", name)
			}
		}
		return nil
	case aws.RPCV2CBOR:
		if len(want) > 0 && len(have) == 0 {
			return fmt.Errorf("all of %q is lost", want)
		}
		return nil
	case aws.RESTXML:
		if len(want) == 0 || want[0] != '<' {
			return nil
		}
		w, err := leaves(want)
		if err != nil {
			return err
		}
		h, err := leaves(have)
		if err == nil && !reflect.DeepEqual(w, h) {
			err = fmt.Errorf("is\n%s, want\n%s", h, w)
		}
		return err
	}
	if len(want) == 0 {
		return nil
	}
	var w, h any
	if err := json.Unmarshal(want, &w); err != nil || s.Payload != "" {
		return err
	}
	if len(have) > 0 {
		if err := json.Unmarshal(have, &h); err != nil {
			return err
		}
	} else {
		h = map[string]any{}
	}
	if w = prune(s, w); !reflect.DeepEqual(w, h) {
		return fmt.Errorf("is %v, want %v", h, w)
	}
	return nil
}

func knownParameter(s *aws.Shape, name string) bool {
	for _, m := range s.Members {
		if strings.EqualFold(m.WireName(), name) || strings.EqualFold(m.QueryName, name) {
			return true
		}
	}
	return false
}

// prune leaves out what s does not know.
func prune(s *aws.Shape, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			switch s.Kind {
			case aws.Map:
				v[name] = prune(s.Elem.Shape, e)
			case aws.Structure, aws.Union:
				delete(v, name)
				for _, m := range s.Members {
					if m.WireName() == name || m.Name == name {
						v[name] = prune(m.Shape, e)
					}
				}
			}
		}
	case []any:
		if s.Kind == aws.List {
			for i, e := range v {
				v[i] = prune(s.Elem.Shape, e)
			}
		}
	}
	return v
}

// leaves are the texts of XML, each behind the path of its elements but for
// the root, in order: the SDK sorts members, the model does not.
func leaves(b []byte) ([]string, error) {
	var all, path []string
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		t, err := d.Token()
		if err == io.EOF {
			slices.Sort(all)
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			for _, a := range t.Attr {
				if a.Name.Local == "type" {
					all = append(all, strings.Join(path[1:], ".")+"@"+a.Value)
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 0 {
				continue
			}
			all = append(all, strings.Join(path[1:], ".")+"="+string(t))
		}
	}
}
