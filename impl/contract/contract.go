package contract

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// The limits of a body in bytes, unless Options says otherwise.
const (
	DefaultMaxBody    = 64 << 20  // bytes
	DefaultMaxBigBody = 256 << 20 // bytes, where a list of ids may be long
)

// Options is what a Contract needs besides the document.
type Options struct {
	// Log gets every 5xx once, with its cause and the operation; other errors only at debug. Nil: nothing is logged.
	Log *slog.Logger
	// MaxBody is how many bytes a body may have; 0 means DefaultMaxBody.
	MaxBody int64
	// MaxBigBody is MaxBody for operations that have a streamed list. Bodies above MaxBody are read one at a time.
	// 0 means DefaultMaxBigBody.
	MaxBigBody int64
	// Guard knows who sends a request. Nil: nobody logs in, and everybody may do everything.
	Guard Guard
	// Observer watches every request that passes Patient. Nil: nobody does.
	Observer Observer
}

// Contract judges requests by a document and writes errors. It is safe for concurrent use.
type Contract struct {
	log        *slog.Logger
	prefix     string
	router     *router
	operations map[string]*operation
	words      map[*openapi3.Schema]wordsByKeyword
	large      turn
	options    Options
	web        *echo.Echo // where it is installed
}

// Load reads a document in YAML or JSON and checks that it is valid OpenAPI.
func Load(document []byte) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("check the contract: %w", err)
	}
	return doc, nil
}

// New makes the contract of a document that Load gave. An operation without an operationId or without roles that may call it,
// an x-error or x-rearm-first that cannot be read, and an x-rearm-stream on something else than a plain array of strings are errors.
func New(doc *openapi3.T, options Options) (*Contract, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.MaxBody == 0 {
		options.MaxBody = DefaultMaxBody
	}
	if options.MaxBigBody == 0 {
		options.MaxBigBody = max(DefaultMaxBigBody, options.MaxBody)
	}
	c := &Contract{log: options.Log, prefix: prefixOf(doc), router: newRouter(doc), large: make(turn, 1), options: options}
	var err error
	if c.operations, err = c.readOperations(doc); err != nil {
		return nil, err
	}
	c.words, err = readWords(doc, c.operations)
	return c, err
}

// prefixOf gives the path of the document's first server, such as /engine-rest.
func prefixOf(doc *openapi3.T) string {
	if len(doc.Servers) == 0 {
		return ""
	}
	path, err := doc.Servers[0].BasePath()
	if err != nil || path == "/" {
		return ""
	}
	return path
}

// Prefix gives the path under which the document's paths stand, without a slash at its end.
func (c *Contract) Prefix() string { return c.prefix }

// Install sets all that belongs to the whole server: the error handler, the reader of bodies, and what comes before routing.
func (c *Contract) Install(e *echo.Echo) {
	c.web = e
	e.HTTPErrorHandler = c.Write
	e.JSONSerializer = serializer{}
	e.Pre(c.recover, c.paths)
}

// Middlewares gives for each operationId what its requests pass before its handler (RegisterHandlersOptions.OperationMiddlewares).
func (c *Contract) Middlewares() map[string][]echo.MiddlewareFunc {
	all := make(map[string][]echo.MiddlewareFunc, len(c.operations))
	for id, o := range c.operations {
		all[id] = []echo.MiddlewareFunc{o.middleware}
	}
	return all
}
