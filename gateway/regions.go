package gateway

import (
	"errors"

	"github.com/garrison-security/garrison/aws"
)

// partition is one of AWS's partitions: where global services live, and its Regions.
type partition struct {
	global  string
	regions []string
}

var partitions = map[string]partition{
	"aws":        {"us-east-1", aws.Regions("aws")},
	"aws-cn":     {"cn-north-1", aws.Regions("aws-cn")},
	"aws-us-gov": {"us-gov-west-1", aws.Regions("aws-us-gov")},
	"aws-eusc":   {"eusc-de-east-1", aws.Regions("aws-eusc")},
}

// Regions are those of a partition; nil for one that is unknown.
func Regions(partition string) []string { return partitions[partition].regions }

func partitionRegions(name string) (regions []string, global string, err error) {
	p, ok := partitions[name]
	if !ok {
		return nil, "", errors.New("gateway: no partition is called " + name)
	}
	return p.regions, p.global, nil
}
