package organizations

import (
	"context"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
)

// rootNamed finds the root on which a policy type is to be enabled or disabled.
func rootNamed[In any](s *Service, names func(*In) (string, api.PolicyType)) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t, err := s.subject(call, delegated)
		if err != nil {
			return t, err
		}
		root, of := names(in)
		call.Condition("organizations:PolicyType", string(of))
		if root != t.org.Root {
			t.name = t.org.arn("root", root)
			return t, &api.RootNotFoundException{Message: "You specified a root that doesn't exist."}
		}
		t.name, t.tags = t.org.rootARN(), t.org.RootTags
		return t, nil
	}
}

func (s *Service) enablePolicyType(_ context.Context, call *gateway.Call, on *subject, in *api.EnablePolicyTypeInput) (*api.EnablePolicyTypeOutput, error) {
	o := on.org
	root, err := levels.Edit(call.Tx, o.Management, o.Root)
	switch {
	case err != nil:
		return nil, err
	case !o.AllFeatures:
		return nil, &api.PolicyTypeNotAvailableForOrganizationException{
			Message: "You can't use the specified policy type with the feature set currently enabled for this organization."}
	case root.round(string(in.PolicyType)) > 0:
		return nil, &api.PolicyTypeAlreadyEnabledException{Message: "The specified policy type is already enabled."}
	}
	root.enable(string(in.PolicyType))
	if err := levels.Put(call.Tx, o.Management, root, root.ID); err != nil {
		return nil, err
	}
	return &api.EnablePolicyTypeOutput{Root: new(o.shownRoot(root))}, nil
}

// disablePolicyType detaches all policies of the type from everything; the
// policies stay. Enabled again, everything begins with AWS's own policy alone.
func (s *Service) disablePolicyType(_ context.Context, call *gateway.Call, on *subject, in *api.DisablePolicyTypeInput) (*api.DisablePolicyTypeOutput, error) {
	o := on.org
	root, err := levels.Edit(call.Tx, o.Management, o.Root)
	if err != nil {
		return nil, err
	}
	if root.round(string(in.PolicyType)) == 0 {
		return nil, typeNotEnabled()
	}
	root.disable(string(in.PolicyType))
	if err := levels.Put(call.Tx, o.Management, root, root.ID); err != nil {
		return nil, err
	}
	return &api.DisablePolicyTypeOutput{Root: new(o.shownRoot(root))}, nil
}
