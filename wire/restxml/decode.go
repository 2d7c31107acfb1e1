package restxml

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/garrison-security/garrison/aws"
	"github.com/garrison-security/garrison/wire"
)

// decodeXML fills v, a structure of plan p, from the document body, whatever
// its root is called. Namespaces and prefixes are passed over.
func decodeXML(in *wire.Input, body []byte, p *wire.Plan, v reflect.Value, seen *wire.Seen) error {
	d := decoder{in: in, xml: xml.NewDecoder(bytes.NewReader(body))}
	root, err := d.root()
	if err == nil {
		err = d.structure(root, p, v, seen)
	}
	for err == nil {
		var t xml.Token
		if t, err = d.xml.Token(); err == nil {
			err = between(t)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if _, ours := errors.AsType[*aws.Error](err); ours {
		return err
	}
	return wire.ErrMalformedXML
}

type decoder struct {
	in  *wire.Input
	xml *xml.Decoder
}

// root reads up to the root element.
func (d *decoder) root() (xml.StartElement, error) {
	for {
		t, err := d.xml.Token()
		if err != nil {
			return xml.StartElement{}, wire.ErrMalformedXML
		}
		if start, ok := t.(xml.StartElement); ok {
			return start, nil
		}
		if err := between(t); err != nil {
			return xml.StartElement{}, err
		}
	}
}

// between checks what stands where no text may: white space, comments and
// instructions pass, document types and all else do not.
func between(t xml.Token) error {
	switch t := t.(type) {
	case xml.Comment, xml.ProcInst:
		return nil
	case xml.CharData:
		if len(bytes.TrimSpace(t)) == 0 {
			return nil
		}
	}
	return wire.ErrMalformedXML
}

// children calls f at each element within the one that was begun.
func (d *decoder) children(f func(xml.StartElement) error) error {
	for {
		t, err := d.xml.Token()
		if err != nil {
			return wire.ErrMalformedXML
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := f(t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		default:
			if err := between(t); err != nil {
				return err
			}
		}
	}
}

// skip reads to the end of the element that was begun.
func (d *decoder) skip(depth int) error {
	if depth < 0 {
		return wire.Malformed("The request is nested too deeply.")
	}
	for {
		t, err := d.xml.Token()
		if err != nil {
			return wire.ErrMalformedXML
		}
		switch t.(type) {
		case xml.StartElement:
			if err := d.skip(depth - 1); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		case xml.Directive:
			return wire.ErrMalformedXML
		}
	}
}

// text reads all that the element that was begun holds: no elements.
func (d *decoder) text() (string, error) {
	var text []byte
	for {
		t, err := d.xml.Token()
		if err != nil {
			return "", wire.ErrMalformedXML
		}
		switch t := t.(type) {
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			return string(text), nil
		case xml.Comment, xml.ProcInst:
		default:
			return "", wire.ErrMalformedXML
		}
	}
}

func (d *decoder) structure(start xml.StartElement, p *wire.Plan, v reflect.Value, seen *wire.Seen) error {
	var own wire.Seen
	if seen == nil {
		seen = &own
	}
	set, err := d.attributes(start, p, v, seen)
	if err != nil {
		return err
	}
	var flat map[int]*growing
	err = d.children(func(child xml.StartElement) error {
		i := p.Element([]byte(child.Name.Local))
		if i < 0 || p.Fields[i].Member.XMLAttribute {
			if p.Shape.Kind == aws.Union {
				return wire.ErrMalformedXML
			}
			return d.skip(d.in.Room())
		}
		f := &p.Fields[i]
		first := !seen.Mark(i)
		if first {
			set++
		} else if !f.Flat {
			return wire.ErrMalformedXML
		}
		if err := d.in.Enter(f); err != nil {
			return err
		}
		defer d.in.Leave()
		if f.Flat {
			if first {
				if flat == nil {
					flat = map[int]*growing{}
				}
				flat[i] = begin(f.Plan, f.New(v))
			}
			return d.item(child, flat[i])
		}
		if f.Pointer {
			if err := d.in.Spend(f.Plan.Type); err != nil {
				return err
			}
		}
		return d.value(child, f.Member, f.Plan, f.New(v))
	})
	if err != nil {
		return err
	}
	if p.Shape.Kind == aws.Union && set != 1 {
		return wire.ErrMalformedXML
	}
	d.in.Done(p, seen)
	return nil
}

// attributes fills the members that are attributes (xsi:type of S3's Grantee),
// and says how many came.
func (d *decoder) attributes(start xml.StartElement, p *wire.Plan, v reflect.Value, seen *wire.Seen) (set int, err error) {
	for i := range p.Fields {
		f := &p.Fields[i]
		if !f.Member.XMLAttribute {
			continue
		}
		name := f.Member.WireName()
		name = name[strings.IndexByte(name, ':')+1:]
		for _, attr := range start.Attr {
			if attr.Name.Local != name || attr.Name.Space == "xmlns" {
				continue
			}
			if seen.Mark(i) || !wire.SetText(f.Plan.Shape, f.New(v), attr.Value, wire.Format(f.Member, aws.ISO8601)) {
				return 0, wire.ErrMalformedXML
			}
			set++
		}
	}
	return set, nil
}

func (d *decoder) value(start xml.StartElement, m *aws.Member, p *wire.Plan, v reflect.Value) error {
	switch p.Shape.Kind {
	case aws.Structure, aws.Union:
		return d.structure(start, p, v, nil)
	case aws.List, aws.Map:
		g := begin(p, v)
		return d.children(func(child xml.StartElement) error {
			if want := childName(p); child.Name.Local != want {
				return d.skip(d.in.Room())
			}
			return d.item(child, g)
		})
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	if p.Shape.Kind == aws.Blob && !p.Stream {
		blob, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil {
			return wire.ErrMalformedXML
		}
		v.SetBytes(blob)
		return nil
	}
	if p.Shape.Kind != aws.String {
		text = strings.TrimSpace(text)
	}
	if !wire.SetText(p.Shape, v, text, wire.Format(m, aws.ISO8601)) {
		return wire.ErrMalformedXML
	}
	return nil
}

// childName is the element that holds one element of a list or map that is not flat.
func childName(p *wire.Plan) string {
	if p.Shape.Kind == aws.Map {
		return "entry"
	}
	return p.ItemName
}

// growing is a list or map that is being read.
type growing struct {
	plan *wire.Plan
	v    reflect.Value
	n    int
}

func begin(p *wire.Plan, v reflect.Value) *growing {
	if p.Shape.Kind == aws.Map {
		v.Set(reflect.MakeMap(p.Type))
	} else {
		v.Set(reflect.MakeSlice(p.Type, 0, 0))
	}
	return &growing{plan: p, v: v}
}

// item reads one element of a list, or one entry of a map, from the element
// that was begun.
func (d *decoder) item(start xml.StartElement, g *growing) error {
	p, v := g.plan, g.v
	if err := d.in.Spend(p.Elem.Type); err != nil {
		return err
	}
	if p.Shape.Kind == aws.Map {
		return d.entry(p, v)
	}
	if g.n >= v.Cap() {
		v.Grow(max(g.n, 4))
	}
	v.SetLen(g.n + 1)
	g.n++
	if err := d.in.EnterIndex(g.n - 1); err != nil {
		return err
	}
	defer d.in.Leave()
	e := v.Index(g.n - 1)
	e.SetZero()
	if p.ElemPointer {
		e.Set(reflect.New(p.Elem.Type))
		e = e.Elem()
	}
	return d.value(start, p.Shape.Elem, p.Elem, e)
}

func (d *decoder) entry(p *wire.Plan, v reflect.Value) error {
	key := reflect.New(p.Type.Key()).Elem()
	value := reflect.New(p.Type.Elem()).Elem()
	hasKey, hasValue := false, false
	err := d.children(func(child xml.StartElement) error {
		switch {
		case child.Name.Local == p.KeyName && !hasKey:
			hasKey = true
			text, err := d.text()
			key.SetString(text)
			return err
		case child.Name.Local == p.ValueName && !hasValue:
			hasValue = true
			if err := d.in.EnterKey(key.String()); err != nil {
				return err
			}
			defer d.in.Leave()
			e := value
			if p.ElemPointer {
				e.Set(reflect.New(p.Elem.Type))
				e = e.Elem()
			}
			return d.value(child, p.Shape.Elem, p.Elem, e)
		}
		return wire.ErrMalformedXML
	})
	if err != nil {
		return err
	}
	if !hasKey || !hasValue || v.MapIndex(key).IsValid() {
		return wire.ErrMalformedXML
	}
	v.SetMapIndex(key, value)
	return nil
}
