import type { Noun } from '../contract/noun.ts';
import { grantFields, subjectText } from '../contract/request-view.ts';

export const noun: Noun = {
  about: 'list grants: your own, or all with grants.read-all',
  services: ['GrantsService'],
  elsewhere: ['RevokeGrant', 'GetGrantCredentials'],
  views: {
    Grant: {
      columns: [
        'ID  id; STATUS  status; WHO  userName|userId',
        ['WHAT', subjectText],
        'RECEIVED  credentialsDeliveredAt; UNTIL  endedAt|expiresAt',
      ],
      fields: grantFields,
    },
  },
  own: { call: 'ListGrants', example: 'grants --status active' },
  shortcuts: {
    revoke: {
      call: 'RevokeGrant',
      about: 'end a grant at once; secrets disclosed under it are rotated',
      example: 'revoke 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11 --reason "done early"',
      flags: { reason: '--reason <text>!' },
    },
  },
  verbs: {},
};
