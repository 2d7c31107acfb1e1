package wire

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// Plan binds a shape to the Go type that holds its values. It is made once per
// type, on first use, and never changed, so that no name is looked up by
// reflection while a request is decoded or an answer written.
type Plan struct {
	Shape  *aws.Shape
	Type   reflect.Type // of the value itself, without the pointer that makes it optional
	Fields []Field      // Structure, Union: in the model's order
	Elem   *Plan        // List: of an element; Map: of a value
	Key    *Plan        // Map
	// Names of what a list or map holds in XML and forms: a list's element ("member"), a map's key and
	// value, unless the model has others.
	ItemName, KeyName, ValueName string
	ItemTag, KeyTag              Tag  // of a list's element or a map's value, and of a map's key
	Attributes                   bool // Structure: has members that are attributes
	// ElemPointer: elements are pointers, nil where a sparse list or map holds a null.
	ElemPointer bool
	// Stream: a blob handed on as an io.ReadCloser instead of bytes.
	Stream bool
	// Secret: the value is sensitive by its shape.
	Secret bool

	constraint *constraint
	required   []int          // Fields whose absence the Go value can't show: required scalars
	byName     map[string]int // by the member's own name
	byWire     map[string]int // of members in the body, by XMLName, and by WireName
	payload    int            // index of the field that is the whole body, -1
}

// Field is a structure's member and the struct field that holds it.
type Field struct {
	Member  *aws.Member
	Index   int  // in the struct
	Pointer bool // optional by a pointer
	Plan    *Plan
	Secret  bool   // its value must not be echoed or recorded
	JSONKey []byte // `"name":` under its JSON wire name (awsJson: the member's own)
	RESTKey []byte // the same under its locationName
	Tag     Tag    // of its element; of each of its elements where it is flat
	XMLName string // of its element, and of the query parameter that holds it
	EC2Name string // of the query parameter in ec2's protocol
	Flat    bool   // List, Map: its elements stand without one around them
	Label   string // its name in validation messages and records: the first letter lower
}

// maxMembers bounds the members of one structure; presence is kept in a fixed bitmap.
const maxMembers = 512

// Seen is which fields of a structure came.
type Seen [maxMembers / 64]uint64

// Mark notes field i, and answers whether it had been noted before.
func (s *Seen) Mark(i int) bool {
	old := s[i>>6]
	s[i>>6] = old | 1<<(i&63)
	return old&(1<<(i&63)) != 0
}

// Has says whether field i was noted.
func (s *Seen) Has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }

type planKey struct {
	shape *aws.Shape
	typ   reflect.Type
}

var (
	plansByShape sync.Map // *aws.Shape → *Plan: the first type that a shape was bound to
	plans        sync.Map // planKey → *Plan
	planning     sync.Mutex
)

// PlanOf is the plan of shape for values of type t, which may be a pointer. It
// fails where t does not hold what the shape describes: a fault in generated
// code, never of a caller.
func PlanOf(shape *aws.Shape, t reflect.Type) (*Plan, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if p, ok := plansByShape.Load(shape); ok && p.(*Plan).Type == t {
		return p.(*Plan), nil
	}
	if p, ok := plans.Load(planKey{shape, t}); ok {
		return p.(*Plan), nil
	}
	planning.Lock()
	defer planning.Unlock()
	b := planner{made: map[planKey]*Plan{}}
	p, err := b.plan(shape, t)
	if err != nil {
		return nil, fmt.Errorf("wire: bind shape %s to %s: %w", shape.Name, t, err)
	}
	for key, made := range b.made {
		plans.LoadOrStore(key, made)
		plansByShape.LoadOrStore(key.shape, made)
	}
	return p, nil
}

type planner struct{ made map[planKey]*Plan }

var (
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
	wantedKind = map[aws.ShapeKind]reflect.Kind{
		aws.Structure: reflect.Struct, aws.Union: reflect.Struct, aws.List: reflect.Slice, aws.Map: reflect.Map,
		aws.String: reflect.String, aws.Boolean: reflect.Bool, aws.Integer: reflect.Int32, aws.Long: reflect.Int64,
		aws.Float: reflect.Float32, aws.Double: reflect.Float64,
	}
)

func (b *planner) plan(shape *aws.Shape, t reflect.Type) (*Plan, error) {
	key := planKey{shape, t}
	if p, ok := plans.Load(key); ok {
		return p.(*Plan), nil
	}
	if p := b.made[key]; p != nil {
		return p, nil
	}
	p := &Plan{Shape: shape, Type: t, Secret: shape.Sensitive, payload: -1}
	b.made[key] = p
	if want, ok := wantedKind[shape.Kind]; ok && t.Kind() != want {
		return nil, fmt.Errorf("%s is a %s", t, t.Kind())
	}
	var err error
	switch shape.Kind {
	case aws.Structure, aws.Union:
		err = b.structure(p)
	case aws.List:
		p.ItemName = cmp.Or(shape.Elem.LocationName, "member")
		if p.Elem, p.ElemPointer, err = b.element(shape.Elem, t.Elem()); err == nil {
			p.ItemTag = NewTag(p.ItemName, shape.Elem, p.Elem)
		}
	case aws.Map:
		p.KeyName, p.ValueName = cmp.Or(shape.Key.LocationName, "key"), cmp.Or(shape.Elem.LocationName, "value")
		if p.Key, err = b.plan(shape.Key.Shape, t.Key()); err == nil {
			p.Elem, p.ElemPointer, err = b.element(shape.Elem, t.Elem())
		}
		if err == nil {
			p.KeyTag, p.ItemTag = NewTag(p.KeyName, shape.Key, p.Key), NewTag(p.ValueName, shape.Elem, p.Elem)
		}
	case aws.Timestamp:
		if t != timeType {
			err = fmt.Errorf("a timestamp in %s", t)
		}
	case aws.Blob:
		p.Stream = t.Kind() == reflect.Interface
		if !p.Stream && t != bytesType {
			err = fmt.Errorf("a blob in %s", t)
		}
	}
	if err != nil {
		return nil, err
	}
	p.constraint, err = constrain(shape)
	return p, err
}

func (b *planner) element(m *aws.Member, t reflect.Type) (*Plan, bool, error) {
	pointer := t.Kind() == reflect.Pointer
	if pointer {
		t = t.Elem()
	}
	p, err := b.plan(m.Shape, t)
	return p, pointer, err
}

func (b *planner) structure(p *Plan) error {
	members := p.Shape.Members
	if len(members) > maxMembers {
		return fmt.Errorf("%d members", len(members))
	}
	p.Attributes = slices.ContainsFunc(members, func(m *aws.Member) bool { return m.XMLAttribute })
	p.Fields = make([]Field, len(members))
	p.byName, p.byWire = make(map[string]int, len(members)), make(map[string]int, len(members))
	for i, m := range members {
		sf, ok := p.Type.FieldByName(m.GoName())
		if !ok {
			return fmt.Errorf("no field for member %s", m.Name)
		}
		t := sf.Type
		f := &p.Fields[i]
		*f = Field{Member: m, Index: sf.Index[0], Pointer: t.Kind() == reflect.Pointer, Label: lowerFirst(m.Name),
			JSONKey: jsonKey(m.Name), RESTKey: jsonKey(m.WireName()), Secret: m.Sensitive || m.Shape.Sensitive}
		f.XMLName, f.Flat = elementName(m)
		if f.EC2Name = m.QueryName; f.EC2Name == "" {
			f.EC2Name = upperFirst(m.WireName())
		}
		if f.Pointer {
			t = t.Elem()
		}
		if m.Shape.EventStream {
			// iter.Seq2 of a pointer to the union of events and an error
			if t.Kind() != reflect.Func || t.NumIn() != 1 || t.In(0).Kind() != reflect.Func || t.In(0).NumIn() != 2 {
				return fmt.Errorf("member %s: events in %s", m.Name, t)
			}
			f.Plan = &Plan{Shape: m.Shape, Type: t, payload: -1}
			var err error
			if f.Plan.Elem, err = b.plan(m.Shape, t.In(0).In(0).Elem()); err != nil {
				return fmt.Errorf("member %s: %w", m.Name, err)
			}
		} else {
			var err error
			if f.Plan, err = b.plan(m.Shape, t); err != nil {
				return fmt.Errorf("member %s: %w", m.Name, err)
			}
		}
		f.Tag = NewTag(f.XMLName, m, f.Plan)
		if f.Flat && m.Shape.Kind == aws.List {
			f.Tag = NewTag(f.XMLName, m.Shape.Elem, f.Plan.Elem)
		}
		if m.Required && !f.Pointer && !nillable(t) {
			p.required = append(p.required, i)
		}
		p.byName[m.Name] = i
		if m.Location == aws.InBody {
			p.nameElement(f.XMLName, i)
			p.nameElement(m.WireName(), i)
		}
		if p.Shape.Payload == m.Name {
			p.payload = i
		}
	}
	return nil
}

// nameElement notes that name is member i's. Of two with one name the list has
// it: S3 keeps an old scalar beside some of its lists.
func (p *Plan) nameElement(name string, i int) {
	if old, ok := p.byWire[name]; !ok || !p.Fields[old].Flat {
		p.byWire[name] = i
	}
}

// elementName is the name of the XML element and query parameter of a member.
// A list that is flat by its own shape is named by what it holds, one that is
// flat by the member's trait by the member.
func elementName(m *aws.Member) (name string, flat bool) {
	s := m.Shape
	flat = (m.Flattened || s.Flattened) && (s.Kind == aws.List || s.Kind == aws.Map)
	if s.Kind == aws.List && s.Flattened && !m.Flattened && s.Elem.LocationName != "" {
		return s.Elem.LocationName, true
	}
	return m.WireName(), flat
}

// nillable says whether nil in t means absent.
func nillable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface, reflect.Pointer, reflect.Func, reflect.Chan:
		return true
	}
	return false
}
