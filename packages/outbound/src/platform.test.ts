import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { parseEndpoint } from './endpoint.ts';
import { createPlatform } from './platform.ts';

const folder = mkdtempSync(join(tmpdir(), 'claviger-open-targets-'));
const file = join(folder, 'open-targets');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(file, { force: true }));

const problems: string[] = [];
const platform = () =>
  createPlatform({
    ownServers: ['127.0.0.1:7101', 'redis.internal:6379'],
    openTargetsFile: file,
    onProblem: (problem) => problems.push(problem),
  });
const opened = ({ rules }: ReturnType<typeof platform>) =>
  rules().openTargets.map(({ host, from }) => `${host} ${from}`);

test('without a file no address is open, and a file that is written later applies at once', () => {
  const one = platform();
  expect(opened(one)).toEqual([]);
  writeFileSync(file, '# the test database\n127.0.0.1:5432\n');
  expect(opened(one)).toEqual(['127.0.0.1 5432']);
  // The file has the same size and is written within the resolution of its time stamp.
  for (const port of [5433, 5434, 5435]) {
    writeFileSync(file, `# the test database\n127.0.0.1:${port}\n`);
    expect(opened(one)).toEqual([`127.0.0.1 ${port}`]);
  }
  writeFileSync(file, ' [::1]:22 # sshd\n\nDB.Local:1433');
  expect(opened(one)).toEqual(['::1 22', 'db.local 1433']);
  rmSync(file);
  expect(opened(one)).toEqual([]);
  expect(one.rules().ownServers).toHaveLength(2);
});

describe('an invalid file opens nothing, and the problem is reported', () => {
  test.each([
    ['a word', '127.0.0.1:5432\nlocalhost\n', /'localhost' is not HOST:PORT/],
    ['a range', '127.0.0.1:1-65535', /not HOST:PORT/],
    ['a network', '127.0.0.0/8:22', /not HOST:PORT/],
    ['a wildcard', '*:22', /not HOST:PORT/],
    ['a port that is none', '127.0.0.1:0', /not HOST:PORT/],
    ['too many bytes', `127.0.0.1:22 #${'x'.repeat(65_536)}`, /larger than/],
    ['too many targets', '127.0.0.1:22\n'.repeat(1_001), /more than 1000/],
  ])('%s', (_, text, problem) => {
    const one = platform();
    writeFileSync(file, '127.0.0.1:5432');
    expect(opened(one)).toEqual(['127.0.0.1 5432']);
    writeFileSync(file, text);
    problems.length = 0;
    expect(opened(one)).toEqual([]);
    expect(opened(one)).toEqual([]);
    expect(one.problem()).toMatch(problem);
    // The problem is reported once, not for each decision.
    expect(problems).toEqual([one.problem()]);
    writeFileSync(file, '127.0.0.1:5432');
    expect(opened(one)).toEqual(['127.0.0.1 5432']);
    expect(one.problem()).toBeUndefined();
  });
});

test('an own server that is not `host:port` is an error at the start', () => {
  expect(() => createPlatform({ ownServers: ['/run/postgresql'] })).toThrow(
    "'/run/postgresql' is not host:port",
  );
});

test('an endpoint is accepted in one spelling only', () => {
  expect(parseEndpoint('[2001:db8::1]:443')).toEqual({ host: '2001:db8::1', from: 443, to: 443 });
  for (const text of [
    '2001:db8::1:443',
    '[127.0.0.1]:22',
    'host',
    ':22',
    'host:',
    'host:65536',
    '127.1:22',
    'a b:22',
  ])
    expect([text, parseEndpoint(text)]).toEqual([text, undefined]);
});
