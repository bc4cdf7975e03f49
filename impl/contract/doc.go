// Package contract holds requests and answers to the document: it judges a request before a handler sees it, and it is the one
// place that turns an error into a status and a body. It knows the document and no resource.
//
// A program wires it like this:
//
//	doc, err := contract.Load(gen.Document)
//	c, err := contract.New(doc, contract.Options{Log: log})
//	e := echo.New()
//	c.Install(e)
//	gen.RegisterHandlersWithOptions(e, gen.NewStrictHandler(server, nil), gen.RegisterHandlersOptions{
//		BaseURL: c.Prefix(), OperationMiddlewares: c.Middlewares(),
//	})
//	http.Server{Handler: c.Patient(e)}.Serve(contract.Listener(l))
//
// What a request passes, in this order; the file that does it in brackets:
//
//	the observer sees it, before and after        [later.go, record.go]
//	a panic anywhere becomes an error            [recover.go]
//	paths: prefix, engine, slash, 404, 405        [path.go, router.go]
//	who is calling                                [guard.go]
//	whether that caller may                       [guard.go]
//	Accept                                        [accept.go]
//	query parameters made uniform                 [normalise.go]
//	parameters judged by kin-openapi              [validate.go]
//	the body: media type, size, strict JSON       [body.go, limits.go, decode.go, bigbody.go]
//	the body judged by kin-openapi                [validate.go]
//	what the contract does not know left out      [settle.go]
//	the typed body made for the handler           [body.go, bigbody.go]
//
// What goes wrong in any of them, or in the handler, comes to Contract.Write [errors.go], which finds its words in the document
// [words.go] or makes them [flaw.go]. net/http's own errors are made to fit by Listener [listener.go], over TLS together with
// TLSListener [handshake.go].
//
// Defaults of the document are not filled in: an absent value reaches the handler as absent.
//
// Extensions of the document that this package reads:
//
//	x-error on a property or schema: {<keyword>: {type, message, code}}; on an operation: {"<json pointer> <keyword>": {...}},
//	which wins; `*` in a pointer is any index; {value} and {path.<name>} in a message are filled in.
//	x-rearm-role on an operation: the roles that may call it, one or a list; every operation needs it.
//	x-rearm-first on the schema of a body: schemas that say a part of the same, and are judged before it in their order, so that of
//	several mistakes the one is told that they name.
//	x-rearm-stream: true on a property of a body: an array of strings that may be very long and is read item by item.
package contract
