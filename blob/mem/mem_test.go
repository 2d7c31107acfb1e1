package mem_test

import (
	"testing"

	"github.com/garrison-security/garrison/blob"
	"github.com/garrison-security/garrison/blob/blobtest"
	"github.com/garrison-security/garrison/blob/mem"
)

func TestContract(t *testing.T) {
	blobtest.Run(t, func(testing.TB) blob.Store { return mem.New() })
}
