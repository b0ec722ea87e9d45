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
  about: 'who may sign in, and with which roles',
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
    list: { call: 'ListUsers', about: 'list users', example: 'users list --search ali' },
    show: { call: 'GetUser', about: 'show one, by user name or id' },
    create: {
      call: 'CreateUser',
      about: 'add a user; the password comes from a file or standard input',
      example: 'users create alice --role requester --password-stdin < alice.password',
      words: 'username',
      flags: { kind: false, password: false },
      options: [
        '--machine  a machine identity, which has API tokens only; you are the responsible person',
        '--password-stdin  read the password from standard input',
        '--password-file <file>  read the password from a file',
      ],
      prepare: async ({ options }) => {
        const { passwordOf } = await import('../commands/password.ts');
        return { kind: options.machine ? 'machine' : 'person', ...(await passwordOf(options)) };
      },
    },
    update: {
      call: 'UpdateUser',
      about: 'change what is given',
      example: 'users update alice --email alice@example.org',
    },
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
      about: 'keep a user from signing in, and end their sessions',
      fixed: { status: 'disabled' },
      told: 'disabled',
      quiet: true,
    },
    enable: {
      call: 'UpdateUser',
      about: 'let a disabled user sign in again',
      fixed: { status: 'active' },
      told: 'enabled',
      quiet: true,
    },
    unlock: { call: 'UnlockUser', about: 'lift a lock after failed sign-ins' },
    'sign-out': {
      call: 'RevokeUserSessions',
      about: 'end every session of a user at once',
      told: '{revokedSessions} sessions ended',
      quiet: true,
    },
    delete: {
      call: 'DeleteUser',
      about: 'delete a user; their events stay in the audit log',
    },
    'disable-mfa': {
      call: 'DisableUserMfa',
      about: 'switch off the second factor of a user who has lost it; needs a recent one of your own',
      code: true,
      told: 'the second factor is off',
    },
    'reset-password': {
      call: 'StartPasswordReset',
      about: 'make a one-time link with which a user chooses a new password',
      told: 'hand this one-time link to {0}; it ends at {expiresAt}:',
      line: '{resetUrl}',
    },
    'take-over': {
      call: 'SetResponsiblePerson',
      about: 'become responsible for a machine identity; its tokens and grants end',
      example: 'users take-over deploy-bot',
      words: 'userId=machine',
      flags: { responsibleId: '--responsible <user>  make this person responsible instead of yourself' },
      told: 'its tokens and grants have ended; make a new token with claviger tokens create --user',
    },
  },
  nouns: {
    'directory-identity': {
      about: 'under which names devices report a user, and the directory groups of the user',
      services: ['DirectoryIdentitiesService'],
      verbs: {
        get: {
          call: 'GetDirectoryIdentity',
          about: 'show both',
          example: 'users directory-identity get sarah',
        },
        set: {
          call: 'SetDirectoryIdentity',
          about: 'replace the names, the groups, or both; nobody sets their own',
          example: "users directory-identity set sarah --account-name 'acme\\sarah' --group Finance",
          flags: { accountNames: 'as devices report it', groups: 'a directory group' },
          options: ['--no-account-name  devices do not know the user', '--no-group  the user is in none'],
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
