import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createTemporaryDataDir } from '@claviger/installation';
import { mayMount } from '@claviger/targets';
import { eventually, type StartedNetwork, startNetwork, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const DISK = '384m';
/** Writes one megabyte to the write-ahead log and nothing else. */
const WRITE_JOURNAL = `SELECT pg_logical_emit_message(true, 'test', repeat('x', 1048576))`;

const mount = (folder: string, size: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status === 0;

const possible = mayMount();
if (!possible)
  console.warn('NOT TESTED: a full disk. This account may not mount a tmpfs: run the tests as root.');

describe.skipIf(!possible)('a full disk of PostgreSQL', () => {
  let dataDir: string;
  let disk: string;
  let started: StartedNetwork;
  let tenant: TestTenant;
  beforeAll(async () => {
    dataDir = await createTemporaryDataDir();
    mkdirSync(join(dataDir, 'parts'), { mode: 0o711 });
    disk = join(dataDir, 'parts', 'postgres');
    mkdirSync(disk);
    if (!mount(disk, DISK)) throw new Error(`no disk at ${disk}`);
    started = await startNetwork({ dataDir, supervise: true });
    tenant = await started.network.createTenant();
  });
  afterAll(async () => {
    await started?.[Symbol.asyncDispose]();
    if (disk !== undefined) spawnSync('umount', [disk]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const filler = () => join(disk, 'filler');
  function fill(): void {
    const file = openSync(filler(), 'w');
    for (let size = 1 << 20; size >= 1 << 12; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size >>= 1;
      }
    }
    closeSync(file);
  }

  let names = 0;
  /** Ids of the acknowledged entries. */
  const stored: string[] = [];
  /** Answers that do not match an outage. */
  const wrong: string[] = [];
  /** Incompressible, so that each entry soon needs new pages. */
  async function note(): Promise<{ status: number; text: string }> {
    const secret = randomBytes(3_000).toString('base64');
    const { status, text, body } = await tenant.admin.client.post('/api/v1/vault/entries', {
      name: `note ${names++}`,
      type: 'note',
      secret,
    });
    if (status === 201) stored.push(body.id as string);
    // A database that does not answer in time also counts as an outage.
    else if (status !== 503 && status !== 504) wrong.push(`${status} ${text}`);
    return { status, text };
  }
  const refused = (why = '') =>
    eventually(async () => {
      const { status, text } = await note();
      expect(status).toBe(503);
      expect(text).toContain(why);
    });
  /** Everything recovers automatically, and a tree head covers every acknowledged entry. */
  async function goesOn(): Promise<void> {
    await eventually(async () => expect((await note()).status).toBe(201));
    expect(wrong).toEqual([]);
    const { client } = tenant.admin;
    for (const id of stored) await eventually(() => client.must('GET', `/api/v1/vault/entries/${id}`));
    await eventually(async () => {
      const sequences = new Map<string, number | undefined>();
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const page = await client.must(
          'GET',
          `/api/v1/audit/events?action=vault.entry.created&pageSize=100&cursor=${cursor}`,
        );
        for (const { subjectId, sequence } of page.items as { subjectId: string; sequence?: number }[])
          sequences.set(subjectId, sequence);
        cursor = page.nextCursor as string | undefined;
      }
      for (const id of stored) expect(sequences.get(id)).toBeDefined();
    });
    for (const { healthUrl } of started.installation.nodes)
      await eventually(async () => expect((await fetch(`${healthUrl}/ready`)).status).toBe(200));
  }

  test('writes answer 503 with the reason, reads continue; with free space everything recovers automatically', async () => {
    await started.network.superuser(async (db) => {
      // The write-ahead log has space here (the next test fills it); only tables cannot grow.
      for (let megabyte = 0; megabyte < 64; megabyte += 1) await db.query(WRITE_JOURNAL);
      await db.query('CHECKPOINT');
    });
    fill();
    try {
      await refused('its disk is full');
      const { status } = await tenant.admin.client.get('/api/v1/vault/entries');
      expect(status).toBe(200);
    } finally {
      rmSync(filler());
    }
    await goesOn();
  });

  test('if the write-ahead log cannot grow, everything waits for space and then recovers automatically', async () => {
    const { postgres } = started.installation.servers;
    const before = postgres.pid;
    fill();
    try {
      const ends = started.network.superuser(async (db) => {
        for (;;) await db.query(WRITE_JOURNAL);
      });
      await expect(ends).rejects.toThrow();
      expect(readFileSync(started.installation.logFiles.postgres!, 'utf8')).toContain('PANIC');
      // Either its recovery also needs space and fails, or it reuses a segment of the write-ahead log.
      await eventually(async () => {
        if (postgres.pid === before) await started.network.superuser((db) => db.query('SELECT'));
      });
      await refused();
    } finally {
      rmSync(filler());
    }
    await goesOn();
  });
});
