// Package aws is the vocabulary that every room shares: names of resources and
// callers, errors, and the shape of a service's model. It imports nothing of
// ours and holds no behaviour of any one service.
package aws
