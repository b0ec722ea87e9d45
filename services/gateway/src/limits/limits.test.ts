import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@claviger/backing-servers';
import { methodOf } from '@claviger/contracts';
import * as devices from '@claviger/contracts/auth/v1/devices';
import { createLogger } from '@claviger/service-kit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gate, liveKey } from './gate.ts';
import { createLimitKeys } from './limit-keys.ts';
import { createLocalLimiter } from './local-limiter.ts';
import { createRedisGate } from './redis-gate.ts';
import { createTiers, type Tier, tierOf } from './tiers.ts';

const logger = createLogger({ service: 'gateway', node: 'test', level: 'error' });
const TIERS = createTiers({
  standardBurst: 20,
  tenantPerMinute: 6_000,
  anonymousPerMinute: 600,
  disclosuresPerMinute: 60,
  disclosuresPerDay: 500,
});
const hourly = (requests: number, burst = requests): Tier => ({
  name: 'report',
  requests,
  windowSeconds: 3_600,
  burst,
});

it('limits an agent to ten new tokens a minute: each ends the previous one and notifies every gateway', () => {
  const { path } = devices.AgentsService.rotateOwnAgentToken;
  expect(tierOf(methodOf(path), TIERS)).toEqual(TIERS.auth);
});

describe('the gate on Redis', () => {
  let folder: string;
  let part: RedisServer;
  let client: Redis;
  const gates: Gate[] = [];

  const gate = async (limits = true) => {
    const created = createRedisGate({
      redis: { host: '127.0.0.1', port: part.port, password: part.password },
      limits,
      local: createLocalLimiter(1),
      logger,
      // A time-out would switch to local counting, which this test must not use even on a busy machine.
      commandTimeoutMs: 120_000,
    });
    gates.push(created);
    await expect
      .poll(
        () =>
          created.ping().then(
            () => true,
            () => false,
          ),
        { timeout: 50_000 },
      )
      .toBe(true);
    return created;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claviger-limits-'));
    // The server may run under another account.
    await chmod(folder, 0o711);
    part = await startRedis({ dataDir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
    client = new Redis({ host: '127.0.0.1', port: part.port, password: part.password });
  });

  afterAll(async () => {
    for (const each of gates) each.close();
    client?.disconnect();
    await part?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('allows exactly the quota for many concurrent requests at two replicas', async () => {
    const replicas = await Promise.all([gate(), gate()]);
    const limit = { key: 'test:quota', tier: hourly(20) };
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => replicas[index % 2]!.check([limit], undefined)),
    );
    expect(answers.filter((answer) => answer.limit!.allowed)).toHaveLength(20);
    const refused = answers.find((answer) => !answer.limit!.allowed)!.limit!;
    expect(refused.remaining).toBe(0);
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(3_600_000 / 20);
  });

  it('allows at most a burst at once, and the rest at the rate of the tier', async () => {
    const one = await gate();
    const limit = { key: 'test:burst', tier: hourly(100, 7) };
    const answers = await Promise.all(Array.from({ length: 30 }, () => one.check([limit], undefined)));
    expect(answers.filter((answer) => answer.limit!.allowed)).toHaveLength(7);
    const refused = answers.find((answer) => !answer.limit!.allowed)!.limit!;
    expect(refused.retryAfterMs).toBeLessThanOrEqual(36_000);
  });

  it('counts a request that one limit refuses against no limit', async () => {
    const one = await gate();
    const narrow = { key: 'test:narrow', tier: hourly(1) };
    const wide = { key: 'test:wide', tier: hourly(10) };
    await one.check([narrow], undefined);
    expect((await one.check([narrow, wide], undefined)).limit!.allowed).toBe(false);
    expect((await one.check([wide], undefined)).limit!.remaining).toBe(9);
  });

  it('gives back counted requests, up to the full quota', async () => {
    const one = await gate();
    const limit = { key: 'test:back', tier: hourly(3) };
    await one.check([limit], undefined);
    await one.check([limit], undefined);
    await one.giveBack([limit]);
    expect((await one.check([limit], undefined)).limit!.remaining).toBe(1);
    for (let index = 0; index < 5; index += 1) await one.giveBack([limit]);
    const answers = await Promise.all(Array.from({ length: 6 }, () => one.check([limit], undefined)));
    expect(answers.filter((answer) => answer.limit!.allowed)).toHaveLength(3);
  });

  it('does not count requests of a revoked session', async () => {
    const one = await gate();
    const limit = { key: 'test:ended', tier: hourly(1) };
    await client.set(liveKey('s4'), 'revoked');
    for (let index = 0; index < 3; index += 1)
      expect(await one.check([limit], 's4')).toMatchObject({ live: 'revoked', limit: { allowed: true } });
    expect((await one.check([limit], undefined)).limit!.allowed).toBe(true);
    expect((await one.check([limit], 's4')).live).toBe('revoked');
  });

  it('returns the liveness in the same round trip, and undefined for an unknown session', async () => {
    const one = await gate();
    await client.set(liveKey('s1'), '7');
    await client.set(liveKey('s2'), 'revoked');
    const limit = { key: 'test:live', tier: TIERS.standard };
    expect(await one.check([limit], 's1')).toMatchObject({ live: '7', limit: { remaining: 19 } });
    expect((await one.check([limit], 's2')).live).toBe('revoked');
    expect((await one.check([limit], 's3')).live).toBeUndefined();
  });

  it('counts nothing when limits are off, but still reads the liveness', async () => {
    const one = await gate(false);
    await client.set(liveKey('s4'), '1');
    expect(await one.check([{ key: 'test:off', tier: hourly(1) }], 's4')).toEqual({
      limit: undefined,
      live: '1',
    });
    expect(await client.exists('test:off')).toBe(0);
  });

  it('leaves no key without an expiry', async () => {
    const one = await gate();
    await one.check([{ key: 'test:expiry', tier: hourly(5) }], undefined);
    expect(await client.pttl('test:expiry')).toBeGreaterThan(0);
  });

  it('counts locally when Redis is unavailable, and then returns no liveness', async () => {
    const lonely = createRedisGate({
      redis: { host: '127.0.0.1', port: 1, password: 'x' },
      limits: true,
      local: createLocalLimiter(1),
      logger: createLogger({ service: 'gateway', node: 'test', level: 'error' }),
    });
    gates.push(lonely);
    const limit = { key: 'test:away', tier: hourly(2) };
    const answers = [];
    for (let index = 0; index < 3; index++) answers.push(await lonely.check([limit], 's1'));
    expect(answers.map((answer) => answer.limit!.allowed)).toEqual([true, true, false]);
    expect(answers.every((answer) => answer.live === undefined)).toBe(true);
  });
});

describe('the local limiter', () => {
  it('divides the quota among the replicas, halves that of sign-in, and restores it over time', () => {
    let now = 1_000_000;
    const limiter = createLocalLimiter(2, () => now);
    const tries = (tier: Tier, count: number) =>
      Array.from({ length: count }, () => limiter.check([{ key: `k:${tier.name}`, tier }])[0]!.allowed);
    expect(tries(TIERS.standard, 60).filter(Boolean)).toHaveLength(10);
    expect(tries(TIERS.auth, 10).filter(Boolean)).toHaveLength(2);
    now += 30_000;
    expect(tries(TIERS.auth, 10).filter(Boolean)).toHaveLength(1);
  });
});

it('gives back counted requests in the local limiter too', () => {
  const limiter = createLocalLimiter(1, () => 1_000_000);
  const limit = { key: 'k', tier: hourly(2) };
  const allowed = () => limiter.check([limit])[0]!.allowed;
  expect([allowed(), allowed(), allowed()]).toEqual([true, true, false]);
  limiter.giveBack([limit]);
  expect([allowed(), allowed()]).toEqual([true, false]);
  for (let index = 0; index < 5; index += 1) limiter.giveBack([limit]);
  expect([allowed(), allowed(), allowed()]).toEqual([true, true, false]);
});

it('checks at most 100 invalid tokens of one address in any minute', () => {
  let now = 1_000_000;
  const limiter = createLocalLimiter(1, () => now);
  const heard: number[] = [];
  const share = { ...TIERS.tokenFailure, name: 'standard' as const };
  for (; now < 1_000_000 + 180_000; now += 50)
    if (limiter.check([{ key: 'k', tier: share }])[0]!.allowed) heard.push(now);
  for (const from of heard)
    expect(heard.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(100);
});

describe('limit keys', () => {
  const keys = createLimitKeys('secret');

  it('contain no address', () => {
    expect(keys.address('auth', '192.0.2.1')).not.toContain('192.0.2.1');
  });

  it('treat all addresses that one IPv6 client can choose as one', () => {
    expect(keys.address('auth', '2001:db8::1')).toBe(keys.address('auth', '2001:db8:0:0:ffff::9'));
    expect(keys.address('auth', '2001:db8::1')).not.toBe(keys.address('auth', '2001:db8:0:1::1'));
  });
});
