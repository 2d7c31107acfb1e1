package sts

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// A session token is the base64 of what the sealer makes of the following,
// bound to the session's access key id. Numbers are uvarints, times Unix
// seconds, texts a length and bytes.
//
//	format, 1
//	kind: of the principal
//	partition, account (a number), secret (raw)
//	issued, lifetime in seconds, MFA (0: none)
//	a role's session:          role ARN, role id, session name, source identity, provider
//	a user's or root's:        ARN, id, name, path
//	a federated user's:        ARN and id of who federated it, name
//	a root's for a task:       ARN of the task's policy, source identity
//	packed policies and tags:  length; deflated (see packed.go)
const (
	tokenFormat  = 1
	tokenPurpose = "sts session"
	// maxToken bounds what is looked at; no token made here is longer.
	maxToken = 8 << 10
)

// Kinds of principals in tokens.
const (
	rootToken = iota + 1
	userToken
	roleToken
	federatedToken
	taskToken
)

// secretBytes is the raw length of a secret access key of 40 characters.
const secretBytes = 30

var errToken = &aws.Error{Kind: aws.BadToken, Message: "The security token included in the request is invalid"}

// seal makes the token of a session's principal, whose access key id it is bound to.
func (s *Service) seal(p *aws.Principal, secret []byte, packed []byte) (string, error) {
	session := p.Session
	w := writer{b: make([]byte, 0, 512+len(packed))}
	w.b = append(w.b, tokenFormat)
	switch p.Kind {
	case aws.Root:
		if session.TaskPolicy != "" {
			w.number(taskToken)
		} else {
			w.number(rootToken)
		}
	case aws.User:
		w.number(userToken)
	case aws.AssumedRole:
		w.number(roleToken)
	case aws.FederatedUser:
		w.number(federatedToken)
	default:
		return "", errors.New("sts: no sessions for " + string(p.Kind))
	}
	w.text(p.Partition)
	w.number(accountNumber(p.Account))
	w.b = append(w.b, secret...)
	w.time(session.IssuedAt)
	w.number(uint64(session.ExpiresAt.Sub(session.IssuedAt) / time.Second))
	w.time(session.MFAAt)
	switch {
	case session.TaskPolicy != "":
		w.text(session.TaskPolicy)
		w.text(session.SourceIdentity)
	case p.Kind == aws.AssumedRole:
		w.text(session.RoleARN)
		w.text(session.RoleID)
		w.text(session.Name)
		w.text(session.SourceIdentity)
		w.text(session.Provider)
	case p.Kind == aws.FederatedUser:
		w.text(session.IssuerARN)
		w.text(session.IssuerID)
		w.text(session.Name)
	default:
		w.text(p.ARN)
		w.text(p.ID)
		w.text(p.Name)
		w.text(p.Path)
	}
	w.text(string(packed))
	sealed, err := s.sealer.SealToken(tokenPurpose, []byte(p.AccessKeyID), w.b)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// unseal is what seal made of a principal; errToken for anything else.
func (s *Service) unseal(token, accessKeyID string) (*gateway.Credential, error) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // which the decoder would pass over
		return nil, errToken
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, errToken
	}
	plain, err := s.sealer.OpenToken(tokenPurpose, []byte(accessKeyID), sealed)
	if err != nil {
		return nil, errToken
	}
	r := reader{b: plain}
	if r.byte() != tokenFormat {
		return nil, errToken
	}
	p := &aws.Principal{AccessKeyID: accessKeyID, Session: new(aws.Session)}
	session := p.Session
	kind := r.number()
	p.Partition = r.text()
	p.Account = accountText(r.number())
	secret := base64.StdEncoding.EncodeToString(r.bytes(secretBytes))
	session.IssuedAt = r.time()
	session.ExpiresAt = session.IssuedAt.Add(time.Duration(min(r.number(), maxLifetime)) * time.Second)
	session.MFAAt = r.time()
	switch kind {
	case roleToken:
		p.Kind = aws.AssumedRole
		session.RoleARN, session.RoleID, session.Name = r.text(), r.text(), r.text()
		session.SourceIdentity, session.Provider = r.text(), r.text()
		session.RoleName = session.RoleARN[strings.LastIndexByte(session.RoleARN, '/')+1:]
		p.ARN = sessionARN(p.Partition, p.Account, session.RoleName, session.Name)
		p.ID = session.RoleID + ":" + session.Name
	case userToken, rootToken:
		p.Kind = aws.User
		if kind == rootToken {
			p.Kind = aws.Root
		}
		p.ARN, p.ID, p.Name, p.Path = r.text(), r.text(), r.text(), r.text()
		session.IssuerARN = p.ARN
	case federatedToken:
		p.Kind = aws.FederatedUser
		session.IssuerARN, session.IssuerID, session.Name = r.text(), r.text(), r.text()
		p.ARN, p.ID = federatedARN(p.Partition, p.Account, session.Name), p.Account+":"+session.Name
	case taskToken:
		p.Kind = aws.Root
		session.TaskPolicy, session.SourceIdentity = r.text(), r.text()
		p.ARN, p.ID = rootARN(p.Partition, p.Account), p.Account
		r.bad = r.bad || session.TaskPolicy == "" // it would be root without a limit
	default:
		return nil, errToken
	}
	if err := unpack([]byte(r.text()), session); err != nil || r.bad || len(r.b) > 0 {
		return nil, errToken
	}
	return &gateway.Credential{Secret: secret, Active: true, Principal: p}, nil
}

// maxLifetime is longer than any session lives, in seconds.
const maxLifetime = 200_000

func sessionARN(partition, account, role, session string) string {
	return "arn:" + partition + ":sts::" + account + ":assumed-role/" + role + "/" + session
}

func rootARN(partition, account string) string {
	return "arn:" + partition + ":iam::" + account + ":root"
}

func federatedARN(partition, account, name string) string {
	return "arn:" + partition + ":sts::" + account + ":federated-user/" + name
}

func accountNumber(account string) (n uint64) {
	for i := range len(account) {
		n = n*10 + uint64(account[i]-'0')
	}
	return n
}

func accountText(n uint64) string {
	var digits [12]byte
	for i := range digits {
		digits[len(digits)-1-i] = '0' + byte(n%10)
		n /= 10
	}
	return string(digits[:])
}

// writer appends what reader takes.
type writer struct{ b []byte }

func (w *writer) number(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.number(0)
		return
	}
	w.number(uint64(t.Unix()))
}

// reader takes a token apart. Once something is missing it is bad and answers zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text() string { return string(r.bytes(r.number())) }

func (r *reader) time() time.Time {
	n := r.number()
	if n == 0 || n > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
