import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectNetwork, eventually, type Network, type TestTenant } from '@claviger/testkit';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
});
afterAll(async () => network?.[Symbol.asyncDispose]());

const services = ['auth', 'vault', 'workflow', 'audit'] as const;
const LOCK_NOT_AVAILABLE = '55P03';

interface StoreConfig {
  database: { host: string; port: number; name: string } & Record<string, string>;
}

/** A database session with a role of a service. */
async function as<T>(
  service: string,
  role: 'user' | 'systemUser' | 'ownerUser',
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { database } = JSON.parse(
    readFileSync(join(network.access.dataDir, `config/${service}-1.json`), 'utf8'),
  ) as StoreConfig;
  const passwordFile = {
    user: 'passwordFile',
    systemUser: 'systemPasswordFile',
    ownerUser: 'ownerPasswordFile',
  }[role];
  const client = new pg.Client({
    host: database.host,
    port: database.port,
    database: database.name,
    user: database[role]!,
    password: readFileSync(database[passwordFile]!, 'utf8').trim(),
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe.each(services)('the role of %s', (service) => {
  test('H-111 sees no row of any tenant in any of its tables until a tenant is set', async () => {
    await as(service, 'user', async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p')`,
        [service],
      );
      expect(rows.length).toBeGreaterThan(0);
      for (const { name } of rows) {
        const granted = await client.query(`SELECT has_table_privilege($1, 'SELECT') AS ok`, [
          `${service}.${name}`,
        ]);
        if (!granted.rows[0].ok) continue;
        expect({
          name,
          rows: (await client.query(`SELECT 1 FROM ${service}.${pg.escapeIdentifier(name)} LIMIT 1`))
            .rowCount,
        }).toEqual({ name, rows: 0 });
      }
    });
  });

  test('reaches no other schema', async () => {
    await as(service, 'user', async (client) => {
      for (const other of services.filter((each) => each !== service)) {
        await expect(client.query(`SELECT 1 FROM ${other}.outbox`)).rejects.toMatchObject({ code: '42501' });
      }
    });
  });
});

describe('H-260 the audit log', () => {
  test.each(['user', 'systemUser', 'ownerUser'] as const)(
    'cannot be changed by the %s of audit',
    async (role) => {
      await as('audit', role, async (client) => {
        await client.query(
          `SELECT set_config('app.tenant_id', $1, false), set_config('lock_timeout', '200ms', false)`,
          [tenant.id],
        );
        for (const statement of [
          `UPDATE audit.events SET canonical = 'x'`,
          `UPDATE audit.events SET leaf_hash = sha256('x')`,
          'DELETE FROM audit.events',
          'TRUNCATE audit.events CASCADE',
          `UPDATE audit.tree_heads SET size = 0`,
          'DELETE FROM audit.tree_heads',
          'TRUNCATE audit.tree_heads CASCADE',
        ]) {
          // Waiting for a table lock would block later statements of other tests: fail and retry instead.
          const result = await eventually(() =>
            client.query(statement).then(
              (done) => done.rowCount,
              (error: { code: string }) => {
                if (error.code === LOCK_NOT_AVAILABLE) throw error;
                return 'refused';
              },
            ),
          );
          // Row-level security also applies to the owner, who may see no row; nothing may change in either
          // case.
          expect({ statement, result: result === 0 ? 'refused' : result }).toEqual({
            statement,
            result: 'refused',
          });
        }
      });
    },
  );
});

test('H-124 a flipped bit in any stored field is an integrity error, and other entries still work', async () => {
  const { client } = tenant.admin;
  const [broken, fine] = await Promise.all(
    ['broken', 'fine'].map(
      async (name) =>
        (await client.must('POST', '/api/v1/vault/entries', { name, type: 'note', secret: 'secret' }))
          .id as string,
    ),
  );
  for (const column of ['ciphertext', 'iv', 'tag', 'wrapped_cek', 'commitment']) {
    const flip = () =>
      network.superuser(async (db) => {
        await db.query('SET session_replication_role = replica');
        await db.query(
          `UPDATE vault.entry_versions SET ${column} = set_byte(${column}, 0, get_byte(${column}, 0) # 1) WHERE entry_id = $1`,
          [broken],
        );
      });
    await flip();
    const answer = await client.post(`/api/v1/vault/entries/${broken}/retrieve`, { reason: 'r' });
    expect({ column, status: answer.status, code: answer.body.code }).toEqual({
      column,
      status: 500,
      code: 'integrity_error',
    });
    expect((await client.post(`/api/v1/vault/entries/${fine}/retrieve`, { reason: 'r' })).status).toBe(200);
    await flip();
  }
  expect((await client.post(`/api/v1/vault/entries/${broken}/retrieve`, { reason: 'r' })).status).toBe(200);
});
