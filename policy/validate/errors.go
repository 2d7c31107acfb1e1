package validate

import "github.com/garrison-security/garrison/policy"

// Checks whose findings keep a policy from working.
var (
	arnAccountNotAllowed = check(policy.Error, "ARN_ACCOUNT_NOT_ALLOWED",
		"The service {{service}} does not support specifying an account ID in the resource ARN.")
	arnRegionNotAllowed = check(policy.Error, "ARN_REGION_NOT_ALLOWED",
		"The service {{service}} does not support specifying a Region in the resource ARN.")
	dataTypeMismatch = check(policy.Error, "DATA_TYPE_MISMATCH",
		"The text does not match the expected JSON data type {{data_type}}.")
	duplicateKeysWithDifferentCase = check(policy.Error, "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
		"The condition key {{key}} appears more than once with different capitalization in the same condition block. Remove the duplicate condition keys.")
	invalidAction = check(policy.Error, "INVALID_ACTION",
		"The action {{action}} does not exist. Did you mean {{valid_action}}?")
	invalidARNAccount = check(policy.Error, "INVALID_ARN_ACCOUNT",
		"The resource ARN account ID {{account}} is not valid. Provide a 12-digit account ID.")
	invalidARNPrefix = check(policy.Error, "INVALID_ARN_PREFIX",
		"Add the required prefix (arn) to the resource ARN.")
	invalidARNRegion = check(policy.Error, "INVALID_ARN_REGION",
		"The Region {{region}} is not valid for this resource. Update the resource ARN to include a supported Region.")
	invalidARNResource = check(policy.Error, "INVALID_ARN_RESOURCE",
		"Resource ARN does not match the expected ARN format. Update the resource portion of the ARN.")
	invalidARNServiceCase = check(policy.Error, "INVALID_ARN_SERVICE_CASE",
		"Update the service name {{service}} in the resource ARN to use all lowercase letters.")
	invalidConditionDataType = check(policy.Error, "INVALID_CONDITION_DATA_TYPE",
		"The condition value data types do not match. Use condition values of the same JSON data type.")
	invalidConditionKeyFormat = check(policy.Error, "INVALID_CONDITION_KEY_FORMAT",
		"The condition key format is not valid. Use the format service:keyname.")
	invalidConditionMultipleBoolean = check(policy.Error, "INVALID_CONDITION_MULTIPLE_BOOLEAN",
		"The condition key does not support multiple Boolean values. Use a single Boolean value.")
	invalidConditionOperator = check(policy.Error, "INVALID_CONDITION_OPERATOR",
		"The condition operator {{operator}} is not valid. Use a valid condition operator.")
	invalidEffect = check(policy.Error, "INVALID_EFFECT",
		"The effect {{effect}} is not valid. Use Allow or Deny.")
	invalidGlobalConditionKey = check(policy.Error, "INVALID_GLOBAL_CONDITION_KEY",
		"The condition key {{key}} does not exist. Use a valid condition key.")
	invalidPartition = check(policy.Error, "INVALID_PARTITION",
		"The resource ARN for the service {{service}} does not support the partition {{partition}}. Use the supported values: {{partitions}}")
	invalidPolicyElement = check(policy.Error, "INVALID_POLICY_ELEMENT",
		"The policy element {{element}} is not valid.")
	invalidPrincipalFormat = check(policy.Error, "INVALID_PRINCIPAL_FORMAT",
		"The Principal element contents are not valid. Specify a key-value pair in the Principal element.")
	invalidPrincipalKey = check(policy.Error, "INVALID_PRINCIPAL_KEY",
		"The principal key {{principal-key}} is not valid.")
	invalidRegion = check(policy.Error, "INVALID_REGION",
		"The Region {{region}} is not valid. Update the condition value to a suported Region.")
	invalidService = check(policy.Error, "INVALID_SERVICE",
		"The service {{service}} does not exist. Use a valid service name.")
	invalidServiceConditionKey = check(policy.Error, "INVALID_SERVICE_CONDITION_KEY",
		"The condition key {{key}} does not exist in the service {{service}}. Use a valid condition key.")
	invalidServiceInAction = check(policy.Error, "INVALID_SERVICE_IN_ACTION",
		"The service {{service}} specified in the action does not exist. Did you mean {{service2}}?")
	invalidVariableForOperator = check(policy.Error, "INVALID_VARIABLE_FOR_OPERATOR",
		"Policy variables can only be used with String and ARN operators.")
	invalidVersion = check(policy.Error, "INVALID_VERSION",
		"The version {{version}} is not valid. Use one of the following versions: {{versions}}")
	jsonSyntaxError = check(policy.Error, "JSON_SYNTAX_ERROR",
		"Fix the JSON syntax error at index {{index}} line {{line}} column {{column}}.")
	missingAction = check(policy.Error, "MISSING_ACTION",
		"Add an Action or NotAction element to the policy statement.")
	missingARNField = check(policy.Error, "MISSING_ARN_FIELD",
		"Resource ARNs must include at least {{fields}} fields in the following structure: arn:partition:service:region:account:resource")
	missingARNRegion = check(policy.Error, "MISSING_ARN_REGION",
		"Add a Region to the {{service}} resource ARN.")
	missingEffect = check(policy.Error, "MISSING_EFFECT",
		"Add an Effect element to the policy statement with a value of Allow or Deny.")
	missingPrincipal = check(policy.Error, "MISSING_PRINCIPAL",
		"Add a Principal element to the policy statement.")
	missingQualifier = check(policy.Error, "MISSING_QUALIFIER",
		"The request context key {{key}} has multiple values. Use the ForAllValues or ForAnyValue condition key qualifiers in your policy.")
	missingResource = check(policy.Error, "MISSING_RESOURCE",
		"Add a Resource or NotResource element to the policy statement.")
	missingStatement = check(policy.Error, "MISSING_STATEMENT",
		"Add a statement to the policy")
	nullWithIfExists = check(policy.Error, "NULL_WITH_IF_EXISTS",
		"The Null condition operator cannot be used with the IfExists suffix. Update the operator or the suffix.")
	scpSyntaxErrorPrincipal = check(policy.Error, "SCP_SYNTAX_ERROR_PRINCIPAL",
		"SCPs do not support specifying principals. Remove the Principal or NotPrincipal element.")
	uniqueSidsRequired = check(policy.Error, "UNIQUE_SIDS_REQUIRED",
		"Duplicate statement IDs are not supported for this policy type. Update the Sid value.")
	unsupportedActionInPolicy = check(policy.Error, "UNSUPPORTED_ACTION_IN_POLICY",
		"The action {{action}} is not supported for the resource-based policy attached to the resource type {{resourceType}}.")
	unsupportedElementCombination = check(policy.Error, "UNSUPPORTED_ELEMENT_COMBINATION",
		"The policy elements {{element1}} and {{element2}} can not be used in the same statement. Remove one of these elements.")
	unsupportedGlobalConditionKey = check(policy.Error, "UNSUPPORTED_GLOBAL_CONDITION_KEY",
		"The condition key aws:ARN is not supported. Use aws:PrincipalArn or aws:SourceArn instead.")
	unsupportedPrincipal = check(policy.Error, "UNSUPPORTED_PRINCIPAL",
		"The policy type {{policy_type}} does not support the Principal element. Remove the Principal element.")
	unsupportedResourceARNInPolicy = check(policy.Error, "UNSUPPORTED_RESOURCE_ARN_IN_POLICY",
		"The resource ARN is not supported for the resource-based policy attached to the resource type {{resourceType}}.")
	unsupportedSID = check(policy.Error, "UNSUPPORTED_SID",
		"Update the characters in the Sid element to use one of the following character types: [a-z, A-Z, 0-9]")
	unsupportedWildcardInPrincipal = check(policy.Error, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
		"Wildcards (*, ?) are not supported with the principal key {{principal_key}}. Replace the wildcard with a valid principal value.")
	missingBraceInVariable = check(policy.Error, "MISSING_BRACE_IN_VARIABLE",
		"The policy variable is missing a closing curly brace. Add } after the variable text.")
	missingQuoteInVariable = check(policy.Error, "MISSING_QUOTE_IN_VARIABLE",
		"The policy variable default value must begin and end with a single quote. Add the missing quote.")
	unsupportedSpaceInVariable = check(policy.Error, "UNSUPPORTED_SPACE_IN_VARIABLE",
		"A space is not supported within the policy variable text. Remove the space.")
	emptyVariable = check(policy.Error, "EMPTY_VARIABLE",
		"Empty policy variable. Remove the ${ } variable structure or provide a variable within the structure.")
	variableUnsupportedInElement = check(policy.Error, "VARIABLE_UNSUPPORTED_IN_ELEMENT",
		"Policy variables are supported in the Resource and Condition elements. Remove the policy variable {{variable}} from this element.")
	variableUnsupportedInVersion = check(policy.Error, "VARIABLE_UNSUPPORTED_IN_VERSION",
		"To include variables in your policy, use the policy version 2012-10-17 or later.")
	privateIPAddress = check(policy.Error, "PRIVATE_IP_ADDRESS",
		"aws:SourceIp works only for public IP address ranges. The values for condition key aws:SourceIp include only private IP addresses and will not have the desired effect. Update the value to include only public IP addresses.")
	privateNotIPAddress = check(policy.Error, "PRIVATE_NOT_IP_ADDRESS",
		"The values for condition key aws:SourceIp include only private IP addresses and has no effect. aws:SourceIp works only for public IP address ranges. Update the value to include only public IP addresses.")
	policySizeExceedsSCPQuota = check(policy.Error, "POLICY_SIZE_EXCEEDS_SCP_QUOTA",
		"The {{policySize}} characters in the service control policy (SCP) exceed the {{policySizeQuota}} character maximum for SCPs. We recommend that you use multiple granular policies.")
	invalidServicePrincipalFormat = check(policy.Error, "INVALID_SERVICE_PRINCIPAL_FORMAT",
		"The service principal does not match the expected format. Use the format {{expectedFormat}}.")
	missingTagKeyInCondition = check(policy.Error, "MISSING_TAG_KEY_IN_CONDITION",
		"The condition key {{conditionKeyName}} must include a tag key to control access based on tags. Use the format {{conditionKeyName}}tag-key and specify a key name for tag-key.")
	invalidVPCFormat = check(policy.Error, "INVALID_VPC_FORMAT",
		"The VPC identifier in the condition key value is not valid. Use the prefix 'vpc-' followed by 8 or 17 alphanumeric characters.")
	invalidVPCEFormat = check(policy.Error, "INVALID_VPCE_FORMAT",
		"The VPCE identifier in the condition key value is not valid.  Use the prefix 'vpce-' followed by 8 or 17 alphanumeric characters.")
	federatedPrincipalNotSupported = check(policy.Error, "FEDERATED_PRINCIPAL_NOT_SUPPORTED",
		"The policy type does not support a federated identity provider in the principal element. Use a supported principal.")
	unsupportedActionForConditionKey = check(policy.Error, "UNSUPPORTED_ACTION_FOR_CONDITION_KEY",
		"The following actions: {{actions}} are not supported by the condition key {{key}}. The condition will not be evaluated for these actions. We recommend that you move these actions to a different statement without this condition key.")
	unsupportedConditionKeyForServicePrincipal = check(policy.Error, "UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL",
		"The following condition keys are not supported when used with the service principal: {{conditionKeys}}.")
	roleTrustPolicySyntaxErrorNotPrincipal = check(policy.Error, "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL",
		"Role trust policies do not support NotPrincipal. Update the policy to use a Principal element instead.")
	roleTrustPolicyUnsupportedWildcardInPrincipal = check(policy.Error, "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
		`"Principal:" "*" is not supported in the principal element of a role trust policy. Replace the wildcard with a valid principal value.`)
	roleTrustPolicySyntaxErrorResource = check(policy.Error, "ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE",
		"Role trust policies apply to the role that they are attached to. You cannot specify a resource. Remove the Resource or NotResource element.")
	missingActionForConditionKey = check(policy.Error, "MISSING_ACTION_FOR_CONDITION_KEY",
		"The {{actionName}} action must be in the action block to allow setting values for the condition key {{keyName}}. Add {{actionName}} to the action block.")
	invalidFederatedPrincipalSyntaxInRoleTrustPolicy = check(policy.Error, "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY",
		"The principal value specifies a federated principal that does not match the expected format. Update the federated principal to a domain name or a SAML metadata ARN.")
	mismatchedActionForPrincipal = check(policy.Error, "MISMATCHED_ACTION_FOR_PRINCIPAL",
		"The {{actionName}} action is invalid with the following principal(s): {{principalNames}}. Use a SAML provider principal with the sts:AssumeRoleWithSAML action or use an OIDC provider principal with the sts:AssumeRoleWithWebIdentity action. Ensure the provider is Federated if you use either of the two options.")
	missingActionForRolesAnywhereTrustPolicy = check(policy.Error, "MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY",
		"The rolesanywhere.amazonaws.com service principal requires the sts:AssumeRole, sts:SetSourceIdentity, and sts:TagSession permissions to assume a role. Add the missing permissions to the policy.")
	policySizeExceedsRCPQuota = check(policy.Error, "POLICY_SIZE_EXCEEDS_RCP_QUOTA",
		"The {{policySize}} characters in the resource control policy (RCP) exceed the {{policySizeQuota}} character maximum for RCPs. We recommend that you use multiple granular policies.")
	rcpSyntaxErrorPrincipal = check(policy.Error, "RCP_SYNTAX_ERROR_PRINCIPAL",
		`The Principal element contents are not valid. RCPs only support specifying all principals ("*") in the Principal element. The NotPrincipal element is not supported for RCPs.`)
	rcpSyntaxErrorAllow = check(policy.Error, "RCP_SYNTAX_ERROR_ALLOW",
		`RCPs only support specifying all principals ("*") in the Principal element, all resources ("*") in the Resource element, and no Condition element with an effect of Allow.`)
	rcpSyntaxErrorNotAction = check(policy.Error, "RCP_SYNTAX_ERROR_NOTACTION",
		"RCPs do not support the NotAction element. Update to use the Action element.")
	rcpSyntaxErrorAction = check(policy.Error, "RCP_SYNTAX_ERROR_ACTION",
		"RCPs only support specifying select service prefixes in the Action element. Learn more here.")
	missingARNAccount = check(policy.Error, "MISSING_ARN_ACCOUNT",
		"The resource {{resourceName}} in the arn is missing an account id. Please provide a 12 digit account id.")
	invalidKMSKeyValue = check(policy.Error, "INVALID_KMS_KEY_VALUE",
		"The {{key}} condition key value must be a valid KMS key ARN.")
	variableUsageTooPermissive = check(policy.Error, "VARIABLE_USAGE_TOO_PERMISSIVE",
		"The policy variable is not allowed in the condition key {{key}}. We consider the key to be sensitive and policy variables can be evaluated as effective wildcards. Therefore policy variables are not allowed to be used with sensitive keys. Refer to https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html for the list of sensitive keys.")
	wildcardUsageTooPermissive = check(policy.Error, "WILDCARD_USAGE_TOO_PERMISSIVE",
		"The wildcard is not allowed in the condition key {{key}}. We consider the key to be sensitive and wildcards are not allowed to be used with sensitive keys. Refer to https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html for the list of sensitive keys.")
)
