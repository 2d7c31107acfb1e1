// Package ec2query is the protocol of EC2: forms in, XML out. It is the query
// protocol's sister and differs from it in how members are named, in lists,
// which are always flat, and in the frame of answers and errors.
package ec2query
