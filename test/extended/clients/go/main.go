// Lists entries and creates one with the generated client. Arguments: address, CA certificate, token, name of the entry.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"claviger.example/client/claviger"
)

func main() {
	address, caCertificate, token, name := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	pem, err := os.ReadFile(caCertificate)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("the CA certificate is not PEM")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	bearer := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	client, err := claviger.NewClientWithResponses(address,
		claviger.WithHTTPClient(&http.Client{Transport: transport}), claviger.WithRequestEditorFn(bearer))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	var body claviger.CreateEntryRequest
	if err := body.FromCreateEntryRequestWithGenerate(claviger.CreateEntryRequestWithGenerate{Name: name, Generate: true}); err != nil {
		log.Fatal(err)
	}
	made, err := client.EntriesCreateEntryWithResponse(ctx, &claviger.EntriesCreateEntryParams{}, body)
	if err != nil {
		log.Fatal(err)
	}
	if made.JSON201 == nil {
		log.Fatalf("not created: %s", made.Body)
	}
	order := claviger.EntriesListEntriesParamsSortBy("name")
	listed, err := client.EntriesListEntriesWithResponse(ctx, &claviger.EntriesListEntriesParams{Search: &name, SortBy: &order})
	if err != nil {
		log.Fatal(err)
	}
	if listed.JSON200 == nil {
		log.Fatalf("not listed: %s", listed.Body)
	}
	ids := []string{}
	for _, entry := range listed.JSON200.Items {
		ids = append(ids, entry.Id)
	}
	shown := map[string]any{"id": made.JSON201.Id, "listed": ids, "name": made.JSON201.Name}
	if err := json.NewEncoder(os.Stdout).Encode(shown); err != nil {
		log.Fatal(err)
	}
}
