package front

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
)

// admits says whether plain HTTP is served between two addresses, whoever a
// proxy speaks for. Of the loopback interface both ends have to be: a packet
// from elsewhere with a loopback address in it is not taken for one of this machine's.
func (p Plain) admits(remote, local netip.Addr, trusted Proxies) bool {
	switch p {
	case PlainAnyone:
		return true
	case PlainLoopback, PlainProxies:
		return remote.IsLoopback() && local.IsLoopback() || p == PlainProxies && trusted.trusts(remote)
	}
	return false
}

const onlyTLS = "This endpoint takes plain HTTP from its own machine alone, if at all: use https:// " +
	"(and AWS_CA_BUNDLE, where its certificate is of its own making), or let it be configured otherwise."

// refusePlain answers whoever speaks plain HTTP where that is not allowed, in
// a form that AWS's clients read and show. The request is neither routed nor
// recorded: what it holds has been seen by the network already and must not
// take effect.
func refusePlain(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	contentType := r.Header.Get("Content-Type")
	if strings.HasPrefix(contentType, "application/x-amz-json") || strings.HasPrefix(contentType, "application/json") {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"__type":"AccessDeniedException","message":%q}`, onlyTLS)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, `<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>`+
		onlyTLS+`</Message></Error><RequestId/></ErrorResponse>`)
}
