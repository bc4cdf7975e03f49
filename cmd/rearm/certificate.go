package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// certificateCheck is how often the files of the certificate are looked at.
const certificateCheck = 10 * time.Second

// tlsFiles are the PEM files that make a server speak HTTPS; without a certificate it speaks HTTP.
type tlsFiles struct {
	cert, key string
	clientCA  string // whose certificates clients need; "": they need none
}

// check finds what no single one of the settings can know.
func (f tlsFiles) check() error {
	switch {
	case (f.cert == "") != (f.key == ""):
		return fmt.Errorf("%w: --tls-cert and --tls-key need each other", errConfig)
	case f.clientCA != "" && f.cert == "":
		return fmt.Errorf("%w: --tls-client-ca needs --tls-cert and --tls-key", errConfig)
	}
	return nil
}

// read gives what the files hold, in the order certificate, key, authorities.
func (f tlsFiles) read() (all [3][]byte, err error) {
	for i, name := range []string{f.cert, f.key, f.clientCA} {
		if name == "" {
			continue
		}
		if all[i], err = os.ReadFile(name); err != nil {
			return all, err
		}
	}
	return all, nil
}

// certificates has the configuration of TLS that the files make, and makes it anew when they change.
type certificates struct {
	files   tlsFiles
	log     *slog.Logger
	seen    [3][]byte // what the files held when they were looked at last; belongs to Run
	current atomic.Pointer[tls.Config]
}

// newCertificates reads the files; nil if there are none. The error is errConfig: they cannot be read, or do not belong together.
func newCertificates(files tlsFiles, log *slog.Logger) (*certificates, error) {
	if files.cert == "" {
		return nil, nil
	}
	c := &certificates{files: files, log: log}
	if err := c.look(); err != nil {
		return nil, fmt.Errorf("%w: the files of TLS cannot be used: %w", errConfig, err)
	}
	return c, nil
}

// Run looks at the files until ctx ends. It returns nil. Files that cannot be used are said once, and the last ones that could
// be are used on.
func (c *certificates) Run(ctx context.Context) error {
	tick := time.NewTicker(certificateCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := c.look(); err != nil {
			c.log.Error("the new files of TLS cannot be used, the old ones are", slog.Any("error", err))
		}
	}
}

// look takes over what the files hold, if that has changed since the last look.
func (c *certificates) look() error {
	all, err := c.files.read()
	if c.current.Load() != nil && slices.EqualFunc(all[:], c.seen[:], bytes.Equal) {
		return nil
	}
	c.seen = all
	if err != nil {
		return err
	}
	config, err := serverConfig(all)
	if err != nil {
		return err
	}
	c.current.Store(config)
	c.log.Info("certificate", slog.String("subject", config.Certificates[0].Leaf.Subject.String()), slog.Time("not_after", config.Certificates[0].Leaf.NotAfter))
	return nil
}

// serverConfig makes a configuration of what the files hold.
func serverConfig(files [3][]byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(files[0], files[1])
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair}}
	if files[2] == nil {
		return config, nil
	}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	config.SessionTicketsDisabled = true // a session must not outlive the authority that it was made by
	if !config.ClientCAs.AppendCertsFromPEM(files[2]) {
		return nil, errors.New("there is no certificate in the file of --tls-client-ca")
	}
	return config, nil
}

// config gives a configuration that is always the current one.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load(), nil },
	}
}
