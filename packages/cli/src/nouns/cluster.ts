import { EXIT } from '@claviger/terminal/exit-codes';
import type { Noun } from '../contract/noun.ts';

const after = '{wasLast?no replica can lead now: the duties of the service wait until one is readmitted:}';

export const noun: Noun = {
  about: 'the replicas of every service, and their leaders',
  services: ['ClusterAdminService'],
  verbs: {
    status: {
      call: 'GetClusterStatus',
      about:
        'show every replica: role, term, last heartbeat, version and waiting work; exit code 1 if degraded',
      print: async (answer: never) => (await import('../flows/cluster-status.ts')).printClusterStatus(answer),
      exit: ({ status }: { status: string }) => (status === 'ok' ? EXIT.ok : EXIT.error),
    },
    promote: {
      call: 'PromoteNode',
      words: 'service node',
      example: 'cluster promote vault vault-2 --reason "vault-1 is to be replaced"',
      line: '{node} leads {service} in term {term}',
      after,
    },
    demote: {
      call: 'DemoteNode',
      words: 'service node',
      example: 'cluster demote vault vault-1 --reason "its disk is slow"',
      line: '{node} {changed?is demoted and cannot lead:was already demoted}',
      after,
    },
    readmit: {
      call: 'ReadmitNode',
      words: 'service node',
      example: 'cluster readmit vault vault-1 --reason "its disk was replaced"',
      line: '{node} {changed?can lead again:was not demoted}',
      after,
    },
  },
};
