package policy

import (
	"slices"
	"testing"
)

func TestStatementsStandWhereAWSSaysTheyDo(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []Position // begin, end …
	}{
		{"alone (AWS CLI, simulate-custom-policy)",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`,
			[]Position{{1, 38}, {1, 167}}},
		{"alone, spaced (LocalStack's record of AWS, 2025-04-21)",
			`{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`,
			[]Position{{1, 41}, {1, 113}}},
		{"in a list (AWS CLI, simulate-principal-policy)",
			"{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        {\n            \"Effect\": \"Allow\",\n            \"Action\": [\n                \"codecommit:ListRepositories\"],\n            \"Resource\": \"*\"\n        }\n    ]\n}",
			[]Position{{3, 19}, {9, 10}}},
		{"second in a list, behind an umlaut",
			`{"Id":"ä","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"} , {"Effect":"Deny","Action":"a:b","Resource":"*"}]}`,
			[]Position{{1, 24}, {1, 72}, {1, 72}, {1, 122}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Read([]byte(c.text), Identity)
			if err != nil {
				t.Fatal(err)
			}
			var got []Position
			for i := range d.Statements {
				begin, end := d.Position(i)
				got = append(got, begin, end)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestKeysAreThoseThatAStatementReads(t *testing.T) {
	const statement = `"Statement":{"Effect":"Allow","Action":"a:b","Resource":"arn:aws:a:::${aws:username}/${*}/${ aws:PrincipalTag/Team, 'none'}${",
		"Condition":{"StringLike":{"s3:prefix":["${aws:userid}","$x"]},"Null":{"aws:SourceIp":"true"}}}}`
	for version, want := range map[string][]string{
		`{"Version":"2012-10-17",`: {"aws:username", "aws:PrincipalTag/Team", "s3:prefix", "aws:userid", "aws:SourceIp"},
		`{`:                        {"s3:prefix", "aws:SourceIp"}, // an older version knows no variables
	} {
		d, err := Read([]byte(version+statement), Identity)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(d.Keys(0)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}
