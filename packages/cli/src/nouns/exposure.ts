import type { Column, Noun } from '../contract/noun.ts';
import { subjectText } from '../contract/request-view.ts';

const version: Column = [
  'VERSION',
  (row: { version: number; current: boolean }) => `${row.version}${row.current ? '' : ', former'}`,
];
const ways: readonly Column[] = [
  'TIMES  times; LAST  lastSeenAt',
  ['BY', ({ paths }: { paths: { kind: string }[] }) => [...new Set(paths.map(({ kind }) => kind))].join(' ')],
];

export const noun: Noun = {
  about: 'show who has seen which secrets, and rotate them',
  services: ['ExposureService'],
  verbs: {
    show: {
      call: 'GetUserExposure',
      about: 'list the current secrets that a user has seen, also a deleted user',
      example: 'exposure alice',
      isDefault: true,
      flags: { past: 'also versions that are no longer current' },
      columns: ['ENTRY  entryId', ['WHAT', subjectText], version, ...ways, 'ROTATION  rotation'],
    },
    entry: {
      call: 'GetEntryExposure',
      about: 'list who has seen a secret, which version and how',
      example: 'exposure entry app-login',
      flags: { currentOnly: false },
      options: ['--past  also earlier versions'],
      prepare: ({ options }) => ({ currentOnly: options.past !== true }),
      columns: ['WHO  userName|userId', version, 'FIRST  firstSeenAt', ...ways],
    },
    rotate: {
      call: 'RotateUserExposure',
      about: 'queue the rotation of everything that a user has seen',
      example: 'exposure rotate alice --reason "alice has left"',
      flags: {
        reason: '--reason <text>!  reason, for the audit log',
        entryIds: 'only this entry, by name or id',
      },
      confirm: 'rotate everything that {0} has seen?',
      print: (
        {
          queued,
          alreadyQueued,
          impossible,
        }: { queued: number; alreadyQueued: number; impossible: object[] },
        { tell, printRows },
      ) => {
        tell(`${queued} queued, ${alreadyQueued} before, ${impossible.length} impossible`);
        if (impossible.length > 0) printRows(impossible, ['BY HAND  entryName', 'WHY  reason']);
      },
    },
  },
};
