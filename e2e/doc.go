// Package e2e is the product's specification: scripts in testdata, a behaviour
// each, run with AWS's own clients against the real program. Beside testscript's
// commands they have these.
//
//	serve [FLAG…]         start garrison in $WORK/data, on a free port, --engine mem unless told otherwise;
//	                      the scripts' environment is what its export lines say
//	restart, kill9, halt  SIGTERM and start again; SIGKILL and start again; SIGTERM
//	https                 speak TLS from here on, trusting the installation's own authority
//	as NAME               call as root, or with the key that key or assume kept under the name
//	key NAME [USER]       make an access key for a user and keep it
//	assume NAME ROLE-ARN [MEMBER=VALUE…]
//	                      assume a role as who calls now, and keep the session
//	aws ARG…              the AWS CLI
//	sdk SERVICE Operation [Member.Member=VALUE…]
//	                      aws-sdk-go-v2; the answer as JSON, an error as "Code: message"
//	boto FILE             a Python program with boto3
//	set VAR MEMBER.MEMBER what the last JSON answer holds there
//	trail [FLAG…]         garrison trail, a line an event: "alice iam:CreateUser ok"
//	garrison ARG…         the program itself, on $WORK/data
//
// With GARRISON_E2E_ENGINE=postgres, servers that name no engine get a database
// of their own on a PostgreSQL that the tests start.
package e2e
