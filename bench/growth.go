package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// growth measures the same calls in a small account and in a large one.
func (b *bench) growth() error {
	dir, err := os.MkdirTemp("", "garrison-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	small, large := min(10, b.entities), b.entities
	s, err := b.garrison(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer s.kill()
	if err := s.call(root, "iam", "Action", "CreateUser", "UserName", "alice"); err != nil {
		return err
	}
	fmt.Printf("## Growth: users, roles and policies in the account\n\n")
	fmt.Println("| call, 64 connections | of each | CPU µs a call | × the small account |")
	fmt.Println("|---|---|---|---|")
	cost := map[string]float64{}
	from := 0
	for _, entities := range []int{small, large} {
		if err := s.fill(from, entities); err != nil {
			return err
		}
		from = entities
		if err := s.settle(); err != nil {
			return err
		}
		for _, op := range inLarge {
			next, _, err := s.requests(op, 64, b.span)
			if err != nil {
				return err
			}
			f, err := s.measure(64, b.span, next)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			if entities == small {
				cost[op.name] = us(f.cpu)
			}
			fmt.Printf("| %s | %d | %.1f | %.2f |\n", op.name, entities, us(f.cpu), us(f.cpu)/cost[op.name])
		}
	}
	fmt.Println()
	return nil
}

// settle waits, two minutes at most, until the server has nothing left to do,
// so that what the engine compacts after the filling is not measured with the calls.
func (s *server) settle() error {
	before, err := s.cpu()
	for range 120 {
		if err != nil {
			return err
		}
		time.Sleep(time.Second)
		var after time.Duration
		if after, err = s.cpu(); after-before < 30*time.Millisecond {
			break
		}
		before = after
	}
	return err
}

const (
	trustText  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`
	policyText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
)

// fill makes users, roles and policies numbered from..to-1.
func (s *server) fill(from, to int) error {
	var all sync.WaitGroup
	numbers := make(chan int)
	failures := make(chan error, 64)
	for range cap(failures) {
		all.Go(func() {
			c, err := dial(s.addr)
			if err != nil {
				failures <- err
				for range numbers {
				}
				return
			}
			defer c.conn.Close()
			for i := range numbers {
				for _, pairs := range [][]string{
					{"Action", "CreateUser", "UserName", fmt.Sprintf("user-%07d", i)},
					{"Action", "CreateRole", "RoleName", fmt.Sprintf("role-%07d", i), "AssumeRolePolicyDocument", trustText},
					{"Action", "CreatePolicy", "PolicyName", fmt.Sprintf("policy-%07d", i), "PolicyDocument", policyText},
				} {
					request, err := s.query(root, "iam", pairs...)
					if err == nil {
						_, err = c.call(request)
					}
					if err != nil {
						failures <- err
						for range numbers {
						}
						return
					}
				}
			}
		})
	}
	for i := from; i < to; i++ {
		numbers <- i
	}
	close(numbers)
	all.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}
