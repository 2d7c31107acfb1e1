package main

// resourceType is a kind of resource in the Service Authorization Reference.
type resourceType struct {
	ARN           string
	ConditionKeys []string
}

// actionResource is a kind of resource that an action applies to.
type actionResource struct {
	Type             string
	Required         bool
	ConditionKeys    []string
	DependentActions []string
}
