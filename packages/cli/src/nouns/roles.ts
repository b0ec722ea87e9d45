import type { Noun } from '../contract/noun.ts';

export const noun: Noun = {
  about: 'named sets of permissions',
  sample: 'reader',
  services: ['RolesService'],
  views: {
    Role: {
      columns: ['ROLE  name; BUILT IN  builtIn?yes:; DESCRIPTION  description; PERMISSIONS  permissions'],
      fields: [
        'role  name; id  id; description  description',
        ['permissions', (row: { permissions: string[] }) => row.permissions.join(' ')],
      ],
    },
  },
  verbs: {
    permissions: { call: 'ListPermissions', line: '{items}' },
    create: {
      call: 'CreateRole',
      example: 'roles create reader --permission vault.entries.read --permission resources.read',
    },
    update: {
      call: 'UpdateRole',
      example: 'roles update reader --description "sees entries, no secrets"',
      needs: '--description or --permission',
      prepare: async ({ invoke }, { roleId, ...given }) => {
        const { role } = await invoke<{ role: Record<string, unknown> }>('GetRole', { roleId });
        const { description, permissions, rowVersion } = role;
        return { description, permissions, rowVersion, ...given };
      },
    },
  },
};
