package accessanalyzer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"

	api "github.com/garrison-security/garrison/api/accessanalyzer"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/policy/validate"
	"github.com/garrison-security/garrison/store"
)

// A page of findings has these many where none or more are asked for.
const (
	usualResults = 100
	mostResults  = 1000
)

// validatePolicy says what there is to say about a policy document. All of it
// is done outside the transaction: it touches no state.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html
func (s *Service) validatePolicy(_ context.Context, call *gateway.Call, _ gateway.Anything, in *api.ValidatePolicyInput) (*api.ValidatePolicyOutput, error) {
	if in.Locale != nil && *in.Locale != api.LocaleEn {
		return nil, gateway.NotImplemented(call.Operation, "locale "+string(*in.Locale))
	}
	kind, ok := validate.TypeNamed(string(in.PolicyType))
	if !ok {
		return nil, invalid("policyType", "the policy type is not known")
	}
	of := ""
	if in.ValidatePolicyResourceType != nil {
		if of = string(*in.ValidatePolicyResourceType); kind != validate.Resource {
			return nil, invalid("validatePolicyResourceType", "a resource type can only be specified for policies of type RESOURCE_POLICY")
		}
	}
	limit := usualResults
	if in.MaxResults != nil {
		if limit = min(int(*in.MaxResults), mostResults); limit < 1 {
			return nil, invalid("maxResults", "maxResults must be at least 1")
		}
	}
	page, from, err := s.page(call, in, of)
	if err != nil {
		return nil, err
	}
	found, err := validate.Policy([]byte(in.PolicyDocument), kind, of)
	switch {
	case errors.Is(err, validate.ErrTooLong), errors.Is(err, validate.ErrTooComplex):
		return nil, invalid("policyDocument", err.Error())
	case err != nil:
		return nil, err
	}
	out := &api.ValidatePolicyOutput{Findings: []api.ValidatePolicyFinding{}}
	to := min(from+limit, len(found))
	for i := min(from, to); i < to; i++ {
		out.Findings = append(out.Findings, finding(&found[i]))
	}
	if to < len(found) {
		token, err := s.Tokens.Seal(page, []byte(strconv.Itoa(to)))
		if err != nil {
			return nil, err
		}
		out.NextToken = &token
	}
	return out, nil
}

// page is the listing that a call's token belongs to, and where its page begins.
func (s *Service) page(call *gateway.Call, in *api.ValidatePolicyInput, of string) (store.Listing, int, error) {
	digest := sha256.Sum256([]byte(in.PolicyDocument))
	page := store.Listing{
		Name: "access-analyzer:" + call.Operation.Name + " " + call.Region, Account: call.Account,
		Filter: string(in.PolicyType) + " " + of + " " + hex.EncodeToString(digest[:]),
	}
	if in.NextToken == nil {
		return page, 0, nil
	}
	at, err := s.Tokens.Open(page, *in.NextToken)
	if errors.Is(err, store.ErrToken) || err == nil && at == nil {
		return page, 0, invalid("nextToken", "the token is not one of this policy")
	}
	if err != nil {
		return page, 0, err
	}
	from, err := strconv.Atoi(string(at))
	return page, from, err
}

func answerValidation(_ context.Context, _ *gateway.Call, _ gateway.Anything, _ *api.ValidatePolicyInput, out *api.ValidatePolicyOutput) (*api.ValidatePolicyOutput, error) {
	return out, nil
}

func invalid(field, message string) error {
	return &api.ValidationException{
		Message: message, Reason: api.ValidationExceptionReasonFieldValidationFailed,
		FieldList: []api.ValidationExceptionField{{Name: field, Message: message}},
	}
}

func finding(f *validate.Finding) api.ValidatePolicyFinding {
	out := api.ValidatePolicyFinding{
		FindingDetails: f.Text, FindingType: api.ValidatePolicyFindingType(f.Severity), IssueCode: f.Code, LearnMoreLink: f.LearnMore(),
		Locations: make([]api.Location, len(f.Locations)),
	}
	for i := range f.Locations {
		at := &f.Locations[i]
		path := make([]api.PathElement, len(at.Path))
		for j, step := range at.Path {
			path[j] = element(step)
		}
		out.Locations[i] = api.Location{Path: path, Span: &api.Span{Start: position(at.Span.Start), End: position(at.Span.End)}}
	}
	return out
}

func element(s validate.Step) api.PathElement {
	switch s.Kind {
	case validate.Key:
		return api.PathElement{Key: &s.Name}
	case validate.Index:
		return api.PathElement{Index: new(int32(s.Index))}
	case validate.Substring:
		return api.PathElement{Substring: &api.Substring{Start: int32(s.Start), Length: int32(s.Length)}}
	}
	return api.PathElement{Value: &s.Name}
}

func position(p validate.Position) *api.Position {
	return &api.Position{Line: int32(p.Line), Column: int32(p.Column), Offset: int32(p.Offset)}
}
