package s3

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/garrison-security/garrison/api/s3"
	"github.com/garrison-security/garrison/gateway"
)

// destination is whom a configuration means to notify of what.
type destination struct {
	kind, service, arn string
	missing            string // what AWS says of one that is not there
	events             []s3.Event
	filter             *s3.NotificationConfigurationFilter
}

// destinations are all that a configuration names, in AWS's order.
func destinations(c *s3.NotificationConfiguration) (all []destination) {
	for _, d := range c.QueueConfigurations {
		all = append(all, destination{"Queue", "sqs", d.QueueArn, "The destination queue does not exist", d.Events, d.Filter})
	}
	for _, d := range c.TopicConfigurations {
		all = append(all, destination{"Topic", "sns", d.TopicArn, "The destination topic does not exist", d.Events, d.Filter})
	}
	for _, d := range c.LambdaFunctionConfigurations {
		all = append(all, destination{"CloudFunction", "lambda", d.LambdaFunctionArn,
			"Not authorized to invoke function [" + d.LambdaFunctionArn + "]", d.Events, d.Filter})
	}
	return all
}

// putBucketNotificationConfiguration takes that a bucket notifies nobody. There
// are no queues, topics and functions here, and AWS refuses those that don't exist.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
func (s *Service) putBucketNotificationConfiguration(_ context.Context, call *gateway.Call, _ *onBucket, in *s3.PutBucketNotificationConfigurationInput) (*s3.PutBucketNotificationConfigurationOutput, error) {
	c := in.NotificationConfiguration
	if c == nil {
		return nil, malformedXML()
	}
	all := destinations(c)
	for _, d := range all {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	switch {
	case c.EventBridgeConfiguration != nil:
		return nil, gateway.NotImplemented(call.Operation, "EventBridgeConfiguration")
	case len(all) == 0:
		return nil, nil
	case flag(in.SkipDestinationValidation):
		return nil, gateway.NotImplemented(call.Operation, "SkipDestinationValidation")
	}
	var fields []string
	for i, d := range all {
		n, name := strconv.Itoa(i+1), d.arn
		if d.service == "lambda" {
			name += ", null"
		}
		fields = append(fields, "ArgumentName"+n, name, "ArgumentValue"+n, d.missing)
	}
	return nil, fault(http.StatusBadRequest, "InvalidArgument", "Unable to validate the following destination configurations", fields...)
}

// check refuses what AWS refuses before it looks for the destination.
func (d *destination) check() error {
	if parts := strings.SplitN(d.arn, ":", 6); len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] != d.service || parts[5] == "" {
		return invalidArgument("The ARN could not be parsed", d.kind, d.arn)
	}
	if len(d.events) == 0 {
		return malformedXML()
	}
	if d.filter == nil || d.filter.Key == nil {
		return nil
	}
	for _, rule := range d.filter.Key.FilterRules {
		if rule.Name == nil || rule.Value == nil {
			return malformedXML()
		}
		if name := string(*rule.Name); !strings.EqualFold(name, "prefix") && !strings.EqualFold(name, "suffix") {
			return invalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
		}
	}
	return nil
}

// getBucketNotificationConfiguration says that the bucket notifies nobody.
func (s *Service) getBucketNotificationConfiguration(context.Context, *gateway.Call, *onBucket, *s3.GetBucketNotificationConfigurationInput) (*s3.GetBucketNotificationConfigurationOutput, error) {
	return nil, nil
}
