package wire

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/garrison-security/garrison/aws"
)

// Fault is an error as its caller sees it.
type Fault struct {
	// Code is the wire code: of a modelled error its shape's name in JSON and CBOR, its error code
	// elsewhere.
	Code string
	// QueryCode is the code in the query protocol, which the query-compatible services name besides.
	QueryCode string
	Status    int
	Sender    bool // the caller's fault
	Message   string
	Fields    []aws.Field  // further members of the error's element
	Custom    bool         // the code is the error's own; so are its fields, in whatever protocol
	Shape     *aws.Shape   // of a modelled error; else nil
	Modelled  aws.Modelled // likewise
}

// FaultOf is what err looks like in protocol p of service s, which is nil
// where routing found none. Whatever is no *aws.Error and no modelled error
// of s is InternalFailure, and says nothing of what went wrong.
func FaultOf(p aws.Protocol, s *aws.Service, err error) Fault {
	if m, ok := errors.AsType[aws.Modelled](err); ok && s != nil {
		if shape := s.Shape(m.ErrorShape()); shape != nil && shape.Error != nil {
			return modelledFault(p, shape, m)
		}
	}
	f := Fault{Message: "An internal error occurred."}
	kind := aws.Internal
	if e, ok := errors.AsType[*aws.Error](err); ok && e != nil {
		kind = e.Kind
		if kind != aws.Internal {
			f.Message, f.Fields = e.Message, e.Fields
		}
		if kind == aws.Custom {
			f.Custom, f.Code, f.QueryCode, f.Status = true, e.Code, e.Code, e.Status
			if f.Status == 0 {
				f.Status = http.StatusBadRequest
			}
			f.Sender = f.Status < 500
			return f
		}
	}
	d := familyOf(p, s).codes()[kind]
	if d.code == "" {
		d = familyOf(p, s).codes()[aws.Internal]
	}
	f.Code, f.Status, f.Sender = d.code, d.status, d.status < 500
	f.QueryCode = queryCodes[kind].code
	if s != nil {
		if code, ok := ownCodes[ownCode{s.Name, kind}]; ok {
			f.Code = code
		}
	}
	if f.Message == "" {
		f.Message = f.Code
	}
	return f
}

// ownCode is a kind of error that a service names in its own way.
type ownCode struct {
	service string
	kind    aws.Kind
}

var ownCodes = map[ownCode]string{
	{"sns", aws.AccessDenied}:   "AuthorizationError",
	{"logs", aws.Validation}:    "InvalidParameterException",
	{"lambda", aws.Validation}:  "InvalidParameterValueException",
	{"lambda", aws.Throttled}:   "TooManyRequestsException",
	{"lambda", aws.Unavailable}: "ServiceException",
}

// modelledFault reads code and status of a modelled error off its shape.
// Services that speak JSON or CBOR send the shape's name and a status that
// follows from fault alone; awsQuery, ec2 and REST take the model's.
func modelledFault(p aws.Protocol, shape *aws.Shape, m aws.Modelled) Fault {
	t := shape.Error
	f := Fault{Code: t.Code, Status: t.Status, Sender: !t.Fault, Message: m.ErrorText(), Shape: shape, Modelled: m}
	if f.Code == "" {
		f.Code = shape.Name
	}
	f.QueryCode = f.Code
	if f.Status == 0 {
		f.Status = http.StatusBadRequest
		if t.Fault {
			f.Status = http.StatusInternalServerError
		}
	}
	switch p {
	case aws.AWSJSON10, aws.AWSJSON11:
		f.Code = shape.Name
		if f.Status = http.StatusBadRequest; t.Fault {
			f.Status = http.StatusInternalServerError
		}
	case aws.RESTJSON, aws.RPCV2CBOR:
		f.Code = shape.Name
	}
	return f
}

// EventErrorCode is the errorCode under which CloudTrail records err: an
// exception by its shape's name (NoSuchEntityException, where the wire says
// NoSuchEntity), a refusal as AccessDenied, EC2's with the side at fault in
// front.
func EventErrorCode(p aws.Protocol, err error) string {
	if m, ok := errors.AsType[aws.Modelled](err); ok {
		return m.ErrorShape()
	}
	f := FaultOf(p, nil, err)
	family := familyOf(p, nil)
	if family == ec2Family {
		if f.Sender {
			return "Client." + f.Code
		}
		return "Server." + f.Code
	}
	if e, ok := errors.AsType[*aws.Error](err); ok && e != nil && family != s3Family {
		switch e.Kind {
		case aws.AccessDenied:
			return "AccessDenied"
		case aws.Throttled:
			return "ThrottlingException"
		case aws.Validation:
			return "ValidationException"
		}
	}
	return f.Code
}

// ErrorPlan is the plan of a modelled error and the struct that holds it; nil
// if it can't be bound.
func ErrorPlan(f *Fault) (*Plan, reflect.Value) {
	v := reflect.ValueOf(f.Modelled)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, v
	}
	p, err := PlanOf(f.Shape, v.Type())
	if err != nil {
		return nil, v
	}
	return p, v.Elem()
}

// QueryError is the value of the header X-Amzn-Query-Error, by which
// query-compatible services name an error's code in the query protocol; ""
// where the answer has none.
func QueryError(a *Answer, f *Fault) string {
	asked := a.Request != nil && a.Request.Header != nil && a.Request.Header.Get("X-Amzn-Query-Mode") == "true"
	if !asked && (a.Service == nil || !a.Service.QueryCompatible) {
		return ""
	}
	if f.Sender {
		return f.QueryCode + ";Sender"
	}
	return f.QueryCode + ";Receiver"
}
