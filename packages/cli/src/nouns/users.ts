import type { Column, Noun } from '../contract/noun.ts';

const responsible: Column = [
  'responsible',
  (row: { responsibleId?: string }) => row.responsibleId ?? 'nobody: suspended',
];

const fields = (row: { readonly kind: string }) => [
  'user  username; id  id; name  displayName; e-mail  email; kind  kind',
  'status  {status}{locked?, locked:}; roles  roles; second factor  mfaEnabled?on:off',
  'last sign-in  lastLoginAt',
  ...(row.kind === 'machine' ? [responsible] : []),
  'password set by  heldBy',
];

export const noun: Noun = {
  about: 'people and machine identities, and their roles',
  sample: 'alice',
  services: ['UsersService'],
  elsewhere: ['ListUserRoles'],
  views: {
    User: {
      columns: [
        'ID  id; USER  username; NAME  displayName; KIND  kind; STATUS  {status}{locked?, locked:}',
        'ROLES  roles; LAST SIGN-IN  lastLoginAt',
      ],
      fields,
    },
    Role: {
      columns: ['ROLE  name; BUILT IN  builtIn?yes:; DESCRIPTION  description; PERMISSIONS  permissions'],
    },
    DirectoryIdentity: {
      fields: [
        'user  userId',
        ['account names', (row: { accountNames: string[] }) => row.accountNames.join(', ') || 'none'],
        ['groups', (row: { groups: string[] }) => row.groups.join(', ') || 'none'],
        'changed  updatedAt',
      ],
    },
  },
  verbs: {
    create: {
      call: 'CreateUser',
      example: 'users create alice --role requester --password-stdin < alice.password',
      flags: { kind: false, password: false },
      options: [
        '--machine  a machine identity, which has API tokens only; you are the responsible person',
        '--password-stdin  read the password from standard input',
        '--password-file <file>  read the password from a file',
      ],
      prepare: async ({ options }) => {
        const { passwordOf } = await import('../flows/passwords.ts');
        return { kind: options.machine ? 'machine' : 'person', ...(await passwordOf(options)) };
      },
    },
    update: { call: 'UpdateUser', example: 'users update alice --email alice@example.org' },
    roles: {
      call: 'UpdateUserRoles',
      about: 'show the roles of a user; with names, replace them',
      example: 'users roles bob approver auditor',
      words: 'userId roles...',
      run: async ({ invoke, listAll }, request) => {
        const { items } =
          request.roles === undefined
            ? { items: await listAll('ListUserRoles', request) }
            : await invoke<{ items: readonly object[] }>('UpdateUserRoles', request);
        return { items, totalItems: items.length };
      },
    },
    disable: {
      call: 'UpdateUser',
      about: 'disable a user and end their sessions',
      fixed: { status: 'disabled' },
      told: 'disabled',
      quiet: true,
    },
    enable: {
      call: 'UpdateUser',
      about: 'enable a disabled user',
      fixed: { status: 'active' },
      told: 'enabled',
      quiet: true,
    },
    unlock: { call: 'UnlockUser' },
    'sign-out': { call: 'RevokeUserSessions', told: '{revokedSessions} sessions ended', quiet: true },
    'disable-mfa': { call: 'DisableUserMfa', code: true, told: 'the second factor is off' },
    'reset-password': {
      call: 'StartPasswordReset',
      told: 'give this one-time link to {0}; it expires at {expiresAt}:',
      line: '{resetUrl}',
    },
    'take-over': {
      call: 'SetResponsiblePerson',
      example: 'users take-over deploy-bot',
      flags: { responsibleId: '--responsible <user>' },
      told: 'its tokens and grants have ended; create a new token with claviger tokens create --user',
    },
  },
  nouns: {
    'directory-identity': {
      about: 'the account names with which devices report a user, and the directory groups of the user',
      services: ['DirectoryIdentitiesService'],
      verbs: {
        get: {
          call: 'GetDirectoryIdentity',
          example: 'users directory-identity get sarah',
        },
        set: {
          call: 'SetDirectoryIdentity',
          example: "users directory-identity set sarah --account-name 'acme\\sarah' --group Finance",
          options: [
            '--no-account-name  remove all account names',
            '--no-group  remove the user from all groups',
          ],
          needs: '--account-name or --no-account-name, --group or --no-group',
          prepare: async ({ invoke }, { userId, ...given }) => {
            const { identity } = await invoke<{ identity: Record<string, unknown> }>('GetDirectoryIdentity', {
              userId,
            });
            const { accountNames, groups, rowVersion } = identity;
            return { accountNames, groups, rowVersion, ...given };
          },
        },
      },
    },
  },
};
