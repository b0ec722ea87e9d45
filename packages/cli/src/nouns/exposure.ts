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
      example: 'exposure alice',
      isDefault: true,
      columns: ['ENTRY  entryId', ['WHAT', subjectText], version, ...ways, 'ROTATION  rotation'],
    },
    entry: {
      call: 'GetEntryExposure',
      example: 'exposure entry app-login',
      flags: { currentOnly: false },
      options: ['--past  also earlier versions'],
      prepare: ({ options }) => ({ currentOnly: options.past !== true }),
      columns: ['WHO  userName|userId', version, 'FIRST  firstSeenAt', ...ways],
    },
    rotate: {
      call: 'RotateUserExposure',
      example: 'exposure rotate alice --reason "alice has left"',
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
