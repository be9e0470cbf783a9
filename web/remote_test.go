package web_test

import (
	"context"
	"fmt"
	"testing"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// The client of the protocol's own library, which speaks its newest revision,
// is let in on its first call, and checks who answers.
func TestRemoteAgentOfTheSDK(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	u := h.account("run")
	asked := 0
	handler, err := sdkauth.NewAuthorizationCodeHandler(&sdkauth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &sdkauth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "SDK", RedirectURIs: []string{landing}, GrantTypes: []string{"authorization_code", "refresh_token"}}},
		RedirectURL: landing, RequestRefreshToken: true, Client: h.browser(),
		AuthorizationCodeFetcher: func(_ context.Context, args *sdkauth.AuthorizationArgs) (*sdkauth.AuthorizationResult, error) {
			asked++
			form := h.send("GET", args.URL, nil).fields(t, "allow")
			form.Set("email", u.Email)
			form.Set("password", passphrase)
			a := h.send("POST", issuer+"/oauth/authorize", form)
			to := a.back()
			if to == "" {
				return nil, fmt.Errorf("%v", a)
			}
			return &sdkauth.AuthorizationResult{Code: parameter(t, to, "code"), State: parameter(t, to, "state"), Iss: parameter(t, to, "iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := sdk.NewClient(&sdk.Implementation{Name: "t", Version: "1"}, nil)
	session, err := c.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: issuer + "/mcp", HTTPClient: h.browser(), OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "execute_task", Arguments: map[string]any{"workspace": own.ws, "task_name": own.task}})
	if err != nil || res.IsError || asked != 1 {
		t.Errorf("%+v, %v, asked %d times", res, err, asked)
	}
}
