import type { Verb } from '../contract/noun.ts';

export const command: Verb = {
  call: 'CreateRequest',
  about: 'request access to a resource or an entry, by name or id',
  example: 'request db-prod --for 30m --reason "slow query in ticket 4711" --wait',
  words: 'resourceOrEntry',
  flags: { resourceId: false, entryId: false },
  options: [
    '--wait  wait for the decision: exit code 0 approved, 3 denied, 4 still pending',
    '--timeout <duration>=5m  maximum wait',
  ],
  prepare: async ({ api, words: [subject] }) =>
    (await import('../contract/names.ts')).accessSubject(api, subject!),
  run: async (running, request) =>
    (await import('../flows/request-access.ts')).requestAccess(running, request),
};
