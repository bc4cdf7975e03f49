package contract_test

import (
	"testing"

	"rearm/impl/contract"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	for _, row := range []struct {
		url, accept string
		fits        bool
	}{
		{"/a/text", "", true},
		{"/a/text", "*/*", true},
		{"/a/text", "text/plain", true},
		{"/a/text", "text/*", true},
		{"/a/text", "application/json, text/plain, */*", true},
		{"/a/text", "application/json", false},
		{"/a/text", "application/json, */*;q=0", false},
		{"/a/text", "text/plain;q=0, */*", false},
		{"/a", "", true},
		{"/a", "application/json", true},
		{"/a", "Application/JSON; charset=utf-8", true},
		{"/a", "text/html, application/json;q=0.5", true},
		{"/a", "application/hal+json, application/json; q=0.5", true},
		{"/a", "text/html, image/gif, *; q=.2, */*; q=.2", true},
		{"/a", "text/html", false},
		{"/a", "application/xml", false},
		{"/a", "nonsense", false},
	} {
		got := ask(t, e, "GET", thing+row.url, "", "Accept", row.accept)
		if got.ResponseRecorder.Code == 406 == row.fits || !row.fits && got.Type != "NotAcceptableException" {
			t.Errorf("%s with Accept %q: %d %s", row.url, row.accept, got.ResponseRecorder.Code, got.Type)
		}
	}
	if got := ask(t, e, "POST", thing+"/a/unlock", "", "Accept", "text/html"); got.ResponseRecorder.Code != 204 {
		t.Errorf("an operation that answers nothing: %d", got.ResponseRecorder.Code)
	}
}
