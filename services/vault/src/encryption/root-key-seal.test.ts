import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRootKeyFile } from '@claviger/keyring';
import { loadConfig } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Person, startVault, type VaultBench } from '../../test-support.ts';
import { configSchema } from '../config.ts';
import { createVaultService, type VaultService } from '../service.ts';

let bench: VaultBench;
let admin: Person;
let entryId: string;
let keyFile: string;
let healthUrl: string;

/** Starts the vault in this process, in the place of the killed one. */
async function start(): Promise<VaultService> {
  const node = bench.installation.nodes.find((each) => each.node === 'vault-1')!;
  return createVaultService({ ...loadConfig(configSchema, node.configFile), logLevel: 'error' });
}

beforeAll(async () => {
  bench = await startVault();
  admin = await bench.as({});
  const { entry } = await admin.entries.createEntry({ name: 'kept', secret: 'the secret' });
  entryId = entry!.id;
  keyFile = bench.installation.layout.secret('vault-root-key');
  healthUrl = bench.installation.nodes.find((each) => each.node === 'vault-1')!.healthUrl;
  await bench.installation.kill('vault-1');
  copyFileSync(keyFile, `${keyFile}.kept`);
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const answers = <T>(call: () => Promise<T>) =>
  eventually('the vault answers', () =>
    call().catch((error: { reason: string }) => {
      if (error.reason !== 'unavailable') throw error;
      return undefined;
    }),
  );
/** All rows that a start or a call could generate or overwrite. */
const stored = () =>
  bench.superuser(async (client) => {
    const { rows } = await client.query<{ text: string }>(
      `SELECT string_agg(query_to_xml(format('SELECT * FROM vault.%I', name), true, false, '')::text, '') AS text
         FROM unnest(ARRAY['root_key_canary', 'keks', 'entries', 'entry_versions']) AS name`,
    );
    return rows[0]!.text;
  });

test.each<[string, () => unknown]>([
  ['missing', () => rmSync(keyFile)],
  ['truncated', () => writeFileSync(keyFile, 'ab'.repeat(16), { mode: 0o600 })],
  [
    'another one',
    async () => {
      rmSync(keyFile);
      await createRootKeyFile(keyFile);
    },
  ],
])(
  'H-135 with a root key that is %s the vault is sealed: live, not ready, and nothing is overwritten',
  async (_, damage) => {
    const before = await stored();
    await damage();
    try {
      await using _service = await start();
      const ready = await fetch(`${healthUrl}/ready`);
      expect([ready.status, await ready.text()]).toEqual([503, 'sealed\n']);
      expect((await fetch(`${healthUrl}/live`)).status).toBe(200);
      expect((await answers(() => admin.entries.getEntry({ entryId }))).entry?.name).toBe('kept');
      const stranger = await bench.as({});
      for (const call of [
        () => admin.entries.retrieveEntry({ entryId }),
        () => admin.entries.recoverCandidates({ entryId, reason: 'x' }),
        () => admin.entries.createEntry({ name: 'new', secret: 'x' }),
        () => admin.entries.updateEntry({ entryId, secret: 'x' }),
        // The tenant has no key, and none is created.
        () => stranger.entries.createEntry({ name: 'new', secret: 'x' }),
      ]) {
        await expect(call()).rejects.toMatchObject({ reason: 'sealed' });
      }
      expect(await stored()).toBe(before);
      rmSync(keyFile, { force: true });
      copyFileSync(`${keyFile}.kept`, keyFile);
      // When the right key is available again, the vault unseals itself.
      await eventually('the vault is open', async () => (await fetch(`${healthUrl}/ready`)).ok);
      expect((await admin.entries.retrieveEntry({ entryId })).secret).toBe('the secret');
    } finally {
      rmSync(keyFile, { force: true });
      copyFileSync(`${keyFile}.kept`, keyFile);
    }
  },
);

test('a database with keys and without a canary does not count as empty', async () => {
  await bench.superuser((client) => client.query('CREATE TABLE kept AS SELECT * FROM root_key_canary'));
  await bench.superuser((client) => client.query('DELETE FROM root_key_canary'));
  {
    await using _service = await start();
    expect(await (await fetch(`${healthUrl}/ready`)).text()).toBe('sealed\n');
  }
  await bench.superuser((client) =>
    client.query('INSERT INTO root_key_canary SELECT * FROM kept; DROP TABLE kept'),
  );
});

test('H-123 nothing is decrypted when the record of a disclosure cannot be written', async () => {
  await using service = await start();
  expect((await answers(() => admin.entries.retrieveEntry({ entryId }))).secret).toBe('the secret');
  const { secrets } = service.deps;
  const before = secrets.decryptions;
  await bench.superuser((client) =>
    client.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()`),
  );
  for (const call of [
    () => admin.entries.retrieveEntry({ entryId }),
    () => admin.entries.recoverCandidates({ entryId, reason: 'x' }),
  ]) {
    await expect(call()).rejects.toMatchObject({ reason: 'audit_unavailable' });
  }
  await bench.superuser((client) => client.query('DROP FUNCTION refuse CASCADE'));
  // Refusals and failed records decrypt nothing.
  const stranger = await bench.as({});
  await expect(stranger.entries.retrieveEntry({ entryId })).rejects.toMatchObject({ reason: 'not_found' });
  expect(secrets.decryptions).toBe(before);
  await admin.entries.retrieveEntry({ entryId });
  expect(secrets.decryptions).toBe(before + 1);
});
