package cbor

import (
	"reflect"

	"github.com/garrison-security/garrison/wire"
)

var (
	errDeep     = wire.Malformed("The request is nested too deeply.")
	errDocument = wire.Malformed("A document holds what JSON can't.")
	anyType     = reflect.TypeFor[any]()
)

// skip passes over the item that began with h, of at most depth levels. It must
// be well-formed; what it says does not matter.
func (d *decoder) skip(h head, depth int) error {
	if h.major >= array && h.major <= tag && depth <= 0 {
		return errDeep
	}
	items := 1
	switch h.major {
	case byteText, text:
		_, err := d.bytes(h)
		return err
	case array, object:
		items = int(h.major) - array + 1
		if _, err := d.room(h, items); err != nil {
			return err
		}
	case tag:
		h.arg = 1
	default:
		return nil
	}
	for i := 0; d.more(h, i); i++ {
		for range items {
			item, err := d.head()
			if err != nil {
				return err
			}
			if err := d.skip(item, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// document reads a value of any kind that JSON has too: nil, bool, int64,
// float64, string, []any or map[string]any.
func (d *decoder) document(h head, depth int) (any, error) {
	if err := d.in.Spend(anyType); err != nil {
		return nil, err
	}
	if (h.major == array || h.major == object) && depth <= 0 {
		return nil, errDeep
	}
	switch h.major {
	case unsigned, negative:
		if n, ok := h.integer(); ok {
			return n, nil
		}
		f, _ := h.number()
		return f, nil
	case text:
		b, err := d.bytes(h)
		return string(b), err
	case array:
		return d.documents(h, depth)
	case object:
		return d.documentMap(h, depth)
	case simple:
		if h.null() {
			return nil, nil
		}
		if h.info == simpleTrue || h.info == simpleFalse {
			return h.info == simpleTrue, nil
		}
		if f, ok := h.float(); ok {
			return f, nil
		}
	}
	return nil, errDocument
}

func (d *decoder) documents(h head, depth int) (any, error) {
	if _, err := d.room(h, 1); err != nil {
		return nil, err
	}
	list := []any{}
	for i := 0; d.more(h, i); i++ {
		item, err := d.head()
		if err != nil {
			return nil, err
		}
		value, err := d.document(item, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

func (d *decoder) documentMap(h head, depth int) (any, error) {
	if _, err := d.room(h, 2); err != nil {
		return nil, err
	}
	m := map[string]any{}
	for i := 0; d.more(h, i); i++ {
		name, err := d.name()
		if err != nil {
			return nil, err
		}
		key := string(name)
		if _, twice := m[key]; twice {
			return nil, errDuplicate
		}
		item, err := d.head()
		if err != nil {
			return nil, err
		}
		if m[key], err = d.document(item, depth-1); err != nil {
			return nil, err
		}
	}
	return m, nil
}
