import type { Verb } from '../contract/noun.ts';

interface Schema {
  readonly known: boolean;
  readonly applied: readonly { readonly name: string; readonly appliedAt: string }[];
}
interface Status {
  readonly replicas: readonly object[];
  readonly schemas: readonly object[];
  readonly history: readonly object[];
}

export const command: Verb = {
  call: 'GetUpdatesStatus',
  about: 'show which versions run and ran, and which migrations of the schemas were applied',
  example: 'updates',
  told: 'version {version}, {state}',
  print: async ({ replicas, schemas, history }: Status, { printRows }) => {
    const { timeText } = await import('../contract/cells.ts');
    printRows(replicas, ['SERVICE  service', 'NODE  node', 'VERSION  version', 'STARTED  startedAt']);
    printRows(schemas, [
      'SCHEMA  service',
      ['LAST MIGRATION', ({ known, applied }: Schema) => (known ? applied.at(-1)?.name : 'unknown')],
      ['APPLIED', ({ applied }: Schema) => timeText(applied.at(-1)?.appliedAt)],
      'PENDING  pending',
      'NEWER  newer',
    ]);
    printRows(history, ['VERSION  version', 'FIRST SEEN  firstSeenAt']);
  },
};
