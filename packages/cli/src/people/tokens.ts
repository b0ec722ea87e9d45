import * as auth from '@claviger/contracts/auth/v1/auth';
import { tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { userId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { prepareSecretOutput } from './secret-output.ts';
import { withSession } from './session.ts';
import { type Column, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface TokenListOptions extends ConnectionOptions, ListOptions {
  readonly user?: string;
}
export interface TokenCreateOptions extends ConnectionOptions {
  readonly user?: string;
  readonly permission?: string[];
  readonly days?: number;
  readonly show?: boolean;
  readonly outputFile?: string;
}

const service = auth.ApiTokensService;

const columns: readonly Column<auth.ApiToken>[] = [
  ['ID', (row) => row.id],
  ['NAME', (row) => row.name],
  ['STARTS WITH', (row) => row.prefix],
  ['USER', (row) => row.userId],
  ['UNTIL', (row) => timeText(row.revokedAt ?? row.expiresAt)],
  ['LAST USED', (row) => timeText(row.lastUsedAt)],
  ['STATE', (row) => (row.revokedAt === undefined ? '' : 'revoked')],
];

export function listTokens(options: TokenListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const filter = options.user === undefined ? {} : { userId: await userId(api, options.user) };
    showList(await listItems(api, service.listApiTokens, filter, options), columns, format);
  });
}

export function createToken(name: string, options: TokenCreateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { user, permission, days } = options;
    const output = await prepareSecretOutput(options, format);
    const ask = async () =>
      api.call(service.createApiToken, {
        name,
        ...(user === undefined ? {} : { userId: await userId(api, user) }),
        ...(permission === undefined ? {} : { permissions: permission }),
        ...(days === undefined ? {} : { expiresInDays: days }),
      });
    const { apiToken, token } = await ask().catch(async (error: unknown) => {
      await output.abandon();
      throw error;
    });
    tell(`token ${apiToken?.id ?? ''} until ${timeText(apiToken?.expiresAt)}; it is shown once`);
    if (format === 'json' && options.outputFile === undefined) return showJson({ apiToken, token });
    await output.deliver({ username: '', secret: token, version: 1, receipt: undefined });
  });
}

export function revokeToken(apiTokenId: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.revokeApiToken, { apiTokenId });
    tell('revoked');
  });
}
