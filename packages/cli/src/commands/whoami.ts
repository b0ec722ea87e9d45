import type { Verb } from '../contract/noun.ts';

export const command: Verb = {
  call: 'GetCurrentUser',
  about: 'show the signed-in user, the server and the permissions',
  example: 'whoami -o json',
  run: async ({ invoke, connection }) => ({
    server: connection.server,
    ...(await invoke('GetCurrentUser', {})),
  }),
  fields: [
    'user  user.username',
    'name  user.displayName',
    'id  user.id',
    'server  server',
    'tenant  tenant|tenantId',
    'roles  user.roles',
    'second factor  user.mfaEnabled?on:off',
    ['may', ({ permissions }: { permissions: string[] }) => permissions.join(' ')],
  ],
};
