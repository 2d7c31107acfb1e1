package kms

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/garrison-security/garrison/api/kms"
	"github.com/garrison-security/garrison/gateway"
	"github.com/garrison-security/garrison/service/kms/material"
	"github.com/garrison-security/garrison/store"
)

// managedServices are the services that have an AWS managed key, by the alias's
// name: through which service it is used, and what it is said to protect.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
var managedServices = map[string]struct{ via, protects string }{
	"acm": {"acm", "ACM private keys"}, "backup": {"backup", "Backup vaults"}, "dynamodb": {"dynamodb", "DynamoDB tables"},
	"ebs": {"ec2", "EBS volumes"}, "elasticfilesystem": {"elasticfilesystem", "EFS filesystems"}, "kinesis": {"kinesis", "Kinesis streams"},
	"lambda": {"lambda", "Lambda functions"}, "rds": {"rds", "RDS database volumes"}, "redshift": {"redshift", "Redshift clusters"},
	"s3": {"s3", "S3 objects"}, "secretsmanager": {"secretsmanager", "Secrets Manager data"}, "sns": {"sns", "SNS data"},
	"sqs": {"sqs", "SQS messages"}, "ssm": {"ssm", "SSM parameters"},
}

// managedPolicy is the policy of a service's AWS managed key: everyone of the
// account may use it, through the service alone.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
func managedPolicy(partition, region, account, alias, via string) (*Document, error) {
	type statement struct {
		Sid       string
		Effect    string
		Principal map[string]string
		Action    []string
		Resource  string
		Condition map[string]map[string]string `json:",omitempty"`
	}
	text, err := json.Marshal(struct {
		Version, Id string
		Statement   []statement
	}{"2012-10-17", "auto-" + strings.ReplaceAll(strings.TrimPrefix(alias, "alias/aws/"), "/", "-") + "-2", []statement{
		{
			"Allow access through " + via + " for all principals in the account that are authorized to use it", "Allow", map[string]string{"AWS": "*"},
			[]string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"}, "*",
			map[string]map[string]string{"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": via + "." + region + ".amazonaws.com"}},
		},
		{
			"Allow direct access to key metadata to the account", "Allow", map[string]string{"AWS": "arn:" + partition + ":iam::" + account + ":root"},
			[]string{"kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"}, "*", nil,
		},
	}})
	return &Document{Text: string(text)}, err
}

// newManaged is the AWS managed key that an alias is reserved for, not yet
// stored; nil for an alias that is reserved for none.
func newManaged(call *gateway.Call, alias string) (*Key, error) {
	of, ok := managedServices[strings.TrimPrefix(alias, reservedAliases)]
	if !ok || !strings.HasPrefix(alias, reservedAliases) {
		return nil, nil
	}
	now := second(call.Time)
	k := &Key{
		Account: call.Account, Region: call.Region, Manager: kms.KeyManagerTypeAws, Created: now, Spec: material.Symmetric,
		Usage: kms.KeyUsageTypeEncryptDecrypt, Origin: kms.OriginTypeAwsKms, State: kms.KeyStateEnabled,
		Description: "Default key that protects my " + of.protects + " when no other key is defined",
		Rotation:    Rotation{Enabled: true, Period: defaultPeriod, Next: now.Add(defaultPeriod * day)},
	}
	k.newID(call)
	var err error
	k.Policy, err = managedPolicy(call.Partition, call.Region, call.Account, alias, of.via)
	return k, err
}

// ensureManaged makes the AWS managed key that an alias is reserved for, if there is none.
func (s *Service) ensureManaged(call *gateway.Call, alias string) error {
	_, err := aliases.Get(call.Tx, call.Account, call.Region, alias)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	k, err := newManaged(call, alias)
	if err != nil || k == nil {
		return err
	}
	return s.storeManaged(call, k, alias)
}

// storeManaged stores an AWS managed key and its alias.
func (s *Service) storeManaged(call *gateway.Call, k *Key, alias string) error {
	secret, err := material.Generate(k.Spec)
	if err != nil {
		return err
	}
	defer clear(secret)
	if err := s.newMaterial(call.Tx, k, secret, Material{}); err != nil {
		return err
	}
	k.Aliases = []string{alias}
	if err := k.save(call.Tx); err != nil {
		return err
	}
	a := &Alias{Name: alias, KeyID: k.ID, Created: k.Created, Updated: k.Created}
	if err := aliases.Insert(call.Tx, k.Account, a, k.Region, alias); err != nil {
		return err
	}
	return note(call.Tx, k, "CreateKey", call.Time)
}
