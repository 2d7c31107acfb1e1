// Package post reads what browsers send to S3: a form (multipart/form-data)
// with the fields of an upload, of which a policy says what they may be, and
// behind them the file. It knows nothing of who signed the policy.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
package post
