import type * as devices from '@claviger/contracts/auth/v1/devices';
import { anyOf, type Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { foldedName, possibleNames } from '../directory-identities/account-names.ts';
import { peopleBehindUser } from '../responsible/people-behind.ts';
import type { AuthSchema } from '../schema.ts';
import type { DirectoryDeps } from './deps.ts';

const CONTROLS = /\p{Cc}/u;

/**
 * Resolves a user name that a device reports. Only an account name that an administrator assigned identifies
 * a person. `possibleUserIds` lists the users who must not decide, and the people behind them: the identified
 * person and all users who sign in under the name or, if nobody is identified, all users whom the name may
 * mean. So nobody gains anything by assigning their own name to another person.
 */
export function resolveSubject(
  deps: Pick<DirectoryDeps, 'database'>,
): Handler<typeof devices.DeviceDirectoryService.resolveSubject> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const deviceId = request.deviceId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const deviceEnrollerIds = deviceId
        ? await withPeopleBehind(reader, await enrollersOf(reader, deviceId))
        : [];
      // Account names contain no control characters.
      const known = CONTROLS.test(request.username) ? undefined : await identified(reader, request.username);
      if (known) {
        return {
          userId: known.id,
          userName: known.username,
          groups: known.groups,
          groupsKnown: true,
          possibleUserIds: await withPeopleBehind(reader, [
            known.id,
            ...(await possible(reader, request.username, true)),
          ]),
          deviceEnrollerIds,
        };
      }
      return {
        userId: '',
        userName: '',
        groups: [],
        groupsKnown: false,
        possibleUserIds: await withPeopleBehind(reader, await possible(reader, request.username, false)),
        deviceEnrollerIds,
      };
    });
  };
}

/**
 * Returns the user who enrolled a device, and the creators of tokens of that user (for machine identities).
 */
async function enrollersOf(reader: Reader<AuthSchema>, deviceId: string): Promise<string[]> {
  const rows = await reader
    .selectFrom('devices')
    .leftJoin('api_tokens', (join) =>
      join
        .onRef('api_tokens.tenant_id', '=', 'devices.tenant_id')
        .onRef('api_tokens.user_id', '=', 'devices.enrolled_by'),
    )
    .select(['devices.enrolled_by', 'api_tokens.created_by'])
    .distinct()
    .where('devices.id', '=', deviceId)
    .execute();
  return [...new Set(rows.flatMap((row) => [row.enrolled_by, ...(row.created_by ? [row.created_by] : [])]))];
}

function identified(reader: Reader<AuthSchema>, name: string) {
  return reader
    .selectFrom('directory_account_names')
    .innerJoin('directory_identities', 'directory_identities.user_id', 'directory_account_names.user_id')
    .innerJoin('users', 'users.id', 'directory_account_names.user_id')
    .select(['users.id', 'users.username', 'directory_identities.groups'])
    .where('directory_account_names.folded', '=', foldedName(name))
    .where('users.deleted_at', 'is', null)
    .where('users.kind', '=', 'person')
    .executeTakeFirst();
}

/**
 * Returns active users who sign in under such a name or, unless `bySignInAlone`, have it as an account name
 * in any domain.
 */
async function possible(reader: Reader<AuthSchema>, name: string, bySignInAlone: boolean): Promise<string[]> {
  const names = possibleNames(name);
  if (names.length === 0) return [];
  const rows = await reader
    .selectFrom('users')
    .select('id')
    .where('status', '=', 'active')
    .where('deleted_at', 'is', null)
    .where(
      sql<boolean>`(canonical_login = ANY(${names}::text[]) OR NOT ${bySignInAlone}::boolean AND EXISTS (SELECT FROM directory_account_names n
        WHERE n.tenant_id = users.tenant_id AND n.user_id = users.id AND n.bare = ANY(${names}::text[])))`,
    )
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}

/** Returns the users and the people behind them. */
async function withPeopleBehind(reader: Reader<AuthSchema>, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await reader
    .selectFrom('users')
    .select(peopleBehindUser.as('behind'))
    .where('id', '=', anyOf(ids, 'uuid'))
    .execute();
  return [...new Set([...ids, ...rows.flatMap((row) => row.behind)])];
}
