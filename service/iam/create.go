package iam

import (
	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/gateway"
)

// creation is what is about to be made, as callers are authorised on it.
type creation struct {
	name, path, arn string
	shown           string // the name denials give it; "" = arn
	tags            []Tag
	tagAction       string
}

// creating names an entity to be made, and sets the conditions that its tags
// and boundary make. Tags at creation need the permission to tag besides.
func creating(call *gateway.Call, kind, tagAction, name string, path *string, tags []iam.Tag, boundary *string) (*creation, error) {
	c := &creation{name: name, path: "/", tagAction: tagAction}
	if path != nil {
		c.path = *path
	}
	c.arn = entityARN(call, kind, c.path, name)
	keys := asWritten
	if kind == "user" || kind == "role" {
		keys = anyCase
	}
	var err error
	if c.tags, err = keys.tagsOf(tags); err != nil {
		return nil, err
	}
	tagConditions(call, c.tags)
	if boundary != nil {
		call.Condition("iam:PermissionsBoundary", *boundary)
	}
	return c, nil
}

// ARN implements gateway.Resource.
func (c *creation) ARN() string { return c.arn }

// ShownARN implements gateway.Shown.
func (c *creation) ShownARN() string {
	if c.shown != "" {
		return c.shown
	}
	return c.arn
}

// Further implements gateway.Compound.
func (c *creation) Further() []gateway.Authorization {
	if len(c.tags) == 0 || c.tagAction == "" {
		return nil
	}
	return []gateway.Authorization{{Action: c.tagAction, On: named(c.arn)}}
}

// named is a resource that is nothing but its ARN.
type named string

// ARN implements gateway.Resource.
func (n named) ARN() string { return string(n) }

// entity is the record to be, with a new unique id.
func (c *creation) entity(call *gateway.Call, prefix string) Entity {
	return Entity{
		Name: c.name, Path: c.path, Arn: c.arn, ID: aws.NewUniqueID(prefix, call.Account),
		Created: second(call.Time), Tags: c.tags,
	}
}

// renamed is an entity whose caller must be allowed to change both what it is
// and what it is to be called.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
type renamed[E entityRecord] struct {
	of     E
	action string
	to     string // ARN
}

// entityRecord is *User, *Group or *Role.
type entityRecord interface {
	gateway.Subject
	gateway.Tagged
	gateway.Shown
}

// ARN implements gateway.Resource.
func (r *renamed[E]) ARN() string { return r.of.ARN() }

// ShownARN implements gateway.Shown.
func (r *renamed[E]) ShownARN() string { return r.of.ShownARN() }

// ResourceTags implements gateway.Tagged.
func (r *renamed[E]) ResourceTags() map[string]string { return r.of.ResourceTags() }

// Further implements gateway.Compound.
func (r *renamed[E]) Further() []gateway.Authorization {
	if r.to == r.ARN() {
		return nil
	}
	return []gateway.Authorization{{Action: r.action, On: named(r.to)}}
}

// rename changes name, path, and with them the ARN.
func (e *Entity) rename(call *gateway.Call, kind string, path, name *string) {
	e.Arn = e.renamedARN(call, kind, path, name)
	if path != nil {
		e.Path = *path
	}
	if name != nil {
		e.Name = *name
	}
}

func (e *Entity) renamedARN(call *gateway.Call, kind string, path, name *string) string {
	newPath, newName := e.Path, e.Name
	if path != nil {
		newPath = *path
	}
	if name != nil {
		newName = *name
	}
	return entityARN(call, kind, newPath, newName)
}
