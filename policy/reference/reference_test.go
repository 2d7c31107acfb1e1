package reference

import "testing"

func TestFacts(t *testing.T) {
	if n := len(Services()); n < 450 {
		t.Errorf("%d services", n)
	}
	s3 := Find("s3")
	get := s3.Action("getobject")
	if get == nil || get.Name != "GetObject" {
		t.Fatalf("s3:getobject = %v", get)
	}
	for _, c := range []struct {
		key  string
		want bool
	}{
		{"s3:ExistingObjectTag/team", true}, {"S3:existingobjecttag/team", true}, {"s3:ExistingObjectTag/", false}, {"s3:prefix", false},
	} {
		if got := s3.Takes(get, c.key); got != c.want {
			t.Errorf("GetObject takes %s = %v", c.key, got)
		}
	}
	for name, kind := range map[string]string{"aws:sourceip": "IPAddress", "aws:PrincipalTag/a": "String", "aws:TagKeys": "ArrayOfString"} {
		if k, ok := Global(name); !ok || k.Type != kind {
			t.Errorf("Global(%s) = %v, %v", name, k, ok)
		}
	}
	if _, ok := Global("aws:PrincipalTag"); ok {
		t.Error("a tag's key without the tag is known")
	}
	if len(Namespace("iam")) == 0 || Find("nosuch") != nil {
		t.Error("namespaces")
	}
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := read(packed); err != nil {
			b.Fatal(err)
		}
	}
}
