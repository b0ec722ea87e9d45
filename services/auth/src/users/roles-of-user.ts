import { sql } from 'kysely';

/** Role names of a row of `users`. */
export const rolesOfUser = sql<string[]>`coalesce((SELECT array_agg(r.name ORDER BY r.name)
  FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
  WHERE ur.tenant_id = users.tenant_id AND ur.user_id = users.id), '{}')`;

export const permissionsOfUser = sql<string[]>`coalesce((SELECT array_agg(DISTINCT p ORDER BY p)
  FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id, unnest(r.permissions) p
  WHERE ur.tenant_id = users.tenant_id AND ur.user_id = users.id), '{}')`;
