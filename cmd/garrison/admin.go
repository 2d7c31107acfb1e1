package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// task is what a subcommand asks of the house: of the server that holds the
// store, or, where none runs, of the store itself. It travels as JSON. What it
// tells goes out line by line, each a JSON value.
type task interface {
	perform(ctx context.Context, h *house, by operator, tell func(line any) error) error
}

// patient is a task that waits for so long, and no longer, for who takes nothing of what it tells.
type patient interface{ patience() time.Duration }

// tasks are those that the admin socket takes, by their paths.
var tasks = map[string]func() task{
	"/1/account/create":  func() task { return new(createAccount) },
	"/1/account/list":    func() task { return new(listAccounts) },
	"/1/trail":           func() task { return new(readTrail) },
	"/1/verify":          func() task { return new(verify) },
	"/1/backup":          func() task { return new(takeBackup) },
	"/1/rotate-root-key": func() task { return new(rotateRootKey) },
}

// line is one line of an answer. The last is the one that ends it.
type line struct {
	Value json.RawMessage `json:"value,omitempty"`
	End   bool            `json:"end,omitempty"`
	Error string          `json:"error,omitempty"`
}

// ask has a task performed and prints what it tells.
func ask(ctx context.Context, io streams, settings House, path string, t task, print func(json.RawMessage) error) error {
	if faults := settings.faults(); len(faults) > 0 {
		return (*configFile)(nil).faultErrors(faults)
	}
	dir := dataDir(settings.Data)
	conn, err := dialSocket(ctx, dir.socket())
	if err == nil {
		return askServer(ctx, conn, path, t, print)
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("admin socket: %w", err)
	}
	if settings.Engine == "mem" {
		return fmt.Errorf("no server runs in %s, and the engine mem keeps nothing", settings.Data)
	}
	h, err := openHouse(ctx, settings, newLog(io.err, "warn", "auto"))
	if err != nil {
		return err
	}
	err = t.perform(ctx, h, thisOperator(), func(value any) error {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		return print(text)
	})
	return errors.Join(err, h.close())
}

// askServer speaks to a server over its admin socket.
func askServer(ctx context.Context, conn net.Conn, path string, t task, print func(json.RawMessage) error) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	defer client.CloseIdleConnections()
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(json.NewEncoder(writer).Encode(t)) }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://garrison"+path, reader)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server that runs here does not know %s", path)
	}
	lines := json.NewDecoder(bufio.NewReader(answer.Body))
	for {
		var l line
		if err := lines.Decode(&l); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errors.New("the server stopped before it had answered")
		}
		if l.End {
			if l.Error != "" {
				return errors.New(l.Error)
			}
			return nil
		}
		if err := print(l.Value); err != nil {
			return err
		}
	}
}

// adminServer answers tasks on the admin socket.
type adminServer struct {
	house *house
	http  *http.Server
	path  string
}

// unserved tells whether another server runs in dir.
func unserved(ctx context.Context, dir dataDir) error {
	conn, err := dialSocket(ctx, dir.socket())
	if err != nil {
		return nil
	}
	conn.Close()
	return fmt.Errorf("a server runs in %s already", dir)
}

type operatorKey struct{}

// listenAdmin opens the socket for the owner alone. One that a killed server
// left behind is removed: whoever holds the store may do so.
func listenAdmin(h *house) (*adminServer, net.Listener, error) {
	path := h.dir.socket()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("admin socket: %w", err)
	}
	listener, err := listenSocket(path)
	if err != nil {
		return nil, nil, fmt.Errorf("admin socket: %w", err)
	}
	s := &adminServer{house: h, path: path}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			by, err := peerOf(c)
			if err != nil {
				h.log.Warn("a connection to the admin socket is refused", "error", err)
				c.Close()
				return ctx
			}
			return context.WithValue(ctx, operatorKey{}, by)
		},
	}
	return s, listener, nil
}

// ServeHTTP implements http.Handler.
func (s *adminServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	by, ok := r.Context().Value(operatorKey{}).(operator)
	if !ok {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	empty := tasks[r.URL.Path]
	if empty == nil || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	t := empty()
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(t); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	control := http.NewResponseController(w)
	out := json.NewEncoder(w)
	err := t.perform(r.Context(), s.house, by, func(value any) error {
		text, err := json.Marshal(value)
		if p, ok := t.(patient); ok && err == nil {
			err = control.SetWriteDeadline(time.Now().Add(p.patience()))
		}
		if err != nil {
			return err
		}
		return errors.Join(out.Encode(line{Value: text}), control.Flush())
	})
	end := line{End: true}
	if err != nil {
		end.Error = err.Error()
	}
	if err := out.Encode(end); err != nil {
		s.house.log.Debug("an operator left before the answer", "error", err)
	}
}

// close ends the socket. Followers of the trail are cut off.
func (s *adminServer) close() {
	s.http.Close()
	os.Remove(s.path)
}
