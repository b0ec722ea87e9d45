import { rowMapper } from '@claviger/contracts';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Reader } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';

export interface ApiTokenRow {
  id: string;
  name: string;
  user_id: string;
  prefix: string;
  permissions: string[];
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export function apiTokensQuery(reader: Reader<AuthSchema>) {
  return reader
    .selectFrom('api_tokens')
    .select([
      'api_tokens.id',
      'api_tokens.name',
      'api_tokens.user_id',
      'api_tokens.prefix',
      'api_tokens.permissions',
      'api_tokens.created_at',
      'api_tokens.expires_at',
      'api_tokens.last_used_at',
      'api_tokens.revoked_at',
    ]);
}

export const apiTokenMessage: (row: ApiTokenRow) => auth.ApiToken =
  rowMapper<auth.ApiToken>('claviger.auth.v1.ApiToken');
