import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import type { OutputFormat } from '@claviger/terminal/show';
import type { ApiClient } from './api-client.ts';
import { CliProblem } from './cli-problem.ts';
import { type Connection, type ConnectionOptions, connectionOf } from './connection.ts';
import { readTokens, type Tokens, withTokenLock, writeTokens } from './profiles.ts';

/** What a signed-in command works with. */
export interface Session {
  readonly api: ApiClient;
  readonly connection: Connection;
  readonly format: OutputFormat;
  /** Calls an operation by its name, e.g. `GetDevice`. */
  invoke<Answer = Record<string, unknown>>(operation: string, request: object): Promise<Answer>;
}

const renewBeforeMs = 30_000;

/**
 * Runs a command with CLAVIGER_TOKEN, otherwise with the tokens of the profile, which are refreshed when they
 * expire.
 */
export async function withSession<T>(
  options: ConnectionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const connection = await connectionOf(options);
  const tokens = connection.token === undefined ? await tokensOf(connection) : undefined;
  if (connection.token === undefined && tokens === undefined) {
    throw new CommandError(
      `nobody is signed in at ${connection.server} (profile ${connection.profileName}): use \`claviger login\``,
      EXIT.denied,
    );
  }
  await using api = await createClient(options, connection, async (fresh) => {
    if (connection.token !== undefined) return connection.token;
    return currentToken(options, connection, fresh);
  });
  return await work(await sessionOf(api, connection, options));
}

/** Runs a command that needs no sign-in. */
export async function withoutSession<T>(
  options: ConnectionOptions,
  work: (session: Session) => Promise<T>,
  token?: () => string | undefined,
): Promise<T> {
  const connection = await connectionOf(options);
  await using api = await createClient(options, connection, async () => token?.());
  return await work(await sessionOf(api, connection, options));
}

/** The contract and the client are loaded when a command calls the server; its help does not need them. */
async function sessionOf(
  api: ApiClient,
  connection: Connection,
  options: ConnectionOptions,
): Promise<Session> {
  const { operation } = await import('./operations.ts');
  return {
    api,
    connection,
    format: options.json ? 'json' : (options.output ?? 'table'),
    invoke: async <Answer>(name: string, request: object) =>
      (await api.invoke(operation(name), request)) as Answer,
  };
}

async function createClient(
  options: ConnectionOptions,
  { server, ca, caFile }: Connection,
  token: (fresh: boolean) => Promise<string | undefined>,
): Promise<ApiClient> {
  const { ApiClient } = await import('./api-client.ts');
  return new ApiClient({
    baseUrl: server,
    ...(ca === undefined ? {} : { ca }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(options.showCurl ? { onRequest: tell } : {}),
    token,
  });
}

/** The tokens of the profile, if this server issued them. */
async function tokensOf({ profileName, server }: Connection): Promise<Tokens | undefined> {
  const tokens = await readTokens(profileName);
  return tokens?.server === server ? tokens : undefined;
}

const isLive = (tokens: Tokens | undefined) =>
  tokens !== undefined && tokens.expiresAt - renewBeforeMs > Date.now();

/** Returns a valid access token. `fresh`: the stored one was refused, so another one is needed. */
async function currentToken(
  options: ConnectionOptions,
  connection: Connection,
  fresh: boolean,
): Promise<string | undefined> {
  const seen = await tokensOf(connection);
  if (seen === undefined || (isLive(seen) && !fresh)) return seen?.accessToken;
  return withTokenLock(async () => {
    // Another command may have refreshed them while this one waited.
    const now = await tokensOf(connection);
    if (now === undefined || (isLive(now) && now.accessToken !== seen.accessToken)) return now?.accessToken;
    const renewed = await refresh(options, connection, now.refreshToken);
    await writeTokens(connection.profileName, renewed);
    return renewed?.accessToken;
  });
}

/** Returns undefined if the session has ended. */
async function refresh(
  options: ConnectionOptions,
  connection: Connection,
  refreshToken: string,
): Promise<Tokens | undefined> {
  if (refreshToken === '') return undefined;
  await using api = await createClient(options, connection, async () => undefined);
  try {
    const { operation } = await import('./operations.ts');
    const answer = await api.invoke(operation('Refresh'), { refreshToken });
    return tokensFrom(connection.server, answer as unknown as TokenAnswer);
  } catch (error) {
    if (error instanceof CliProblem && error.status === 401) return undefined;
    throw error;
  }
}

/** Tokens in the answer of a sign-in, a second factor or a refresh. */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}

/** Converts the answer of a sign-in, a second factor or a refresh to its stored form. */
export function tokensFrom(server: string, answer: TokenAnswer): Tokens {
  const { accessToken, refreshToken, expiresIn } = answer;
  return { server, accessToken, refreshToken, expiresAt: Date.now() + expiresIn * 1000 };
}
