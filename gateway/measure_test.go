package gateway_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/garrison-security/garrison/api/iam"
	"github.com/garrison-security/garrison/gateway"
)

func TestCallsAreCountedByWhatTheyCameTo(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(p.Collectors()...)
	p.post("ALICE", "iam", createForm)
	p.post("MALLORY", "iam", createForm)
	p.post("NOBODY", "iam", createForm)
	p.post("ALICE", "iam", "Action=CreateUser&Version=2010-05-08&UserName=%20")
	p.post("ALICE", "iam", "Action=CreateVirtualMFADevice&Version=2010-05-08&VirtualMFADeviceName=m")
	p.post("ALICE", "sqs", "Action=ListQueues&Version=2012-11-05")
	p.post("ALICE", "iam", "Action=Made-up-by-a-stranger&Version=2010-05-08")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.Metric {
			labels := []string{family.GetName()}
			for _, label := range m.Label {
				labels = append(labels, label.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"garrison_calls_total  not_implemented ": 1, "garrison_calls_total  not_implemented iam": 1, "garrison_calls_total  refused ": 1,
		"garrison_calls_total CreateUser denied iam": 1, "garrison_calls_total CreateUser ok iam": 1,
		"garrison_calls_total CreateUser refused iam": 1, "garrison_calls_total CreateUser unauthenticated iam": 1,
		"garrison_call_seconds ": 2, "garrison_call_seconds iam": 5,
		"garrison_calls_in_flight": 0, "garrison_calls_waiting": 0, "garrison_calls_receiving": 0, "garrison_calls_streaming": 0, "garrison_body_bytes": 0,
	}
	if !maps.Equal(got, want) {
		t.Errorf("measured\n%v, want\n%v", got, want)
	}
}

func TestCountingTakesNoMemory(t *testing.T) {
	p := newPlane(t, service{gateway.Op(iam.CreateUser, userToMake, makeUser)})
	if n := testing.AllocsPerRun(100, gateway.Counting(p.Gateway, "iam", "CreateUser")); n != 0 {
		t.Errorf("counting a call allocates %g times", n)
	}
}
