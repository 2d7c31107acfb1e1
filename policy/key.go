package policy

// keyRef names a condition key in a compiled policy. Well-known keys have an
// id, by which a Context finds them at once; others are found by name.
type keyRef struct {
	id   uint8 // 0: not well known
	hash uint64
	name string
}

// wellKnown are the global keys, and those of STS and IAM that most requests
// carry. A key's id is its place here, from 1.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
var wellKnown = [...]string{
	"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgPaths", "aws:PrincipalOrgID",
	"aws:PrincipalIsAWSService", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:PrincipalType",
	"aws:userid", "aws:username", "aws:AssumedRoot", "aws:FederatedProvider", "aws:TokenIssueTime",
	"aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:ChatbotSourceArn", "aws:Ec2InstanceSourceVpc",
	"aws:Ec2InstanceSourcePrivateIPv4", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpcArn",
	"aws:SourceVpce", "aws:VpceAccount", "aws:VpceOrgPaths", "aws:VpceOrgID", "aws:VpcSourceIp",
	"aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:CalledVia", "aws:CalledViaFirst",
	"aws:CalledViaLast", "aws:CalledViaAWSMCP", "aws:ViaAWSService", "aws:ViaAWSMCPService", "aws:IsMcpServiceAction", "aws:CurrentTime", "aws:EpochTime", "aws:referer",
	"aws:RequestedRegion", "aws:TagKeys", "aws:SecureTransport", "aws:SourceArn", "aws:SourceAccount",
	"aws:SourceOwner", "aws:SourceOrgPaths", "aws:SourceOrgID", "aws:UserAgent",
	"ec2:RoleDelivery", "ec2:SourceInstanceArn", "lambda:SourceFunctionArn", "ssm:SourceInstanceArn",
	"glue:RoleAssumedBy", "glue:CredentialIssuingService", "identitystore:UserId",
	"sts:ExternalId", "sts:RoleSessionName", "sts:TransitiveTagKeys", "sts:SourceIdentity",
	"iam:PassedToService", "iam:AssociatedResourceArn", "iam:PermissionsBoundary", "iam:PolicyARN",
}

// wellKnownSlots is an open-addressed table from a name's hash to its id.
var wellKnownSlots = func() (slots [256]uint8) {
	for i, name := range wellKnown {
		at := hashFold(hashStart, name) % 256
		for slots[at] != 0 {
			at = (at + 1) % 256
		}
		slots[at] = uint8(i + 1)
	}
	return slots
}()

// wellKnownID is the id of the key called name, 0 if it has none.
func wellKnownID(hash uint64, name string) uint8 {
	for at := hash % 256; wellKnownSlots[at] != 0; at = (at + 1) % 256 {
		if id := wellKnownSlots[at]; equalFold(wellKnown[id-1], name) {
			return id
		}
	}
	return 0
}

func (c *compiler) key(name string) keyRef {
	hash := hashFold(hashStart, name)
	if id := wellKnownID(hash, name); id != 0 {
		return keyRef{id: id, hash: hash, name: wellKnown[id-1]}
	}
	return keyRef{hash: hash, name: c.intern(lowerASCII(name))}
}
