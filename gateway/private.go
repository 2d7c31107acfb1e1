package gateway

// Private tells whether what the caller sent, and is answered, nobody on the
// way can read: it goes by TLS, over this machine's own loopback, or in process.
// Services ask before they take a secret.
func (c *Call) Private() bool {
	return c.from.secure || !c.from.address.IsValid() || c.from.address.IsLoopback()
}
