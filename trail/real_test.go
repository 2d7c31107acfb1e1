package trail

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/internal/shared"
)

// realRecords are the records of a file of real ones.
func realRecords(t *testing.T, name string) []json.RawMessage {
	t.Helper()
	f, err := os.Open(shared.Path(t, "data/detect/"+name))
	check(t, err)
	defer f.Close()
	zip, err := gzip.NewReader(f)
	check(t, err)
	var all []json.RawMessage
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var line struct {
			Kind  string
			Event json.RawMessage
		}
		check(t, json.Unmarshal(lines.Bytes(), &line))
		if line.Kind == "AWS.CloudTrail" {
			all = append(all, line.Event)
		}
	}
	check(t, lines.Err())
	return all
}

// real is CloudTrail's record as this test reads it. What it does not know is an error.
type real struct {
	EventVersion string `json:"eventVersion"`
	UserIdentity struct {
		Type        string `json:"type"`
		PrincipalID string `json:"principalId"`
		ARN         string `json:"arn"`
		AccountID   string `json:"accountId"`
		AccessKeyID string `json:"accessKeyId"`
		UserName    string `json:"userName"`
		InvokedBy   string `json:"invokedBy"`
		Session     *struct {
			Issuer struct {
				Type        string `json:"type"`
				PrincipalID string `json:"principalId"`
				ARN         string `json:"arn"`
				AccountID   string `json:"accountId"`
				UserName    string `json:"userName"`
			} `json:"sessionIssuer"`
			WebID      map[string]any `json:"webIdFederationData"`
			Delivery   string         `json:"ec2RoleDelivery"`
			Attributes struct {
				CreationDate     time.Time `json:"creationDate"`
				MFAAuthenticated string    `json:"mfaAuthenticated"`
			} `json:"attributes"`
		} `json:"sessionContext"`
	} `json:"userIdentity"`
	EventTime           time.Time       `json:"eventTime"`
	EventSource         string          `json:"eventSource"`
	EventName           string          `json:"eventName"`
	AWSRegion           string          `json:"awsRegion"`
	SourceIPAddress     string          `json:"sourceIPAddress"`
	UserAgent           string          `json:"userAgent"`
	ErrorCode           string          `json:"errorCode"`
	ErrorMessage        string          `json:"errorMessage"`
	RequestParameters   json.RawMessage `json:"requestParameters"`
	ResponseElements    json.RawMessage `json:"responseElements"`
	AdditionalEventData json.RawMessage `json:"additionalEventData"`
	ServiceEventDetails json.RawMessage `json:"serviceEventDetails"`
	RequestID           string          `json:"requestID"`
	EventID             string          `json:"eventID"`
	ReadOnly            bool            `json:"readOnly"`
	Resources           []struct {
		AccountID string `json:"accountId"`
		Type      string `json:"type"`
		ARN       string `json:"ARN"`
	} `json:"resources"`
	EventType       string      `json:"eventType"`
	APIVersion      string      `json:"apiVersion"`
	ManagementEvent bool        `json:"managementEvent"`
	Recipient       string      `json:"recipientAccountId"`
	SharedEventID   string      `json:"sharedEventID"`
	VPCEndpointID   string      `json:"vpcEndpointId"`
	VPCEndpointAcct string      `json:"vpcEndpointAccountId"`
	EventCategory   string      `json:"eventCategory"`
	FromConsole     string      `json:"sessionCredentialFromConsole"`
	TLS             *TLSDetails `json:"tlsDetails"`
}

func (r *real) event() *Event {
	null := func(b json.RawMessage) []byte {
		if string(b) == "null" {
			return nil
		}
		return b
	}
	u := &r.UserIdentity
	e := &Event{
		UserIdentity: UserIdentity{Type: u.Type, PrincipalID: u.PrincipalID, ARN: u.ARN, AccountID: u.AccountID,
			AccessKeyID: u.AccessKeyID, UserName: u.UserName, InvokedBy: u.InvokedBy},
		EventTime: r.EventTime, EventSource: r.EventSource, EventName: r.EventName, AWSRegion: r.AWSRegion,
		SourceIPAddress: r.SourceIPAddress, UserAgent: r.UserAgent, ErrorCode: r.ErrorCode, ErrorMessage: r.ErrorMessage,
		RequestParameters: null(r.RequestParameters), ResponseElements: null(r.ResponseElements),
		AdditionalEventData: null(r.AdditionalEventData), ServiceEventDetails: null(r.ServiceEventDetails),
		RequestID: r.RequestID, EventID: r.EventID, ReadOnly: r.ReadOnly, EventType: EventType(r.EventType),
		APIVersion: r.APIVersion, ManagementEvent: r.ManagementEvent, RecipientAccountID: r.Recipient,
		SharedEventID: r.SharedEventID, VPCEndpointID: r.VPCEndpointID, VPCEndpointAccountID: r.VPCEndpointAcct,
		EventCategory: Category(r.EventCategory), SessionCredentialFromConsole: r.FromConsole == "true", TLSDetails: r.TLS,
	}
	for _, x := range r.Resources {
		e.Resources = append(e.Resources, Resource{AccountID: x.AccountID, Type: x.Type, ARN: x.ARN})
	}
	if s := u.Session; s != nil {
		e.UserIdentity.SessionContext = &SessionContext{CreationDate: s.Attributes.CreationDate,
			MFAAuthenticated: s.Attributes.MFAAuthenticated == "true", EC2RoleDelivery: s.Delivery}
		if s.Issuer.Type != "" {
			e.UserIdentity.SessionContext.SessionIssuer = &SessionIssuer{s.Issuer.Type, s.Issuer.PrincipalID, s.Issuer.ARN, s.Issuer.AccountID, s.Issuer.UserName}
		}
	}
	return e
}

// TestRealRecordsSurvive turns AWS's records into events, through their stored
// form, and back: every field comes out with its name, type and value. The
// records of eventVersion 1.08 and 1.09 hold empty objects that later ones leave out.
func TestRealRecordsSurvive(t *testing.T) {
	for _, file := range []struct {
		name string
		want int // records compared, at least: the others were altered by who published them
	}{{"attack_sequences.jsonl.gz", 1680}, {"api_examples.jsonl.gz", 120}} {
		same := 0
		operations := map[string]bool{}
		for _, raw := range realRecords(t, file.name) {
			var r real
			d := json.NewDecoder(strings.NewReader(string(raw)))
			d.DisallowUnknownFields()
			if d.Decode(&r) != nil {
				continue
			}
			decoded, err := Decode(r.event().encode(nil))
			if err != nil {
				t.Fatalf("%v: %s", err, raw)
			}
			var want, got map[string]any
			check(t, json.Unmarshal(raw, &want))
			ours := decoded.AppendJSON(nil)
			check(t, json.Unmarshal(ours, &got))
			if want["readOnly"] == nil || want["userIdentity"] == nil {
				continue // taken out by who published it: AWS writes both always
			}
			delete(want, "eventVersion")
			delete(got, "eventVersion")
			if identity, ok := want["userIdentity"].(map[string]any); ok {
				if session, ok := identity["sessionContext"].(map[string]any); ok {
					for _, name := range []string{"sessionIssuer", "webIdFederationData"} {
						if object, ok := session[name].(map[string]any); ok && len(object) == 0 {
							delete(session, name)
						}
					}
				}
			}
			if diff := differ("", want, got); diff != "" {
				t.Errorf("%s %s: %s", r.EventSource, r.EventName, diff)
				continue
			}
			same++
			operations[r.EventSource+" "+r.EventName] = true
		}
		if same < file.want {
			t.Errorf("%s: %d records compared", file.name, same)
		}
		t.Logf("%s: %d records of %d operations", file.name, same, len(operations))
	}
}

// differ says where two JSON values differ, "" if they do not.
func differ(at string, want, got any) string {
	a, okA := want.(map[string]any)
	b, okB := got.(map[string]any)
	if okA && okB {
		for name := range a {
			if _, ok := b[name]; !ok {
				return fmt.Sprintf("%s.%s is missing", at, name)
			}
			if d := differ(at+"."+name, a[name], b[name]); d != "" {
				return d
			}
		}
		for name := range b {
			if _, ok := a[name]; !ok {
				return fmt.Sprintf("%s.%s is not AWS's", at, name)
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s is %v, not %v", at, got, want)
	}
	return ""
}

// TestIdentitiesHaveAWSsFields compares the fields of the callers that Garrison
// knows with those in AWS's records of the same kinds.
func TestIdentitiesHaveAWSsFields(t *testing.T) {
	theirs := map[string]bool{}
	for _, file := range []string{"attack_sequences.jsonl.gz", "rule_tests_cloudtrail.jsonl.gz", "api_examples.jsonl.gz", "s3_anonymous.jsonl.gz"} {
		for _, raw := range realRecords(t, file) {
			var r struct {
				UserIdentity map[string]any `json:"userIdentity"`
			}
			if json.Unmarshal(raw, &r) == nil {
				theirs[fmt.Sprint(r.UserIdentity["type"], paths("", r.UserIdentity))] = true
			}
		}
	}
	for name, p := range principals() {
		var ours map[string]any
		u := Identity(p)
		check(t, json.Unmarshal(u.appendJSON(nil), &ours))
		if fields := fmt.Sprint(ours["type"], paths("", ours)); !theirs[fields] {
			t.Errorf("%s: no record of AWS's has the fields %s", name, fields)
		}
	}
}

// paths are the names and types of all fields, sorted; empty objects count as absent.
func paths(at string, v map[string]any) []string {
	var all []string
	for name, value := range v {
		if inner, ok := value.(map[string]any); ok {
			all = append(all, paths(at+name+".", inner)...)
		} else {
			all = append(all, fmt.Sprintf("%s%s:%T", at, name, value))
		}
	}
	slices.Sort(all)
	return all
}

func principals() map[string]*aws.Principal {
	issued := noon.Add(-time.Minute)
	return map[string]*aws.Principal{
		"a user": {Kind: aws.User, Account: alpha, ARN: "arn:aws:iam::" + alpha + ":user/p/alice", ID: "AIDAX", Name: "alice", AccessKeyID: "AKIAX"},
		"a user's session": {Kind: aws.User, Account: alpha, ARN: "arn:aws:iam::" + alpha + ":user/alice", ID: "AIDAX", Name: "alice", AccessKeyID: "ASIAX",
			Session: &aws.Session{IssuedAt: issued, MFAAt: issued}},
		"root":           {Kind: aws.Root, Account: alpha, ARN: "arn:aws:iam::" + alpha + ":root", ID: alpha, AccessKeyID: "AKIAX"},
		"root's session": {Kind: aws.Root, Account: alpha, ARN: "arn:aws:iam::" + alpha + ":root", ID: alpha, AccessKeyID: "ASIAX", Session: &aws.Session{IssuedAt: issued}},
		"a role's session": {Kind: aws.AssumedRole, Account: alpha, ARN: "arn:aws:sts::" + alpha + ":assumed-role/r/s", ID: "AROAX:s", AccessKeyID: "ASIAX",
			Session: &aws.Session{RoleARN: "arn:aws:iam::" + alpha + ":role/r", RoleID: "AROAX", RoleName: "r", Name: "s", IssuedAt: issued}},
		"a role's session by SAML": {Kind: aws.AssumedRole, Account: alpha, ARN: "arn:aws:sts::" + alpha + ":assumed-role/r/s", ID: "AROAX:s", AccessKeyID: "ASIAX",
			Session: &aws.Session{RoleARN: "arn:aws:iam::" + alpha + ":role/r", RoleID: "AROAX", RoleName: "r", IssuedAt: issued, Provider: "arn:aws:iam::" + alpha + ":saml-provider/p"}},
		"a service":       {Kind: aws.ServiceCaller, Name: "ec2.amazonaws.com"},
		"nobody":          {Kind: aws.Anonymous},
		"another account": {Kind: aws.AccountCaller, Account: beta, ID: "AIDAY", ARN: "arn:aws:iam::" + beta + ":user/bob", AccessKeyID: "AKIAY"},
	}
}

func TestFederatedSessionsNameTheirIssuer(t *testing.T) {
	u := Identity(&aws.Principal{Kind: aws.FederatedUser, Account: alpha, ARN: "arn:aws:sts::" + alpha + ":federated-user/f", ID: alpha + ":f", AccessKeyID: "ASIAX",
		Session: &aws.Session{IssuedAt: noon, SourceIdentity: "dave", IssuerARN: "arn:aws:iam::" + alpha + ":user/path/to/alice", IssuerID: "AIDAX"}})
	want := `{"type":"FederatedUser","principalId":"` + alpha + `:f","arn":"arn:aws:sts::` + alpha + `:federated-user/f","accountId":"` + alpha +
		`","accessKeyId":"ASIAX","sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDAX","arn":"arn:aws:iam::` + alpha + `:user/path/to/alice","accountId":"` + alpha +
		`","userName":"alice"},"attributes":{"creationDate":"2026-11-24T12:00:00Z","mfaAuthenticated":"false"},"sourceIdentity":"dave"}}`
	if got := string(u.appendJSON(nil)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	u = Identity(&aws.Principal{Kind: aws.AssumedRole, Account: alpha, ARN: "arn:aws:sts::" + alpha + ":assumed-role/r/s", ID: "AROAX:s",
		Session: &aws.Session{RoleARN: "arn:aws:iam::" + alpha + ":role/r", RoleID: "AROAX", RoleName: "r", IssuedAt: noon, Provider: "accounts.google.com"}})
	if got := string(u.appendJSON(nil)); !strings.Contains(got, `},"webIdFederationData":{"federatedProvider":"accounts.google.com","attributes":{}},"attributes":{"cre`) {
		t.Errorf("%s", got)
	}
}
