package store

// Shared is an Engine that several processes may have open at the same time.
type Shared interface {
	Engine
	// Shared tells whether others may have it open.
	Shared() bool
}

// IsShared tells whether other processes may have the engine's store open. Where
// none can, nobody has to be kept from doing the same work twice.
func IsShared(e Engine) bool {
	s, ok := e.(Shared)
	return ok && s.Shared()
}

// Clocked is an Engine whose medium has a clock of its own.
type Clocked interface {
	Engine
	// ClockRight tells whether this machine's clock agrees with it, as it did when they were last compared.
	ClockRight() bool
}
