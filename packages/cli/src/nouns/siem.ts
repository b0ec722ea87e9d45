import type { Noun } from '../contract/noun.ts';

const none = 'there are no targets: set siem.targets (docs/siem.md)';

export const noun: Noun = {
  about: 'forwarding the audit log to your own systems',
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
      about: 'show how far each destination has got, and what waits',
      table: 'items',
      none,
    },
    test: {
      call: 'TestSiem',
      about: 'send a marked event to the destinations on the real way, and say what came of it',
      example: 'siem test --target soc',
      flags: { target: '--target <name>  only this one' },
      table: 'results',
      columns: ['NAME  name; RESULT  ok?ok:failing; TOOK  {latencyMs} ms; PROBLEM  problem; NEXT  hint'],
      none,
      after: 'look for event {eventId} there',
      exit: ({ ok }: { ok: boolean }) => (ok ? 0 : 1),
    },
  },
};
