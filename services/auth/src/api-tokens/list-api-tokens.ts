import type * as auth from '@claviger/contracts/auth/v1/auth';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { apiTokenMessage, apiTokensQuery } from './api-tokens-store.ts';
import type { ApiTokensDeps } from './deps.ts';

const SORT: SortFields = {
  createdAt: { column: 'api_tokens.created_at', type: 'timestamptz' },
  expiresAt: { column: 'api_tokens.expires_at', type: 'timestamptz' },
  name: { column: 'api_tokens.name', type: 'text' },
};

const BY_STATUS = {
  active: sql<boolean>`api_tokens.revoked_at IS NULL AND api_tokens.expires_at > now()`,
  revoked: sql<boolean>`api_tokens.revoked_at IS NOT NULL`,
  expired: sql<boolean>`api_tokens.revoked_at IS NULL AND api_tokens.expires_at <= now()`,
};

/** Returns no tokens, only their first characters. */
export function listApiTokens(deps: ApiTokensDeps): Handler<typeof auth.ApiTokensService.listApiTokens> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      let query = apiTokensQuery(reader);
      if (request.userId) query = query.where('api_tokens.user_id', '=', request.userId);
      if (request.status) query = query.where(BY_STATUS[request.status as keyof typeof BY_STATUS]);
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'createdAt',
        defaultOrder: 'desc',
        tieBreaker: { column: 'api_tokens.id', type: 'uuid' },
        map: apiTokenMessage,
      });
    });
}
