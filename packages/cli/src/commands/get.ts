import type { Verb } from '../contract/noun.ts';

export const command: Verb = {
  call: 'GetGrantCredentials',
  about: 'receive the credential of a grant; a one-time credential is delivered once',
  example: 'get 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --output-file ./db.password --receipt-file ./db.receipt',
  words: 'grantOrRequestId',
  secret: 'secret',
  prepare: async ({ invoke, words: [id] }) => ({
    grantId: await (await import('../flows/active-grant.ts')).activeGrant(invoke, id!),
  }),
};
