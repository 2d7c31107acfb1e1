package policy

import "testing"

// TestMessages holds the texts of troubleshoot_access-denied, and of January
// 2026, when the policy's ARN was added to explicit denials.
func TestMessages(t *testing.T) {
	const (
		list  = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: s3:ListAllMyBuckets "
		group = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: codedeploy:ListDeployments on resource: arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:x "
	)
	onList := Request{Action: "s3:ListAllMyBuckets", Resource: "*", Principal: principalOf(alice)}
	onGroup := Request{Action: "codedeploy:ListDeployments", Resource: "arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:x", Principal: principalOf(alice)}
	explicit := func(by Kind, id string) Decision { return Decision{Explicit: true, By: by, PolicyID: id} }
	for _, c := range []struct {
		d    Decision
		r    Request
		want string
	}{
		{implicit(Identity), onList, list + "because no identity-based policy allows the s3:ListAllMyBuckets action"},
		{implicit(Identity), onGroup, group + "because no identity-based policy allows the codedeploy:ListDeployments action"},
		{implicit(Boundary), onGroup, group + "because no permissions boundary allows the codedeploy:ListDeployments action"},
		{implicit(Session), onList, list + "because no session policy allows the s3:ListAllMyBuckets action"},
		{implicit(Resource), onGroup, group + "because no resource-based policy allows the codedeploy:ListDeployments action"},
		{implicit(Endpoint), onList, list + "because no VPC endpoint policy allows the s3:ListAllMyBuckets action"},
		{implicit(SCP), onList, list + "because no service control policy allows the s3:ListAllMyBuckets action"},
		{implicit(Trust), Request{Action: "sts:AssumeRole", Resource: opsRole, Principal: principalOf(stranger)},
			"User: arn:aws:iam::444455556666:user/mallory is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ops because no role trust policy allows the sts:AssumeRole action"},
		{explicit(Identity, "inline"), onGroup, group + "with an explicit deny in an identity-based policy"},
		{explicit(Identity, "arn:aws:iam::111122223333:policy/p"), onList, list + "with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/p"},
		{explicit(Resource, "arn:aws:s3:::bucket"), onGroup, group + "with an explicit deny in a resource-based policy"},
		{explicit(Trust, ""), onList, list + "with an explicit deny in the role trust policy"},
		{explicit(Boundary, "arn:aws:iam::111122223333:policy/b"), onList, list + "with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/b"},
		{explicit(Session, ""), onGroup, group + "with an explicit deny in a session policy"},
		{explicit(Endpoint, ""), onGroup, group + "with an explicit deny in a VPC endpoint policy"},
		{explicit(SCP, "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd"), onList,
			list + "with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd"},
		{explicit(RCP, ""), onList, list + "with an explicit deny in a resource control policy"},
		{Decision{Barred: true}, Request{Action: "iam:GetUser", Resource: issuer, Principal: principalOf(federated)},
			"User: arn:aws:sts::111122223333:federated-user/fred is not authorized to perform: iam:GetUser on resource: arn:aws:iam::111122223333:user/issuer"},
		{implicit(Resource), Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/a"}, "User: anonymous is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/a because no resource-based policy allows the s3:GetObject action"},
		{implicit(Resource), Request{Action: "s3:PutObject", Resource: "*", Principal: principalOf("logs.amazonaws.com")}, "User: logs.amazonaws.com is not authorized to perform: s3:PutObject because no resource-based policy allows the s3:PutObject action"},
		{implicit(Resource), Request{Action: "kms:Encrypt", Resource: "arn:aws:kms:eu-west-1:111122223333:key/k", Principal: principalOf(stranger)},
			"User: arn:aws:iam::444455556666:user/mallory is not authorized to perform: kms:Encrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{implicit(Trust), Request{Action: "sts:AssumeRoleWithWebIdentity", Resource: opsRole, Provider: "accounts.google.com"}, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
	} {
		if got := c.d.Message(&c.r); got != c.want {
			t.Errorf("%+v: Message = %q\nwant %q", c.d, got, c.want)
		}
	}
}
