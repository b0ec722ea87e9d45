import type * as updates from '@claviger/contracts/auth/v1/updates';
import type { Verb } from '../contract/noun.ts';

export const command: Verb = {
  call: 'GetUpdatesStatus',
  about: 'show the running and earlier versions, and the applied migrations',
  example: 'updates',
  told: 'version {version}, {state}',
  print: async ({ replicas, schemas, history }: updates.GetUpdatesStatusResponse, { printRows }) => {
    const { timeText } = await import('../contract/cells.ts');
    printRows(replicas, ['SERVICE  service', 'NODE  node', 'VERSION  version', 'STARTED  startedAt']);
    printRows(schemas, [
      'SCHEMA  service',
      [
        'LAST MIGRATION',
        ({ known, applied }: updates.SchemaStatus) => (known ? applied.at(-1)?.name : 'unknown'),
      ],
      ['APPLIED', ({ applied }: updates.SchemaStatus) => timeText(applied.at(-1)?.appliedAt)],
      'PENDING  pending',
      'NEWER  newer',
    ]);
    printRows(history, ['VERSION  version', 'FIRST SEEN  firstSeenAt']);
  },
};
