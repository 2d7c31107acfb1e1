package cbor

import (
	"testing"

	"github.com/garrison-security/garrison/internal/shared"
	"github.com/garrison-security/garrison/wire/cbor/testdata/vectors"
)

// TestVectors decodes every request of Smithy's and botocore's suites for rpcv2Cbor.
func TestVectors(t *testing.T) {
	var models []vectors.Model
	for name, model := range map[string]string{
		"plain": "RpcV2Protocol", "compatible": "QueryCompatibleRpcV2Protocol", "incompatible": "NonQueryCompatibleRpcV2Protocol",
	} {
		models = append(models, vectors.Model{Package: name, Suite: -1,
			Path:  shared.Path(t, "data/protocol-tests/smithy/"+model+".model.json"),
			Cases: shared.Path(t, "data/protocol-tests/smithy/"+model+".requests.json")})
	}
	for name, file := range map[string]string{
		"botoplain": "smithy-rpc-v2-cbor", "botocompatible": "smithy-rpc-v2-cbor-query-compatible", "botoincompatible": "smithy-rpc-v2-cbor-non-query-compatible",
	} {
		models = append(models, vectors.Model{Package: name, Suite: -1,
			Path:  shared.Path(t, "data/protocol-tests/models/"+file+".json"),
			Cases: shared.Path(t, "data/protocol-tests/input/"+file+".json")})
	}
	// Models in c2j form know no defaults, which a server would fill in.
	vectors.Generated(t, "cbor", models, `map[string]map[string]any{
		"RpcV2CborServerPopulatesDefaultsWhenMissingInRequestBody": {"defaults": map[string]any{}},
	}`)
}
