/** Lists entries and creates one with the generated types. Arguments: address, token, name of the entry. */
import createClient from 'openapi-fetch';
import type { paths } from './claviger.d.ts';

const [baseUrl, token, name] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const made = await client.POST('/api/v1/vault/entries', { body: { name, generate: true } });
if (made.error) throw new Error(made.error.detail);
const listed = await client.GET('/api/v1/vault/entries', {
  params: { query: { search: name, sortBy: 'name' } },
});
if (listed.error) throw new Error(listed.error.detail);
const read = await client.GET('/api/v1/vault/entries/{entryId}', {
  params: { path: { entryId: made.data.id } },
});
if (read.error) throw new Error(read.error.detail);
console.log(
  JSON.stringify({
    id: made.data.id,
    listed: listed.data.items.map((entry) => entry.id),
    name: read.data.name,
  }),
);
