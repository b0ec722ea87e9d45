import { randomUUID } from 'node:crypto';
import { decryptSecret, encryptSecret, fileRootKeyProvider, type Kek, openKek } from '@claviger/keyring';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Person, startVault, type VaultBench } from '../../test-support.ts';

const failpoints = [
  'vault.kek.key_stored=crash@1',
  'vault.kek.activated=crash@1',
  'vault.kek.batch_start=crash@2',
  'vault.kek.mid_batch=crash@3',
  'vault.kek.batch_end=crash@5',
  'vault.kek.retire=crash@1',
];

/**
 * Tests the rotation of a KEK with this number of entries, in batches of this size (at least six batches).
 */
export function kekRotation(entries: number, batchSize: number): void {
  let bench: VaultBench;
  let person: Person;
  let other: Person;
  const secrets = new Map<string, string>();

  beforeAll(async () => {
    bench = await startVault({
      overrides: {
        vault: { encryption: { kekGraceSeconds: 0.5, leaseSeconds: 2, checkIntervalSeconds: 1, batchSize } },
      },
    });
    person = await bench.as({});
    other = await bench.as({});
    const { entry } = await person.entries.createEntry({
      name: 'first',
      type: 'password',
      secret: 'of the first',
    });
    secrets.set(entry!.id, 'of the first');
    await other.entries.createEntry({ name: 'theirs', type: 'password', secret: 'of the other' });
    await bench.superuser(storeMany);
  });
  afterAll(async () => bench?.[Symbol.asyncDispose]());

  const rootKey = () => fileRootKeyProvider({ path: bench.installation.layout.secret('vault-root-key') });

  async function openedKeks(
    client: pg.Client,
    tenantId: string,
  ): Promise<Map<string, Kek & { state: string }>> {
    const provider = await rootKey();
    const { rows } = await client.query('SELECT * FROM keks WHERE tenant_id = $1', [tenantId]);
    const opened = new Map<string, Kek & { state: string }>();
    for (const row of rows) {
      const kek = await openKek(provider, row.wrapped, { tenantId, kekId: row.id, version: row.version });
      opened.set(row.id, Object.assign(kek, { state: row.state }));
    }
    return opened;
  }

  /** Inserts entries as the vault stores them, in one statement. */
  async function storeMany(client: pg.Client): Promise<void> {
    const { tenantId } = person.actor;
    const [kek] = [...(await openedKeks(client, tenantId)).values()];
    const ids = Array.from({ length: entries - 1 }, () => randomUUID());
    const sealed = ids.map((entryId) => {
      secrets.set(entryId, `secret of ${entryId}`);
      const of = { tenantId, entryId, version: 1, purpose: 'password', kekId: kek!.kekId };
      return encryptSecret(kek!, Buffer.from(`secret of ${entryId}`), of);
    });
    await client.query(
      `INSERT INTO entries (tenant_id, id, name, type, current_version, created_by)
     SELECT $1, id, id::text, 'password', 1, 'test' FROM unnest($2::uuid[]) AS id`,
      [tenantId, ids],
    );
    await client.query(
      `INSERT INTO entry_versions (tenant_id, entry_id, version, state, purpose, kek_id, cek_id, wrapped_cek, iv, ciphertext,
       tag, commitment, blob_sha256, created_by)
     SELECT $1, id, 1, 'current', 'password', $2, cek, w, iv, c, t, k, b, 'test'
     FROM unnest($3::uuid[], $4::uuid[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[])
       AS r (id, cek, w, iv, c, t, k, b)`,
      [
        tenantId,
        kek!.kekId,
        ids,
        ...(['dekId', 'wrappedDek', 'iv', 'ciphertext', 'tag', 'commitment', 'blobSha256'] as const).map(
          (column) => sealed.map((each) => each[column]),
        ),
      ],
    );
  }

  /** Decrypts every secret with only the database and the root key. Returns the states of the KEKs in use. */
  async function openEverything(): Promise<Set<string>> {
    return bench.superuser(async (client) => {
      const { tenantId } = person.actor;
      const keks = await openedKeks(client, tenantId);
      const { rows } = await client.query('SELECT * FROM entry_versions WHERE tenant_id = $1', [tenantId]);
      const states = new Set<string>();
      let opened = 0;
      for (const row of rows) {
        const kek = keks.get(row.kek_id)!;
        const record = {
          dekId: row.cek_id,
          wrappedDek: row.wrapped_cek,
          iv: row.iv,
          ciphertext: row.ciphertext,
          tag: row.tag,
          commitment: row.commitment,
          blobSha256: row.blob_sha256,
        };
        const ids = {
          tenantId,
          entryId: row.entry_id,
          version: row.version,
          purpose: row.purpose,
          kekId: row.kek_id,
        };
        if (decryptSecret(kek, record, ids).toString() === secrets.get(row.entry_id)) opened += 1;
        states.add(kek.state);
      }
      expect(opened).toBe(secrets.size);
      return states;
    });
  }

  const done = (jobId: string) =>
    eventually('the job ends', async () => {
      const { job } = await person.encryption.getKeyJob({ jobId });
      return ['done', 'failed'].includes(job!.state) && job!;
    });

  test.each(failpoints)(
    'F-06 killed at %s, the rotation of a KEK continues: every entry decrypts, none uses a retired KEK',
    async (point) => {
      bench.arm(point);
      const before = bench.installation.pid('vault-1');
      const { job } = await person.encryption.rotateKek({ reason: 'drill' });
      await expect.poll(() => bench.installation.pid('vault-1'), { timeout: 60_000 }).not.toBe(before);
      expect(await openEverything()).not.toContain('retired');
      bench.arm('');
      await bench.restart();
      const ended = await done(job!.id);
      expect(ended).toMatchObject({ state: 'done', unrecoverable: 0, total: entries, progressPercent: 100 });
      expect([...(await openEverything())]).toEqual(['active']);
      const status = await person.encryption.getEncryptionStatus({});
      expect(status.keys.map((key) => key.state)).toEqual([
        'active',
        ...status.keys.slice(1).map(() => 'retired'),
      ]);
      expect(status.keys[0]).toMatchObject({ id: ended.newKekId, contentKeys: entries });
      expect(status.keys[0]!.wraps).toBeGreaterThanOrEqual(entries);
    },
  );

  test('another tenant keeps its keys, and does not see the job', async () => {
    const status = await other.encryption.getEncryptionStatus({});
    expect(status).toMatchObject({ contentKeys: 1, keys: [{ version: 1, state: 'active', wraps: 1 }] });
    expect(status.latestJob).toBeUndefined();
    const { items } = await person.encryption.listKeyJobs({});
    expect(items).toHaveLength(failpoints.length);
    await expect(other.encryption.getKeyJob({ jobId: items[0]!.id })).rejects.toMatchObject({
      reason: 'not_found',
    });
    await expect(other.encryption.listKeyFindings({ jobId: items[0]!.id })).rejects.toMatchObject({
      reason: 'not_found',
    });
  });

  test('concurrent requests create one job, and no write fails during it', async () => {
    // Not more concurrent writers than the vault has database connections.
    const writing = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = writer; i < 200; i += 8) {
        const secret = `written meanwhile ${i}`;
        const { entry } = await person.entries.createEntry({
          name: `meanwhile ${i}`,
          type: 'password',
          secret,
        });
        secrets.set(entry!.id, secret);
      }
    });
    const asked = await Promise.allSettled([
      person.encryption.rotateKek({ reason: 'one' }),
      person.encryption.rotateKek({ reason: 'two' }),
    ]);
    const got = asked.filter((each) => each.status === 'fulfilled');
    expect(got).toHaveLength(1);
    expect(asked.find((each) => each.status === 'rejected')).toMatchObject({
      reason: { code: 'key_job_in_progress' },
    });
    await Promise.all(writing);
    await done(got[0]!.value.job!.id);
    expect([...(await openEverything())]).toEqual(['active']);
  });

  test('a KEK that has reached its maximum age is rotated without a request', async () => {
    await bench.superuser((client) =>
      client.query(
        `UPDATE keks SET activated_at = now() - interval '91 days' WHERE tenant_id = $1 AND state = 'active'`,
        [other.actor.tenantId],
      ),
    );
    const job = await eventually('the rotation', async () => {
      const { items } = await other.encryption.listKeyJobs({});
      return items[0]?.state === 'done' && items[0];
    });
    expect(job).toMatchObject({ trigger: 'age', kind: 'rotate-kek', rewrapped: 1 });
  });

  test('a leader whose term has ended requests no rotation; the next leader does', async () => {
    const { tenantId } = other.actor;
    // The leader in the database's record when a job is stored.
    await bench.superuser((client) =>
      client.query(`CREATE TABLE asked_by (tenant_id uuid, node text);
      CREATE FUNCTION note_leader() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
      BEGIN INSERT INTO asked_by SELECT NEW.tenant_id, node FROM leader_lease WHERE role = 'vault'; RETURN NEW; END $f$;
      CREATE TRIGGER note_leader BEFORE INSERT ON key_jobs FOR EACH ROW EXECUTE FUNCTION note_leader()`),
    );
    try {
      await bench.superuser((client) =>
        client.query(`DO $f$ BEGIN
        PERFORM raise_leader_term('vault', 'elsewhere');
        UPDATE keks SET activated_at = now() - interval '91 days' WHERE tenant_id = '${tenantId}' AND state = 'active';
      END $f$`),
      );
      const [asked] = await eventually('the next leader', () =>
        bench.superuser(async (client) => {
          const { rows } = await client.query<{ node: string }>(
            'SELECT node FROM asked_by WHERE tenant_id = $1',
            [tenantId],
          );
          return rows.length > 0 && rows;
        }),
      );
      expect(asked!.node).not.toBe('elsewhere');
      await eventually(
        'its end',
        async () => (await other.encryption.listKeyJobs({})).items[0]?.state === 'done',
      );
    } finally {
      await bench.superuser((client) =>
        client.query('DROP FUNCTION note_leader() CASCADE; DROP TABLE asked_by'),
      );
    }
  });

  test('H-133 a lost DEK is reported and never replaced; repair rewraps DEKs under a former KEK', async () => {
    const [broken, missing, outdated] = [...secrets.keys()];
    const before = await bench.superuser(async (client) => {
      const { tenantId } = person.actor;
      await client.query('ALTER TABLE entry_versions DISABLE TRIGGER USER');
      const { rows } = await client.query<{ id: string }>(
        `SELECT id FROM keks WHERE tenant_id = $1 ORDER BY version`,
        [tenantId],
      );
      await client.query(
        `UPDATE entry_versions SET wrapped_cek = '' WHERE tenant_id = $1 AND entry_id = $2`,
        [tenantId, broken],
      );
      await client.query('DELETE FROM entry_versions WHERE tenant_id = $1 AND entry_id = $2', [
        tenantId,
        missing,
      ]);
      // The state after a restore of an older backup: wrapped by a KEK that was retired since.
      const keks = await openedKeks(client, tenantId);
      const former = keks.get(rows[0]!.id)!;
      const ids = { tenantId, entryId: outdated!, version: 1, purpose: 'password', kekId: former.kekId };
      const again = encryptSecret(former, Buffer.from(secrets.get(outdated!)!), ids);
      await client.query(
        `UPDATE entry_versions SET kek_id = $3, cek_id = $4, wrapped_cek = $5, iv = $6, ciphertext = $7, tag = $8,
         commitment = $9, blob_sha256 = $10 WHERE tenant_id = $1 AND entry_id = $2`,
        [
          tenantId,
          outdated,
          former.kekId,
          again.dekId,
          again.wrappedDek,
          again.iv,
          again.ciphertext,
          again.tag,
          again.commitment,
          again.blobSha256,
        ],
      );
      await client.query('ALTER TABLE entry_versions ENABLE TRIGGER USER');
      return client
        .query('SELECT * FROM entry_versions WHERE entry_id = $1', [broken])
        .then((result) => result.rows);
    });
    const { job } = await person.encryption.repairKeys({ reason: 'after a restore' });
    expect(await done(job!.id)).toMatchObject({
      kind: 'repair',
      state: 'done',
      rewrapped: 1,
      unrecoverable: 2,
    });
    const { items } = await person.encryption.listKeyFindings({ jobId: job!.id, sortBy: 'entryName' });
    const found = new Map(items.map((item) => [item.entryId, [item.outcome, item.problem]]));
    expect(found).toEqual(
      new Map([
        [broken, ['unrecoverable', 'malformed']],
        [missing, ['unrecoverable', 'missing_version']],
        [outdated, ['repaired', 'outdated_key']],
      ]),
    );
    const after = await bench.superuser((client) =>
      client
        .query('SELECT * FROM entry_versions WHERE entry_id = $1', [broken])
        .then((result) => result.rows),
    );
    expect(after).toEqual(before);
    const status = await person.encryption.getEncryptionStatus({});
    expect(status.unrecoverable).toBe(2);
    expect(status.advice.join(' ')).toMatch(/backup/);
    const { secret } = await person.entries.retrieveEntry({ entryId: outdated!, reason: 'does it open' });
    expect(secret).toBe(secrets.get(outdated!));
  });

  test('a KEK that wraps a DEK that cannot be decrypted is never retired', async () => {
    const { job } = await person.encryption.rotateKek({ reason: 'with a broken one' });
    expect(await done(job!.id)).toMatchObject({ state: 'done', unrecoverable: 1 });
    const { keys } = await person.encryption.getEncryptionStatus({});
    expect(keys.slice(0, 2).map((key) => key.state)).toEqual(['active', 'retiring']);
  });
}
