import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configSchema as audit } from '../../services/audit/src/config.ts';
import { configSchema as auth } from '../../services/auth/src/config.ts';
import { configSchema as gateway } from '../../services/gateway/src/config.ts';
import { configSchema as vault } from '../../services/vault/src/config.ts';
import { configSchema as workflow } from '../../services/workflow/src/config.ts';
import { root } from './source-files.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
}

/** The leaves of a schema with their dotted paths. */
function leaves(schema: Schema, path = ''): [path: string, schema: Schema][] {
  if (schema.properties === undefined) return [[path, schema]];
  return Object.entries(schema.properties).flatMap(([key, below]) =>
    leaves(below, path === '' ? key : `${path}.${key}`),
  );
}

/** The keys in the table of a section, with the default column. */
function documented(section: string): Map<string, string> {
  const text = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  const body = text.split(/^## /m).find((part) => part.startsWith(`${section}\n`));
  const rows = (body ?? '').matchAll(/^\| `([^`]+)` \|.*\| ([^|]*)\|$/gm);
  return new Map([...rows].map((row) => [row[1]!, row[2]!.trim()]));
}

const every = documented('Every service');
const stateful = documented('Every service that keeps state');

test.each(Object.entries({ auth, vault, workflow, audit, gateway }))(
  'docs/configuration.md names every key of %s, no other one, and its default',
  (service, schema) => {
    const page = new Map([...every, ...(service === 'gateway' ? [] : stateful), ...documented(service)]);
    const known = leaves(schema.toJSONSchema({ io: 'input' }) as Schema);
    expect([...page.keys()].sort()).toEqual(known.map(([path]) => path).sort());
    for (const [path, { default: value }] of known) {
      if (value === undefined || path === 'replicas') continue;
      const text = Array.isArray(value) ? JSON.stringify(value) : String(value);
      expect(page.get(path), `the default of ${path}`).toBe(`\`${text}\``);
    }
  },
);
