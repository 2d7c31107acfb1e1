package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/store"
)

// full is an event with every field set.
func full() *Event {
	return &Event{
		UserIdentity: UserIdentity{
			Type: "AssumedRole", PrincipalID: "AROAX:s", ARN: "arn:aws:sts::1:assumed-role/r/s", AccountID: "1", AccessKeyID: "ASIAX",
			UserName: "u", InvokedBy: "s3.amazonaws.com", IdentityProvider: "idp",
			SessionContext: &SessionContext{
				SessionIssuer:       &SessionIssuer{Type: "Role", PrincipalID: "AROAX", ARN: "arn:aws:iam::1:role/r", AccountID: "1", UserName: "r"},
				WebIDFederationData: &WebIDFederationData{FederatedProvider: "p", Attributes: []byte(`{"aud":"a"}`)},
				CreationDate:        noon, MFAAuthenticated: true, SourceIdentity: "dave", EC2RoleDelivery: "2.0", AssumedRoot: true,
			},
		},
		EventTime: noon.Add(123456789), EventSource: "iam.amazonaws.com", EventName: "CreateUser", AWSRegion: "us-east-1",
		SourceIPAddress: "192.0.2.7", UserAgent: `a"gent\<>&` + "\x00\x1f\n\t\r\u2028\xff", ErrorCode: "AccessDenied", ErrorMessage: "no",
		RequestParameters: []byte(`{"userName":"x"}`), ResponseElements: []byte(`{"user":{}}`), AdditionalEventData: []byte(`{"a":1}`),
		RequestID: "0f2a3b4c-5d6e-4f70-8192-a3b4c5d6e7f8", EventID: "00000000-0000-0000-0000-000000000000", ReadOnly: true,
		Resources: []Resource{{AccountID: "1", Type: "AWS::IAM::User", ARN: "arn:aws:iam::1:user/x"}, {ARNPrefix: "arn:aws:s3:::b/"}},
		EventType: ServiceEvent, APIVersion: "2010-05-08", ManagementEvent: true, RecipientAccountID: "1", ServiceEventDetails: []byte(`{"b":2}`),
		SharedEventID: "not-a-uuid", VPCEndpointID: "vpce-1", VPCEndpointAccountID: "2", EventCategory: Data,
		TLSDetails:                   &TLSDetails{TLSVersion: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", ClientProvidedHostHeader: "localhost:4566"},
		SessionCredentialFromConsole: true,
	}
}

func TestEventsAreRenderedAsCloudTrailDoes(t *testing.T) {
	want := `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAX:s","arn":"arn:aws:sts::1:assumed-role/r/s","accountId":"1",` +
		`"accessKeyId":"ASIAX","userName":"u","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAX","arn":"arn:aws:iam::1:role/r","accountId":"1","userName":"r"},` +
		`"webIdFederationData":{"federatedProvider":"p","attributes":{"aud":"a"}},"attributes":{"creationDate":"2026-11-24T12:00:00Z","mfaAuthenticated":"true"},` +
		`"sourceIdentity":"dave","ec2RoleDelivery":"2.0","assumedRoot":"true"},"invokedBy":"s3.amazonaws.com","identityProvider":"idp"},` +
		`"eventTime":"2026-11-24T12:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7",` +
		`"userAgent":"a\"gent\\<>&\u0000\u001f\n\t\r` + "\u2028" + `\ufffd","errorCode":"AccessDenied","errorMessage":"no","requestParameters":{"userName":"x"},` +
		`"responseElements":{"user":{}},"additionalEventData":{"a":1},"requestID":"0f2a3b4c-5d6e-4f70-8192-a3b4c5d6e7f8","eventID":"00000000-0000-0000-0000-000000000000",` +
		`"readOnly":true,"resources":[{"accountId":"1","type":"AWS::IAM::User","ARN":"arn:aws:iam::1:user/x"},{"ARNPrefix":"arn:aws:s3:::b/"}],` +
		`"eventType":"AwsServiceEvent","apiVersion":"2010-05-08","managementEvent":true,"recipientAccountId":"1","serviceEventDetails":{"b":2},"sharedEventID":"not-a-uuid",` +
		`"vpcEndpointId":"vpce-1","vpcEndpointAccountId":"2","eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",` +
		`"clientProvidedHostHeader":"localhost:4566"},"sessionCredentialFromConsole":"true"}`
	got := string(full().AppendJSON([]byte("x")))
	if got != "x"+want {
		t.Errorf("\n%s, want\n%s", got[1:], want)
	}
	if !json.Valid([]byte(want)) {
		t.Error("not JSON")
	}
	least := Event{EventTime: noon, EventSource: "s", EventName: "n", ManagementEvent: true}
	want = `{"eventVersion":"1.11","userIdentity":{},"eventTime":"2026-11-24T12:00:00Z","eventSource":"s","eventName":"n","awsRegion":"","sourceIPAddress":"",` +
		`"requestParameters":null,"responseElements":null,"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management"}`
	if got := string(least.AppendJSON(nil)); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
}

func TestEventsSurviveTheirStoredForm(t *testing.T) {
	for _, e := range []*Event{full(), event(1, alpha), {EventTime: noon, EventSource: "s", EventName: "n", EventID: "x"}} {
		got, err := Decode(e.encode(nil))
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%v:\n%+v, want\n%+v", err, got, e)
		}
	}
	uuids := []string{"", "x", "0f2a3b4c-5d6e-4f70-8192-a3b4c5d6e7f8", "0F2A3B4C-5D6E-4F70-8192-A3B4C5D6E7F8", "0f2a3b4c-5d6e-4f70-8192-a3b4c5d6e7fg",
		"0f2a3b4c05d6e-4f70-8192-a3b4c5d6e7f8", "-f2a3b4c-5d6e-4f70-8192-a3b4c5d6e7f8", strings.Repeat("-", 36)}
	for _, id := range uuids {
		e := event(1, alpha)
		e.RequestID, e.EventID = id, "e"
		if got, err := Decode(e.encode(nil)); err != nil || got.RequestID != id {
			t.Errorf("id %q became %q, %v", id, got.RequestID, err)
		}
	}
	e := event(1, alpha)
	e.EventID = ""
	a, err := Decode(e.encode(nil))
	check(t, err)
	b, err := Decode(e.encode(nil))
	check(t, err)
	if len(a.EventID) != 36 || a.EventID == b.EventID || a.EventID[14] != '4' {
		t.Errorf("drawn ids %q, %q", a.EventID, b.EventID)
	}
}

func TestEveryFieldIsStored(t *testing.T) {
	all := reflect.ValueOf(*full())
	var look func(name string, v reflect.Value)
	look = func(name string, v reflect.Value) {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.IsZero() {
			t.Errorf("the test's event lacks %s", name)
		}
		if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() {
			for f, inner := range v.Fields() {
				look(name+"."+f.Name, inner)
			}
		}
	}
	look("Event", all)
}

func TestDecodeRefusesWhatIsNoEvent(t *testing.T) {
	data := full().encode(nil)
	for i := range data {
		if _, err := Decode(data[:i]); !errors.Is(err, ErrEvent) {
			t.Fatalf("%d bytes: %v", i, err)
		}
	}
	for _, bad := range [][]byte{append(bytes.Clone(data), 0), append([]byte{2}, data[1:]...), append([]byte{1, 0xFF}, data[2:]...)} {
		if _, err := Decode(bad); !errors.Is(err, ErrEvent) {
			t.Errorf("%x…: %v", bad[:3], err)
		}
	}
}

func TestAppendBoundsWhatItTakes(t *testing.T) {
	r := newRack(t, alpha)
	e := full()
	e.RecipientAccountID = alpha
	long := strings.Repeat("é", 1<<20)
	e.UserAgent, e.ErrorMessage, e.AWSRegion, e.RequestID = "x"+long, long, long, long
	e.RequestParameters, e.AdditionalEventData = []byte(`"`+long+`"`), []byte(`"`+long+`"`)
	for range 5000 {
		e.Resources = append(e.Resources, Resource{ARN: "a"})
	}
	check(t, r.Update(t.Context(), func(tx store.Tx) error { return Append(tx, e) }))
	rec, err := r.trail().At(t.Context(), Position{1, 1})
	check(t, err)
	got := rec.Event
	if len(got.UserAgent) != maxText-1 || len(got.ErrorMessage) != maxText || len(got.AWSRegion) != maxField || len(got.RequestID) != maxField ||
		string(got.RequestParameters) != `{"omitted":true}` || string(got.AdditionalEventData) != `{"omitted":true}` || len(got.Resources) != maxResources {
		t.Errorf("%d %d %d %d", len(got.UserAgent), len(got.ErrorMessage), len(got.AWSRegion), len(got.Resources))
	}
	if text := got.AppendJSON(nil); !json.Valid(text) || bytes.Contains(text, []byte("\ufffd\"")) && !strings.Contains(got.UserAgent, "\xff") {
		t.Error("cut within a character")
	}
	for _, bad := range []Event{{}, {EventTime: noon, EventSource: "s"}, {EventTime: noon, EventName: "n"}, {EventSource: "s", EventName: "n"}} {
		if err := r.Update(t.Context(), func(tx store.Tx) error { return Append(tx, &bad) }); !errors.Is(err, ErrEvent) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestNotesAreMembers(t *testing.T) {
	e := &Event{}
	e.Note("a", `q"`)
	first := e.AdditionalEventData
	e.NoteJSON("b", []byte("1"))
	if string(first) != `{"a":"q\""}` || string(e.AdditionalEventData) != `{"a":"q\"","b":1}` {
		t.Errorf("%s, %s", first, e.AdditionalEventData)
	}
	empty := &Event{AdditionalEventData: []byte("{}")}
	empty.Note("a", "b")
	if string(empty.AdditionalEventData) != `{"a":"b"}` {
		t.Errorf("%s", empty.AdditionalEventData)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(full().encode(nil))
	f.Add(event(1, alpha).encode(nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil {
			return
		}
		e.RequestParameters, e.ResponseElements, e.AdditionalEventData, e.ServiceEventDetails = nil, nil, nil, nil
		if s := e.UserIdentity.SessionContext; s != nil && s.WebIDFederationData != nil {
			s.WebIDFederationData.Attributes = nil
		}
		if text := e.AppendJSON(nil); !json.Valid(text) {
			t.Errorf("not JSON: %s", text)
		}
	})
}
