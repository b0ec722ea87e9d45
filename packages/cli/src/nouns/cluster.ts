import type { Noun, Verb } from '../contract/noun.ts';
import { EXIT } from '../exit-codes.ts';

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
  flags: { reason: '--reason <text>!  why, for the audit log', ...flags },
  line,
  after: '{wasLast?no replica may lead now: the duties of the service wait until one is readmitted:}',
});

export const noun: Noun = {
  about: 'the replicas of every service, and which of them lead',
  services: ['ClusterAdminService'],
  verbs: {
    status: {
      call: 'GetClusterStatus',
      about:
        'show every replica: role, term, last heartbeat, version, and what waits; exit code 1 when degraded',
      print: async (answer: never) => (await import('../flows/cluster-status.ts')).printClusterStatus(answer),
      exit: ({ status }: { status: string }) => (status === 'ok' ? EXIT.ok : EXIT.error),
    },
    promote: order(
      'promote',
      'PromoteNode',
      'let a replica lead the duties of its service',
      'vault vault-2 --reason "vault-1 is to be replaced"',
      '{node} leads {service} in term {term}',
    ),
    demote: order(
      'demote',
      'DemoteNode',
      'keep a replica from leading until it is readmitted',
      'vault vault-1 --reason "its disk is slow"',
      '{node} {changed?may not lead any more:was demoted before}',
      { force: 'also the last replica that may lead: its service then does no duties' },
    ),
    readmit: order(
      'readmit',
      'ReadmitNode',
      'let a demoted replica lead again',
      'vault vault-1 --reason "its disk was replaced"',
      '{node} {changed?may lead again:was not demoted}',
    ),
  },
};
