package contract

import (
	"net/url"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// dateFormat is the contract's name for its form of dates (difference 11).
const dateFormat = "date-time-rfc822"

// formats are the validators of the contract's own formats.
var formats = map[string]openapi3.StringFormatValidator{
	dateFormat: openapi3.NewCallbackValidator(func(s string) error {
		_, err := wire.ParseDateTime(s)
		return err
	}),
}

// SchemaOptions are what every judgement by the document needs, also one of answers: the contract's own formats, and errors
// that do not carry the whole value in their words.
func SchemaOptions() []openapi3.SchemaValidationOption {
	return []openapi3.SchemaValidationOption{openapi3.DisableSchemaErrorDetails(), openapi3.WithStringFormatValidators(formats)}
}

// parameterOptions make kin-openapi judge the parameters alone. Defaults stay out, and who is calling is decided elsewhere.
var parameterOptions = &openapi3filter.Options{
	ExcludeRequestBody: true, SkipSettingDefaults: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	SchemaValidationOptions: SchemaOptions(),
}

// bodyOptions make kin-openapi judge the value of a body.
var bodyOptions = append(SchemaOptions(), openapi3.VisitAsRequest())

// judgeParameters makes the query uniform and judges all parameters.
func (o *operation) judgeParameters(ec echo.Context) error {
	query, err := o.normalise(ec.Request())
	if err != nil {
		return err
	}
	path, err := pathParameters(ec)
	if err != nil {
		return err
	}
	input := &openapi3filter.RequestValidationInput{
		Request: ec.Request(), PathParams: path, QueryParams: query, Route: o.route, Options: parameterOptions,
	}
	return openapi3filter.ValidateRequest(ec.Request().Context(), input)
}

// pathParameters gives the values of the path's parameters without escapes: a%2Fb is the id a/b (contract-facts 1.1).
func pathParameters(ec echo.Context) (map[string]string, error) {
	escaped := ec.Request().URL.RawPath != ""
	names, values := ec.ParamNames(), map[string]string{}
	for i, value := range ec.ParamValues() {
		if escaped {
			plain, err := url.PathUnescape(value)
			if err != nil {
				return nil, fault.BadRequest("The path holds a broken escape")
			}
			value = plain
		}
		values[names[i]] = value
	}
	return values, nil
}

// judge has kin-openapi judge the value of a body. A breach is a *flaw; in a streamed list it names the item. null is one even if
// the schema allows it, since that is meant for properties with the same schema (difference 4).
func (b *body) judge(p *parsed) error {
	if p.value == nil {
		return &flaw{keyword: "nullable", schemas: []*openapi3.Schema{b.schema}}
	}
	for _, s := range append(slices.Clip(b.first), b.schema) {
		err := s.VisitJSON(p.value, bodyOptions...)
		if err == nil {
			continue
		}
		f := flawOf(err)
		if f == nil {
			return fault.BadRequest("The body does not fit the contract")
		}
		p.reindex(f)
		return f
	}
	return nil
}
