import { randomUUID } from 'node:crypto';
import { isClavigerError } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Oracle, type Person, type WorkflowSays } from '../../rights-oracle.ts';
import { type RightsBench, startRights } from '../../rights-support.ts';

let bench: RightsBench;
beforeAll(async () => {
  bench = await startRights();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** Sequences: several run at once, each with people and entries of its own. */
const LANES = 8;
const RUNS_OF_A_LANE = 250;
const PEOPLE = 5;
const ENTRIES = 3;
const RESOURCES = 2;

const OPERATOR = [
  'vault.entries.read',
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

const who = fc.nat(PEOPLE - 1);
const entry = fc.nat(ENTRIES - 1);
const resource = fc.nat(RESOURCES - 1);
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
  { weight: 2, arbitrary: fc.record({ op: fc.constant('setValue' as const), who, entry }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('describe' as const), who, entry }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('rename' as const), who, entry }) },
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
  { weight: 1, arbitrary: fc.record({ op: fc.constant('schedule' as const), who, entry }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('readdress' as const), who, resource }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('administer' as const), who, resource, entry }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('giveResource' as const), who, resource, user: who }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('leave' as const), who }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('return' as const), who }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('adopt' as const), who, entry }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('accept' as const), who, entry }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const scenario = fc.record({
  roles: fc.array(fc.nat(ROLES.length - 1), { minLength: PEOPLE, maxLength: PEOPLE }),
  resourceOwners: fc.array(who, { minLength: RESOURCES, maxLength: RESOURCES }),
  entries: fc.array(fc.record({ owner: who, resource, grant: fc.boolean(), reason: fc.boolean() }), {
    minLength: ENTRIES,
    maxLength: ENTRIES,
  }),
  steps: fc.array(step, { minLength: 4, maxLength: 12 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const ENTRY_CALLS = '/claviger.vault.v1.EntriesService';
const RESOURCE_CALLS = '/claviger.vault.v1.ResourcesService';
const ENTITLEMENTS = '/claviger.vault.v1.EntitlementsService';

/** The same people, entries and resources in the vault and in the oracle. */
class Play {
  readonly oracle: Oracle;
  readonly #tenantId: string;
  readonly #actors: Actor[];
  readonly #entryIds: string[] = [];
  readonly #resourceIds: string[] = [];
  readonly #grantIds = new Map<string, string>();
  #values = 0;

  constructor(tenantId: string, { roles, resourceOwners }: Scenario) {
    this.#tenantId = tenantId;
    // The last one is a machine of the first.
    const people: Person[] = roles.map((role, index) => ({
      role: { administrator: ROLES[role]!.includes('*'), permissions: new Set(ROLES[role]) },
      ...(index === PEOPLE - 1 ? { madeBy: 0 } : {}),
    }));
    this.oracle = new Oracle(people, resourceOwners);
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
  }

  async begin({ resourceOwners, entries }: Scenario): Promise<void> {
    const all = (index: number): Actor => ({ ...this.#actors[index]!, permissions: new Set(['*']) });
    for (const owner of resourceOwners) {
      const made = await bench.call(`${RESOURCE_CALLS}/CreateResource`, all(owner), {
        name: randomUUID(),
        type: 'server',
      });
      this.#resourceIds.push((made as { resource: { id: string } }).resource.id);
    }
    for (const { owner, resource, grant, reason } of entries) {
      const secret = this.#value();
      const made = await bench.call(`${ENTRY_CALLS}/CreateEntry`, all(owner), {
        name: randomUUID(),
        type: 'ssh-key',
        username: randomUUID(),
        resourceId: this.#resourceIds[resource],
        secret,
        requiresGrant: grant,
        requiresReason: reason,
      });
      this.#entryIds.push((made as { entry: { id: string } }).entry.id);
      this.oracle.add(owner, resource, { grant, reason }, secret);
    }
  }

  #value(): string {
    this.#values += 1;
    return `secret ${this.#values}`;
  }

  /** What a call answers, or undefined where it is refused. What is internal is a defect. */
  async #call(path: string, actor: Actor, fields: object): Promise<unknown> {
    try {
      return await bench.call(path, actor, fields);
    } catch (error) {
      if (!isClavigerError(error) || error.reason === 'internal') throw error;
      return undefined;
    }
  }

  async play(one: Step): Promise<void> {
    const { oracle } = this;
    if (one.op === 'place') return this.#place(one.entry, one.user, one.oneTime);
    if (one.op === 'end') return this.#end(one.entry);
    // Who has left calls nothing: auth refuses them.
    if (one.op === 'leave') return this.#standing(one.who, 'disabled', () => oracle.gone.add(one.who));
    if (one.op === 'return') return this.#standing(one.who, 'active', () => oracle.gone.delete(one.who));
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
        const secret = this.#value();
        return same(await update({ secret }), oracle.setValue(one.who, one.entry, secret));
      }
      case 'describe':
        return same(await update({ description: randomUUID() }), oracle.describe(one.who, one.entry));
      case 'rename':
        return same(await update({ username: randomUUID() }), oracle.rename(one.who, one.entry));
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
          intervalHours: 0,
        });
        return same(set !== undefined, oracle.schedule(one.who, one.entry));
      }
      case 'readdress':
        return same(await readdress({ host: `h${randomUUID()}` }), oracle.readdress(one.who, one.resource));
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

  #standing(index: number, status: 'active' | 'disabled', note: () => unknown): void {
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

  /** The ledger names exactly those who learned or set a version, by the oracle's account. */
  async end(): Promise<void> {
    const rows = await bench.deps.database.readTenant(this.#tenantId, (reader) =>
      reader
        .selectFrom('exposure_paths')
        .select(['user_id', 'entry_id', 'version'])
        .where('entry_id', 'in', this.#entryIds)
        .execute(),
    );
    const ledger = new Set(
      rows.map((row) => {
        const person = this.#actors.findIndex((actor) => actor.userId === row.user_id);
        return `${person} ${this.#entryIds.indexOf(row.entry_id)} ${row.version}`;
      }),
    );
    expect([...ledger].sort()).toEqual([...this.oracle.learned].sort());
  }
}

test(`nobody learns a secret that the oracle denies, by ${LANES * RUNS_OF_A_LANE} random sequences of operations`, async () => {
  // What workflow says is told by the reason of the change: sequences run beside one another.
  bench.protection.statusOf = (reason) => reason as WorkflowSays;
  bench.protection.requestIdOf = () => randomUUID();
  const lane = (): Promise<void> => {
    const tenantId = randomUUID();
    const property = fc.asyncProperty(scenario, async (given) => {
      const play = new Play(tenantId, given);
      await play.begin(given);
      for (const one of given.steps) await play.play(one);
      await play.end();
    });
    return fc.assert(property, { numRuns: RUNS_OF_A_LANE });
  };
  await Promise.all(Array.from({ length: LANES }, lane));
});
