package iam

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/store"
)

// However much comes, goes and is allowed, a quota refuses exactly what exceeds it.
func TestCountIsExact(t *testing.T) {
	p := newPlane(t)
	for _, limit := range []int{1, 63, 64, 100, 1000} {
		noun := fmt.Sprint("noun", limit)
		var ids []string
		for step := range 3 * limit {
			if step%(limit/2+1) == limit/2 {
				limit = max(1, limit+rand.IntN(limit+1)-limit/2)
			}
			p.update(func(tx store.Tx) error {
				if len(ids) > 0 && rand.IntN(3) == 0 {
					i := rand.IntN(len(ids))
					id := ids[i]
					ids = append(ids[:i], ids[i+1:]...)
					return uncount(tx, testAccount, noun, id)
				}
				id := fmt.Sprint("id", step)
				err := count(tx, testAccount, noun, id, "Things", limit)
				if _, exceeded := errors.AsType[*iam.LimitExceededException](err); exceeded != (len(ids) >= limit) {
					t.Fatalf("with %d of %d: %v", len(ids), limit, err)
				} else if exceeded {
					return nil
				}
				ids = append(ids, id)
				return err
			})
		}
		p.update(func(tx store.Tx) error {
			if n, err := counted(tx, testAccount, noun); n != len(ids) || err != nil {
				t.Errorf("counted %d, %v, want %d", n, err, len(ids))
			}
			return nil
		})
	}
}

// Many callers make users and attach one policy at once, and none is sent away.
func TestMakingManyAtOnce(t *testing.T) {
	p := newPlane(t, func(o *Options) { o.Quotas.Users = 64 * 10 })
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for j := range 10 {
				name := fmt.Sprintf("u-%d-%d", i, j)
				if got := try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: name}); got != "" {
					t.Error(got)
					return
				}
				if got := try(p, p.root, iam.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: readOnly}); got != "" {
					t.Error(got)
					return
				}
			}
		})
	}
	all.Wait()
	if got := try(p, p.root, iam.CreateUser, &iam.CreateUserInput{UserName: "one-more"}); got != "LimitExceededException: Cannot exceed quota for UsersPerAccount: 640" {
		t.Errorf("CreateUser = %s", got)
	}
	if n := *call(p, p.root, iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: readOnly}).Policy.AttachmentCount; n != 640 {
		t.Errorf("%d attachments", n)
	}
}
