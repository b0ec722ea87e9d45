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

/** Somebody of the owner's tenant who may retrieve, but to whom nothing was shared. */
const responder = () =>
  bench.as({ tenantId: owner.actor.tenantId, permissions: new Set(['vault.entries.retrieve']) });

async function openSession(person: Person, scope: object = { allEntries: true }): Promise<string> {
  const sessionId = randomUUID();
  const session = { sessionId, userId: person.actor.userId, expiresAt: inAnHour(), ...scope };
  const calls = bench.emergency(person.actor.tenantId);
  await calls.placeEmergencySession(session);
  // As workflow does until auth knows of it too.
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
 * Two records that cannot be merged, one in a form that no version writes and one that the database refuses, and after them
 * the last disclosure once more, as another one.
 */
async function writeBadRecords(): Promise<void> {
  const key = Buffer.from(readFileSync(bench.installation.layout.outboxMacKey('vault'), 'utf8').trim());
  await using journal = await openJournal({ file: journalFile(), key });
  const last = JSON.parse((await journal.records(0)).at(-1)!.payload) as object;
  await journal.append('{"v":9,"kind":"of another version"}');
  await journal.append(JSON.stringify({ ...last, eventId: randomUUID(), entryId: randomUUID() }));
  await journal.append(JSON.stringify({ ...last, eventId: randomUUID() }));
}

/** The database takes no audit record, for the length of `work`. */
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

test('an open session lets its person see what it covers, with a reason, a record and a receipt', async () => {
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

test('an API token of the person whose session is open sees nothing more than before', async () => {
  const { entryId } = await note();
  const person = await responder();
  await openSession(person);
  const robot = await bench.as({ ...person.actor, kind: 'api-token', sessionId: randomUUID() });
  await expect(robot.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
    reason: 'denied',
  });
  expect((await person.entries.retrieveEntry({ entryId, reason: 'fire' })).secret).toBeTruthy();
});

test("another tenant's session opens nothing here, and its people see nothing of ours", async () => {
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

test('H-183 time is up by the clock of the database, whether or not anybody ends the session', async () => {
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

test('H-181 while the database takes no audit record, one on the local disk goes before the secret, and is merged once', async () => {
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
    // Its process may end before the database comes back.
    await bench.restart({ env: {} });
  });
  await eventually('the merge', async () => (await eventsOf(entryId)).length === 2);
  const calls = bench.emergency(owner.actor.tenantId);
  const { items } = await calls.listEmergencyDisclosures({ sessionId });
  expect(items).toMatchObject([
    { entryId, fromJournal: true },
    { entryId, fromJournal: true },
  ]);
  // What cannot be merged is reported, stays where it is, and holds up nothing.
  for (const why of ['this version does not know its format', 'the database refuses it'])
    expect(bench.log()).toContain(`"why":"${why}"`);
  expect(readFileSync(journalFile(), 'utf8')).toContain('of another version');
  await bench.restart({ env: {} });
  await person.entries.retrieveEntry({ entryId, reason: 'again' });
  expect(await eventsOf(entryId)).toHaveLength(3);
});

test('what was seen is queued for rotation at the end, also when the journal brings it later; notes are for people', async () => {
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
      // What the replica could not record yet is unknown to whoever ends the session, or known by now: either way it is rotated.
      expect(await calls.endEmergencySession({ sessionId, cause: 'deactivated' })).toMatchObject({
        rotationsImpossible: 1,
      });
    });
    for (const [i, id] of accounts.entries()) {
      await eventually('the rotation', async () => {
        const { entry } = await owner.entries.getEntry({ entryId: id });
        return entry!.currentVersion === 2;
      });
      // A schedule does not hide that somebody has seen it.
      const { items } = await owner.entries.listRotations({ entryId: id });
      expect(items).toMatchObject([{ trigger: 'grant-ended', state: 'verified' }]);
      expect(await target.accepts(`app_${i ? 'two' : 'one'}`, `first-secret-${i + 1}`)).toBe(false);
    }
    await expect(person.entries.retrieveEntry({ entryId, reason: 'fire' })).rejects.toMatchObject({
      reason: 'denied',
    });
    const again = await calls.endEmergencySession({ sessionId, cause: 'deactivated' });
    expect(again).toMatchObject({ disclosed: 3, rotationsQueued: 2, rotationsImpossible: 1 });
    // One event for each change, whatever was repeated.
    expect((await sessionEvents(sessionId)).map(({ action }) => action)).toEqual([
      'breakglass.session.placed',
      'breakglass.session.ended',
    ]);
  } finally {
    await target.stop();
  }
});

test('a session that ended before the vault heard of it never opens', async () => {
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

test('a drill goes through every step and leaves its record', async () => {
  const calls = bench.emergency(owner.actor.tenantId);
  const drill = await calls.runEmergencyDrill({ sessionId: randomUUID(), userId: owner.actor.userId });
  expect(drill.node).toBe('vault-1');
  expect(drill.steps.map(({ name, ok }) => [name, ok])).toEqual([
    ['journal', true],
    ['keys', true],
    ['database', true],
  ]);
});

test('a journal that cannot be written to means no disclosure; everything else goes on', async () => {
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
