"""Lists entries and creates one with the generated client. Arguments: address, CA certificate, token, name of the entry."""

import json
import ssl
import sys

from claviger_client import AuthenticatedClient
from claviger_client.api.entries import entries_create_entry, entries_get_entry, entries_list_entries
from claviger_client.models import CreateEntryRequestWithGenerate, EntriesListEntriesSortBy

address, ca_certificate, token, name = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca_certificate)
with AuthenticatedClient(base_url=address, token=token, verify_ssl=tls) as client:
    made = entries_create_entry.sync(client=client, body=CreateEntryRequestWithGenerate(name=name, generate=True))
    listed = entries_list_entries.sync(client=client, search=name, sort_by=EntriesListEntriesSortBy.NAME)
    read = entries_get_entry.sync(made.id, client=client)
print(json.dumps({"id": made.id, "listed": [entry.id for entry in listed.items], "name": read.name}))
