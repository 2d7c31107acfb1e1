package policy

import (
	"strings"
	"testing"
)

func TestCheckSaysWhere(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		kind      Kind
		want      Finding
	}{
		{"an unknown element", "{'Statement':[\n {'Effect':'Allow','Acton':'é',\n  'Resource':'*'}]}", Identity, Finding{Message: "Syntax errors in policy. (a statement has no element Acton)", Line: 2, Column: 28}},
		{"no JSON", "{'Version':'2012-10-17',\n'Statement' [", Identity, Finding{Message: "Syntax errors in policy. (this is not JSON)", Line: 2, Column: 13}},
		{"no JSON as trust policy", "x", Trust, Finding{Message: "This policy contains invalid Json (this is not JSON)", Line: 1, Column: 1}},
		{"an element twice", "{'Statement':[],\n 'é':1,'é':2}", Identity, Finding{Message: "Syntax errors in policy. (a name stands twice)", Line: 2, Column: 8}},
		{"the second statement's action", "{'Version':'2012-10-17','Statement':[{" + s3List + "},\n\t{'Effect':'Allow','Action':'Get','Resource':'*'}]}", Identity, Finding{Message: errVendor.Message, Line: 2, Column: 2}},
		{"a Sid twice", "{'Version':'2012-10-17','Statement':[{'Sid':'a'," + s3List + "},\n\n  {'Sid':'a'," + s3List + "}]}", Identity, Finding{Message: errSidUnique.Message, Line: 3, Column: 3}},
		{"a principal in an identity policy", "{'Statement':\n{'Principal':'*'," + s3List + "}}", Identity, Finding{Message: errPrincipal.Message, Line: 2, Column: 1}},
		{"half a document", "{'Statement':", Identity, Finding{Message: "Syntax errors in policy. (the text ends too early)", Line: 1, Column: 14}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Severity, c.want.Code = Error, "SYNTAX_ERROR"
			got := Check([]byte(strings.ReplaceAll(c.doc, "'", `"`)), c.kind)
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("Check = %+v, want %+v", got, c.want)
			}
		})
	}
	if got := Check([]byte(strings.ReplaceAll(statementDoc(s3List), "'", `"`)), Identity); got != nil {
		t.Errorf("Check of a good document = %+v", got)
	}
}

func TestKindOf(t *testing.T) {
	for doc, want := range map[string]Kind{
		statementDoc(s3List):                      Identity,
		statementDoc("'Principal':'*'," + s3List): Resource,
		statementDoc("'Effect':'Allow','Principal':'*','Action':'sts:AssumeRole'"): Trust,
		statementDoc("'Effect':'Allow','Principal':'*','Action':'sns:Publish'"):    Resource,
		statementDoc("'Effect':'Allow','Action':'sts:AssumeRole','Resource':'*'"):  Identity,
		"nothing": Identity,
	} {
		if got := KindOf([]byte(strings.ReplaceAll(doc, "'", `"`))); got != want {
			t.Errorf("KindOf(%s) = %v, want %v", doc, got, want)
		}
	}
}
