import { EXIT } from '@claviger/terminal/exit-codes';
import type { Noun, Verb } from '../contract/noun.ts';

const order = (
  verb: string,
  call: string,
  about: string,
  example: string,
  line: string,
  flags = {},
): Verb => ({
  call,
  about,
  example: `cluster ${verb} ${example}`,
  words: 'service node',
  flags: { reason: '--reason <text>!  reason, for the audit log', ...flags },
  line,
  after: '{wasLast?no replica can lead now: the duties of the service wait until one is readmitted:}',
});

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
    promote: order(
      'promote',
      'PromoteNode',
      'make a replica the leader of its service',
      'vault vault-2 --reason "vault-1 is to be replaced"',
      '{node} leads {service} in term {term}',
    ),
    demote: order(
      'demote',
      'DemoteNode',
      'exclude a replica from leadership until it is readmitted',
      'vault vault-1 --reason "its disk is slow"',
      '{node} {changed?is demoted and cannot lead:was already demoted}',
      { force: 'also demote the last replica that can lead: its service then does no duties' },
    ),
    readmit: order(
      'readmit',
      'ReadmitNode',
      'allow a demoted replica to lead again',
      'vault vault-1 --reason "its disk was replaced"',
      '{node} {changed?can lead again:was not demoted}',
    ),
  },
};
