package catalog

import "testing"

func BenchmarkServices(b *testing.B) {
	for b.Loop() {
		readServices()
	}
}

func BenchmarkSections(b *testing.B) {
	for b.Loop() {
		readSections()
	}
}

func BenchmarkOperation(b *testing.B) {
	s := Lookup("ec2")
	for b.Loop() {
		s.Operation("RunInstances")
	}
}

func BenchmarkOperationsOfEC2(b *testing.B) {
	sections()
	for b.Loop() {
		readOperations("ec2")
	}
}
