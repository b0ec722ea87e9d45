import type { Noun } from '../contract/noun.ts';

const none = 'there are no destinations: set siem.targets (docs/siem.md)';

export const noun: Noun = {
  about: 'forward the audit log to your own systems',
  services: ['SiemService'],
  views: {
    SiemTargetStatus: {
      columns: [
        'NAME  name; TRANSPORT  transport; ADDRESS  address; MAX BYTES  maxMessageBytes; STATE  state',
        'NEXT  nextSequence; WAITING  lagEvents',
        [
          'OLDEST',
          (row: { lagEvents: number; oldestUnsentAgeSeconds: number }) =>
            row.lagEvents === 0 ? '' : `${row.oldestUnsentAgeSeconds} s`,
        ],
        'LAST SUCCESS  lastSuccessAt; PROBLEM  lastError',
      ],
    },
  },
  verbs: {
    status: {
      call: 'GetSiemStatus',
      table: 'items',
      none,
    },
    test: {
      call: 'TestSiem',
      example: 'siem test --target soc',
      table: 'results',
      columns: ['NAME  name; RESULT  ok?ok:failing; TOOK  {latencyMs} ms; PROBLEM  problem; NEXT  hint'],
      none,
      after: 'look for event {eventId} in the destination',
      exit: ({ ok }: { ok: boolean }) => (ok ? 0 : 1),
    },
  },
};
