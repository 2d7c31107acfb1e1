// Package scenario states a request together with every policy that bears on
// it, as people and machines write it down outside a server (a line of JSON, a
// case of an expectation file), and has package policy decide it. It adds to
// the engine what a server's gateway knows: who a principal's name stands for,
// and the condition keys that follow from the request alone.
//
// It is pure: files are read, and answers written, by whoever calls it.
package scenario
