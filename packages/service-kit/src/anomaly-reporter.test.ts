import { expect, test, vi } from 'vitest';
import type { Anomaly } from './anomaly.ts';
import { type CountedAnomaly, createAnomalyReporter } from './anomaly-reporter.ts';
import type { Logger } from './logger.ts';

function collecting(fails: () => boolean = () => false) {
  const lines: { alert?: string; subject?: { id: string }; count?: number }[] = [];
  const stored: CountedAnomaly[] = [];
  const logger = { error: (line: object) => void lines.push(line), warn: () => {} } as unknown as Logger;
  const reporter = createAnomalyReporter({
    logger,
    store: async (anomalies) => {
      if (fails()) throw new Error('away');
      stored.push(...anomalies);
    },
  });
  return { lines, stored, reporter };
}

const refused = (id: string, details: Anomaly['details'] = {}): Anomaly => ({
  alert: 'internal_certificate_refused',
  subject: { type: 'certificate', id },
  details,
});
const total = (stored: readonly CountedAnomaly[]) => stored.reduce((sum, { count }) => sum + count, 0);

test('each subject is logged once with the field `alert`, and every observation is counted', async () => {
  const { lines, stored, reporter } = collecting();
  for (let n = 0; n < 50; n += 1) reporter.report(refused('a'));
  reporter.report(refused('b'));
  expect(lines).toMatchObject([
    { alert: 'internal_certificate_refused', subject: { id: 'a' }, count: 1 },
    { alert: 'internal_certificate_refused', subject: { id: 'b' }, count: 1 },
  ]);
  await reporter[Symbol.asyncDispose]();
  expect(stored.map(({ subject, count }) => [subject.id, count])).toEqual([
    ['a', 50],
    ['b', 1],
  ]);
});

test('anomalies that cannot be stored stay in memory and are stored once, at the latest when the process ends', async () => {
  let away = true;
  const { stored, reporter } = collecting(() => away);
  reporter.report(refused('a'));
  await vi.waitFor(() => expect(stored).toEqual([]));
  reporter.report(refused('a'));
  away = false;
  await reporter[Symbol.asyncDispose]();
  expect(total(stored)).toBe(2);
});

test('made-up subjects fill neither memory nor log: those beyond the limit are counted together', async () => {
  const { stored, reporter } = collecting();
  for (let n = 0; n < 5_000; n += 1) reporter.report(refused(`fingerprint-${n}`));
  await reporter[Symbol.asyncDispose]();
  expect(stored.length).toBeLessThanOrEqual(201);
  expect(total(stored)).toBe(5_000);
  expect(stored.at(-1)).toMatchObject({ subject: { id: 'others' } });
});

test('texts from an attacker are cut, and characters invalid in logs or the database are replaced', async () => {
  const { stored, reporter } = collecting();
  reporter.report(refused('a\n\u0000'.repeat(1_000), { names: `\ud800\r\n${'x'.repeat(9_000)}` }));
  await reporter[Symbol.asyncDispose]();
  const { subject, details } = stored[0]!;
  for (const text of [subject.id, details.names as string]) {
    expect(text.length).toBeLessThanOrEqual(300);
    expect(text).not.toMatch(/\p{Cc}|\p{Cs}/u);
  }
});
