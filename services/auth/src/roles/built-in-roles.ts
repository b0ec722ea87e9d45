export const ADMINISTRATOR = 'administrator';

/** Every tenant begins with these; they cannot be changed. */
export const BUILT_IN_ROLES: readonly {
  name: string;
  description: string;
  permissions: readonly string[];
}[] = [
  { name: ADMINISTRATOR, description: 'May do everything', permissions: ['*'] },
  {
    name: 'operator',
    description: 'Keeps resources and their credentials',
    permissions: [
      'resources.*',
      'vault.entries.read',
      'vault.entries.create',
      'vault.entries.update',
      'vault.entries.rotate',
      'vault.entries.retrieve',
      'vault.shares.*',
      'modules.*',
      'requests.create',
      'requests.read',
      'grants.read',
      'grants.use',
      'access-policies.read',
      'breakglass.activate',
      'breakglass.read',
      'assistant.use',
    ],
  },
  {
    name: 'approver',
    description: 'Decides about requests for access',
    permissions: [
      'requests.read',
      'requests.create',
      'requests.decide',
      'requests.read-all',
      'grants.read',
      'grants.read-all',
      'grants.revoke',
      'grants.use',
      'resources.read',
      'vault.entries.read',
      'access-policies.read',
      'breakglass.confirm',
      'breakglass.read',
      'assistant.use',
    ],
  },
  {
    name: 'requester',
    description: 'Asks for access and uses what was granted',
    permissions: [
      'resources.read',
      'vault.entries.read',
      'requests.create',
      'requests.read',
      'grants.read',
      'grants.use',
      'assistant.use',
    ],
  },
  {
    name: 'auditor',
    description: 'Sees everything that happened, and no secret',
    permissions: [
      'audit.*',
      'compliance.*',
      'users.read',
      'roles.read',
      'resources.read',
      'vault.entries.read',
      'requests.read',
      'requests.read-all',
      'grants.read',
      'grants.read-all',
      'access-policies.read',
      'modules.read',
      'api-tokens.read',
      'breakglass.read',
      'assistant.use',
    ],
  },
];
