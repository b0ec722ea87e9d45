import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { exportLines, type SignedTreeHead, verifyExport } from '@claviger/merkle';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditBench, startBench, storeSequenced, text } from '../../test-support.ts';

let bench: AuditBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
});

const everything = {
  from: '',
  to: '',
  format: '',
  userId: '',
  action: '',
  outcome: '',
  resourceId: '',
  subjectId: '',
  search: '',
  bom: false,
};

async function* bytes(tenant: string, change: object) {
  const answers = bench.client.exportEvents({ ...everything, ...change }, await bench.as(tenant));
  for await (const { data } of answers) yield data;
}

const verify = (tenant: string, knownHeads: SignedTreeHead[] = []) =>
  verifyExport(exportLines(bytes(tenant, { format: 'jsonl' })), {
    trustedKeys: [bench.keys.treeHeadPublic],
    knownHeads,
  });

test('an export of the whole log verifies offline against the kept heads', async () => {
  const tenant = randomUUID();
  await bench.record(tenant, 20);
  const kept = await bench.sequenced(tenant, 20);
  await bench.record(tenant, 20);
  await bench.sequenced(tenant, 40);
  expect(await verify(tenant, [kept])).toMatchObject({
    ok: true,
    events: 40,
    trust: 'trusted-key',
    knownHeadsMatched: 1,
  });
  // That export is itself an event.
  await bench.sequenced(tenant, 41);
  const summary = await bench.client.getSummary({ from: '', to: '' }, await bench.as(tenant));
  expect(summary.byAction).toContainEqual({ action: 'audit.exported', count: 1 });
});

test.each([
  [
    'a payload',
    "UPDATE events SET canonical = replace(canonical, 'test.happened', 'test.happenee') WHERE tenant_id = $1 AND sequence = 4",
    4,
  ],
  [
    'a payload with its leaf hash',
    "UPDATE events SET canonical = 'x', leaf_hash = sha256('\\x0078') WHERE tenant_id = $1 AND sequence = 4",
    4,
  ],
  ['a column', "UPDATE events SET actor_name = 'somebody else' WHERE tenant_id = $1 AND sequence = 4", 4],
  [
    'a time',
    "UPDATE events SET occurred_at = occurred_at - interval '1 day' WHERE tenant_id = $1 AND sequence = 4",
    4,
  ],
  ['a leaf hash', "UPDATE events SET leaf_hash = sha256('x') WHERE tenant_id = $1 AND sequence = 4", 4],
  ['a deleted event', 'DELETE FROM events WHERE tenant_id = $1 AND sequence = 4', 5],
  [
    'an event that moved to another tenant',
    'UPDATE events SET tenant_id = gen_random_uuid() WHERE tenant_id = $1 AND sequence = 4',
    5,
  ],
  ['the root of a head', "UPDATE tree_heads SET root_hash = repeat('0', 64) WHERE tenant_id = $1", null],
  [
    'the signature of a head',
    'UPDATE tree_heads SET signature = reverse(signature) WHERE tenant_id = $1',
    null,
  ],
  [
    'the time of a head',
    "UPDATE tree_heads SET timestamp = timestamp - interval '1 day' WHERE tenant_id = $1",
    null,
  ],
  ['the tail and its heads', 'DELETE FROM tree_heads WHERE tenant_id = $1 AND size > 6', null],
])('verification detects a change of the stored log: %s', async (_, statement, seq) => {
  const tenant = randomUUID();
  await bench.record(tenant, 6);
  await bench.sequenced(tenant, 6);
  await bench.record(tenant, 4);
  const kept = await bench.sequenced(tenant, 10);
  expect((await verify(tenant, [kept])).ok).toBe(true);
  // That export is an event of the log too. Wait for its head: a head signed after the change below would be
  // valid.
  await bench.sequenced(tenant, 11);
  await bench.superuser(statement, [tenant]);
  const verdict = await verify(tenant, [kept]);
  expect(verdict.ok).toBe(false);
  if (seq !== null) expect(verdict.problems[0]!.seq ?? seq).toBe(seq);
});

test('csv has the same rows as json, filtered, with formulas neutralized', async () => {
  const tenant = randomUUID();
  await bench.record(tenant, 30, (n) => ({
    reason: n === 3 ? '=HYPERLINK("http://x")' : 'plain',
    action: n % 2 ? 'vault.read' : 'auth.login',
  }));
  await bench.sequenced(tenant, 30);
  const json = JSON.parse(
    await text(
      bench.client.exportEvents({ ...everything, format: 'json', action: 'vault.*' }, await bench.as(tenant)),
    ),
  );
  expect(json).toHaveLength(15);
  expect(json[0]).toMatchObject({ action: 'vault.read', details: { n: expect.any(Number) } });
  const answers = [];
  for await (const answer of bench.client.exportEvents(
    { ...everything, action: 'vault.*' },
    await bench.as(tenant),
  ))
    answers.push(answer);
  expect(answers[0]!.contentType).toBe('text/csv; charset=utf-8');
  const csv = Buffer.concat(answers.map((answer) => answer.data)).toString();
  expect(csv.split('\r\n')).toHaveLength(17);
  expect(csv).toContain(`"'=HYPERLINK(""http://x"")"`);
  expect(csv.split('\r\n')[0]).toMatch(/^"sequence","id","occurredAt"/);
  await expect(
    text(
      bench.client.exportEvents(
        { ...everything, format: 'jsonl', action: 'vault.*' },
        await bench.as(tenant),
      ),
    ),
  ).rejects.toMatchObject({
    reason: 'invalid',
    fields: [{ pointer: '/format' }],
  });
  await expect(
    text(bench.client.exportEvents({ ...everything, format: 'json', bom: true }, await bench.as(tenant))),
  ).rejects.toMatchObject({ reason: 'invalid', fields: [{ pointer: '/bom' }] });
  await expect(
    text(bench.client.exportEvents({ ...everything, from: '2026-02-30' }, await bench.as(tenant))),
  ).rejects.toMatchObject({ reason: 'invalid' });
  const empty = await text(
    bench.client.exportEvents({ ...everything, format: 'json', to: '2000-01-01' }, await bench.as(tenant)),
  );
  expect(JSON.parse(empty)).toEqual([]);
});

test('the memory use of an export of 20,000 events does not depend on their number', async () => {
  const tenant = randomUUID();
  await storeSequenced(bench, tenant, 20_000, () => ({ details: { note: 'x'.repeat(1_000) } }));
  const pid = bench.stack.pid('audit-1')!;
  const residentMb = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
  const before = residentMb();
  let most = 0;
  let total = 0;
  for await (const data of bytes(tenant, { format: 'jsonl' })) {
    total += data.length;
    most = Math.max(most, residentMb());
  }
  expect(total).toBeGreaterThan(25_000_000);
  // A loose bound: garbage varies, but the export itself is several times as large.
  expect(most - before).toBeLessThan(120);
  expect((await verify(tenant)).ok).toBe(true);
});

test('an export accepts the filters of the list', async () => {
  const tenant = randomUUID();
  const ids = await bench.record(tenant, 6, (n) => ({
    subjectId: `s-${n % 3}`,
    resourceId: `r-${n % 2}`,
    reason: n === 4 ? 'a Needle in it' : '',
  }));
  await bench.sequenced(tenant, 6);
  const found = async (change: object) =>
    (
      JSON.parse(
        await text(
          bench.client.exportEvents({ ...everything, format: 'json', ...change }, await bench.as(tenant)),
        ),
      ) as { id: string }[]
    )
      .map(({ id }) => ids.indexOf(id))
      .filter((index) => index >= 0)
      .toSorted();
  expect(await found({ subjectId: 's-1' })).toEqual([1, 4]);
  expect(await found({ resourceId: 'r-0' })).toEqual([0, 2, 4]);
  expect(await found({ search: 'needle' })).toEqual([4]);
  expect(await found({ search: 'needle', resourceId: 'r-1' })).toEqual([]);
});

test('with bom a csv of many chunks begins with exactly one byte order mark', async () => {
  const tenant = randomUUID();
  const reason = `\ufeff=1+1 ${'é'.repeat(1_000)}`;
  await bench.record(tenant, 60, () => ({ reason }));
  const head = await bench.sequenced(tenant, 60);
  const filter = { subjectId: '', action: 'test.happened' };
  const whole = async (bom: boolean) => {
    const parts: Buffer[] = [];
    for await (const data of bytes(tenant, { ...filter, bom })) parts.push(Buffer.from(data));
    return { chunks: parts.length, file: Buffer.concat(parts) };
  };
  const [plain, marked] = [await whole(false), await whole(true)];
  expect(marked.chunks).toBeGreaterThan(1);
  expect(plain.file.subarray(0, 1).toString()).toBe('"');
  expect(marked.file).toEqual(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain.file]));
  // A byte order mark within an event follows the apostrophe that neutralizes formulas.
  expect(marked.file.toString().match(/\ufeff/g)).toHaveLength(1 + 60);
  expect(marked.file.toString().match(/"'\ufeff=1/g)).toHaveLength(60);
  expect(await verify(tenant, [head])).toMatchObject({ ok: true });
});
