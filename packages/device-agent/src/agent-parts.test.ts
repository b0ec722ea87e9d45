import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliProblem } from '@claviger/api-client/cli-problem';
import { CommandError } from '@claviger/terminal/exit-codes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentEvent, agentLog } from './agent-log.ts';
import { readScript } from './agent-script.ts';
import { openCommandJournal } from './command-journal.ts';
import { createPersist, waitMs } from './persist.ts';
import { openTokenFile } from './token-file.ts';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-agent-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const fileOf = async (content: string): Promise<string> => {
  const file = join(folder, `file-${++files}`);
  await writeFile(file, content);
  return file;
};
const problem = (status: number, retryAfterSeconds?: number) =>
  new CliProblem({
    status,
    code: 'c',
    title: 't',
    detail: '',
    errors: [],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });

describe('a script', () => {
  const prompt = { subject_username: 'a', target_executable_path: 'b' };

  it('is a list or one object on each line; omitted fields get their defaults', async () => {
    const steps = [{ prompt }, { pauseSeconds: 2 }, { rotateToken: true }];
    const expected = [
      { prompt, await: 'none', outcome: 'succeeded', timeoutSeconds: 60, reportAfterSeconds: 0 },
      { pauseSeconds: 2 },
      { rotateToken: true },
    ];
    expect(await readScript(await fileOf(JSON.stringify(steps)))).toEqual(expected);
    const lines = steps.map((step) => JSON.stringify(step)).join('\n\n');
    expect(await readScript(await fileOf(`${lines}\n`))).toEqual(expected);
    expect(await readScript(await fileOf(JSON.stringify({ prompt })))).toHaveLength(1);
  });

  it.each([
    ['[{}]', /step 1 .*neither a prompt/],
    ['[1]', /step 1 .*not an object/],
    [`{"pauseSeconds": 1}\n{"prompt": {}, "await": "lunch"}`, /step 2 .*await must be one of/],
    ['[{"prompt": {}, "awaits": "decision"}]', /has the unknown field awaits/],
    ['[{"prompt": {}, "timeoutSeconds": "1"}]', /timeoutSeconds must be a number/],
    ['{"prompt": {}}\nnonsense', /line 2 of the script is not JSON/],
  ])('that is invalid is refused, and the error names the step or line: %s', async (text, message) => {
    await expect(readScript(await fileOf(text))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });
});

describe('the token file', () => {
  const token = (letter: string) => `cla_${letter.repeat(43)}_${'0'.repeat(40)}`;

  it('is replaced atomically, readable only by its owner, and read again on request', async () => {
    const file = await fileOf(`${token('a')}\n`);
    const tokens = await openTokenFile(file);
    expect(await tokens.current(false)).toBe(token('a'));
    await tokens.replace(token('b'));
    expect(await tokens.current(false)).toBe(token('b'));
    expect(await readFile(file, 'utf8')).toBe(`${token('b')}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await writeFile(file, token('c'));
    expect(await tokens.current(false)).toBe(token('b'));
    expect(await tokens.current(true)).toBe(token('c'));
  });

  it('with another kind of token is refused, and the error does not contain the token', async () => {
    const file = await fileOf('clv_hunter2');
    const error = await openTokenFile(file).catch((cause: unknown) => cause as CommandError);
    expect(error).toMatchObject({ exitCode: 2 });
    expect((error as CommandError).message).not.toContain('hunter2');
  });
});

describe('the journal of commands', () => {
  it('starts a command once, also with two open journals, and keeps its outcome', () => {
    const file = join(folder, 'journal');
    const [one, other] = [openCommandJournal(file), openCommandJournal(file)];
    expect([one.begin('c1'), one.begin('c1'), other.begin('c1')]).toEqual([true, false, false]);
    expect(other.outcomeOf('c1')).toBeUndefined();
    one.finish('c1', { outcome: 'timed_out', detail: 'd' });
    one.close();
    other.close();
    const later = openCommandJournal(file);
    expect(later.begin('c1')).toBe(false);
    expect(later.outcomeOf('c1')).toEqual({ outcome: 'timed_out', detail: 'd' });
    later.close();
  });
});

describe('persistence', () => {
  it('waits at least as long as the server asks, otherwise longer after each failure, with random times', () => {
    const asked = Array.from({ length: 50 }, () => waitMs(problem(429, 3), 0));
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(3_000);
    expect(Math.max(...asked)).toBeLessThan(4_000);
    const gone = new CommandError('away');
    for (const [failures, least, most] of [
      [0, 250, 500],
      [3, 2_000, 4_000],
      [99, 15_000, 30_000],
    ] as const) {
      const waits = Array.from({ length: 50 }, () => waitMs(gone, failures));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...waits)).toBeLessThanOrEqual(most);
      expect(new Set(waits).size).toBeGreaterThan(1);
    }
  });

  it('retries during an outage, reports the outage once, and ends with any other refusal', async () => {
    const told: AgentEvent[] = [];
    const persist = createPersist((event) => void told.push(event));
    const answers = [new CommandError('away'), problem(503), 'answer'];
    const ask = async () => {
      const next = answers.shift()!;
      if (typeof next === 'string') return next;
      throw next;
    };
    const { signal } = new AbortController();
    expect(await persist(ask, signal)).toBe('answer');
    expect(told).toEqual(['away', 'back']);
    for (const status of [400, 401, 403, 404, 409, 413]) {
      answers.push(problem(status));
      await expect(persist(ask, signal)).rejects.toMatchObject({ status });
    }
    answers.push(new CommandError('a mistake of the caller', 2));
    await expect(persist(ask, signal)).rejects.toThrow('mistake');
  });

  it('ends when its signal aborts, even while it waits', async () => {
    const stopping = new AbortController();
    const persist = createPersist(() => stopping.abort());
    const asking = persist(async () => {
      throw problem(503, 3_600);
    }, stopping.signal);
    await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
  });
});

it('events are printed for programs as JSON, one on each line', () => {
  const lines: string[] = [];
  const { write } = process.stdout;
  process.stdout.write = ((text: string) => lines.push(text) > 0) as typeof write;
  try {
    agentLog(true, () => new Date(0))('reported', 'text', { id: 'r1' });
  } finally {
    process.stdout.write = write;
  }
  expect(JSON.parse(lines.join(''))).toEqual({ at: '1970-01-01T00:00:00.000Z', event: 'reported', id: 'r1' });
});
