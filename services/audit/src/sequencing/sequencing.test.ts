import { createPrivateKey, createPublicKey, randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { soleReplica } from '@claviger/cluster';
import * as contract from '@claviger/contracts/cluster/v1/restore';
import { createBus } from '@claviger/events';
import {
  type SignedTreeHead,
  signReceipt,
  verifyConsistency,
  verifyInclusion,
  verifyTreeHead,
} from '@claviger/merkle';
import { baseConfigSchema, createPeers, loadConfig, readSecretFile } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type AuditBench, eventually, silent, startBench, storeSequenced } from '../../test-support.ts';
import { compareWithOutside, startHeadWatch } from './head-watch.ts';
import { openHeadsFile } from './heads-file.ts';
import { headsOnBus } from './heads-on-bus.ts';
import { startLogSequencer } from './log-sequencer.ts';
import { signRestoreMark } from './restore-mark.ts';

let bench: AuditBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
});

const neverRestored = { epoch: () => 0, reportEvidence: () => {} };
const hex = (text: string) => Buffer.from(text, 'hex');
const page = { sortBy: '', sortOrder: '', cursor: '' };

async function allHeads(tenant: string): Promise<SignedTreeHead[]> {
  const heads: SignedTreeHead[] = [];
  const as = await bench.as(tenant);
  let cursor: string | undefined = '';
  while (cursor !== undefined) {
    const answer: Awaited<ReturnType<typeof bench.client.listTreeHeads>> = await bench.client.listTreeHeads(
      { ...page, sortOrder: 'asc', pageSize: 7, cursor },
      as,
    );
    heads.push(...answer.items);
    cursor = answer.nextCursor;
  }
  return heads;
}

test('parallel sequencers make one dense log with one chain of heads, and every proof verifies', async () => {
  const tenant = randomUUID();
  // The service's own process sequences too.
  await using headsFile = await openHeadsFile(
    `${bench.stack.dataDir}/other-heads.jsonl`,
    silent,
    bench.keys.treeHeadPublic,
  );
  const deps = {
    ...bench,
    headsFile,
    logger: silent,
    batchSize: 16,
    intervalMs: 20,
    cluster: soleReplica(silent),
    reportAnomaly: () => {},
    restore: neverRestored,
    onSequenced: () => {},
  };
  await using _one = startLogSequencer(deps, new Map());
  await using _two = startLogSequencer(deps, new Map());
  const ids: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const written = await Promise.all(Array.from({ length: 4 }, () => bench.record(tenant, 15)));
    ids.push(...written.flat());
  }
  await bench.sequenced(tenant, 360);

  const rows = await bench.superuser(
    'SELECT event_id, sequence FROM events WHERE tenant_id = $1 ORDER BY sequence',
    [tenant],
  );
  expect(rows.map((row) => row.sequence)).toEqual(Array.from({ length: 360 }, (_, i) => i));
  expect(rows.map((row) => row.event_id as string).toSorted()).toEqual(ids.toSorted());
  const heads = await allHeads(tenant);
  expect(heads.at(-1)?.size).toBe(360);
  for (const [i, head] of heads.entries()) {
    expect(verifyTreeHead(head, [bench.keys.treeHeadPublic])).toBe(true);
    if (i > 0) expect(head.previousRootHash).toBe(heads[i - 1]!.rootHash);
  }

  const as = await bench.as(tenant);
  for (let n = 0; n < 20; n += 1) {
    const first = heads[randomInt(heads.length)]!;
    const second = heads[randomInt(heads.length)]!;
    const [small, large] = first.size <= second.size ? [first, second] : [second, first];
    const { proof } = await bench.client.getConsistencyProof({ first: small.size, second: large.size }, as);
    const claim = {
      first: small.size,
      second: large.size,
      firstRoot: hex(small.rootHash),
      secondRoot: hex(large.rootHash),
      proof: proof.map(hex),
    };
    expect(verifyConsistency(claim)).toBe(true);

    const index = randomInt(small.size);
    const included = await bench.client.getInclusionProof(
      { eventId: rows[index]!.event_id as string, treeSize: large.size },
      as,
    );
    expect(included.sequence).toBe(index);
    expect(included.treeHead).toEqual(large);
    expect(
      verifyInclusion({
        leafHash: hex(included.leafHash),
        index,
        size: large.size,
        proof: included.proof.map(hex),
        root: hex(large.rootHash),
      }),
    ).toBe(true);
  }
  for (const bad of [
    { first: 2, second: 1 },
    // Larger than the log, which the reads of this test extend.
    { first: 1, second: 10_000 },
    { first: 0, second: 1 },
  ])
    await expect(bench.client.getConsistencyProof(bad, as)).rejects.toMatchObject({ reason: 'invalid' });
  await expect(
    bench.client.getInclusionProof({ eventId: rows[359]!.event_id as string, treeSize: heads[0]!.size }, as),
  ).rejects.toMatchObject({ reason: 'invalid' });
});

test('the log cannot be changed by the service, its duties or the owner of its tables', async () => {
  const tenant = randomUUID();
  await bench.record(tenant, 3);
  await bench.sequenced(tenant, 3);
  const { user, systemUser, ownerUser } = bench.config.database;
  const tables = ['events', 'trees', 'tree_nodes', 'tree_heads', 'quarantined_events', 'dead_letters'];
  const statements = [
    ...tables.flatMap((table) => [`DELETE FROM ${table}`, `TRUNCATE ${table}`]),
    "UPDATE events SET canonical = 'x'",
    "UPDATE events SET action = 'x'",
    'UPDATE events SET received_at = now()',
    "UPDATE tree_heads SET root_hash = 'x'",
    "UPDATE tree_nodes SET hash = ''",
  ];
  for (const role of [user, systemUser, ownerUser]) {
    await bench.asRole(role, async (client) => {
      await client.query("SELECT set_config('app.tenant_id', $1, false)", [tenant]);
      for (const statement of statements)
        await expect(client.query(statement), `${role}: ${statement}`).rejects.toMatchObject({
          code: '42501',
        });
    });
  }
  await bench.asRole(user, async (client) => {
    await client.query("SELECT set_config('app.tenant_id', $1, false)", [tenant]);
    for (const statement of [
      'UPDATE events SET sequence = sequence + 100',
      'UPDATE events SET sequence = NULL',
      'UPDATE trees SET size = size - 1',
      "UPDATE trees SET frontier = ''",
    ])
      await expect(client.query(statement), statement).rejects.toMatchObject({ code: '42501' });
  });
});

test('a stored event that was altered before sequencing is never sequenced, and blocks no other', async () => {
  const tenant = randomUUID();
  await bench.record(tenant, 1);
  await bench.sequenced(tenant, 1);
  const good = await bench.superuser('SELECT * FROM events WHERE tenant_id = $1', [tenant]);
  const { canonical, leaf_hash, mac } = good[0] as { canonical: string; leaf_hash: Buffer; mac: Buffer };
  const id = randomUUID();
  await bench.superuser(
    `INSERT INTO events SELECT tenant_id, $2, NULL, $3, $4, $5, action, outcome, actor_id, actor_name, actor_kind, subject_type,
       subject_id, resource_id, service, source_address, request_id, reason, occurred_at, '2020-01-01' FROM events WHERE tenant_id = $1`,
    [tenant, id, canonical.replace('happened', 'harmless'), leaf_hash, mac],
  );
  await bench.record(tenant, 2);
  expect(await bench.sequenced(tenant, 3)).toMatchObject({ size: 3 });
  expect(await bench.superuser('SELECT sequence FROM events WHERE event_id = $1', [id])).toEqual([
    { sequence: null },
  ]);
  expect(
    await bench.superuser('SELECT tenant_id FROM quarantined_events WHERE event_id = $1', [id]),
  ).toHaveLength(1);
  await expect(bench.client.getInclusionProof({ eventId: id }, await bench.as(tenant))).rejects.toMatchObject(
    {
      code: 'not_sealed',
    },
  );
});

test('a receipt is verified against the log: its signature, its tenant and its leaf', async () => {
  const tenant = randomUUID();
  const [eventId] = await bench.record(tenant, 1);
  await bench.sequenced(tenant, 1);
  const as = await bench.as(tenant, []);
  const { event } = await bench.client.getEvent({ eventId: eventId! }, await bench.as(tenant));
  const key = createPrivateKey(readSecretFile(bench.stack.layout.secret('vault-receipt.pem')));
  const content = {
    eventId: eventId!,
    tenantId: tenant,
    leafHash: event!.leafHash,
    action: 'test.happened',
    issuedAt: new Date().toISOString(),
  };
  const receipt = signReceipt(content, key);
  const verify = (changed: typeof receipt) => bench.client.verifyReceipt({ receipt: changed }, as);
  expect(await verify(receipt)).toEqual({ signatureValid: true, recorded: true, sequence: 0, problem: '' });
  expect(await verify({ ...receipt, action: 'other' })).toMatchObject({
    signatureValid: false,
    recorded: false,
  });
  expect(await verify(signReceipt({ ...content, eventId: randomUUID() }, key))).toMatchObject({
    signatureValid: true,
    recorded: false,
  });
  expect(await verify(signReceipt({ ...content, leafHash: '0'.repeat(64) }, key))).toMatchObject({
    signatureValid: true,
    recorded: false,
  });
  expect(await verify(signReceipt({ ...content, tenantId: randomUUID() }, key))).toMatchObject({
    signatureValid: true,
    recorded: false,
  });
  const { items } = await bench.client.listKeys({}, as);
  expect(items.map((item) => item.purpose)).toEqual(['tree-head', 'receipt']);
  for (const item of items) expect(createPublicKey(item.publicKey).asymmetricKeyType).toBe('ed25519');
  expect(items[1]!.keyId).toBe(receipt.keyId);
});

test('a rewritten log is detected by the heads outside and not continued; other logs continue', async () => {
  const [rewritten, sound] = [randomUUID(), randomUUID()];
  for (const tenant of [rewritten, sound]) {
    await bench.record(tenant, 5);
    await bench.sequenced(tenant, 5);
  }
  await bench.stack.kill('audit-1');
  await bench.superuser(
    'UPDATE tree_heads SET root_hash = repeat($2, 64) WHERE tenant_id = $1 AND size = 5',
    [rewritten, 'a'],
  );
  await bench.stack.restart('audit-1');

  await expect.poll(async () => (await bench.healthNow()).status).toBe('degraded');
  const health = await bench.healthNow();
  expect(health.checks.find((check) => check.name === 'tree heads')).toMatchObject({ ok: false });
  await Promise.all([rewritten, sound].map((tenant) => bench.record(tenant, 1)));
  await bench.sequenced(sound, 6);
  await eventually(async () => (await unsequenced(rewritten)) === 1);
  expect(logged()).toContain('the log was rewritten');
  expect(alertsIn(logged())).toEqual(new Set([rewritten]));
  // One event for the tenant; the other is for the platform tenant, whose id is unknown here.
  await eventually(
    async () =>
      (
        await bench.superuser(
          `SELECT 1 FROM events WHERE tenant_id = $1 AND action = 'anomaly.tree-head-lost' AND subject_id = $1::text`,
          [rewritten],
        )
      ).length === 1,
  );
  const platform = await bench.superuser(
    `SELECT subject_id FROM anomalies WHERE tenant_id IS NULL AND reported = 0 AND alert = 'tree_head_lost'`,
  );
  expect(platform).toEqual([{ subject_id: rewritten }]);
});

test('a head on the bus alone shows, while the service runs, that the database was truncated; forged heads have no effect', async () => {
  const [cut, sound] = [randomUUID(), randomUUID()];
  // Bypasses the outboxes, which would send lost events again.
  for (const tenant of [cut, sound]) await storeSequenced(bench, tenant, 3, () => ({}));
  const { url, user, passwordFile } = bench.config.nats;
  const password = readSecretFile(passwordFile);
  await using bus = createBus({ url, user, password, name: 'test', logger: silent });
  await eventually(async () => {
    const heads = await headsOnBus(bus);
    return heads.get(cut)?.size === 3 && heads.get(sound)?.size === 3;
  });
  // Any service may publish: a head that the tree-head key did not sign, or one of another tenant, does not
  // count.
  const [forged, moved] = [randomUUID(), randomUUID()];
  const head = (await headsOnBus(bus)).get(sound)!;
  const publish = (tenantId: string, payload: object) =>
    bus.publisher([
      {
        tenantId,
        eventId: randomUUID(),
        subject: `event.tree-head.${tenantId}`,
        payload: JSON.stringify(payload),
        mac: Buffer.alloc(32),
        traceparent: undefined,
      },
    ]);
  await publish(forged, { ...head, tenantId: forged, size: 9 });
  await publish(moved, head);
  await bench.superuser('DELETE FROM tree_heads WHERE tenant_id = $1', [cut]);
  await bench.superuser('DELETE FROM events WHERE tenant_id = $1', [cut]);
  await bench.superuser('DELETE FROM trees WHERE tenant_id = $1', [cut]);
  // Start without the heads file, as if it was lost with the database.
  await using headsFile = await openHeadsFile(
    `${bench.stack.dataDir}/empty-heads.jsonl`,
    silent,
    bench.keys.treeHeadPublic,
  );
  const held = new Map<string, string>();
  await using _watch = startHeadWatch({
    database: bench.database,
    bus,
    logger: silent,
    headsFile,
    publicKey: bench.keys.treeHeadPublic,
    cluster: soleReplica(silent),
    sequencer: {
      problems: () => held,
      hold: (found) => {
        for (const [tenantId, { message }] of found) held.set(tenantId, message);
      },
      forgetProblems: () => held.clear(),
      [Symbol.asyncDispose]: async () => {},
    },
    restore: neverRestored,
    everyMs: 50,
  });
  await eventually(async () => held.has(cut));
  expect(held.get(cut)).toContain('the database has 0 events, a head on the bus covers 3');
  for (const tenant of [sound, forged, moved]) expect(held.has(tenant)).toBe(false);

  // After a finished restore, earlier heads on the bus are ignored.
  await headsFile.appendRestoreMark(signRestoreMark(1, bench.keys.treeHead));
  const again = {
    database: bench.database,
    bus,
    logger: silent,
    headsFile,
    publicKey: bench.keys.treeHeadPublic,
  };
  expect((await compareWithOutside(again)).has(cut)).toBe(false);
});

test('H-262 a truncated database is detected by the heads outside: nothing is served or continued', async () => {
  const [cut, sound] = [randomUUID(), randomUUID()];
  for (const tenant of [cut, sound]) {
    await bench.record(tenant, 5);
    await bench.sequenced(tenant, 5);
    await bench.record(tenant, 5);
    await bench.sequenced(tenant, 10);
  }
  await bench.stack.kill('audit-1');
  // An older state with its head and tree, like a restored snapshot.
  const [older] = await bench.superuser(
    'SELECT size FROM tree_heads WHERE tenant_id = $1 ORDER BY size LIMIT 1',
    [cut],
  );
  await bench.superuser('DELETE FROM tree_heads WHERE tenant_id = $1 AND size > $2', [cut, older!.size]);
  await bench.superuser('DELETE FROM events WHERE tenant_id = $1 AND sequence >= $2', [cut, older!.size]);
  await bench.superuser('UPDATE trees SET size = $2 WHERE tenant_id = $1', [cut, older!.size]);
  await bench.stack.restart('audit-1');

  await expect.poll(async () => (await bench.healthNow()).status).toBe('restore_unfinished');
  expect(logged()).toContain('the log was truncated, or an older state was restored');
  expect(logged()).toContain('run `claviger restore finish`');
  expect(alertsIn(logged())).toContain(cut);
});

test('H-262 while the service runs, a rewritten log stops no other log; a truncated log stops all until the restore is finished', async () => {
  const operator = createPeers(loadConfig(baseConfigSchema, bench.stack.operator.configFile));
  onTestFinished(() => operator.close());
  const restore = operator.client('audit', contract.RestoreService);
  const stops = () => logged().split('"alert":"restore_unfinished"').length;
  const stopsBefore = stops();
  // Finish the restore that the previous test left unfinished.
  await finish(1);
  const [rewritten, cut, sound] = [randomUUID(), randomUUID(), randomUUID()];
  for (const tenant of [rewritten, cut, sound]) {
    await bench.record(tenant, 5);
    await bench.sequenced(tenant, 5);
  }

  await bench.superuser('UPDATE tree_heads SET signature = reverse(signature) WHERE tenant_id = $1', [
    rewritten,
  ]);
  await bench.record(rewritten, 1);
  await eventually(async () => alertsIn(logged()).has(rewritten));
  await bench.record(sound, 1);
  await bench.sequenced(sound, 6);
  expect(await restore.getRestoreState({})).toMatchObject({ epoch: 1, outsideEpoch: 1, problem: '' });

  await bench.superuser('DELETE FROM tree_heads WHERE tenant_id = $1', [cut]);
  await bench.superuser('DELETE FROM tree_nodes WHERE tenant_id = $1', [cut]);
  await bench.superuser('DELETE FROM events WHERE tenant_id = $1', [cut]);
  await bench.superuser('DELETE FROM trees WHERE tenant_id = $1', [cut]);
  await bench.record(cut, 2);
  await expect.poll(async () => (await bench.healthNow()).status).toBe('restore_unfinished');
  const as = await bench.as(sound);
  await expect(bench.client.getSummary({ from: '', to: '' }, as)).rejects.toMatchObject({
    code: 'restore_unfinished',
  });
  // All services stop: the other services see the new epoch.
  await expect
    .poll(() => restore.getRestoreState({}))
    .toMatchObject({
      epoch: 1,
      outsideEpoch: 2,
      problem: expect.stringContaining('of 1 tenants end before a tree head'),
    });
  expect(stops()).toBe(stopsBefore + 1);

  await finish(2);
  await bench.client.getSummary({ from: '', to: '' }, as);
  await bench.sequenced(cut, 2);
  expect(await restore.getRestoreState({})).toMatchObject({ epoch: 2, outsideEpoch: 2, problem: '' });

  async function finish(epoch: number): Promise<void> {
    await restore.beginRestore({ epoch });
    await restore.finishRestore({ epoch });
    await expect.poll(async () => (await bench.healthNow()).status).not.toBe('restore_unfinished');
  }
});

/** The log output of the service. */
const logged = (): string => readFileSync(bench.stack.logFiles['audit-1']!, 'utf8');

async function unsequenced(tenantId: string): Promise<number> {
  const rows = await bench.superuser(
    `SELECT 1 FROM events WHERE tenant_id = $1 AND sequence IS NULL AND action = 'test.happened'`,
    [tenantId],
  );
  return rows.length;
}

/** Returns the tenants whose logs are named by lines with this alert. */
function alertsIn(logged: string): Set<string> {
  return new Set(
    logged
      .split('\n')
      .filter((line) => line.includes('"alert":"tree_head_lost"'))
      .map((line) => (JSON.parse(line) as { subject: { id: string } }).subject.id),
  );
}
