package organizations

import (
	"context"
	"errors"
	"strings"
	"time"

	api "github.com/garrison-security/garrison/api/organizations"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/store"
)

// Unit is an organizational unit, as stored under its id in the management
// account's scope.
type Unit struct {
	ID      string // "ou-" and the root's and its own letters
	Name    string
	Parent  string // root or unit
	Created time.Time
	Tags    []Tag `cbor:",omitempty"`
}

var (
	// unitsByName keeps names unique below a parent.
	unitsByName = &store.Index[Unit]{Name: "name", Unique: true, Of: func(u *Unit, add func(parts ...string)) { add(u.Parent, u.Name) }}
	// unitsByParent lists them in the order of their creation.
	unitsByParent = &store.Index[Unit]{Name: "parent", Of: func(u *Unit, add func(parts ...string)) { add(u.Parent, order(u.Created)) }}

	units = store.NewTable("organizations/unit", unitsByName, unitsByParent)
)

func (o *Organization) rootARN() string { return o.arn("root", o.Root) }

func (o *Organization) unitARN(id string) string { return o.arn("ou", id) }

// parentOf is the ARN and the tags of a root or unit; an ARN too where there is none.
func (o *Organization) parentOf(tx store.Tx, id string) (arn string, tags []Tag, err error) {
	if strings.HasPrefix(id, "r-") {
		if id != o.Root {
			return o.arn("root", id), nil, store.ErrNotFound
		}
		return o.rootARN(), o.RootTags, nil
	}
	u, err := units.Get(tx, o.Management, id)
	if err != nil {
		return o.unitARN(id), nil, err
	}
	return o.unitARN(id), u.Tags, nil
}

// parentNamed finds the root or unit that the input names.
func parentNamed[In any](s *Service, parent func(*In) string) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t, err := s.subject(call, reading)
		if err != nil {
			return t, err
		}
		t.parent = parent(in)
		t.name, t.tags, err = t.org.parentOf(call.Tx, t.parent)
		return t, absent(err, errParentNotFound)
	}
}

// unitNamed finds the unit that the input names.
func unitNamed[In any](s *Service, who access, id func(*In) string) gateway.Target[In, *subject] {
	return func(call *gateway.Call, in *In) (*subject, error) {
		t, err := s.subject(call, who)
		if err != nil {
			return t, err
		}
		t.name = t.org.unitARN(id(in))
		if t.unit, err = units.Get(call.Tx, t.org.Management, id(in)); err == nil {
			t.tags = t.unit.Tags
		}
		return t, absent(err, errUnitNotFound)
	}
}

func (s *Service) unitToCreate(call *gateway.Call, in *api.CreateOrganizationalUnitInput) (*subject, error) {
	t, err := s.subject(call, management)
	if err != nil {
		return t, err
	}
	tags, err := requestTags(call, in.Tags)
	if err != nil {
		return nil, err
	}
	t.parent = in.ParentId
	t.name, t.tags, err = t.org.parentOf(call.Tx, in.ParentId)
	if len(tags) > 0 {
		t.also("organizations:TagResource", t.org.unitARN("*"), nil)
	}
	return t, absent(err, errParentNotFound)
}

// createOrganizationalUnit makes a unit at most five levels below the root.
func (s *Service) createOrganizationalUnit(_ context.Context, call *gateway.Call, on *subject, in *api.CreateOrganizationalUnitInput) (*api.CreateOrganizationalUnitOutput, error) {
	o := on.org
	above, err := o.ancestry(call.Tx, in.ParentId)
	switch {
	case err != nil:
		return nil, err
	case len(above) > maxDepth:
		return nil, constraint(api.ConstraintViolationExceptionReasonOuDepthLimitExceeded,
			"You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.")
	case o.Units >= s.quotas(o.Management).Units:
		return nil, constraint(api.ConstraintViolationExceptionReasonOuNumberLimitExceeded,
			"You have exceeded the allowed number of organizational units.")
	}
	u := &Unit{ID: newID("ou-"+o.Root[len("r-"):]+"-", unitIDLength), Name: in.Name, Parent: in.ParentId, Created: call.Time, Tags: tagsOf(in.Tags)}
	if err := units.Insert(call.Tx, o.Management, u, u.ID); err != nil {
		return nil, duplicateUnit(err)
	}
	if err := levels.Insert(call.Tx, o.Management, &Level{ID: u.ID}, u.ID); err != nil {
		return nil, err
	}
	if err := o.change(call, func(o *Organization) error {
		o.Units++
		return nil
	}); err != nil {
		return nil, err
	}
	return &api.CreateOrganizationalUnitOutput{OrganizationalUnit: o.shownUnit(u, append(above, u.ID))}, nil
}

func duplicateUnit(err error) error {
	if errors.Is(err, store.ErrExists) {
		return &api.DuplicateOrganizationalUnitException{Message: "An OU with the same name already exists."}
	}
	return err
}

// shownUnit is a unit as answers show it; way leads from the root to it.
func (o *Organization) shownUnit(u *Unit, way []string) *api.OrganizationalUnit {
	return &api.OrganizationalUnit{
		Id: new(u.ID), Arn: new(o.unitARN(u.ID)), Name: new(u.Name), Path: new(o.ID + "/" + strings.Join(way, "/") + "/"),
	}
}

func (s *Service) describeOrganizationalUnit(_ context.Context, call *gateway.Call, on *subject, _ *api.DescribeOrganizationalUnitInput) (*api.DescribeOrganizationalUnitOutput, error) {
	way, err := on.org.ancestry(call.Tx, on.unit.ID)
	if err != nil {
		return nil, err
	}
	return &api.DescribeOrganizationalUnitOutput{OrganizationalUnit: on.org.shownUnit(on.unit, way)}, nil
}

func (s *Service) updateOrganizationalUnit(_ context.Context, call *gateway.Call, on *subject, in *api.UpdateOrganizationalUnitInput) (*api.UpdateOrganizationalUnitOutput, error) {
	u := *on.unit
	if in.Name != nil {
		if *in.Name == u.Name {
			return nil, duplicateUnit(store.ErrExists)
		}
		u.Name = *in.Name
		if err := units.Put(call.Tx, on.org.Management, &u, u.ID); err != nil {
			return nil, duplicateUnit(err)
		}
	}
	way, err := on.org.ancestry(call.Tx, u.ID)
	if err != nil {
		return nil, err
	}
	return &api.UpdateOrganizationalUnitOutput{OrganizationalUnit: on.org.shownUnit(&u, way)}, nil
}

// deleteOrganizationalUnit refuses as long as something lies in the unit.
// Policies attached to it are detached.
func (s *Service) deleteOrganizationalUnit(_ context.Context, call *gateway.Call, on *subject, _ *api.DeleteOrganizationalUnitInput) (*api.DeleteOrganizationalUnitOutput, error) {
	o, id := on.org, on.unit.ID
	for _, err := range units.ListBy(call.Tx, unitsByParent, o.Management, nil, id) {
		return nil, notEmpty(err)
	}
	for _, err := range members.ListBy(call.Tx, membersByParent, o.Management, nil, id) {
		return nil, notEmpty(err)
	}
	if err := levels.Delete(call.Tx, o.Management, id); err != nil {
		return nil, err
	}
	if err := units.Delete(call.Tx, o.Management, id); err != nil {
		return nil, err
	}
	return nil, o.change(call, func(o *Organization) error {
		o.Units--
		return nil
	})
}

func notEmpty(err error) error {
	if err == nil {
		err = &api.OrganizationalUnitNotEmptyException{Message: "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again."}
	}
	return err
}

func (s *Service) listOrganizationalUnitsForParent(_ context.Context, call *gateway.Call, on *subject, in *api.ListOrganizationalUnitsForParentInput) (*api.ListOrganizationalUnitsForParentOutput, error) {
	p, err := s.page(call, in.NextToken, in.MaxResults, on.parent)
	if err != nil {
		return nil, err
	}
	found, err := store.Collect(p, units.ListBy(call.Tx, unitsByParent, on.org.Management, p.After, on.parent), nil)
	if err != nil {
		return nil, err
	}
	above, err := on.org.ancestry(call.Tx, on.parent)
	if err != nil {
		return nil, err
	}
	out := &api.ListOrganizationalUnitsForParentOutput{OrganizationalUnits: make([]api.OrganizationalUnit, 0, len(found)), NextToken: p.Next}
	for _, u := range found {
		out.OrganizationalUnits = append(out.OrganizationalUnits, *on.org.shownUnit(u, append(above[:len(above):len(above)], u.ID)))
	}
	return out, nil
}
