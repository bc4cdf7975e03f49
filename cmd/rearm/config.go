package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rearm/impl/auth"
	"rearm/impl/contract"
	"rearm/impl/engine"
	"rearm/impl/poll"
)

// errConfig: the settings contradict themselves or cannot be read.
var errConfig = errors.New("wrong setting")

// Config is every setting of a server. Each is a flag and an environment variable (settings).
type Config struct {
	Listen              string
	DatabaseURL         string
	JobExecutor         bool
	Engine              engine.Settings
	Waiting             poll.Settings
	LockTime            time.Duration
	Auth                auth.Settings
	Insecure            bool
	MaxBody             int64
	MaxBodyRetriesAsync int64
	MaxRequests         int // at the same time
	Rate                int // requests a second of one caller; 0: as many as they like
	Origins             []string
	TLS                 tlsFiles
	LogLevel            slog.Level
	LogFormat           string
	MetricsListen       string // "": beside all else
	OTLPEndpoint        string // "": nothing is traced, unless standardOTLP
	Audit               bool

	standardOTLP bool // OpenTelemetry's own variables say where traces go
}

// defaults gives the settings that nobody has changed.
func defaults() Config {
	c := Config{
		Listen: "127.0.0.1:8080", DatabaseURL: "sqlite:rearm.db", JobExecutor: true, Engine: engine.DefaultSettings(), Waiting: poll.DefaultSettings(),
		LockTime: 10 * time.Second, Auth: auth.DefaultSettings(), MaxBody: contract.DefaultMaxBody, MaxBodyRetriesAsync: contract.DefaultMaxBigBody,
		MaxRequests: 1000, LogLevel: slog.LevelInfo, LogFormat: "text", Audit: true,
	}
	if host, err := os.Hostname(); err == nil {
		c.Engine.NodeName = host
	}
	return c
}

// setting is one row of the table of settings.
type setting struct {
	name  string
	value pflag.Value
	usage string
}

// settings is the table: a flag's name, where its value is kept and how it is read, and what it does. The environment
// variable follows from the name: --job-executor is REARM_JOB_EXECUTOR.
func (c *Config) settings() []setting {
	e := &c.Engine
	return append([]setting{
		{"listen", text(&c.Listen, "host:port"), "where to serve"},
		{"database-url", secret(&c.DatabaseURL), "sqlite:FILE, sqlite::memory: or postgres://..."},
		{"job-executor", toggle(&c.JobExecutor), "run the jobs of batches, and clean up history; without it jobs run only by POST /job/{id}/execute"},
		{"batch-jobs-per-seed", perType(&e.JobsPerSeed, 1<<30), "execution jobs that one run of a batch's seed job makes; 100, or TYPE=100,..."},
		{"invocations-per-batch-job", perType(&e.ItemsPerJob, engine.MaxItemsPerJob), "items that one execution job sets, at most 5000; 1, or TYPE=1,..."},
		{"lock-time", period(&c.LockTime), "after how long PostgreSQL frees the rows of a node that stopped in a transaction"},
		{"batch-poll-time", period(&e.PollTime), "how long a batch's monitor job waits before it looks again"},
		{"max-waiting", count(&c.Waiting.MaxWaiting, 1<<30), "requests of fetchAndLock that may wait for tasks at the same time; others get a 503"},
		{"unique-worker-request", toggle(&c.Waiting.UniqueWorker), "a request that waits for tasks ends an older one of the same worker"},
		{"max-body", size(&c.MaxBody), "the largest body of a request"},
		{"max-body-retries-async", size(&c.MaxBodyRetriesAsync), "the same where a list of ids may be long; above --max-body one at a time is read"},
		{"max-requests", count(&c.MaxRequests, 1<<20), "requests that are answered at the same time, besides those that wait for tasks; others get a 503"},
		{"max-results", bound(&e.MaxResults, 1<<31-2), "the largest page of a list, and then every list needs maxResults; none: lists may be whole"},
		{"rate", bound(&c.Rate, 1<<20), "requests a second of one caller, by name or else by address; more get a 429"},
		{"cors-origins", origins(&c.Origins), "pages of which origins may use this server from a browser; none, or https://HOST,..."},
		{"tls-cert", orNone(&c.TLS.cert, "file"), "serve HTTPS with the certificate in this PEM file, read anew when it changes"},
		{"tls-key", orNone(&c.TLS.key, "file"), "the PEM file with the certificate's key"},
		{"tls-client-ca", orNone(&c.TLS.clientCA, "file"), "only for clients with a certificate that one in this PEM file has signed"},
		{"history-ttl", lifetime(&e.HistoryTTL), "how long ended tasks and their history are kept"},
		{"batch-history-ttl", lifetimes(&e.BatchTTL), "how long ended batches are kept; P5D, or TYPE=P5D,..."},
		{"node-name", text(&e.NodeName, "name"), "the name of this node in the job log"},
		{"log-level", level(&c.LogLevel), "debug, info, warn or error"},
		{"log-format", choice(&c.LogFormat, "text", "json"), "text or json"},
		{"audit", toggle(&c.Audit), "a line in the log for every request that has written something"},
		{"metrics-listen", orNone(&c.MetricsListen, "host:port"), "where to serve /metrics, and only there; none: with all else"},
		{"otlp-endpoint", optional(secret(&c.OTLPEndpoint)), "where to send traces, by OTLP over HTTP, such as http://localhost:4318"},
	}, c.authSettings()...)
}

// prefix begins the name of every environment variable.
const prefix = "REARM_"

// variableOf gives the name of a flag's environment variable; "" for a flag that has none.
func variableOf(f *pflag.Flag) string {
	if len(f.Annotations[prefix]) == 0 {
		return ""
	}
	return f.Annotations[prefix][0]
}

// withVariable gives a flag the environment variable that follows from its name.
func withVariable(f *pflag.Flag) {
	f.Annotations = map[string][]string{prefix: {prefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))}}
}

// flags makes the flags of the settings that a command has.
func (c *Config) flags(name string, names ...string) *pflag.FlagSet {
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SortFlags = false
	for _, s := range c.settings() {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		f := set.VarPF(s.value, s.name, "", s.usage)
		if s.value.Type() == typeBool {
			f.NoOptDefVal = "true"
		}
		withVariable(f)
	}
	return set
}

// parse reads the environment, then args, and checks the result. The error is errConfig, or pflag.ErrHelp after the help.
func (c *Config) parse(p program, set *pflag.FlagSet, args []string) error {
	if err := readFlags(p, set, args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%w: %q is no flag", errConfig, set.Arg(0))
	}
	c.Engine.ExecutorDisabled = !c.JobExecutor
	c.standardOTLP = standardOTLP(p.getenv)
	return c.check()
}

// readFlags sets flags by the environment, then by args; what is no flag stays in the set. The error is errConfig, or
// pflag.ErrHelp after the help.
func readFlags(p program, set *pflag.FlagSet, args []string) error {
	set.SetOutput(p.stderr)
	set.Usage = func() { flagUsage(p.stdout, set.Name(), set) }
	var wrong error
	set.VisitAll(func(f *pflag.Flag) {
		if text := p.variable(f); text != "" && wrong == nil {
			if err := f.Value.Set(text); err != nil {
				wrong = fmt.Errorf("%w: %s: %w", errConfig, variableOf(f), err)
			}
		}
	})
	if err := set.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	return wrong
}

// variable gives the text of a flag's environment variable; "" when it is not set, or empty.
func (p program) variable(f *pflag.Flag) string {
	if name := variableOf(f); name != "" {
		return p.getenv(name)
	}
	return ""
}

// check finds what no single setting can know.
func (c *Config) check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("%w: --listen: %w", errConfig, err)
	}
	if err := c.TLS.check(); err != nil {
		return err
	}
	if err := c.checkSight(); err != nil {
		return err
	}
	if c.MaxBodyRetriesAsync < c.MaxBody {
		return fmt.Errorf("%w: --max-body-retries-async must not be less than --max-body", errConfig)
	}
	return c.checkAuth()
}

// attributes gives all settings for the log, without secrets.
func (c *Config) attributes() []any {
	var list []any
	for _, s := range c.settings() {
		list = append(list, slog.String(strings.ReplaceAll(s.name, "-", "_"), s.value.String()))
	}
	return list
}
