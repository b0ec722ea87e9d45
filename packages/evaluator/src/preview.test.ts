import { isClavigerError } from '@claviger/errors';
import { expect, test } from 'vitest';
import { type PastRequest, preview } from './preview.ts';

const AT = '2026-11-20T12:00:00Z';

function past(n: number, changes: Partial<PastRequest> = {}): PastRequest {
  const requestedAt = new Date(Date.parse(AT) - n * 3_600_000).toISOString();
  return {
    id: `request-${n}`,
    requestedAt,
    flowType: 'uac_intercept',
    status: 'approved',
    facts: {
      kind: 'elevation',
      flowType: 'uac_intercept',
      at: requestedAt,
      signer: 'Contoso',
      username: 'acme\\sarah',
      groups: ['Helpdesk'],
    },
    ...changes,
  };
}
const pointers = (run: () => unknown): string[] => {
  try {
    run();
    return [];
  } catch (error) {
    if (!isClavigerError(error)) throw error;
    return error.fields.map(({ pointer }) => pointer);
  }
};

test('counts what the draft alone would have matched, by status, and names some', () => {
  const requests = [
    past(1),
    past(2, { status: 'denied' }),
    past(3, { status: 'pending', facts: { ...past(3).facts, signer: 'Other' } as never }),
    past(4, { flowType: 'ai_tool_action', facts: { kind: 'tool', at: AT, username: 'acme\\sarah' } }),
    past(24 * 8),
  ];
  expect(preview({ matchSigner: 'Contoso' }, requests, 7, { at: AT, maxSample: 1 })).toEqual({
    totalMatched: 2,
    totalScanned: 4,
    windowDays: 7,
    truncated: false,
    statusBreakdown: {
      pending: 0,
      approved: 1,
      auto_approved: 0,
      denied: 1,
      expired: 0,
      revoked: 0,
      actuating: 0,
    },
    sample: [
      {
        id: 'request-1',
        requestedAt: requests[0]!.requestedAt,
        flowType: 'uac_intercept',
        status: 'approved',
      },
    ],
  });
  const tools = preview({ matchUser: 'acme\\sarah' }, requests, 90, { at: AT, flowType: 'ai_tool_action' });
  expect(tools).toMatchObject({ totalMatched: 1, totalScanned: 1 });
});

test('a draft with a group matches nothing, a window is asked at the time of the request', () => {
  const requests = [past(1), past(12)];
  expect(preview({ matchAdGroup: 'Helpdesk' }, requests, 30, { at: AT })).toMatchObject({
    totalMatched: 0,
    totalScanned: 2,
  });
  const timeWindow = { start: '08:00', end: '18:00' };
  expect(
    preview({ matchSigner: 'Contoso', timeWindow }, requests, 30, { at: AT }).sample.map(({ id }) => id),
  ).toEqual(['request-1']);
});

test('reports that there were more requests than it examined', () => {
  const requests = [past(1), past(2), past(3)];
  expect(preview({ matchSigner: 'Contoso' }, requests, 30, { at: AT, maxScanned: 2 })).toMatchObject({
    totalScanned: 2,
    truncated: true,
  });
  expect(preview({ matchSigner: 'Contoso' }, requests, 30, { at: AT, maxScanned: 3 }).truncated).toBe(false);
});

test('H-205 refuses a draft that is none, and a window outside 1 to 90 days, naming the field', () => {
  const run = (draft: object, days: number) => pointers(() => preview(draft, [], days, { at: AT }));
  for (const days of [0, 91, 1.5, Number.NaN])
    expect(run({ matchSigner: 'Contoso' }, days)).toEqual(['/windowDays']);
  expect(run({ matchSigner: 'Contoso' }, 1)).toEqual([]);
  expect(run({ matchSigner: 'Contoso' }, 90)).toEqual([]);
  expect(run({ timeWindow: { start: '09:00', end: '10:00' } }, 30)).toEqual(['']);
  expect(run({ matchSigner: 'Contoso', matchToolName: 'restart' }, 30)).toEqual(['/matchToolName']);
});
