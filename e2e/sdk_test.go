package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// clients are the services that scripts can call with aws-sdk-go-v2.
var clients = map[string]func(aws.Config) any{
	"accessanalyzer": func(c aws.Config) any { return accessanalyzer.NewFromConfig(c) },
	"cloudtrail":     func(c aws.Config) any { return cloudtrail.NewFromConfig(c) },
	"iam":            func(c aws.Config) any { return iam.NewFromConfig(c) },
	"kms":            func(c aws.Config) any { return kms.NewFromConfig(c) },
	"organizations":  func(c aws.Config) any { return organizations.NewFromConfig(c) },
	"sts":            func(c aws.Config) any { return sts.NewFromConfig(c) },
}

// config is how aws-sdk-go-v2 reaches a server with a key.
func config(endpoint, region string, k key, transport *http.Transport) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &endpoint, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token),
		HTTPClient:  &http.Client{Transport: oneWrite{transport}, Timeout: 30 * time.Second},
	}
}

// oneWrite sends a request's header and body together. Otherwise net/http
// sends the header first, writes the body past its buffer, and then has it
// closed; smithy-go, once it has an answer, has closed it already, and net/http
// takes the second Close's io.EOF for a failed write and breaks the connection
// off under the answer's body. A quick server loses large answers so.
type oneWrite struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t oneWrite) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.Transport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	whole := r.Clone(r.Context())
	whole.Body = io.NopCloser(bytes.NewReader(body))
	return t.Transport.RoundTrip(whole)
}

// transport trusts the authority in a file, if there is one.
func transport(ca string) (*http.Transport, error) {
	t := &http.Transport{MaxIdleConnsPerHost: 256, ForceAttemptHTTP2: true}
	if ca == "" {
		return t, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	t.TLSClientConfig = &tls.Config{RootCAs: roots}
	return t, nil
}

func (w *world) sdk(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: sdk SERVICE Operation [Member=VALUE…]")
	}
	out, err := w.call(w.callerKey(), args[0], args[1], args[2:])
	if err != nil {
		return err
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	w.answer = text
	fmt.Fprintf(w.ts.Stdout(), "%s\n", text)
	return nil
}

// call calls an operation by its name.
func (w *world) call(as key, service, operation string, members []string) (any, error) {
	t, err := transport(w.ts.Getenv("AWS_CA_BUNDLE"))
	if err != nil {
		return nil, err
	}
	defer t.CloseIdleConnections()
	region := w.ts.Getenv("AWS_REGION")
	if region == "" {
		region = w.ts.Getenv("AWS_DEFAULT_REGION")
	}
	return callByName(context.Background(), config(w.ts.Getenv("AWS_ENDPOINT_URL"), region, as, t), service, operation, members)
}

// callByName finds the client's method by reflection. An error is "Code: message".
func callByName(ctx context.Context, c aws.Config, service, operation string, members []string) (any, error) {
	make := clients[service]
	if make == nil {
		return nil, fmt.Errorf("no client of %s is in the list", service)
	}
	method := reflect.ValueOf(make(c)).MethodByName(operation)
	if !method.IsValid() || method.Type().NumIn() < 2 {
		return nil, fmt.Errorf("%s has no operation %s", service, operation)
	}
	in := reflect.New(method.Type().In(1).Elem())
	for _, member := range members {
		path, value, ok := strings.Cut(member, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not MEMBER=VALUE", member)
		}
		if err := fill(in.Elem(), strings.Split(path, "."), value); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := results[1].Interface().(error); err != nil {
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			return nil, fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
		}
		return nil, err
	}
	return answered(results[0].Elem()), nil
}

// answered is an answer's members without the client's own.
func answered(answer reflect.Value) map[string]any {
	all := map[string]any{}
	for field, value := range answer.Fields() {
		if field.IsExported() && field.Name != "ResultMetadata" && !value.IsZero() {
			all[field.Name] = value.Interface()
		}
	}
	return all
}

// fill sets the member at path from a text; lists are indexed from 0.
func fill(at reflect.Value, path []string, text string) error {
	if at.Kind() == reflect.Pointer {
		if at.IsNil() {
			at.Set(reflect.New(at.Type().Elem()))
		}
		return fill(at.Elem(), path, text)
	}
	if len(path) == 0 {
		return fillScalar(at, text)
	}
	switch at.Kind() {
	case reflect.Struct:
		field := at.FieldByName(path[0])
		if !field.IsValid() || !field.CanSet() {
			return fmt.Errorf("no member %s", path[0])
		}
		return fill(field, path[1:], text)
	case reflect.Slice:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i > at.Len() {
			return fmt.Errorf("%q is not the next index", path[0])
		}
		if i == at.Len() {
			at.Set(reflect.Append(at, reflect.Zero(at.Type().Elem())))
		}
		return fill(at.Index(i), path[1:], text)
	case reflect.Map:
		if at.IsNil() {
			at.Set(reflect.MakeMap(at.Type()))
		}
		value := reflect.New(at.Type().Elem()).Elem()
		if err := fill(value, path[1:], text); err != nil {
			return err
		}
		at.SetMapIndex(reflect.ValueOf(path[0]).Convert(at.Type().Key()), value)
		return nil
	}
	return fmt.Errorf("%s has no members", at.Type())
}

func fillScalar(at reflect.Value, text string) error {
	switch at.Kind() {
	case reflect.String:
		at.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		at.SetBool(b)
		return err
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		at.SetInt(n)
		return err
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		at.SetFloat(f)
		return err
	default:
		if at.Type() == reflect.TypeFor[[]byte]() {
			b, err := base64.StdEncoding.DecodeString(text)
			at.SetBytes(b)
			return err
		}
		if at.Type() == reflect.TypeFor[time.Time]() {
			when, err := time.Parse(time.RFC3339, text)
			at.Set(reflect.ValueOf(when))
			return err
		}
		return json.Unmarshal([]byte(text), at.Addr().Interface())
	}
	return nil
}

// key makes an access key for a user and keeps it under a name.
func (w *world) key(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: key NAME [USER]")
	}
	user := args[len(args)-1]
	return w.keep(args[0], "iam", "CreateAccessKey", "AccessKey", []string{"UserName=" + user})
}

// assume assumes a role and keeps the session under a name.
func (w *world) assume(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: assume NAME ROLE-ARN [MEMBER=VALUE…]")
	}
	members := append([]string{"RoleArn=" + args[1]}, args[2:]...)
	if !strings.Contains(strings.Join(args[2:], " "), "RoleSessionName=") {
		members = append(members, "RoleSessionName="+args[0])
	}
	return w.keep(args[0], "sts", "AssumeRole", "Credentials", members)
}

func (w *world) keep(name, service, operation, member string, members []string) error {
	out, err := w.call(w.callerKey(), service, operation, members)
	if err != nil {
		return err
	}
	text, err := json.Marshal(out.(map[string]any)[member])
	if err != nil {
		return err
	}
	var k struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	if err := json.Unmarshal(text, &k); err != nil {
		return err
	}
	w.keys[name] = key{k.AccessKeyId, k.SecretAccessKey, k.SessionToken}
	if w.answer, err = json.Marshal(out); err != nil {
		return err
	}
	if w.caller == name { // sign with the new key from now on
		return w.as([]string{name})
	}
	return nil
}
