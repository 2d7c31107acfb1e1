package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

// TestOneOfAHundredWins lets 100 clients make the same user at once.
func TestOneOfAHundredWins(t *testing.T) {
	t.Parallel()
	s, root := serving(t, "--engine", "pebble")
	const crowd = 100
	codes := make(chan string, crowd)
	var ready, all sync.WaitGroup
	ready.Add(crowd)
	for range crowd {
		all.Go(func() {
			client := iam.NewFromConfig(config(s.endpoint, "us-east-1", root, &http.Transport{}))
			ready.Done()
			ready.Wait()
			_, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("alice")})
			if api, ok := errors.AsType[smithy.APIError](err); ok {
				codes <- api.ErrorCode()
			} else {
				codes <- fmt.Sprint(err)
			}
		})
	}
	all.Wait()
	count := map[string]int{}
	for range crowd {
		count[<-codes]++
	}
	if count["<nil>"] != 1 || count["EntityAlreadyExists"] != crowd-1 {
		t.Errorf("they were answered %v", count)
	}
	recorded := map[string]int{}
	for _, e := range recordedEvents(t, s, "--name", "CreateUser") {
		recorded[e.ErrorCode]++
	}
	if recorded[""] != 1 || recorded["EntityAlreadyExistsException"] != crowd-1 {
		t.Errorf("the record holds %v", recorded)
	}
}

// event is what the tests read of a record.
type event struct {
	EventName, ErrorCode, RequestID, RecipientAccountID string
	RequestParameters                                   struct{ UserName string }
	UserIdentity                                        struct{ ARN string }
}

// recordedEvents reads the record with garrison trail.
func recordedEvents(t *testing.T, s *server, filter ...string) (all []event) {
	t.Helper()
	out, complaints, err := garrison(t.Context(), s.dir, append([]string{"trail", "--json"}, filter...)...)
	if err != nil {
		t.Fatalf("garrison trail: %v: %s", err, complaints)
	}
	for line := range strings.Lines(out) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// TestAThousandUsersArePaged makes 1,000 users and lists them by the SDK's
// pages, by the CLI's, and with tokens that were tampered with.
func TestAThousandUsersArePaged(t *testing.T) {
	t.Parallel()
	s, root := serving(t)
	client := iam.NewFromConfig(config(s.endpoint, "us-east-1", root, &http.Transport{MaxIdleConnsPerHost: 32}))
	const users = 1000
	var want []string
	next := make(chan string)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for name := range next {
				if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range users {
		name := fmt.Sprintf("user-%04d", i)
		want = append(want, name)
		next <- name
	}
	close(next)
	all.Wait()

	for _, size := range []int32{0, 1000, 333, 100} {
		var got []string
		in := &iam.ListUsersInput{}
		if size > 0 {
			in.MaxItems = aws.Int32(size)
		}
		for pages := iam.NewListUsersPaginator(client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if size > 0 && len(page.Users) > int(size) || size == 0 && len(page.Users) > 100 {
				t.Errorf("a page of %d holds %d", size, len(page.Users))
			}
			if page.IsTruncated != (page.Marker != nil) {
				t.Errorf("IsTruncated is %t, the marker %v", page.IsTruncated, page.Marker)
			}
			for _, u := range page.Users {
				got = append(got, *u.UserName)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d list %d users, or in another order", size, len(got))
		}
	}

	page, err := client.ListUsers(t.Context(), &iam.ListUsersInput{MaxItems: aws.Int32(10)})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(*page.Marker); i += 7 {
		b := []byte(*page.Marker)
		if b[i] == 'A' {
			b[i] = 'B'
		} else {
			b[i] = 'A'
		}
		if _, err := client.ListUsers(t.Context(), &iam.ListUsersInput{Marker: aws.String(string(b))}); err == nil {
			t.Errorf("a marker with its letter %d altered is taken", i)
		}
	}
	if _, err := client.ListGroups(t.Context(), &iam.ListGroupsInput{Marker: page.Marker}); err == nil {
		t.Error("another operation's marker is taken")
	}
}
