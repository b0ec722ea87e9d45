import { randomUUID } from 'node:crypto';
import { anyOf } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NewEntry, Oracle, type Person, type WorkflowSays } from '../../rights-oracle.ts';
import { type AnsweringTarget, type RightsBench, startRights } from '../../rights-support.ts';
import { ENCRYPTED_COLUMNS } from '../encryption/secrets.ts';
import { runRotation } from '../rotation/run-rotation.ts';

let bench: RightsBench;
beforeAll(async () => {
  // The limit of failed logins and the delays of rotations are not tested here.
  bench = await startRights({
    rotation: {
      probesPerWindow: 1_000,
      leaseSeconds: 600,
      settleSeconds: 0,
      backoffSeconds: 0,
      changeTimeoutMs: 60_000,
      verifyTimeoutMs: 60_000,
    },
  });
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** Concurrent sequences, each with its own people and entries. An extended run plays more of them. */
const LANES = 8;
const RUNS_OF_A_LANE = process.env.EXTENDED_TESTS === undefined ? 40 : 200;
const PEOPLE = 5;
const ENTRIES = 2;
const RESOURCES = 2;

const OPERATOR = [
  'vault.entries.read',
  'vault.entries.create',
  'vault.entries.update',
  'vault.entries.delete',
  'vault.entries.retrieve',
  'vault.entries.rotate',
  'vault.shares.manage',
  'vault.recover',
  'resources.update',
];
const ROLES: readonly (readonly string[])[] = [
  OPERATOR,
  ['vault.entries.retrieve'],
  [...OPERATOR, 'vault.entries.adopt'],
  ['vault.entries.update', 'resources.update', 'vault.recover'],
  ['*'],
];

/** Some people and one entry are more frequent, so that operations of several steps occur. */
const who = fc.constantFrom(0, 0, 0, 1, 1, 1, 2, 2, 3, PEOPLE - 1);
const NEWEST = -1;
/** An index into the existing entries, modulo their number. */
const entry = fc.constantFrom(0, 0, 0, 0, 1, 2, NEWEST, NEWEST);
const resource = fc.nat(RESOURCES - 1);
const made: fc.Arbitrary<NewEntry> = fc
  .record({
    resource,
    type: fc.constantFrom('password', 'password', 'password', 'ssh-key'),
    grant: fc.boolean(),
    reason: fc.boolean(),
    generate: fc.constantFrom(false, false, true),
    hours: fc.constantFrom(0, 0, 0, 1),
  })
  .map((each) => ({ ...each, generate: each.generate && each.type === 'password' }));
const workflow = fc.constantFrom<WorkflowSays>('pending', 'approved', 'away', 'not governed');
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('retrieve' as const),
      who,
      entry,
      version: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      reason: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('recover' as const), who, entry }) },
  // Whether the target receives the value as well.
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('setValue' as const), who, entry, right: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('create' as const), who, made, right: fc.boolean() }) },
  // Whether the rotation runs at once.
  { weight: 4, arbitrary: fc.record({ op: fc.constant('rotate' as const), who, entry, runs: fc.boolean() }) },
  // Whether the next step is played before the target answers.
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('verify' as const), who, entry, meanwhile: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('run' as const), entry, meanwhile: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('describe' as const), who, entry }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('rename' as const), who, entry, right: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('protect' as const),
      who,
      entry,
      grant: fc.boolean(),
      reason: fc.boolean(),
      workflow,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('share' as const),
      who,
      entry,
      user: who,
      access: fc.constantFrom('view', 'modify', 'manage', 'none'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), who, entry }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('place' as const), entry, user: who, oneTime: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('end' as const), entry }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('schedule' as const), who, entry, hours: fc.nat(1) }),
  },
  // To a host that accepts and confirms everything, or to the same host under another name.
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('readdress' as const), who, resource, hostile: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('administer' as const), who, resource, entry }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('giveResource' as const), who, resource, user: who }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('leave' as const), who }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('return' as const), who }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('adopt' as const), who, entry }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('accept' as const), who, entry }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/**
 * A person changes an account while it is verified or rotated, possibly one that the person has just named.
 */
const during = fc
  .record({
    who,
    entry,
    resource,
    right: fc.boolean(),
    hostile: fc.boolean(),
    asked: fc.constantFrom('verify', 'verify', 'run'),
    change: fc.constantFrom('rename', 'rename', 'setValue', 'readdress'),
    planted: fc.option(made, { nil: undefined }),
  })
  .map(({ who, entry, resource, right, hostile, asked, change, planted }): Step[] => {
    const of = planted ? NEWEST : entry;
    return [
      ...(planted ? [{ op: 'create' as const, who, made: planted, right: true }] : []),
      { op: asked as 'verify', who, entry: of, meanwhile: true },
      change === 'readdress'
        ? { op: 'readdress', who, resource: planted?.resource ?? resource, hostile }
        : { op: change as 'rename', who, entry: of, right },
    ];
  });
/**
 * An account gets another name, possibly that of an admin entry, and another account of the resource is
 * rotated.
 */
const renamed = fc.record({ who, other: who }).map(({ who, other }): Step[] => [
  { op: 'rename', who, entry: 0, right: false },
  { op: 'rotate', who: other, entry: 1, runs: true },
]);
const steps = fc
  .array(
    fc.oneof(
      { weight: 24, arbitrary: step.map((one) => [one]) },
      { weight: 2, arbitrary: during },
      { weight: 1, arbitrary: renamed },
    ),
    { minLength: 4, maxLength: 12 },
  )
  .map((each) => each.flat());

const scenario = fc.record({
  roles: fc.array(fc.nat(ROLES.length - 1), { minLength: PEOPLE, maxLength: PEOPLE }),
  resources: fc.array(
    fc.record({
      owner: who,
      byAdmin: fc.boolean(),
      policy: fc.boolean(),
      admin: fc.constantFrom(undefined, 0, 0, 1),
    }),
    { minLength: RESOURCES, maxLength: RESOURCES },
  ),
  entries: fc.array(fc.record({ owner: who, made }), { minLength: ENTRIES, maxLength: ENTRIES }),
  steps,
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const ENTRY_CALLS = '/claviger.vault.v1.EntriesService';
const RESOURCE_CALLS = '/claviger.vault.v1.ResourcesService';
const ENTITLEMENTS = '/claviger.vault.v1.EntitlementsService';
const DISCLOSING = [`${ENTRY_CALLS}/RetrieveEntry`, `${ENTRY_CALLS}/RecoverCandidates`];

const administrating = (actor: Actor): Actor => ({ ...actor, permissions: new Set(['*']) });

/** The same people, entries, resources and targets in the vault and in the oracle. */
class Play {
  readonly oracle: Oracle;
  readonly #tenantId: string;
  readonly #moduleId: string;
  readonly #actors: Actor[];
  readonly #entryIds: string[] = [];
  readonly #usernames: string[] = [];
  readonly #resourceIds: string[] = [];
  readonly #hosts: string[] = [];
  readonly #grantIds = new Map<string, string>();
  /** By entry, until the rotation has ended. */
  readonly #rotationIds = new Map<number, string>();
  readonly #running = new Set<number>();
  /** By user name, on all honest hosts. */
  readonly #passwords = new Map<string, string>();
  readonly #liars = new Set<string>();
  #steps: Step[] = [];
  #meanwhile = false;
  #failure: unknown;

  constructor(tenantId: string, moduleId: string, { roles, resources }: Scenario) {
    this.#tenantId = tenantId;
    this.#moduleId = moduleId;
    // The last person is a machine identity of the first.
    const people: Person[] = roles.map((role, index) => ({
      role: { administrator: ROLES[role]!.includes('*'), permissions: new Set(ROLES[role]) },
      ...(index === PEOPLE - 1 ? { madeBy: 0 } : {}),
    }));
    this.oracle = new Oracle(
      people,
      resources.map((each) => ({ ...each })),
    );
    const first = randomUUID();
    this.#actors = roles.map((role, index) => {
      if (index === PEOPLE - 1)
        return bench.person(tenantId, ROLES[role]!, {
          kind: 'api-token',
          responsibleId: first,
          behind: [first],
        });
      return bench.person(tenantId, ROLES[role]!, index === 0 ? { userId: first } : {});
    });
    bench.targets.set(tenantId, this.#target());
  }

  /** Starts with owners who have all permissions, and with the right secrets on the targets. */
  async begin({ resources, entries }: Scenario): Promise<void> {
    for (const { owner, byAdmin, policy } of resources) {
      const host = `h${randomUUID()}`;
      const answer = await bench.call(
        `${RESOURCE_CALLS}/CreateResource`,
        administrating(this.#actors[owner]!),
        {
          name: randomUUID(),
          type: 'server',
          moduleId: this.#moduleId,
          host,
          port: 5_432,
          settings: { rotateAs: byAdmin ? 'admin' : 'self' },
        },
      );
      const { id } = (answer as { resource: { id: string } }).resource;
      this.#resourceIds.push(id);
      this.#hosts.push(host);
      if (policy) bench.protection.policies.add(id);
    }
    for (const { owner, made } of entries) {
      const given = { ...made, hours: 0 };
      const value = await this.#create(administrating(this.#actors[owner]!), given, true);
      this.oracle.add(owner, given, value!);
    }
    for (const [index, { admin }] of resources.entries()) {
      if (admin === undefined) continue;
      await bench.call(`${RESOURCE_CALLS}/UpdateResource`, administrating(this.#actors[0]!), {
        resourceId: this.#resourceIds[index],
        adminEntryId: this.#entryIds[admin],
      });
    }
  }

  /**
   * The secret of a new entry, or undefined if it is refused. `right`: the target holds the secret as well.
   */
  async #create(actor: Actor, made: NewEntry, right: boolean): Promise<string | undefined> {
    const username = randomUUID();
    const given = made.generate ? '' : newValue();
    const answer = (await this.#call(`${ENTRY_CALLS}/CreateEntry`, actor, {
      name: randomUUID(),
      type: made.type,
      username,
      resourceId: this.#resourceIds[made.resource],
      secret: given,
      generate: made.generate,
      requiresGrant: made.grant,
      requiresReason: made.reason,
      rotationIntervalHours: made.hours,
    })) as { entry: { id: string } } | undefined;
    if (!answer) return undefined;
    this.#entryIds.push(answer.entry.id);
    this.#usernames.push(username);
    const value = given || (await this.#stored(answer.entry.id, 1));
    if (right) this.#passwords.set(username, value);
    return value;
  }

  /** A secret that the vault generated. */
  async #stored(entryId: string, version: number): Promise<string> {
    const sealed = await bench.deps.database.readTenant(this.#tenantId, (reader) =>
      reader
        .selectFrom('entry_versions')
        .select(ENCRYPTED_COLUMNS)
        .where('entry_id', '=', entryId)
        .where('version', '=', version)
        .executeTakeFirstOrThrow(),
    );
    return bench.deps.secrets.decrypt(sealed);
  }

  /** The answer of a call, or undefined if it is refused. Throws internal errors. */
  async #call(path: string, actor: Actor, fields: object): Promise<unknown> {
    let answer: unknown;
    let said: string;
    try {
      answer = await bench.call(path, actor, fields);
      said = JSON.stringify(answer);
    } catch (error) {
      if (!isClavigerError(error) || error.reason === 'internal') throw error;
      said = JSON.stringify({ ...error, message: error.message });
    }
    if (!(answer && DISCLOSING.includes(path))) {
      const values = this.oracle.entries.flatMap((each) => each.versions.map(({ value }) => value));
      expect({ path, shows: values.filter((value) => said.includes(value)) }).toEqual({ path, shows: [] });
    }
    return answer;
  }

  #accepts(host: string, username: string, secret: string | undefined): boolean {
    return this.#liars.has(host) || (secret !== undefined && this.#passwords.get(username) === secret);
  }

  /** A target that answers immediately. If a step requests it, the next step is played before the answer. */
  #target(): AnsweringTarget {
    const answering = async <T>(answer: T): Promise<T> => {
      const next = this.#meanwhile && this.#steps.shift();
      this.#meanwhile = false;
      try {
        if (next) await this.play(next);
      } catch (error) {
        this.#failure ??= error;
      }
      return answer;
    };
    return {
      verify: async ({ host }, { username }, secret) => {
        const answer = this.#accepts(host as string, username, secret)
          ? ({ outcome: 'accepted' } as const)
          : ({ outcome: 'refused', reason: 'The password is wrong.' } as const);
        // A rotation is interrupted when it changes the target.
        return this.#running.size > 0 ? answer : answering(answer);
      },
      rotate: ({ host, rotateAs }, { username }, { current, next, admin }) => {
        const [name, secret] =
          rotateAs === 'admin'
            ? [admin!.username, admin!.password ?? admin!.privateKey]
            : [username, current];
        const accepts = this.#accepts(host as string, name, secret);
        if (accepts) this.#passwords.set(username, next);
        return answering(
          accepts
            ? { outcome: 'applied' }
            : { outcome: 'refused', kind: 'authentication', reason: 'The password is wrong.' },
        );
      },
    };
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#steps = [...steps];
    for (let next = this.#steps.shift(); next; next = this.#steps.shift()) {
      await this.play(next);
      if (this.#failure) throw this.#failure;
    }
  }

  async play(chosen: Step): Promise<void> {
    const { oracle } = this;
    const count = oracle.entries.length;
    const one = 'entry' in chosen ? { ...chosen, entry: (chosen.entry + count) % count } : chosen;
    if (one.op === 'run') return this.#run(one.entry, one.meanwhile);
    if (one.op === 'place') return this.#place(one.entry, one.user, one.oneTime);
    if (one.op === 'end') return this.#end(one.entry);
    // Auth refuses all calls of a disabled user.
    if (one.op === 'leave') return this.#setStatus(one.who, 'disabled', () => oracle.gone.add(one.who));
    if (one.op === 'return') return this.#setStatus(one.who, 'active', () => oracle.gone.delete(one.who));
    if (oracle.gone.has(one.who)) return;
    const actor = this.#actors[one.who]!;
    const entryId = 'entry' in one ? this.#entryIds[one.entry]! : '';
    const update = async (fields: object) =>
      (await this.#call(`${ENTRY_CALLS}/UpdateEntry`, actor, { entryId, ...fields })) !== undefined;
    const resourceId = 'resource' in one ? this.#resourceIds[one.resource]! : '';
    const readdress = async (fields: object) =>
      (await this.#call(`${RESOURCE_CALLS}/UpdateResource`, actor, { resourceId, ...fields })) !== undefined;
    const same = (vault: unknown, expected: unknown) =>
      expect({ ...one, answer: vault }).toEqual({ ...one, answer: expected });
    switch (one.op) {
      case 'retrieve': {
        const fields = {
          entryId,
          reason: one.reason ? 'why' : '',
          ...(one.version ? { version: one.version } : {}),
        };
        const seen = (await this.#call(`${ENTRY_CALLS}/RetrieveEntry`, actor, fields)) as
          | { secret: string }
          | undefined;
        return same(seen?.secret, oracle.retrieve(one.who, one.entry, one.version, one.reason));
      }
      case 'recover': {
        const seen = (await this.#call(`${ENTRY_CALLS}/RecoverCandidates`, actor, {
          entryId,
          reason: 'why',
        })) as { items: { secret: string }[] } | undefined;
        return same(
          seen?.items.map((item) => item.secret),
          oracle.recover(one.who, one.entry),
        );
      }
      case 'setValue': {
        const secret = newValue();
        const set = await update({ secret });
        if (set && one.right) this.#passwords.set(this.#usernames[one.entry]!, secret);
        return same(set, oracle.setValue(one.who, one.entry, secret));
      }
      case 'create': {
        const allowed = oracle.mayCreate(one.who, one.made);
        const value = await this.#create(actor, one.made, one.right);
        same(value !== undefined, allowed);
        return value === undefined ? undefined : oracle.create(one.who, one.made, value);
      }
      case 'rotate': {
        const answer = (await this.#call(`${ENTRY_CALLS}/RotateEntry`, actor, {
          entryId,
          reason: 'why',
        })) as { rotation: { id: string; version: number } } | undefined;
        same(answer !== undefined, oracle.rotate(one.who, one.entry));
        if (!answer) return;
        oracle.candidate(one.entry, await this.#stored(entryId, answer.rotation.version));
        this.#rotationIds.set(one.entry, answer.rotation.id);
        return one.runs ? this.#run(one.entry, false) : undefined;
      }
      case 'verify': {
        const login = oracle.verify(one.who, one.entry);
        const accepted =
          login && this.#accepts(this.#hostOf(one.entry), this.#nameOf(one.entry), login.secret);
        this.#meanwhile = one.meanwhile;
        const answer = (await this.#call(`${ENTRY_CALLS}/VerifyEntry`, actor, { entryId })) as
          | { outcome: string }
          | undefined;
        this.#meanwhile = false;
        if (accepted) oracle.verified(login);
        return same(answer?.outcome, login && (accepted ? 'accepted' : 'refused'));
      }
      case 'describe':
        return same(await update({ description: randomUUID() }), oracle.describe(one.who, one.entry));
      case 'rename': {
        const username = randomUUID();
        const renamed = await update({ username });
        same(renamed, oracle.rename(one.who, one.entry));
        if (!renamed) return;
        this.#usernames[one.entry] = username;
        if (one.right) this.#passwords.set(username, oracle.login(one.entry).secret);
        return;
      }
      case 'protect': {
        const fields = { requiresGrant: one.grant, requiresReason: one.reason, reason: one.workflow };
        const expected = oracle.protect(one.who, one.entry, one.grant, one.reason, one.workflow);
        return same(await update(fields), expected);
      }
      case 'share': {
        const ids = { entryId, userId: this.#actors[one.user]!.userId };
        const shared =
          one.access === 'none'
            ? await this.#call(`${ENTRY_CALLS}/DeleteShare`, actor, ids)
            : await this.#call(`${ENTRY_CALLS}/PutShare`, actor, { ...ids, access: one.access });
        return same(shared !== undefined, oracle.share(one.who, one.entry, one.user, one.access as 'view'));
      }
      case 'remove': {
        const removed = await this.#call(`${ENTRY_CALLS}/DeleteEntry`, actor, { entryId });
        return same(removed !== undefined, oracle.remove(one.who, one.entry));
      }
      case 'schedule': {
        const set = await this.#call(`${ENTRY_CALLS}/PutRotationSchedule`, actor, {
          entryId,
          intervalHours: one.hours,
        });
        return same(set !== undefined, oracle.schedule(one.who, one.entry, one.hours));
      }
      case 'readdress': {
        const host = `h${randomUUID()}`;
        const moved = await readdress({ host });
        if (moved) this.#hosts[one.resource] = host;
        if (one.hostile) this.#liars.add(host);
        return same(moved, oracle.readdress(one.who, one.resource));
      }
      case 'administer':
        return same(
          await readdress({ adminEntryId: entryId }),
          oracle.administer(one.who, one.resource, one.entry),
        );
      case 'giveResource': {
        const fields = { resourceId, ownerId: this.#actors[one.user]!.userId };
        const given = await this.#call(`${RESOURCE_CALLS}/PutResourceOwner`, actor, fields);
        return same(given !== undefined, oracle.giveResource(one.who, one.resource, one.user));
      }
      case 'accept': {
        const accepted = await this.#call(`${ENTRY_CALLS}/AcceptAccount`, actor, { entryId });
        return same(accepted !== undefined, oracle.accept(one.who, one.entry));
      }
      case 'adopt': {
        const answer = (await this.#call(`${ENTRY_CALLS}/AdoptEntry`, actor, {
          entryId,
          reason: 'has left',
        })) as { state: string } | undefined;
        return same(answer?.state, oracle.adopt(one.who, one.entry));
      }
    }
  }

  #hostOf(entry: number): string {
    return this.#hosts[this.oracle.entries[entry]!.resource]!;
  }

  #nameOf(entry: number): string {
    return this.#usernames[entry]!;
  }

  /** Runs the open rotation as far as possible. */
  async #run(entry: number, meanwhile: boolean): Promise<void> {
    const { oracle } = this;
    const rotationId = this.#rotationIds.get(entry);
    if (!rotationId) return;
    const work = () => runRotation(bench.deps, this.#tenantId, rotationId, new AbortController().signal);
    // Another run holds the rotation.
    if (this.#running.has(entry)) return work();
    const goesOn = oracle.canRotate(entry);
    const { byAdmin, admin } = oracle.resources[oracle.entries[entry]!.resource]!;
    const through = byAdmin ? admin! : entry;
    const accepts = (each: number) =>
      this.#accepts(this.#hostOf(entry), this.#nameOf(each), oracle.login(each).secret);
    const accepted = goesOn && (!byAdmin || oracle.mayGoOn(entry, accepts(entry))) && accepts(through);
    this.#running.add(entry);
    this.#meanwhile = meanwhile;
    await work();
    this.#meanwhile = false;
    this.#running.delete(entry);
    if (!goesOn) return;
    this.#rotationIds.delete(entry);
    oracle.rotated(entry, accepted ? 'applied' : byAdmin ? 'admin refused' : 'account refused');
  }

  #setStatus(index: number, status: 'active' | 'disabled', note: () => unknown): void {
    bench.users.set(this.#actors[index]!.userId, status);
    note();
  }

  async #place(entry: number, user: number, oneTime: boolean): Promise<void> {
    const number = this.oracle.place(entry, user, oneTime);
    if (number === undefined) return;
    const grantId = randomUUID();
    this.#grantIds.set(`${entry} ${number}`, grantId);
    await bench.call(`${ENTITLEMENTS}/PlaceEntitlement`, this.#actors[user]!, {
      grantId,
      entryId: this.#entryIds[entry],
      userId: this.#actors[user]!.userId,
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      oneTime,
    });
  }

  async #end(entry: number): Promise<void> {
    const number = this.oracle.entries[entry]!.grants.findIndex((grant) => grant.live);
    if (number < 0) return;
    this.oracle.end(entry, number);
    const grantId = this.#grantIds.get(`${entry} ${number}`);
    await bench.call(`${ENTITLEMENTS}/RemoveEntitlement`, this.#actors[0]!, { grantId, cause: 'revoked' });
  }

  /** Entries match the oracle, and the ledger names exactly the people who saw or set a version. */
  async end(): Promise<void> {
    const { rows, entries } = await bench.deps.database.readTenant(this.#tenantId, async (reader) => ({
      rows: await reader
        .selectFrom('exposure_paths')
        .select(['user_id', 'entry_id', 'version'])
        .where('entry_id', '=', anyOf(this.#entryIds, 'uuid'))
        .execute(),
      entries: await reader
        .selectFrom('entries')
        .selectAll()
        .where('id', '=', anyOf(this.#entryIds, 'uuid'))
        .execute(),
    }));
    const person = (userId: string | null) => this.#actors.findIndex((actor) => actor.userId === userId);
    const ledger = new Set(
      rows.map((row) => `${person(row.user_id)} ${this.#entryIds.indexOf(row.entry_id)} ${row.version}`),
    );
    expect([...ledger].sort()).toEqual([...this.oracle.learned].sort());
    const stored = entries.map((row) => ({
      entry: this.#entryIds.indexOf(row.id),
      owner: person(row.owner_id),
      grant: row.requires_grant,
      reason: row.requires_reason,
      unproven: row.unproven,
      version: row.current_version,
      rotation: ROTATION[row.rotation_state],
    }));
    const expected = this.oracle.entries.map((each, entry) => ({
      entry,
      owner: each.owner,
      grant: each.requiresGrant,
      reason: each.requiresReason,
      unproven: each.unproven,
      version: this.oracle.login(entry).version,
      rotation: each.rotation,
    }));
    expect(stored.sort((one, other) => one.entry - other.entry)).toEqual(expected);
  }
}

const ROTATION = {
  idle: 'idle',
  pending: 'open',
  applying: 'open',
  ambiguous: 'open',
  out_of_sync: 'out of sync',
};
const newValue = () => `secret ${randomUUID()}`;

test(`no actor sees a secret that the oracle denies, in ${LANES * RUNS_OF_A_LANE} random sequences of operations`, async () => {
  // The reason of a change selects the answer of workflow, because the sequences run concurrently.
  bench.protection.statusOf = (reason) => reason as WorkflowSays;
  bench.protection.requestIdOf = () => randomUUID();
  const lane = async (): Promise<void> => {
    const tenantId = randomUUID();
    const { module } = (await bench.call(
      '/claviger.vault.v1.ModulesService/CreateModule',
      bench.person(tenantId, ['*']),
      { name: 'postgres', type: 'postgres', config: { tls: { mode: 'disable' } } },
    )) as { module: { id: string } };
    const property = fc.asyncProperty(scenario, async (given) => {
      const play = new Play(tenantId, module.id, given);
      await play.begin(given);
      await play.run(given.steps);
      await play.end();
    });
    await fc.assert(property, { numRuns: RUNS_OF_A_LANE });
  };
  await Promise.all(Array.from({ length: LANES }, lane));
});
