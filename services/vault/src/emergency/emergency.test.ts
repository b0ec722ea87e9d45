import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync } from 'node:fs';
import { openJournal } from '@claviger/journal';
import { startPostgresTarget } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Person, startVault, type VaultBench } from '../../test-support.ts';

let bench: VaultBench;
let owner: Person;
beforeAll(async () => {
  bench = await startVault();
  owner = await bench.as({});
});
afterAll(async () => bench?.[Symbol.asyncDispose]());

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

async function note(
  person = owner,
  secret = `s-${randomUUID()}`,
): Promise<{ entryId: string; secret: string }> {
  const { entry } = await person.entries.createEntry({ name: `n-${randomUUID()}`, type: 'note', secret });
  return { entryId: entry!.id, secret };
}

/** A user of the owner's tenant with the permission to retrieve and without shares. */
const responder = () =>
  bench.as({ tenantId: owner.actor.tenantId, permissions: new Set(['vault.entries.retrieve']) });

async function openSession(person: Person, scope: object = { allEntries: true }): Promise<string> {
  const sessionId = randomUUID();
  const session = { sessionId, userId: person.actor.userId, expiresAt: inAnHour(), ...scope };
  const calls = bench.emergency(person.actor.tenantId);
  await calls.placeEmergencySession(session);
  // Workflow places the session before auth knows it.
  await calls.placeEmergencySession(session);
  return sessionId;
}

const sessionEvents = (sessionId: string) =>
  bench.superuser(async (client) => {
    const { rows } = await client.query<{ payload: string }>(
      `SELECT payload FROM outbox WHERE subject = 'audit.vault' AND payload::jsonb ->> 'subjectId' = $1 ORDER BY created_at`,
      [sessionId],
    );
    return rows.map(({ payload }) => JSON.parse(payload) as { action: string });
  });

const eventsOf = (entryId: string) =>
  bench.superuser(async (client) => {
    const { rows } = await client.query<{ payload: string }>(
      `SELECT payload FROM outbox WHERE subject = 'audit.vault' AND payload LIKE '%"breakglass"%' AND payload LIKE $1`,
      [`%${entryId}%`],
    );
    return rows.map((row) => JSON.parse(row.payload) as { action: string; outcome: string; details: object });
  });

const journalFile = () => `${bench.installation.layout.journals}/vault-1.jsonl`;

/**
 * Writes two records that cannot be merged, one in an unknown format and one that the database refuses, and
 * after them a copy of the last disclosure with a new event id.
 */
async function writeBadRecords(): Promise<void> {
  const key = Buffer.from(readFileSync(bench.installation.layout.outboxMacKey('vault'), 'utf8').trim());
  await using journal = await openJournal({ file: journalFile(), key });
  const last = JSON.parse((await journal.records(0)).at(-1)!.payload) as object;
  await journal.append('{"v":9,"kind":"of another version"}');
  await journal.append(JSON.stringify({ ...last, eventId: randomUUID(), entryId: randomUUID() }));
  await journal.append(JSON.stringify({ ...last, eventId: randomUUID() }));
}

/** The database refuses audit records while `work` runs. */
async function withoutAudit(work: () => Promise<void>): Promise<void> {
  await bench.superuser((client) =>
    client.query(`CREATE FUNCTION refuse_audit() RETURNS trigger LANGUAGE plpgsql AS $f$
      BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END $f$;
      CREATE TRIGGER refuse_audit BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse_audit()`),
  );
  try {
    await work();
  } finally {
    await bench.superuser((client) => client.query('DROP FUNCTION refuse_audit() CASCADE'));
  }
}

test('an open session discloses the covered secrets to its user, with a reason, a record and a receipt', async () => {
  const [named, unnamed] = [await note(), await note()];
  const person = await responder();
  await expect(person.entries.retrieveEntry({ ...named, reason: 'fire' })).rejects.toMatchObject({
    reason: 'denied',
  });
  const sessionId = await openSession(person, { entryIds: [named.entryId] });
  await expect(person.entries.retrieveEntry({ entryId: named.entryId, reason: ' ' })).rejects.toMatchObject({
    reason: 'invalid',
    fields: [{ pointer: '/reason' }],
  });
  const seen = await person.entries.retrieveEntry({ entryId: named.entryId, reason: 'fire' });
  expect(seen.secret).toBe(named.secret);
  expect(seen.receipt!.eventId).toBeTruthy();
  await expect(
    person.entries.retrieveEntry({ entryId: unnamed.entryId, reason: 'fire' }),
  ).rejects.toMatchObject({ reason: 'denied' });
  await expect((await responder()).entries.retrieveEntry({ ...named, reason: 'fire' })).rejects.toMatchObject(
    {
      reason: 'denied',
    },
  );
  const { items } = await bench.emergency(owner.actor.tenantId).listEmergencyDisclosures({ sessionId });
  expect(items).toMatchObject([{ entryId: named.entryId, version: 1, fromJournal: false, rotation: '' }]);
  expect(await eventsOf(named.entryId)).toMatchObject([
    {
      action: 'vault.entry.retrieved',
      outcome: 'allowed',
      details: { basis: 'breakglass', sessionId, version: 1 },
    },
  ]);
});

test('an open session gives the API tokens of its user no access', async () => {
  const { entryId } = await note();
  const person = await responder();
  await openSession(person);
  const robot = await bench.as({ ...person.actor, kind: 'api-token', sessionId: randomUUID() });
  await expect(robot.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
    reason: 'denied',
  });
  expect((await person.entries.retrieveEntry({ entryId, reason: 'fire' })).secret).toBeTruthy();
});

test("another tenant's session discloses nothing here, and its users see nothing of this tenant", async () => {
  const { entryId } = await note();
  const stranger = await bench.as({});
  const sessionId = await openSession(stranger, { allEntries: true, entryIds: [entryId] });
  await expect(stranger.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
    reason: 'not_found',
  });
  const person = await responder();
  const ours = await openSession(person);
  await person.entries.retrieveEntry({ entryId, reason: 'fire' });
  const theirs = bench.emergency(stranger.actor.tenantId);
  expect(await theirs.listEmergencyDisclosures({ sessionId: ours })).toMatchObject({ items: [] });
  expect(await theirs.endEmergencySession({ sessionId: ours, cause: 'deactivated' })).toMatchObject({
    disclosed: 0,
  });
  expect((await person.entries.retrieveEntry({ entryId, reason: 'fire' })).secret).toBeTruthy();
  expect(sessionId).not.toBe(ours);
});

test('H-183 a session ends by the clock of the database, without a call that ends it', async () => {
  const { entryId } = await note();
  const person = await responder();
  const sessionId = await openSession(person);
  await person.entries.retrieveEntry({ entryId, reason: 'fire' });
  await bench.superuser((client) =>
    client.query(`UPDATE emergency_sessions SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      sessionId,
    ]),
  );
  await expect(person.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
    reason: 'denied',
  });
});

test('H-181 while the database refuses audit records, a record on the local disk precedes the secret and is merged once', async () => {
  const { entryId, secret } = await note();
  const person = await responder();
  const sessionId = await openSession(person);
  await withoutAudit(async () => {
    await expect(owner.entries.retrieveEntry({ entryId, reason: 'work' })).rejects.toMatchObject({
      reason: 'audit_unavailable',
    });
    const seen = await person.entries.retrieveEntry({ entryId, reason: 'fire' });
    expect(seen.secret).toBe(secret);
    const journal = readFileSync(journalFile(), 'utf8');
    expect(journal).toContain(seen.receipt!.eventId);
    expect(journal).not.toContain(secret);
    expect(await eventsOf(entryId)).toEqual([]);
    await writeBadRecords();
    // The process may end before the database is back.
    await bench.restart({ env: {} });
  });
  await eventually('the merge', async () => (await eventsOf(entryId)).length === 2);
  const calls = bench.emergency(owner.actor.tenantId);
  const { items } = await calls.listEmergencyDisclosures({ sessionId });
  expect(items).toMatchObject([
    { entryId, fromJournal: true },
    { entryId, fromJournal: true },
  ]);
  // A record that cannot be merged is reported, stays in the journal, and blocks no other record.
  for (const why of ['this version does not know its format', 'the database refuses it'])
    expect(bench.log()).toContain(`"why":"${why}"`);
  expect(readFileSync(journalFile(), 'utf8')).toContain('of another version');
  await bench.restart({ env: {} });
  await person.entries.retrieveEntry({ entryId, reason: 'again' });
  expect(await eventsOf(entryId)).toHaveLength(3);
});

test('disclosed secrets are queued for rotation at the end, even if the journal is merged later; notes are not', async () => {
  const target = await startPostgresTarget();
  try {
    await bench.openPorts(target.port);
    const { module } = await owner.modules.createModule({
      name: 'pg',
      type: 'postgres',
      config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [target.port] },
    });
    const { resource } = await owner.resources.createResource({
      name: 'db',
      type: 'database',
      moduleId: module!.id,
      host: target.host,
      port: target.port,
      settings: { database: target.database, tls: { mode: 'disable' } },
    });
    await target.createRole('app_one', 'first-secret-1');
    await target.createRole('app_two', 'first-secret-2');
    const accounts = await Promise.all(
      ['app_one', 'app_two'].map(async (username, i) => {
        const secret = `first-secret-${i + 1}`;
        const made = await owner.entries.createEntry({
          name: username,
          type: 'password',
          resourceId: resource!.id,
          username,
          secret,
          rotationIntervalHours: 720,
        });
        return made.entry!.id;
      }),
    );
    const { entryId } = await note();
    const person = await responder();
    const sessionId = await openSession(person, { entryIds: [entryId], resourceIds: [resource!.id] });
    const calls = bench.emergency(owner.actor.tenantId);
    await person.entries.retrieveEntry({ entryId, reason: 'fire' });
    await person.entries.retrieveEntry({ entryId: accounts[0]!, reason: 'fire' });
    await withoutAudit(async () => {
      await person.entries.retrieveEntry({ entryId: accounts[1]!, reason: 'fire' });
      await bench.superuser((client) => client.query('DROP TRIGGER refuse_audit ON outbox'));
      // The end of the session may come before or after the record of the replica: the secret is rotated in
      // both cases.
      expect(await calls.endEmergencySession({ sessionId, cause: 'deactivated' })).toMatchObject({
        rotationsImpossible: 1,
      });
    });
    for (const [i, id] of accounts.entries()) {
      await eventually('the rotation', async () => {
        const { entry } = await owner.entries.getEntry({ entryId: id });
        return entry!.currentVersion === 2;
      });
      // A schedule does not hide the cause of the rotation.
      const { items } = await owner.entries.listRotations({ entryId: id });
      expect(items).toMatchObject([{ trigger: 'grant-ended', state: 'verified' }]);
      expect(await target.accepts(`app_${i ? 'two' : 'one'}`, `first-secret-${i + 1}`)).toBe(false);
    }
    await expect(person.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
      reason: 'denied',
    });
    const again = await calls.endEmergencySession({ sessionId, cause: 'deactivated' });
    expect(again).toMatchObject({ disclosed: 3, rotationsQueued: 2, rotationsImpossible: 1 });
    // Each change has one event, even after repetitions.
    expect((await sessionEvents(sessionId)).map(({ action }) => action)).toEqual([
      'breakglass.session.placed',
      'breakglass.session.ended',
    ]);
  } finally {
    await target.stop();
  }
});

test('a session whose end arrives before its placement never opens', async () => {
  const person = await responder();
  const calls = bench.emergency(owner.actor.tenantId);
  const sessionId = randomUUID();
  await calls.endEmergencySession({ sessionId, cause: 'deactivated' });
  await expect(
    calls.placeEmergencySession({
      sessionId,
      userId: person.actor.userId,
      allEntries: true,
      expiresAt: inAnHour(),
    }),
  ).rejects.toMatchObject({ code: 'breakglass_ended' });
});

test('a drill runs every step and leaves a record', async () => {
  const calls = bench.emergency(owner.actor.tenantId);
  const drill = await calls.runEmergencyDrill({ sessionId: randomUUID(), userId: owner.actor.userId });
  expect(drill.node).toBe('vault-1');
  expect(drill.steps.map(({ name, ok }) => [name, ok])).toEqual([
    ['journal', true],
    ['keys', true],
    ['database', true],
  ]);
});

test('without a writable journal there is no emergency disclosure, and all other operations work', async () => {
  const { entryId, secret } = await note();
  const person = await responder();
  await openSession(person);
  const file = journalFile();
  renameSync(file, `${file}.gone`);
  await expect(person.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
    reason: 'unavailable',
    code: 'journal_unwritable',
  });
  expect((await owner.entries.retrieveEntry({ entryId, reason: 'work' })).secret).toBe(secret);
  const calls = bench.emergency(owner.actor.tenantId);
  const drill = await calls.runEmergencyDrill({ sessionId: randomUUID(), userId: owner.actor.userId });
  expect(drill.steps[0]).toMatchObject({ name: 'journal', ok: false });
});
